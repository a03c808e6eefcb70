"""The bot that comes with a profile."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.clients import Clients
from chassis.database import Database
from chassis.errors import AlreadyExists
from chassis.unfinished import finish_each
from creavio.user.v1 import bot_profile_service_pb2, user_pb2, user_service_pb2
from creavio.user.v1.bot_profile_service_pb2_grpc import BotProfileServiceStub
from creavio.user.v1.user_service_pb2_grpc import UserServiceStub
from services.auth.domain import HandleTaken
from services.auth.domain.bots import Bot
from services.auth.store import bots

_ABANDONED_AFTER: Final = timedelta(seconds=20)
"""Longer than any call lives, so that nobody else is still at it."""
_BATCH: Final = 100


class Bots:
    """Carries the making of a bot through: with its profile, or not at all."""

    def __init__(self, database: Database, clients: Clients) -> None:
        self._database = database
        self._clients = clients
        self._users = UserServiceStub(clients.channel)
        self._profiles = BotProfileServiceStub(clients.channel)

    async def finish_creating(self, bot: Bot) -> user_pb2.User:
        """Create the profile, then let the bot count.

        Raises `HandleTaken`, the bot given up, when the profile cannot be.
        """
        request = user_service_pb2.CreateUserRequest(
            user_id=_user(bot.id), handle=bot.handle, display_name=bot.display_name, bot=True
        )
        try:
            user = await self._clients.call(self._users.CreateUser, request)
        except AlreadyExists:
            async with self._database.transaction() as tx:
                await bots.drop_bot(tx, bot.id)
            raise HandleTaken(bot.handle) from None
        async with self._database.transaction() as tx:
            await bots.settle_bot(tx, bot.id)
        return user

    async def profiles(self, found: Sequence[Bot]) -> dict[UUID, user_pb2.User]:
        """The profiles of bots, by their ids."""
        if not found:
            return {}
        request = user_service_pb2.BatchGetUsersRequest(user_ids=[_user(bot.id) for bot in found])
        reply = await self._clients.call(self._users.BatchGetUsers, request)
        return {ids.parse(ids.Kind.USER, user.id, field="id"): user for user in reply.users}

    async def rename(self, bot_id: UUID, display_name: str) -> user_pb2.User:
        """Give a bot another name; its profile then."""
        request = bot_profile_service_pb2.RenameBotRequest(
            user_id=_user(bot_id), display_name=display_name
        )
        return await self._clients.call(self._profiles.RenameBot, request)

    async def resume(self) -> None:
        """Finish the bots a crash left half-way."""
        async with self._database.reading() as tx:
            left = await bots.unsettled(tx, _ABANDONED_AFTER, _BATCH)
        await finish_each(left, self._finish)

    async def _finish(self, bot: Bot) -> None:
        with suppress(HandleTaken):
            await self.finish_creating(bot)


def _user(value: UUID) -> str:
    return ids.text(ids.Kind.USER, value)
