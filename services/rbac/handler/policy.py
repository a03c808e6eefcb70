"""PolicyService."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

from chassis.calls import principal
from chassis.database import Transaction
from chassis.tokens import Tokens, page_size
from creavio.rbac.v1 import policy_service_pb2
from creavio.rbac.v1.policy_service_pb2_grpc import PolicyServiceServicer
from services.rbac import convert
from services.rbac.domain.errors import ChannelNotFound, Lacks
from services.rbac.domain.permissions import Permission
from services.rbac.domain.policy import Holdings, Kind, could_hold
from services.rbac.engine.evaluator import AT_ONCE, PolicyEngine
from services.rbac.engine.moments import Moment, Moments
from services.rbac.store import people

_CHUNK: Final = 200
_CHUNKS: Final = 25
"""How many who might be found are looked at for one page: it may be short, even empty."""


class PolicyHandler(PolicyServiceServicer):
    """Answers questions about the policy of a community, by the evaluation that decides."""

    def __init__(self, moments: Moments, engine: PolicyEngine, tokens: Tokens) -> None:
        self._moments = moments
        self._engine = engine
        self._tokens = tokens

    async def ListPermissions(
        self, request: policy_service_pb2.ListPermissionsRequest, context: object
    ) -> policy_service_pb2.ListPermissionsResponse:
        channel_id = convert.optional_channel(request.channel_id)
        moment = await self._about(request.community_id, request.user_id, channel_id)
        held = self._engine.held(moment.policy, moment.holdings, channel_id)
        return policy_service_pb2.ListPermissionsResponse(permissions=convert.numbers(held))

    async def Explain(
        self, request: policy_service_pb2.ExplainRequest, context: object
    ) -> policy_service_pb2.ExplainResponse:
        channel_id = convert.optional_channel(request.channel_id)
        moment = await self._about(request.community_id, request.user_id, channel_id)
        steps = self._engine.decide(
            moment.policy, moment.holdings, Permission(request.permission), channel_id
        )
        user_id = moment.binding.user_id
        return policy_service_pb2.ExplainResponse(
            allowed=steps[-1].allowed,
            steps=[convert.step(step, user_id, moment.holdings) for step in steps],
            revision=moment.revision,
        )

    async def WhoMay(
        self, request: policy_service_pb2.WhoMayRequest, context: object
    ) -> policy_service_pb2.WhoMayResponse:
        caller, size = principal().user_id, page_size(request.page_size)
        community_id = convert.community(request.community_id)
        channel_id = convert.optional_channel(request.channel_id)
        permission = Permission(request.permission)
        purpose = ("who may", caller, request.community_id, permission.name, request.channel_id)
        start = self._tokens.page_start(request.page_token, *purpose)
        after = UUID(int=0) if start is None else convert.user(start)
        async with self._moments.snapshot() as tx:
            asked = [(community_id, convert.user(caller))]
            (moment,) = await self._moments.read_all(tx, asked)
            self._must_see(moment, channel_id)
            found, last = await self._holders(tx, moment, permission, channel_id, after, size)
        reply = policy_service_pb2.WhoMayResponse(user_ids=[convert.user_text(u) for u in found])
        if last is not None:
            reply.next_page_token = self._tokens.next_page(convert.user_text(last), *purpose)
        return reply

    async def _holders(
        self,
        tx: Transaction,
        moment: Moment,
        permission: Permission,
        channel_id: UUID | None,
        after: UUID,
        size: int,
    ) -> tuple[list[UUID], UUID | None]:
        """Those who hold it, and the last one looked at; None when there are no more."""
        community_id, policy = moment.policy.community_id, moment.policy
        roles = could_hold(policy, permission, channel_id)
        found: list[UUID] = []
        for _ in range(_CHUNKS):
            chunk = await people.candidates(tx, community_id, roles, channel_id, after, _CHUNK)
            for place, (user_id, holdings) in enumerate(chunk, 1):
                if place % AT_ONCE == 0:
                    await asyncio.sleep(0)
                if self._engine.allows(policy, holdings, permission, channel_id):
                    found.append(user_id)
                if len(found) == size and (place < len(chunk) or place == _CHUNK):
                    return found, user_id
                after = user_id
            if len(chunk) < _CHUNK:
                return found, None
        return found, after

    async def TestPolicy(
        self, request: policy_service_pb2.TestPolicyRequest, context: object
    ) -> policy_service_pb2.TestPolicyResponse:
        community_id = convert.community(request.community_id)
        moment = await self._moments.of(community_id, convert.user(principal().user_id))
        policy = moment.policy
        reply = policy_service_pb2.TestPolicyResponse()
        for index, case in enumerate(request.cases):
            await asyncio.sleep(0)  # Others get their turn between two cases.
            channel_id = convert.optional_channel(case.channel_id)
            self._must_see(moment, channel_id)
            roles = {policy.role(convert.role(r, "cases.role_ids")).id for r in case.role_ids}
            somebody = Holdings(frozenset(roles | {policy.of_kind(Kind.MEMBER).id}))
            held = self._engine.held(policy, somebody, channel_id)
            for expected, permissions in ((True, case.may), (False, case.may_not)):
                for permission in permissions:
                    if (Permission(permission) in held) != expected:
                        reply.failures.add(
                            case_index=index, permission=permission, allowed=not expected
                        )
        reply.passed = not reply.failures
        return reply

    async def _about(self, community: str, user: str, channel_id: UUID | None) -> Moment:
        """Where somebody stands about whom the caller may ask: anybody needs MANAGE_ROLES."""
        community_id, caller_id = convert.community(community), convert.user(principal().user_id)
        user_id = convert.user(user) if user else caller_id
        asked = [(community_id, caller_id), (community_id, user_id)]
        caller, somebody = await self._moments.of_all(asked)
        self._must_see(caller, channel_id)
        needs = Permission.MANAGE_ROLES
        if user_id != caller_id and not self._engine.allows(caller.policy, caller.holdings, needs):
            raise Lacks(needs)
        return somebody

    def _must_see(self, caller: Moment, channel_id: UUID | None) -> None:
        if channel_id is not None and not self._engine.allows(
            caller.policy, caller.holdings, Permission.VIEW_CHANNEL, channel_id
        ):
            raise ChannelNotFound
