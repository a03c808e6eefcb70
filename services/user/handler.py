"""UserService."""

from __future__ import annotations

from datetime import UTC, datetime

from chassis import ids, wire
from chassis.calls import principal
from chassis.database import Database
from creavio.user.v1 import user_pb2, user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import UserServiceServicer
from services.user import convert, domain, events, store


class UserHandler(UserServiceServicer):
    """Serves profiles."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def GetMe(self, request: user_service_pb2.GetMeRequest, context: object) -> user_pb2.User:
        return await self._user(principal().user_id)

    async def UpdateMe(
        self, request: user_service_pb2.UpdateMeRequest, context: object
    ) -> user_pb2.User:
        user_id = ids.parse(ids.Kind.USER, principal().user_id, field="user_id")
        changes = wire.changes(request, domain.EDITABLE)
        async with self._database.transaction() as tx:
            before = await store.profile_to_change(tx, user_id)
            profile = domain.edit(before, changes)
            if profile != before:
                await store.save(tx, profile)
                tx.emit(events.updated(profile))
        return convert.user(profile)

    async def CreateUser(
        self, request: user_service_pb2.CreateUserRequest, context: object
    ) -> user_pb2.User:
        user_id = ids.parse(ids.Kind.USER, request.user_id, field="user_id")
        profile = domain.new_profile(
            user_id, request.handle, request.display_name, datetime.now(UTC)
        )
        async with self._database.transaction() as tx:
            return convert.user(await store.add(tx, profile))

    async def GetUser(
        self, request: user_service_pb2.GetUserRequest, context: object
    ) -> user_pb2.User:
        return await self._user(request.user_id)

    async def _user(self, identifier: str) -> user_pb2.User:
        user_id = ids.parse(ids.Kind.USER, identifier, field="user_id")
        async with self._database.reading() as tx:
            return convert.user(await store.profile_of(tx, user_id))
