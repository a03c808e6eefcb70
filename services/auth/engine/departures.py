"""Accounts and bots whose owners go: for a while, or to be forgotten.

Who deactivates theirs is back as soon as they sign in. To be forgotten is another matter:
the account is closed first: nobody signs in with it, and its sessions end. Then user
is told (again, if need be), which tells everybody; this service erases what it keeps
when it hears it, as every other does. What a crash left half-way `resume` finishes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.clients import Clients
from chassis.database import Database, Transaction
from chassis.unfinished import finish_each
from creavio.rbac.v1 import access_service_pb2
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub
from creavio.user.v1 import erasure_service_pb2
from creavio.user.v1.erasure_service_pb2_grpc import ErasureServiceStub
from services.auth import domain
from services.auth.domain import Account
from services.auth.domain.bots import Bot
from services.auth.engine.accounts import Accounts
from services.auth.engine.guesses import Guesses
from services.auth.engine.sessions import Revocations
from services.auth.store import accounts, apps, bots, mail, person

_BATCH: Final = 100


class Departures:
    """Carries the end of an account or a bot through."""

    def __init__(
        self,
        database: Database,
        clients: Clients,
        revocations: Revocations,
        guesses: Guesses,
        made: Accounts,
    ) -> None:
        self._accounts = made
        self._database = database
        self._clients = clients
        self._revocations = revocations
        self._guesses = guesses
        self._rbac = AccessServiceStub(clients.channel)
        self._users = ErasureServiceStub(clients.channel)

    async def may_go(self, account_id: UUID) -> None:
        """Return when nothing hangs on somebody. Raises `OwnsCommunities`, `LastAdministrator`."""
        request = access_service_pb2.ListTiesRequest(user_id=ids.text(ids.Kind.USER, account_id))
        ties = await self._clients.call(self._rbac.ListTies, request)
        if ties.community_ids:
            raise domain.OwnsCommunities(len(ties.community_ids))
        if ties.last_administrator:
            raise domain.LastAdministrator

    async def close(self, account: Account) -> None:
        """End an account for good. Raises `PasswordChanged` when that was meanwhile."""
        async with self._database.transaction() as tx:
            if not await accounts.retire(tx, account):
                raise domain.PasswordChanged
            await mail.void(tx, account)
            await self._end_all(tx, account.id)
        await self._revocations.tell(tx)
        await self._have_erased(account.id)

    async def close_bot(self, bot: Bot) -> None:
        """End a bot for good: its token first, then what is kept of it."""
        async with self._database.transaction() as tx:
            await bots.retire_bot(tx, bot.id)
            await self._revocations.end_tokens(tx, bot.owner_id, bot.id)
        await self._revocations.tell(tx)
        await self._have_erased(bot.id)

    async def deactivate(self, account: Account) -> None:
        """End what is open, until the owner signs in. Raises `PasswordChanged`."""
        async with self._database.transaction() as tx:
            if not await accounts.deactivate(tx, account, datetime.now(UTC)):
                raise domain.PasswordChanged
            await self._end_all(tx, account.id)
        await self._revocations.tell(tx)
        await self._accounts.tell_standing(account.id)

    async def resume(self) -> None:
        """Have those erased of whom user was not told yet."""
        async with self._database.reading() as tx:
            left = [*await accounts.retired(tx, _BATCH), *await bots.retired(tx, _BATCH)]
        await finish_each(left, self._have_erased)

    async def _have_erased(self, account_id: UUID) -> None:
        user_id = ids.text(ids.Kind.USER, account_id)
        request = erasure_service_pb2.EraseUserRequest(user_id=user_id)
        await self._clients.call(self._users.EraseUser, request)

    async def forget_bots(self, user_id: UUID) -> None:
        """Have the bots erased that somebody made: nobody is left to answer for them."""
        async with self._database.reading() as tx:
            made = await bots.bots_of(tx, user_id)
        for bot in made:
            await self._have_erased(bot.id)

    async def _end_all(self, tx: Transaction, account_id: UUID) -> None:
        """End every session and token of a person, of their bots, and of their apps."""
        await self._revocations.end_all(tx, account_id)
        for bot in await bots.bots_of(tx, account_id):
            await self._revocations.end_tokens(tx, account_id, bot.id)
        for app in await apps.apps_of(tx, account_id):
            await self._revocations.end_grants(tx, app_id=app.id)

    async def forget(self, tx: Transaction, user_id: UUID) -> None:
        """Erase what no table names the person in: sessions with their end, and guesses."""
        await self._end_all(tx, user_id)
        account = await person.account_to_erase(tx, user_id)
        if account is not None:
            names = (account.handle, account.email, ids.text(ids.Kind.USER, user_id))
            await self._guesses.forget(tx, *names)
