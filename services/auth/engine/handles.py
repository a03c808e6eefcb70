"""Handles that people change.

One transaction keeps the handle for the account, so that nobody signs up under it. Then
user decides, changes the profile and holds the handle before. Then the account follows.
What a crash left half-way `resume` finishes: user says the same again.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from chassis import ids
from chassis.clients import Clients
from chassis.database import Database
from chassis.errors import AlreadyExists, FailedPrecondition, NotFound
from chassis.unfinished import finish_each
from creavio.user.v1 import user_pb2, user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import UserServiceStub
from services.auth.domain import Account, HandleChange, MailKind, PasswordChanged
from services.auth.engine.guesses import Guesses
from services.auth.store import accounts, handles, mail

_ABANDONED_AFTER: Final = timedelta(seconds=20)
"""Longer than any call lives, so that nobody else is still at it."""
_BATCH: Final = 100
_REFUSED: Final = (AlreadyExists, FailedPrecondition, NotFound)
"""What user says when there will be no change."""


class Handles:
    """Carries the change of a handle through: here and at user, or not at all."""

    def __init__(self, database: Database, clients: Clients, guesses: Guesses) -> None:
        self._database = database
        self._clients = clients
        self._guesses = guesses
        self._users = UserServiceStub(clients.channel)

    async def change(self, account: Account, handle: str) -> user_pb2.User:
        """Give an account another handle; its profile then.

        Raises `HandleTaken`, `HandleChanging`, `PasswordChanged`, and what user refuses it by.
        """
        async with self._database.transaction() as tx:
            if not await accounts.password_is(tx, account.id, account.password_hash):
                raise PasswordChanged
            change = await handles.reserve(tx, account.id, handle, datetime.now(UTC))
        return await self._finish(change)

    async def resume(self) -> None:
        """Finish what a crash left half-way."""
        async with self._database.transaction() as tx:
            left = await handles.take_abandoned(tx, _ABANDONED_AFTER, datetime.now(UTC), _BATCH)
        await finish_each(left, self._resume)

    async def _resume(self, change: HandleChange) -> None:
        with suppress(*_REFUSED):
            await self._finish(change)

    async def _finish(self, change: HandleChange) -> user_pb2.User:
        request = user_service_pb2.ChangeHandleRequest(
            user_id=ids.text(ids.Kind.USER, change.account_id), handle=change.handle
        )
        try:
            user = await self._clients.call(self._users.ChangeHandle, request)
        except _REFUSED:
            async with self._database.transaction() as tx:
                await handles.give_up(tx, change)
            raise
        async with self._database.transaction() as tx:
            before = await handles.carry_out(tx, change)
            if before is not None:
                await mail.follow_handle(tx, before.handle, change.handle)
                await self._guesses.follow(tx, before.handle, change.handle)
                await mail.notify_owner(tx, MailKind.HANDLE_CHANGED, before.id)
        return user
