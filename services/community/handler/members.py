"""MemberService."""

from __future__ import annotations

from google.protobuf.empty_pb2 import Empty

from chassis.calls import principal
from chassis.database import Database
from chassis.tokens import Tokens, page_size
from creavio.community.v1 import member_service_pb2
from creavio.community.v1.member_service_pb2_grpc import MemberServiceServicer
from services.community import convert, domain, store
from services.community.engine import Memberships


class MemberHandler(MemberServiceServicer):
    """Ends and shows memberships."""

    def __init__(self, database: Database, memberships: Memberships, tokens: Tokens) -> None:
        self._database = database
        self._memberships = memberships
        self._tokens = tokens

    async def ListMembers(
        self, request: member_service_pb2.ListMembersRequest, context: object
    ) -> member_service_pb2.ListMembersResponse:
        size = page_size(request.page_size)
        purpose = ("members", principal().user_id, request.community_id)
        after = convert.place(self._tokens.page_start(request.page_token, *purpose))
        async with self._database.reading() as tx:
            members = await store.members_of(
                tx, convert.community_id(request.community_id), after, size + 1
            )
        reply = member_service_pb2.ListMembersResponse(
            members=[convert.member(member) for member in members[:size]]
        )
        if len(members) > size:
            last = members[size - 1]
            reply.next_page_token = self._tokens.next_page(
                [last.join_time.isoformat(), str(last.user_id)], *purpose
            )
        return reply

    async def RemoveMember(
        self, request: member_service_pb2.RemoveMemberRequest, context: object
    ) -> Empty:
        community_id = convert.community_id(request.community_id)
        user_id = convert.user_id(request.user_id)
        async with self._database.reading() as tx:
            domain.may_be_removed(await store.community(tx, community_id), user_id)
            await store.require_member(tx, community_id, user_id)
        caller = convert.user_id(principal().user_id)
        await self._memberships.outranks(community_id, caller, user_id)
        async with self._database.transaction() as tx:
            # Nobody is handed the community meanwhile.
            domain.may_be_removed(await store.community_that_stays(tx, community_id), user_id)
            await store.let_go(tx, community_id, user_id, caller)
        await self._memberships.finish_leaving(community_id, user_id, caller)
        return Empty()

    async def LeaveCommunity(
        self, request: member_service_pb2.LeaveCommunityRequest, context: object
    ) -> Empty:
        community_id = convert.community_id(request.community_id)
        caller = convert.user_id(principal().user_id)
        async with self._database.transaction() as tx:
            try:
                # Nobody is handed the community meanwhile.
                community = await store.community_that_stays(tx, community_id)
            except domain.CommunityNotFound:
                return Empty()
            domain.may_be_removed(community, caller)
            belonged = await store.shut_out(tx, community_id, caller)
        if belonged:
            await self._memberships.finish_leaving(community_id, caller)
        return Empty()

    async def ListMemberships(
        self, request: member_service_pb2.ListMembershipsRequest, context: object
    ) -> member_service_pb2.ListMembershipsResponse:
        async with self._database.reading() as tx:
            members = await store.memberships_of(tx, convert.user_id(request.user_id))
        return member_service_pb2.ListMembershipsResponse(
            members=[convert.member(member) for member in members]
        )
