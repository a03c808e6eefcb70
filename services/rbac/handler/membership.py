"""MembershipService."""

from __future__ import annotations

from chassis.database import Database
from creavio.rbac.v1 import membership_service_pb2 as membership
from creavio.rbac.v1 import policy_shape_pb2
from creavio.rbac.v1.membership_service_pb2_grpc import MembershipServiceServicer
from services.rbac import convert, events
from services.rbac.domain.permissions import Permission
from services.rbac.domain.policy import (
    SILENT,
    Kind,
    Override,
    first_policy,
    with_override,
    without_channel,
)
from services.rbac.domain.rules import (
    may_be_chosen,
    may_be_overridden,
    may_lose_roles,
    may_remove,
)
from services.rbac.domain.shape import shape_of, shaped_policy
from services.rbac.handler.changes import Changes
from services.rbac.store import people, policies

_VIEW = frozenset({Permission.VIEW_CHANNEL})


class MembershipHandler(MembershipServiceServicer):
    """Makes roles follow membership, and what they allow."""

    def __init__(self, database: Database, changes: Changes) -> None:
        self._database = database
        self._changes = changes

    async def ProvisionCommunity(
        self, request: membership.ProvisionCommunityRequest, context: object
    ) -> membership.ProvisionCommunityResponse:
        community_id = convert.community(request.community_id)
        owner_id = convert.user(request.owner_id, "owner_id")
        policy = first_policy(community_id)
        if request.HasField("shape"):
            policy = shaped_policy(community_id, convert.shape(request.shape))
        async with self._changes.first(policy) as change:
            if change.is_new:
                roles = [policy.of_kind(kind).id for kind in (Kind.MEMBER, Kind.OWNER)]
                await people.bind(change.tx, community_id, owner_id, roles)
                change.rebind(owner_id)
        return membership.ProvisionCommunityResponse(revision=change.revision)

    async def GetPolicyShape(
        self, request: membership.GetPolicyShapeRequest, context: object
    ) -> policy_shape_pb2.PolicyShape:
        channels = {convert.channel(channel_id) for channel_id in request.channel_ids}
        async with self._database.reading() as tx:
            policy = await policies.policy(tx, convert.community(request.community_id))
        return convert.shape_message(shape_of(policy, channels))

    async def BindMember(
        self, request: membership.BindMemberRequest, context: object
    ) -> membership.BindMemberResponse:
        community_id = convert.community(request.community_id)
        user_id = convert.user(request.user_id)
        async with self._changes.of(community_id) as change:
            member = change.before.of_kind(Kind.MEMBER)
            if await people.bind(change.tx, community_id, user_id, [member.id]):
                await people.hold_back(change.tx, community_id, user_id, pending=request.pending)
                await people.note_admission(change.tx, community_id, user_id, request.number)
                change.rebind(user_id)
        return membership.BindMemberResponse(revision=change.revision)

    async def AdmitMember(
        self, request: membership.AdmitMemberRequest, context: object
    ) -> membership.AdmitMemberResponse:
        community_id = convert.community(request.community_id)
        user_id = convert.user(request.user_id)
        asked = {convert.role(role_id, "role_ids") for role_id in request.role_ids}
        async with self._changes.of(community_id) as change:
            tx, policy = change.tx, change.before
            before = await change.holdings(user_id)
            if policy.of_kind(Kind.MEMBER).id in before.roles and await people.note_admission(
                tx, community_id, user_id, request.number
            ):
                admitted = before.pending and not request.pending
                if admitted:
                    await people.hold_back(tx, community_id, user_id, pending=False)
                # What they may be is judged now, whatever it was when it was offered.
                chosen = [r.id for r in policy.roles if r.id in asked and may_be_chosen(policy, r)]
                others = await people.choose(tx, community_id, user_id, chosen)
                if others:
                    held = (await change.holdings(user_id)).roles
                    change.emit(events.member_roles_changed(policy, user_id, held))
                if admitted or others:
                    change.rebind(user_id)
        return membership.AdmitMemberResponse(revision=change.revision)

    async def UnbindMember(
        self, request: membership.UnbindMemberRequest, context: object
    ) -> membership.UnbindMemberResponse:
        community_id = convert.community(request.community_id)
        user_id = convert.user(request.user_id)
        async with self._changes.of(community_id) as change:
            if request.remover_id:
                remover = await change.holdings(convert.user(request.remover_id, "remover_id"))
                may_remove(change.before, remover, await change.holdings(user_id))
            owner = change.before.of_kind(Kind.OWNER)
            may_lose_roles(user_id, await people.holders(change.tx, owner.id))
            if await people.unbind(change.tx, community_id, user_id):
                change.rebind(user_id)
        return membership.UnbindMemberResponse(revision=change.revision)

    async def ProvisionChannel(
        self, request: membership.ProvisionChannelRequest, context: object
    ) -> membership.ProvisionChannelResponse:
        community_id = convert.community(request.community_id)
        channel_id = convert.channel(request.channel_id)
        creator_id = convert.user(request.creator_id, "creator_id")
        async with self._changes.of(community_id) as change:
            tx, policy = change.tx, change.before
            if await policies.note_private(tx, community_id, channel_id):
                may_be_overridden(0, await people.overridden_channels(tx, community_id))
                member = policy.of_kind(Kind.MEMBER)
                change.after = with_override(policy, channel_id, member.id, Override(deny=_VIEW))
                holdings = await change.holdings(creator_id)
                belongs = member.id in holdings.roles
                if belongs and policy.of_kind(Kind.OWNER).id not in holdings.roles:
                    said = Override(allow=_VIEW)
                    await people.override(tx, community_id, channel_id, creator_id, said)
                    change.rebind(creator_id)
        return membership.ProvisionChannelResponse(revision=change.revision)

    async def ForgetChannel(
        self, request: membership.ForgetChannelRequest, context: object
    ) -> membership.ForgetChannelResponse:
        community_id = convert.community(request.community_id)
        channel_id = convert.channel(request.channel_id)
        async with self._changes.of(community_id) as change:
            change.after = without_channel(change.before, channel_id)
            for user_id in await people.overridden(change.tx, community_id, channel_id):
                await people.override(change.tx, community_id, channel_id, user_id, SILENT)
                change.rebind(user_id)
            await policies.forget_private(change.tx, community_id, channel_id)
        return membership.ForgetChannelResponse(revision=change.revision)

    async def TransferOwnership(
        self, request: membership.TransferOwnershipRequest, context: object
    ) -> membership.TransferOwnershipResponse:
        community_id = convert.community(request.community_id)
        heir = convert.user(request.owner_id, "owner_id")
        async with self._changes.of(community_id) as change:
            tx, policy = change.tx, change.before
            if await policies.note_transfer(tx, community_id, request.number):
                owner = policy.of_kind(Kind.OWNER).id
                held = (await change.member(heir)).roles
                if await people.bind(tx, community_id, heir, [owner]):
                    change.rebind(heir)
                    change.emit(events.member_roles_changed(policy, heir, held | {owner}))
                for user_id in sorted(await people.holders(tx, owner) - {heir}):
                    kept = (await change.holdings(user_id)).roles - {owner}
                    await people.take(tx, community_id, user_id, owner)
                    change.rebind(user_id)
                    change.emit(events.member_roles_changed(policy, user_id, kept))
        return membership.TransferOwnershipResponse(revision=change.revision)
