"""CommunityService, ChannelService, InviteService and MemberService."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.empty_pb2 import Empty

from chassis import idempotency
from chassis.calls import principal
from chassis.database import Database
from chassis.tokens import Tokens, page_size
from creavio.community.v1 import (
    channel_pb2,
    channel_service_pb2,
    community_pb2,
    community_service_pb2,
    invite_pb2,
    invite_service_pb2,
    member_service_pb2,
)
from creavio.community.v1.channel_service_pb2_grpc import ChannelServiceServicer
from creavio.community.v1.community_service_pb2_grpc import CommunityServiceServicer
from creavio.community.v1.invite_service_pb2_grpc import InviteServiceServicer
from creavio.community.v1.member_service_pb2_grpc import MemberServiceServicer
from services.community import convert, domain, events, store
from services.community.engine import Memberships


class CommunityHandler(CommunityServiceServicer):
    """Founds and shows communities."""

    def __init__(self, database: Database, memberships: Memberships, tokens: Tokens) -> None:
        self._database = database
        self._memberships = memberships
        self._tokens = tokens

    async def CreateCommunity(
        self, request: community_service_pb2.CreateCommunityRequest, context: object
    ) -> community_pb2.Community:
        owner_id = convert.user_id(principal().user_id)
        community = domain.new_community(request.name, owner_id, datetime.now(UTC))
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, community_pb2.Community)
            reply = claim.reply
            if reply is None:
                await store.add_community(tx, community)
                reply = await claim.keep(convert.community(community))
        # A repeated request finishes what the first one may have left.
        await self._memberships.finish_founding(convert.community_id(reply.id), owner_id)
        return reply

    async def GetCommunity(
        self, request: community_service_pb2.GetCommunityRequest, context: object
    ) -> community_pb2.Community:
        async with self._database.reading() as tx:
            community = await store.community(tx, convert.community_id(request.community_id))
        return convert.community(community)

    async def ListCommunities(
        self, request: community_service_pb2.ListCommunitiesRequest, context: object
    ) -> community_service_pb2.ListCommunitiesResponse:
        caller = principal().user_id
        size, purpose = page_size(request.page_size), ("communities", caller)
        start = convert.joined_after(self._tokens.page_start(request.page_token, *purpose))
        async with self._database.reading() as tx:
            rows = await store.communities_of(tx, convert.user_id(caller), start, size + 1)
        reply = community_service_pb2.ListCommunitiesResponse(
            communities=[convert.community(community) for community, _ in rows[:size]]
        )
        if len(rows) > size:
            last, joined = rows[size - 1]
            reply.next_page_token = self._tokens.next_page(
                [joined.isoformat(), str(last.id)], *purpose
            )
        return reply


class ChannelHandler(ChannelServiceServicer):
    """Creates and shows channels."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database = database
        self._tokens = tokens

    async def CreateChannel(
        self, request: channel_service_pb2.CreateChannelRequest, context: object
    ) -> channel_pb2.Channel:
        community_id = convert.community_id(request.community_id)
        channel = domain.new_channel(community_id, request.name, datetime.now(UTC))
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, channel_pb2.Channel)
            if claim.reply is not None:
                return claim.reply
            await store.add_channel(tx, channel)
            tx.emit(events.channel_created(channel))
            return await claim.keep(convert.channel(channel))

    async def ListChannels(
        self, request: channel_service_pb2.ListChannelsRequest, context: object
    ) -> channel_service_pb2.ListChannelsResponse:
        community_id = convert.community_id(request.community_id)
        size = page_size(request.page_size)
        purpose = ("channels", principal().user_id, request.community_id)
        start = self._tokens.page_start(request.page_token, *purpose)
        after = None if start is None else convert.channel_id(start)
        async with self._database.reading() as tx:
            channels = await store.channels_of(tx, community_id, after, size + 1)
        reply = channel_service_pb2.ListChannelsResponse(
            channels=[convert.channel(channel) for channel in channels[:size]]
        )
        if len(channels) > size:
            reply.next_page_token = self._tokens.next_page(reply.channels[-1].id, *purpose)
        return reply

    async def GetChannel(
        self, request: channel_service_pb2.GetChannelRequest, context: object
    ) -> channel_pb2.Channel:
        async with self._database.reading() as tx:
            return convert.channel(await store.channel(tx, convert.channel_id(request.channel_id)))


class InviteHandler(InviteServiceServicer):
    """Makes and accepts invites."""

    def __init__(self, database: Database, memberships: Memberships) -> None:
        self._database = database
        self._memberships = memberships

    async def CreateInvite(
        self, request: invite_service_pb2.CreateInviteRequest, context: object
    ) -> invite_pb2.Invite:
        community_id = convert.community_id(request.community_id)
        creator_id = convert.user_id(principal().user_id)
        invite = domain.new_invite(community_id, creator_id, datetime.now(UTC))
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, invite_pb2.Invite)
            if claim.reply is not None:
                return claim.reply
            await store.add_invite(tx, invite)
            return await claim.keep(convert.invite(invite))

    async def AcceptInvite(
        self, request: invite_service_pb2.AcceptInviteRequest, context: object
    ) -> community_pb2.Community:
        user_id, now = convert.user_id(principal().user_id), datetime.now(UTC)
        async with self._database.transaction() as tx:
            community = await store.community_behind(tx, request.code, now)
            member = await store.add_member(tx, domain.new_member(community.id, user_id, now))
        if member.standing != domain.Standing.SETTLED:
            await self._memberships.finish_joining(community.id, user_id)
        return convert.community(community)


class MemberHandler(MemberServiceServicer):
    """Ends and shows memberships."""

    def __init__(self, database: Database, memberships: Memberships) -> None:
        self._database = database
        self._memberships = memberships

    async def RemoveMember(
        self, request: member_service_pb2.RemoveMemberRequest, context: object
    ) -> Empty:
        community_id = convert.community_id(request.community_id)
        user_id = convert.user_id(request.user_id)
        async with self._database.transaction() as tx:
            domain.may_be_removed(await store.community(tx, community_id), user_id)
            await store.let_go(tx, community_id, user_id)
        await self._memberships.finish_leaving(community_id, user_id)
        return Empty()

    async def ListMemberships(
        self, request: member_service_pb2.ListMembershipsRequest, context: object
    ) -> member_service_pb2.ListMembershipsResponse:
        async with self._database.reading() as tx:
            members = await store.memberships_of(tx, convert.user_id(request.user_id))
        return member_service_pb2.ListMembershipsResponse(
            members=[convert.member(member) for member in members]
        )
