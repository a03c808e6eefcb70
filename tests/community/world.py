"""community's store and sagas, with rbac played by a stand-in that can fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.database import Database
from chassis.errors import Denied, FailedPrecondition, NotFound, Unavailable
from chassis.schema import OUTBOX
from creavio.rbac.v1 import membership_service_pb2 as rbac
from creavio.rbac.v1.membership_service_pb2_grpc import (
    MembershipServiceServicer,
)
from creavio.rbac.v1.policy_shape_pb2 import PolicyShape
from services.community import domain, store
from services.community.domain import (
    Community,
    Standing,
)
from services.community.engine import Memberships

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADA, BOB, EVE = (ids.new() for _ in range(3))


@dataclass
class Gate:
    """Where a call waits."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Rbac(MembershipServiceServicer):
    """Keeps who holds roles where, as rbac promises to."""

    owners: dict[str, str] = field(default_factory=dict)
    holders: set[tuple[str, str]] = field(default_factory=set)
    shapes: dict[str, PolicyShape] = field(default_factory=dict)
    """What roles communities were given first."""
    chosen: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """The roles that people have by what they answered."""
    pending: set[tuple[str, str]] = field(default_factory=set)
    admissions: dict[tuple[str, str], int] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    transfers: dict[str, int] = field(default_factory=dict)
    above: set[tuple[str, str]] = field(default_factory=set)
    """Who stands too high to be removed by anybody but those at the top."""
    top: set[str] = field(default_factory=set)
    full: set[str] = field(default_factory=set)
    """The communities in which no more channels can be private."""
    away: bool = False
    loses_answers: bool = False
    asked: int = 0
    gate: Gate | None = None
    """Holds the next call up, before it takes effect."""

    def _answer(self) -> None:
        if self.loses_answers:
            raise Unavailable("the answer was lost")

    async def _ask(self) -> None:
        self.asked += 1
        gate, self.gate = self.gate, None
        if gate is not None:
            gate.reached.set()
            await gate.opened.wait()
        if self.away:
            raise Unavailable("away")

    async def ProvisionCommunity(
        self, request: rbac.ProvisionCommunityRequest, context: object
    ) -> rbac.ProvisionCommunityResponse:
        await self._ask()
        if self.owners.setdefault(request.community_id, request.owner_id) == request.owner_id:
            self.holders.add((request.community_id, request.owner_id))
        self.shapes.setdefault(request.community_id, request.shape)
        self._answer()
        return rbac.ProvisionCommunityResponse()

    async def GetPolicyShape(
        self, request: rbac.GetPolicyShapeRequest, context: object
    ) -> PolicyShape:
        await self._ask()
        return self.shapes[request.community_id]

    async def ProvisionChannel(
        self, request: rbac.ProvisionChannelRequest, context: object
    ) -> rbac.ProvisionChannelResponse:
        await self._ask()
        if request.community_id in self.full:
            raise FailedPrecondition("there are never more", reason="LIMIT_REACHED")
        self.private.add(request.channel_id)
        self._answer()
        return rbac.ProvisionChannelResponse()

    async def BindMember(
        self, request: rbac.BindMemberRequest, context: object
    ) -> rbac.BindMemberResponse:
        await self._ask()
        if request.community_id not in self.owners:
            raise NotFound("never provisioned")
        pair = (request.community_id, request.user_id)
        if pair not in self.holders:
            self.holders.add(pair)
            self.admissions[pair] = max(request.number, self.admissions.get(pair, 0))
            if request.pending:
                self.pending.add(pair)
        self._answer()
        return rbac.BindMemberResponse()

    async def AdmitMember(
        self, request: rbac.AdmitMemberRequest, context: object
    ) -> rbac.AdmitMemberResponse:
        await self._ask()
        pair = (request.community_id, request.user_id)
        if pair in self.holders and request.number > self.admissions.get(pair, 0):
            self.admissions[pair] = request.number
            self.chosen[pair] = set(request.role_ids)
            if not request.pending:
                self.pending.discard(pair)
        self._answer()
        return rbac.AdmitMemberResponse()

    async def TransferOwnership(
        self, request: rbac.TransferOwnershipRequest, context: object
    ) -> rbac.TransferOwnershipResponse:
        await self._ask()
        community = request.community_id
        if request.number > self.transfers.get(community, 0):
            if (community, request.owner_id) not in self.holders:
                raise NotFound("no member")
            self.transfers[community] = request.number
            self.owners[community] = request.owner_id
        self._answer()
        return rbac.TransferOwnershipResponse()

    async def ForgetChannel(
        self, request: rbac.ForgetChannelRequest, context: object
    ) -> rbac.ForgetChannelResponse:
        await self._ask()
        self.private.discard(request.channel_id)
        self._answer()
        return rbac.ForgetChannelResponse()

    async def UnbindMember(
        self, request: rbac.UnbindMemberRequest, context: object
    ) -> rbac.UnbindMemberResponse:
        await self._ask()
        pair = (request.community_id, request.user_id)
        protected = pair in self.holders & self.above and request.remover_id not in self.top
        if request.remover_id and protected:
            raise Denied("not below", reason="ROLE_TOO_HIGH")
        self.holders.discard(pair)
        self.chosen.pop(pair, None)
        self.pending.discard(pair)
        self._answer()
        return rbac.UnbindMemberResponse()


