"""rbac's own word on who may do what: what it answers the others, and itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from creavio.rbac.v1 import access_service_pb2 as access
from services.rbac import convert
from services.rbac.domain.permissions import Permission
from services.rbac.domain.rules import may_offer
from services.rbac.engine.evaluator import AT_ONCE, PolicyEngine
from services.rbac.engine.moments import Moments
from services.rbac.store import people, person, policies

CHANGES: Final = 1_000
"""How many changes are told to whoever missed some; more, and everything is void."""

_MOST_TIES: Final = 100


class LocalAccess:
    """Decides by Casbin from the database as it is now (`chassis.authz.Access`)."""

    def __init__(self, moments: Moments, engine: PolicyEngine) -> None:
        self._moments = moments
        self._engine = engine

    async def check(self, request: access.CheckRequest) -> access.CheckResponse:
        """Decide about one thing."""
        answers = await self.check_all([request])
        return access.CheckResponse(allowed=answers.allowed[0], revision=answers.revision)

    async def check_all(self, requests: list[access.CheckRequest]) -> access.BatchCheckResponse:
        """Decide about many things, all at one moment."""
        asked = [(convert.place(r.community_id), convert.user(r.user_id)) for r in requests]
        channels = [convert.optional_channel(r.channel_id) for r in requests]
        moments = await self._moments.of_all(asked)
        reply = access.BatchCheckResponse(revision=moments[0].revision)
        for i, (request, moment, channel_id) in enumerate(
            zip(requests, moments, channels, strict=True)
        ):
            if i % AT_ONCE == AT_ONCE - 1:
                await asyncio.sleep(0)
            permission = Permission(request.permission)
            reply.allowed.append(
                self._engine.allows(moment.policy, moment.holdings, permission, channel_id)
            )
        return reply

    async def get_access(self, request: access.GetAccessRequest) -> access.GetAccessResponse:
        """What decides for a person in a community; the masks unless the caller keeps them."""
        moment = await self._moments.of(
            convert.place(request.community_id), convert.user(request.user_id)
        )
        reply = access.GetAccessResponse(
            binding=convert.binding(moment.binding), revision=moment.revision
        )
        if not request.policy_version or request.policy_version != moment.policy.version:
            reply.masks.CopyFrom(convert.masks(moment.policy))
        return reply

    async def list_bindings(self, user_id: UUID) -> access.ListBindingsResponse:
        """What a person has, wherever they have something."""
        async with self._moments.snapshot() as tx:
            bindings = await people.bindings_of(tx, user_id)
            revision = await policies.revision(tx)
        return access.ListBindingsResponse(
            bindings=[convert.binding(binding) for binding in bindings], revision=revision
        )

    async def list_fellows(
        self, user_id: UUID, among: Sequence[UUID]
    ) -> access.ListFellowsResponse:
        """Those of these people who belong where a person does."""
        async with self._moments.snapshot() as tx:
            found = await people.fellows(tx, user_id, among)
        return access.ListFellowsResponse(user_ids=map(convert.user_text, found))

    async def list_ties(self, user_id: UUID) -> access.ListTiesResponse:
        """What would be without anybody if a person went."""
        async with self._moments.snapshot() as tx:
            owned = await person.owned_with_others(tx, user_id, _MOST_TIES)
            alone = await person.administrates_alone(tx, user_id)
        return access.ListTiesResponse(
            community_ids=[convert.community_text(one) for one in owned], last_administrator=alone
        )

    async def list_changes(self, request: access.ListChangesRequest) -> access.ListChangesResponse:
        """What changed since a revision, unless that is too long ago or was never taken."""
        async with self._moments.snapshot() as tx:
            revision = await policies.revision(tx)
            if request.after_revision > revision:
                return access.ListChangesResponse(revision=revision)
            changes = await people.changes_after(tx, request.after_revision, CHANGES + 1)
        if len(changes.bindings) + len(changes.policies) > CHANGES:
            return access.ListChangesResponse(revision=revision)
        return access.ListChangesResponse(
            complete=True,
            bindings=[convert.binding(binding) for binding in changes.bindings],
            policies=[
                access.PolicyVersion(
                    community_id=convert.community_text(community_id), version=version
                )
                for community_id, version in changes.policies
            ],
            revision=revision,
        )

    async def check_offer(self, community_id: UUID, user_id: UUID, roles: Sequence[UUID]) -> None:
        """Return when a person may let everybody give themselves these roles.

        Raises as `may_offer`, and `RoleNotFound`.
        """
        moment = await self._moments.of(community_id, user_id)
        needs = Permission.MANAGE_ROLES
        actor = self._engine.actor(moment.policy, user_id, moment.holdings, needs)
        for role_id in roles:
            may_offer(actor, moment.policy, moment.policy.role(role_id))

    async def outranks(self, community_id: UUID, user_id: UUID, other_id: UUID) -> bool:
        """Whether the highest role of one person is above that of the other."""
        one, other = await self._moments.of_all([(community_id, user_id), (community_id, other_id)])
        return one.holdings.rank(one.policy) > other.holdings.rank(one.policy)
