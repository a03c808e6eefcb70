"""AccessService and MembershipService."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias
from uuid import UUID

from cachetools import LRUCache
from google.protobuf.message import Message

from chassis.database import Database, Transaction
from creavio.rbac.v1 import access_service_pb2, membership_service_pb2
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceServicer
from creavio.rbac.v1.membership_service_pb2_grpc import MembershipServiceServicer
from services.rbac import convert, domain, events, store
from services.rbac.engine import PolicyEngine


class AccessHandler(AccessServiceServicer):
    """Answers who may do what."""

    def __init__(self, database: Database, engine: PolicyEngine) -> None:
        self._database = database
        self._engine = engine
        self._policies: LRUCache[UUID, domain.Policy] = LRUCache(1_000)

    async def Check(
        self, request: access_service_pb2.CheckRequest, context: object
    ) -> access_service_pb2.CheckResponse:
        community_id = convert.community(request.community_id)
        async with self._database.reading() as tx:
            standing = await store.standing(tx, community_id, convert.user(request.user_id))
            policy = await self._policy(tx, community_id, standing)
        allowed = self._engine.allows(policy, standing.roles, domain.Permission(request.permission))
        return access_service_pb2.CheckResponse(allowed=allowed)

    async def GetAccess(
        self, request: access_service_pb2.GetAccessRequest, context: object
    ) -> access_service_pb2.GetAccessResponse:
        community_id, user_id = (
            convert.community(request.community_id),
            convert.user(request.user_id),
        )
        async with self._database.reading() as tx:
            standing = await store.standing(tx, community_id, user_id)
            policy = await self._policy(tx, community_id, standing)
        return access_service_pb2.GetAccessResponse(
            masks=convert.masks(policy),
            binding=convert.binding(policy, user_id, standing.binding_version, standing.roles),
            revision=standing.revision,
        )

    async def _policy(
        self, tx: Transaction, community_id: UUID, standing: store.Standing
    ) -> domain.Policy:
        """The policy of at least the standing's version; an unknown community has no roles."""
        if standing.policy_version == 0:
            return domain.Policy(community_id, version=0, roles=())
        policy = self._policies.get(community_id)
        if policy is None or policy.version < standing.policy_version:
            policy = self._policies[community_id] = await store.policy(tx, community_id)
        return policy


Tell: TypeAlias = Callable[[Sequence[Message]], Awaitable[None]]
"""Says changes to those who keep masks, on the live subjects of their events."""


class MembershipHandler(MembershipServiceServicer):
    """Makes roles follow membership.

    What changed is told before the call is answered, so that the very next call
    of whoever lost a role finds nobody who believes otherwise. The outbox tells
    it once more, and surely.
    """

    def __init__(self, database: Database, tell: Tell) -> None:
        self._database = database
        self._tell = tell

    async def ProvisionCommunity(
        self, request: membership_service_pb2.ProvisionCommunityRequest, context: object
    ) -> membership_service_pb2.ProvisionCommunityResponse:
        community_id, owner_id = (
            convert.community(request.community_id),
            convert.user(request.owner_id),
        )
        policy = domain.first_policy(community_id)
        async with self._database.transaction() as tx:
            if not await store.add_policy(tx, policy):
                return membership_service_pb2.ProvisionCommunityResponse(
                    revision=await store.revision(tx)
                )
            revision = await store.next_revision(tx)
            version = await store.bind(tx, community_id, owner_id, (r.id for r in policy.roles))
            tx.emit(events.policy_changed(community_id, policy.version, revision))
            tx.emit(events.binding_changed(community_id, owner_id, version, revision))
        await self._tell(tx.events)
        return membership_service_pb2.ProvisionCommunityResponse(revision=revision)

    async def BindMember(
        self, request: membership_service_pb2.BindMemberRequest, context: object
    ) -> membership_service_pb2.BindMemberResponse:
        community_id, user_id = (
            convert.community(request.community_id),
            convert.user(request.user_id),
        )
        async with self._database.transaction() as tx:
            policy = await store.policy(tx, community_id)
            member = domain.role_named(policy, domain.MEMBER)
            version = await store.bind(tx, community_id, user_id, [member.id])
            revision = await _announce(tx, community_id, user_id, version)
        await self._tell(tx.events)
        return membership_service_pb2.BindMemberResponse(revision=revision)

    async def UnbindMember(
        self, request: membership_service_pb2.UnbindMemberRequest, context: object
    ) -> membership_service_pb2.UnbindMemberResponse:
        community_id, user_id = (
            convert.community(request.community_id),
            convert.user(request.user_id),
        )
        async with self._database.transaction() as tx:
            policy = await store.policy_to_change(tx, community_id)
            owners = await store.holders(tx, domain.role_named(policy, domain.OWNER).id)
            domain.may_lose_roles(user_id, owners)
            version = await store.unbind(tx, community_id, user_id)
            revision = await _announce(tx, community_id, user_id, version)
        await self._tell(tx.events)
        return membership_service_pb2.UnbindMemberResponse(revision=revision)


async def _announce(tx: Transaction, community_id: UUID, user_id: UUID, version: int) -> int:
    """Announce a binding's new version under the next revision; 0 means nothing changed.

    A revision is taken exactly when something is announced: whoever follows
    takes a revision without an announcement for one it missed.
    """
    if not version:
        return await store.revision(tx)
    revision = await store.next_revision(tx)
    tx.emit(events.binding_changed(community_id, user_id, version, revision))
    return revision
