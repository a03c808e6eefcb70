"""BotMemberService."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.empty_pb2 import Empty

from chassis.calls import principal
from chassis.clients import Clients
from chassis.database import Database
from chassis.errors import NotFound
from creavio.community.v1 import bot_member_service_pb2
from creavio.community.v1.bot_member_service_pb2_grpc import BotMemberServiceServicer
from creavio.user.v1 import user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import UserServiceStub
from services.community import convert, domain, store
from services.community.domain.audit import Action, Deed
from services.community.engine import Memberships


class BotMemberHandler(BotMemberServiceServicer):
    """Makes bots members."""

    def __init__(self, database: Database, memberships: Memberships, clients: Clients) -> None:
        self._database = database
        self._memberships = memberships
        self._clients = clients
        self._users = UserServiceStub(clients.channel)

    async def AddBot(self, request: bot_member_service_pb2.AddBotRequest, context: object) -> Empty:
        community_id = convert.community_id(request.community_id)
        bot_id = convert.user_id(request.user_id)
        profile = await self._clients.call(
            self._users.GetUser, user_service_pb2.GetUserRequest(user_id=request.user_id)
        )
        if not profile.bot:
            raise NotFound("there is no such bot")
        # Who adds a bot answers for it: it is never held back.
        joining = domain.new_member(community_id, bot_id, datetime.now(UTC))
        async with self._database.transaction() as tx:
            member = await store.add_member(tx, joining)
            if member == joining:
                caller = convert.user_id(principal().user_id)
                deed = Deed(community_id, caller, Action.BOT_ADDED, request.user_id)
                await store.write_down(tx, deed)
        if member.standing != domain.Standing.SETTLED:
            await self._memberships.finish_joining(community_id, bot_id)
        return Empty()