@dataclass
class World:
    """community's memberships and their database, next to rbac."""

    memberships: Memberships
    rbac: Rbac
    database: Database

    async def intend_founding(self, owner: UUID = ADA) -> Community:
        community = domain.new_community("Table", owner, NOW)
        async with self.database.transaction() as tx:
            await store.add_community(tx, community)
        return community

    async def found(self) -> Community:
        community = await self.intend_founding()
        await self.memberships.finish_founding(community.id, ADA)
        return community

    async def intend_joining(self, community: Community, user: UUID = BOB) -> None:
        async with self.database.transaction() as tx:
            await store.add_member(tx, domain.new_member(community.id, user, NOW))

    async def intend_leaving(self, community: Community, user: UUID = BOB) -> None:
        async with self.database.transaction() as tx:
            await store.let_go(tx, community.id, user)

    async def pass_time(self, seconds: float = 60) -> None:
        """Everything that was changed was changed so much earlier."""
        async with self.database.transaction() as tx:
            earlier = store.MEMBER.c.change_time - timedelta(seconds=seconds)
            await tx.execute(sa.update(store.MEMBER).values(change_time=earlier))
            earlier = store.MEMBER.c.tell_time - timedelta(seconds=seconds)
            await tx.execute(sa.update(store.MEMBER).values(tell_time=earlier))
            earlier = store.BAN.c.create_time - timedelta(seconds=seconds)
            await tx.execute(sa.update(store.BAN).values(create_time=earlier))
            earlier = store.COMMUNITY.c.transfer_time - timedelta(seconds=seconds)
            await tx.execute(sa.update(store.COMMUNITY).values(transfer_time=earlier))
            earlier = store.CHANNEL.c.create_time - timedelta(seconds=seconds)
            await tx.execute(sa.update(store.CHANNEL).values(create_time=earlier))

    async def standing(self, community: Community, user: UUID = BOB) -> Standing | None:
        async with self.database.reading() as tx:
            row = await tx.execute(
                sa.select(store.MEMBER.c.standing).where(
                    store.MEMBER.c.community_id == community.id, store.MEMBER.c.user_id == user
                )
            )
            standing = row.scalar_one_or_none()
        return None if standing is None else Standing(standing)

    def holds(self, community: Community, user: UUID = BOB) -> bool:
        """Whether rbac gave the person a role."""
        pair = (ids.text(ids.Kind.COMMUNITY, community.id), ids.text(ids.Kind.USER, user))
        return pair in self.rbac.holders

    async def told(self) -> list[str]:
        """The events, in order."""
        async with self.database.reading() as tx:
            types = (await tx.execute(sa.select(OUTBOX.c.type).order_by(OUTBOX.c.id))).scalars()
            return [event.rpartition(".")[2] for event in types]


LOST = pytest.mark.parametrize("lost", ["crash", "request", "answer"])
"""What happens after the intent is kept: nothing more, or rbac or its answer is lost."""


async def fail(world: World, lost: str, change: Callable[[], object]) -> None:
    """Begin a change that does not come through, and let time pass."""
    world.rbac.away, world.rbac.loses_answers = lost == "request", lost == "answer"
    if lost != "crash":
        begun = change()
        assert asyncio.iscoroutine(begun)
        with pytest.raises(Unavailable):
            await begun
    world.rbac.away = world.rbac.loses_answers = False
    await world.pass_time()
