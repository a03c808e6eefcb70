"""CommunityService."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from chassis import idempotency
from chassis.calls import principal
from chassis.database import Database, Transaction
from chassis.tokens import Tokens, page_size
from creavio.community.v1 import community_pb2, community_service_pb2
from creavio.community.v1.community_service_pb2_grpc import CommunityServiceServicer
from services.community import convert, domain, events, store
from services.community.domain import discovery
from services.community.domain.audit import Action, Deed, differences
from services.community.domain.naming import folded
from services.community.domain.template import Founding, Shape, laid_out
from services.community.engine import Memberships

_EDITED: Final = ("name", "description", "visibility", "icon", "tags", "language")


class CommunityHandler(CommunityServiceServicer):
    """Founds, shows, changes and hands over communities."""

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
                if request.template:
                    shape = (await store.template(tx, request.template)).shape
                    await _lay_out(tx, community, shape)
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
        start = convert.place(self._tokens.page_start(request.page_token, *purpose))
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

    async def ListPublicCommunities(
        self, request: community_service_pb2.ListPublicCommunitiesRequest, context: object
    ) -> community_service_pb2.ListPublicCommunitiesResponse:
        size, caller = page_size(request.page_size), principal().user_id
        query = discovery.question(request.query)
        if request.query.strip() and not query:
            return community_service_pb2.ListPublicCommunitiesResponse()
        language = discovery.language_of(request.language)
        wanted = discovery.Wanted(
            discovery.ordered(request.order, query),
            folded(request.name_prefix),
            query,
            discovery.looked_for(request.tags, language),
        )
        purpose = ("public communities", caller, repr(wanted))
        after = convert.discovered(
            wanted.order, self._tokens.page_start(request.page_token, *purpose)
        )
        async with self._database.reading() as tx:
            user_id = convert.user_id(caller)
            rows = await store.public_communities(tx, wanted, user_id, after, size + 1)
        reply = community_service_pb2.ListPublicCommunitiesResponse(
            communities=[convert.community(community) for community, _ in rows[:size]]
        )
        if len(rows) > size:
            _, (key, last) = rows[size - 1]
            said = key.isoformat() if isinstance(key, datetime) else key
            reply.next_page_token = self._tokens.next_page([said, str(last)], *purpose)
        return reply

    async def JoinCommunity(
        self, request: community_service_pb2.JoinCommunityRequest, context: object
    ) -> community_pb2.Community:
        community_id = convert.community_id(request.community_id)
        user_id, now = convert.user_id(principal().user_id), datetime.now(UTC)
        async with self._database.transaction() as tx:
            # It stays public while somebody joins.
            domain.may_be_joined(await store.community_that_stays(tx, community_id))
            pending = (await store.onboarding(tx, community_id)).holds_back()
            joining = domain.new_member(community_id, user_id, now, pending=pending)
            member = await store.add_member(tx, joining)
        if member.standing != domain.Standing.SETTLED:
            await self._memberships.finish_joining(community_id, user_id)
        async with self._database.reading() as tx:
            return convert.community(await store.community(tx, community_id))

    async def UpdateCommunity(
        self, request: community_service_pb2.UpdateCommunityRequest, context: object
    ) -> community_pb2.Community:
        community_id = convert.community_id(request.community_id)
        fields = convert.fields_to_change(request, request.update_mask, _EDITED)
        async with self._database.transaction() as tx:
            before = await store.community_to_change(tx, community_id)
            domain.unchanged(request.etag, before.etag, "the community")
            after = domain.edited(
                before,
                name=request.name if "name" in fields else None,
                description=request.description if "description" in fields else None,
                visibility=(
                    convert.visibility(request.visibility) if "visibility" in fields else None
                ),
                icon=request.icon if "icon" in fields else None,
                tags=discovery.tags_of(request.tags) if "tags" in fields else None,
                language=discovery.language_of(request.language) if "language" in fields else None,
            )
            if after != before:
                await store.save_community(tx, after)
                tx.emit(events.community_updated(after))
                deed = Deed(
                    community_id,
                    convert.user_id(principal().user_id),
                    Action.COMMUNITY_UPDATED,
                    request.community_id,
                    after.name,
                    differences=differences(before, after, _EDITED),
                )
                await store.write_down(tx, deed)
        return convert.community(after)

    async def TransferOwnership(
        self, request: community_service_pb2.TransferOwnershipRequest, context: object
    ) -> community_pb2.Community:
        community_id = convert.community_id(request.community_id)
        caller, heir = convert.user_id(principal().user_id), convert.user_id(request.user_id)
        async with self._database.transaction() as tx:
            community = await store.community_to_change(tx, community_id)
            if community.owner_id == heir and community.next_owner_id is None:
                return convert.community(community)
            domain.may_hand_over(community, caller, heir)
            await store.require_settled(tx, community_id, heir)
            number = await store.begin_transfer(tx, community, heir)
        await self._memberships.finish_transfer(community, heir, number)
        async with self._database.reading() as tx:
            return convert.community(await store.community(tx, community_id))


async def _lay_out(tx: Transaction, community: domain.Community, shape: Shape) -> None:
    """Keep what a community is to have from the beginning, which is there for nobody yet."""
    places = laid_out(shape, community)
    for category in places.categories:
        await store.add_category(tx, category)
    for channel in places.channels:
        await store.add_channel(tx, channel)
    channel_ids = tuple(channel.id for channel in places.channels)
    await store.begin_founding(tx, community.id, Founding(shape, channel_ids, places.role_ids))
    if places.onboarding is not None:
        await store.save_onboarding(tx, places.onboarding)
