"""BanService."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.empty_pb2 import Empty

from chassis.calls import principal
from chassis.database import Database
from chassis.tokens import Tokens, page_size
from creavio.community.v1 import ban_pb2, ban_service_pb2
from creavio.community.v1.ban_service_pb2_grpc import BanServiceServicer
from services.community import convert, domain, store
from services.community.domain.audit import Action, Deed
from services.community.engine import Memberships, write_ban


class BanHandler(BanServiceServicer):
    """Bans people, and lifts bans."""

    def __init__(self, database: Database, memberships: Memberships, tokens: Tokens) -> None:
        self._database = database
        self._memberships = memberships
        self._tokens = tokens

    async def CreateBan(
        self, request: ban_service_pb2.CreateBanRequest, context: object
    ) -> ban_pb2.Ban:
        community_id = convert.community_id(request.community_id)
        user_id = convert.user_id(request.user_id)
        caller = convert.user_id(principal().user_id)
        async with self._database.reading() as tx:
            domain.may_be_removed(await store.community(tx, community_id), user_id)
        await self._memberships.outranks(community_id, caller, user_id)
        ban = domain.Ban(community_id, user_id, caller, request.reason, datetime.now(UTC))
        async with self._database.transaction() as tx:
            await store.lock_person(tx, community_id, user_id)
            # Nobody is handed the community meanwhile.
            domain.may_be_removed(await store.community_that_stays(tx, community_id), user_id)
            belonged = await store.shut_out(tx, community_id, user_id, caller)
            if belonged:
                await store.intend_ban(tx, ban)
            else:
                ban = await write_ban(tx, ban)
        if belonged:
            ban = await self._memberships.finish_banning(ban)
        return convert.ban(ban)

    async def ListBans(
        self, request: ban_service_pb2.ListBansRequest, context: object
    ) -> ban_service_pb2.ListBansResponse:
        size = page_size(request.page_size)
        purpose = ("bans", principal().user_id, request.community_id)
        before = convert.place(self._tokens.page_start(request.page_token, *purpose))
        async with self._database.reading() as tx:
            bans = await store.bans_of(
                tx, convert.community_id(request.community_id), before, size + 1
            )
        reply = ban_service_pb2.ListBansResponse(bans=[convert.ban(ban) for ban in bans[:size]])
        if len(bans) > size:
            last = bans[size - 1]
            reply.next_page_token = self._tokens.next_page(
                [last.create_time.isoformat(), str(last.user_id)], *purpose
            )
        return reply

    async def DeleteBan(self, request: ban_service_pb2.DeleteBanRequest, context: object) -> Empty:
        community_id = convert.community_id(request.community_id)
        caller = convert.user_id(principal().user_id)
        async with self._database.transaction() as tx:
            if await store.lift_ban(tx, community_id, convert.user_id(request.user_id)):
                deed = Deed(community_id, caller, Action.BAN_DELETED, request.user_id)
                await store.write_down(tx, deed)
        return Empty()
