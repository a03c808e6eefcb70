"""The account that comes with a profile."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.clients import Clients
from chassis.database import Database
from chassis.errors import AlreadyExists
from chassis.unfinished import finish_each
from creavio.user.v1 import user_pb2, user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import UserServiceStub
from services.auth.domain import Account, HandleTaken, MailKind, new_mail
from services.auth.domain.identities import Identity, InvalidProviderAnswer
from services.auth.domain.registration import Mode
from services.auth.store import (
    accounts,
    grants,
    guesses,
    identities,
    mail,
    passkeys,
    registration,
    sessions,
    tokens,
)

_ABANDONED_AFTER: Final = timedelta(seconds=20)
"""Longer than any call lives, so that nobody else is still at it."""
_BATCH: Final = 100


class Accounts:
    """Carries the creation of an account through: with its profile, or not at all."""

    def __init__(self, database: Database, clients: Clients) -> None:
        self._database = database
        self._clients = clients
        self._users = UserServiceStub(clients.channel)

    async def may_sign_up(self, sign_up_code: str) -> None:
        """Return when somebody may try to: what it costs comes after.

        Raises `RegistrationClosed`, `SignUpCodeRefused`.
        """
        async with self._database.reading() as tx:
            policy = await registration.registration(tx)
        if policy.mode is not Mode.OPEN and not sign_up_code:
            raise policy.refusal()

    async def create(
        self, account: Account, sign_up_code: str, identity: Identity | None = None
    ) -> user_pb2.User:
        """Create an account, if its owner may sign up: with its profile, or not at all.

        An identity is linked with it, or neither comes to be. Raises `RegistrationClosed`,
        `SignUpCodeRefused`, `HandleTaken`, and `InvalidProviderAnswer` when the identity is
        linked already.
        """
        async with self._database.transaction() as tx:
            policy = await registration.registration(tx)
            if policy.mode is Mode.OPEN:
                await accounts.add_account(tx, account)
            else:
                if not await registration.use_code(tx, sign_up_code, policy.mode):
                    raise policy.refusal()
                await accounts.add_account(tx, account)
                await registration.remember_use(tx, account.id, sign_up_code)
            if identity is not None and await identities.link(tx, identity) is None:
                raise InvalidProviderAnswer
        return await self.finish_creating(account)

    async def finish_creating(self, account: Account) -> user_pb2.User:
        """Create the profile, then let the account count, and have its address verified.

        Raises `HandleTaken`, the account given up, when the profile cannot be.
        """
        request = user_service_pb2.CreateUserRequest(
            user_id=ids.text(ids.Kind.USER, account.id),
            handle=account.handle,
            display_name=account.display_name,
        )
        try:
            user = await self._clients.call(self._users.CreateUser, request)
        except AlreadyExists:
            async with self._database.transaction() as tx:
                await registration.give_back(tx, account.id)
                await accounts.drop_account(tx, account.id)
            raise HandleTaken(account.handle) from None
        async with self._database.transaction() as tx:
            await accounts.settle_account(tx, account.id)
            await registration.forget_use(tx, account.id)
            now = datetime.now(UTC)
            await mail.add_mail(
                tx, new_mail(MailKind.VERIFY_EMAIL, account.email, now, account.handle)
            )
        return user

    async def user(self, account_id: UUID) -> user_pb2.User:
        """The profile of an account."""
        request = user_service_pb2.GetUserRequest(user_id=ids.text(ids.Kind.USER, account_id))
        return await self._clients.call(self._users.GetUser, request)

    async def tell_standing(self, account_id: UUID) -> None:
        """Tell user whether an account is deactivated, unless it knows; again does no harm."""
        async with self._database.reading() as tx:
            news = await accounts.news_of(tx, account_id)
        if news is None:
            return
        revision, deactivated = news
        request = user_service_pb2.SetDeactivatedRequest(
            user_id=ids.text(ids.Kind.USER, account_id), deactivated=deactivated, revision=revision
        )
        await self._clients.call(self._users.SetDeactivated, request)
        async with self._database.transaction() as tx:
            await accounts.told_of(tx, account_id, revision)

    async def resume(self) -> None:
        """Finish what a crash left half-way, and drop what is over."""
        async with self._database.transaction() as tx:
            left = await accounts.unsettled(tx, _ABANDONED_AFTER, _BATCH)
            untold = await accounts.untold(tx, _BATCH)
            await sessions.forget_expired(tx)
            await mail.forget_expired(tx)
            await guesses.forget_expired(tx)
            await registration.forget_expired(tx)
            await tokens.forget_expired(tx)
            await grants.forget_expired(tx)
            await passkeys.forget_expired(tx)
        await finish_each(untold, self.tell_standing)
        await finish_each(left, self._finish)

    async def _finish(self, account: Account) -> None:
        with suppress(HandleTaken):
            await self.finish_creating(account)
