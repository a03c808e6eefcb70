"""OverrideService."""

from __future__ import annotations

from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from chassis.calls import principal
from creavio.rbac.v1 import override_service_pb2, role_pb2
from creavio.rbac.v1.override_service_pb2_grpc import OverrideServiceServicer
from services.rbac import convert
from services.rbac.domain.deeds import overridden
from services.rbac.domain.errors import ChannelNotFound
from services.rbac.domain.permissions import Permission
from services.rbac.domain.policy import (
    SILENT,
    Holdings,
    Override,
    in_channel,
    override_of,
    with_override,
)
from services.rbac.domain.rules import Actor, may_be_overridden, may_change, may_override, may_touch
from services.rbac.engine.evaluator import PolicyEngine
from services.rbac.engine.moments import Moments
from services.rbac.handler.changes import Change, Changes
from services.rbac.store import people


class OverrideHandler(OverrideServiceServicer):
    """Shows and changes what channels override."""

    def __init__(self, moments: Moments, engine: PolicyEngine, changes: Changes) -> None:
        self._moments = moments
        self._engine = engine
        self._changes = changes

    async def ListOverrides(
        self, request: override_service_pb2.ListOverridesRequest, context: object
    ) -> override_service_pb2.ListOverridesResponse:
        community_id = convert.community(request.community_id)
        channel_id, caller = convert.channel(request.channel_id), principal().user_id
        async with self._moments.snapshot() as tx:
            asked = [(community_id, convert.user(caller))]
            (moment,) = await self._moments.read_all(tx, asked)
            members = await people.overridden(tx, community_id, channel_id)
        policy = moment.policy
        if not self._engine.allows(policy, moment.holdings, Permission.VIEW_CHANNEL, channel_id):
            raise ChannelNotFound
        here = policy.channels.get(channel_id, {})
        said = [(convert.role_text(role.id), here[role.id]) for role in policy.ordered(here)]
        said += [(convert.user_text(user_id), own) for user_id, own in members.items()]
        return override_service_pb2.ListOverridesResponse(
            overrides=[convert.override(community_id, channel_id, *each) for each in said]
        )

    async def SetOverride(
        self, request: override_service_pb2.SetOverrideRequest, context: object
    ) -> role_pb2.ChannelOverride:
        allow, deny = in_channel("allow", request.allow), in_channel("deny", request.deny)
        said = override_of(allow, deny)
        await self._set(request.community_id, request.channel_id, request.target_id, said)
        return convert.override(
            convert.community(request.community_id),
            convert.channel(request.channel_id),
            request.target_id,
            said,
        )

    async def DeleteOverride(
        self, request: override_service_pb2.DeleteOverrideRequest, context: object
    ) -> Empty:
        await self._set(request.community_id, request.channel_id, request.target_id, SILENT)
        return Empty()

    async def _set(self, community: str, channel: str, target: str, said: Override) -> None:
        community_id, channel_id = convert.community(community), convert.channel(channel)
        role_id, user_id = convert.target(target)
        async with self._changes.of(community_id) as change:
            actor = await self._changes.actor(change)
            if not actor.holds(Permission.VIEW_CHANNEL, channel_id):
                raise ChannelNotFound
            if role_id is not None:
                await self._of_role(change, actor, channel_id, role_id, said)
            elif user_id is not None:
                await self._of_member(change, actor, channel_id, user_id, said)

    async def _of_role(
        self, change: Change, actor: Actor, channel_id: UUID, role_id: UUID, said: Override
    ) -> None:
        before = change.before
        may_touch(actor, before, role_id)
        change.after = with_override(before, channel_id, role_id, said)
        may_change(actor, before, change.after)
        if said and not before.override(channel_id, role_id):
            await _room_for_one(change, channel_id)

    async def _of_member(
        self, change: Change, actor: Actor, channel_id: UUID, user_id: UUID, said: Override
    ) -> None:
        holdings: Holdings = await change.member(user_id)
        may_override(actor, change.before, channel_id, holdings, said)
        was = holdings.overrides.get(channel_id, SILENT)
        if said and not was:
            await _room_for_one(change, channel_id)
        if said != was:
            community_id = change.before.community_id
            await people.override(change.tx, community_id, channel_id, user_id, said)
            change.rebind(user_id)
            change.did(overridden(channel_id, was, said, user_id=user_id))


async def _room_for_one(change: Change, channel_id: UUID) -> None:
    community_id = change.before.community_id
    of_roles = len(change.before.channels.get(channel_id, {}))
    of_members = len(await people.overridden(change.tx, community_id, channel_id))
    channels = await people.overridden_channels(change.tx, community_id)
    may_be_overridden(of_roles + of_members, channels)
