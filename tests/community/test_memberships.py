"""Whoever joins or leaves does so here and in rbac, or in neither, whatever crashes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.bus import Bus
from chassis.clients import Clients
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import NotFound, Unavailable
from chassis.outbox import Outbox
from chassis.schema import OUTBOX
from chassis.telemetry import Telemetry
from chassis.testing import scratch_config, standing_in
from creavio.rbac.v1 import membership_service_pb2 as rbac
from creavio.rbac.v1.membership_service_pb2_grpc import (
    MembershipServiceServicer,
    add_MembershipServiceServicer_to_server,
)
from services.community import domain, store
from services.community.domain import BeingRemoved, Community, MemberNotFound, Standing
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
        self._answer()
        return rbac.ProvisionCommunityResponse()

    async def BindMember(
        self, request: rbac.BindMemberRequest, context: object
    ) -> rbac.BindMemberResponse:
        await self._ask()
        if request.community_id not in self.owners:
            raise NotFound("never provisioned")
        self.holders.add((request.community_id, request.user_id))
        self._answer()
        return rbac.BindMemberResponse()

    async def UnbindMember(
        self, request: rbac.UnbindMemberRequest, context: object
    ) -> rbac.UnbindMemberResponse:
        await self._ask()
        self.holders.discard((request.community_id, request.user_id))
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


@pytest.fixture
async def world(
    contract: Contract, scratch: Callable[[str], AbstractAsyncContextManager[Database]]
) -> AsyncIterator[World]:
    part = Rbac()
    config = scratch_config("community")
    telemetry = Telemetry(config)
    async with (
        scratch("community") as database,
        standing_in(contract, (add_MembershipServiceServicer_to_server, part)) as address,
    ):
        Outbox("community", contract, database, Bus(config, telemetry), telemetry)
        clients = Clients("community", address, contract)
        yield World(Memberships(database, clients), part, database)
        await clients.close()


async def test_founding_joining_and_leaving_are_told_once_each(world: World) -> None:
    community = await world.found()
    await world.intend_joining(community)
    assert (await world.standing(community), world.holds(community)) == (Standing.COMING, False)
    await world.memberships.finish_joining(community.id, BOB)
    await world.memberships.finish_joining(community.id, BOB)
    assert (await world.standing(community), world.holds(community)) == (Standing.SETTLED, True)
    await world.intend_leaving(community)
    await world.memberships.finish_leaving(community.id, BOB)
    await world.memberships.finish_leaving(community.id, BOB)
    assert (await world.standing(community), world.holds(community)) == (None, False)
    assert await world.told() == [
        "CommunityCreated",
        "MemberJoined",
        "MemberJoined",
        "MemberRemoved",
    ]


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


@LOST
async def test_a_founding_left_halfway_is_finished(world: World, lost: str) -> None:
    community = await world.intend_founding()
    await fail(world, lost, lambda: world.memberships.finish_founding(community.id, ADA))
    assert await world.told() == []
    await world.memberships.resume()
    assert (await world.standing(community, ADA), world.holds(community, ADA)) == (
        Standing.SETTLED,
        True,
    )
    assert await world.told() == ["CommunityCreated", "MemberJoined"]


@LOST
async def test_a_joining_left_halfway_is_finished(world: World, lost: str) -> None:
    community = await world.found()
    await world.intend_joining(community)
    await fail(world, lost, lambda: world.memberships.finish_joining(community.id, BOB))
    assert await world.standing(community) == Standing.COMING
    await world.memberships.resume()
    assert (await world.standing(community), world.holds(community)) == (Standing.SETTLED, True)
    assert (await world.told())[2:] == ["MemberJoined"]


@LOST
async def test_a_leaving_left_halfway_is_finished(world: World, lost: str) -> None:
    community = await world.found()
    await world.intend_joining(community)
    await world.memberships.finish_joining(community.id, BOB)
    await world.intend_leaving(community)
    await fail(world, lost, lambda: world.memberships.finish_leaving(community.id, BOB))
    assert await world.standing(community) == Standing.LEAVING
    asked = world.rbac.asked
    await world.memberships.resume()
    assert world.rbac.asked == asked + 1, "and nothing was granted in between"
    assert (await world.standing(community), world.holds(community)) == (None, False)
    assert (await world.told())[3:] == ["MemberRemoved"]


async def test_what_is_in_progress_is_left_alone(world: World) -> None:
    community = await world.found()
    await world.intend_joining(community)
    asked = world.rbac.asked
    await world.memberships.resume()
    assert (await world.standing(community), world.rbac.asked) == (Standing.COMING, asked)


async def test_one_that_cannot_be_finished_does_not_stop_the_next(world: World) -> None:
    lost, good = await world.found(), await world.found()
    await world.intend_joining(lost, EVE)
    await world.pass_time()
    await world.intend_joining(good, BOB)
    await world.pass_time()
    world.rbac.owners.pop(ids.text(ids.Kind.COMMUNITY, lost.id))
    with pytest.raises(NotFound):
        await world.memberships.resume()
    assert await world.standing(lost, EVE) == Standing.COMING
    assert await world.standing(good, BOB) == Standing.SETTLED


async def test_resuming_in_two_replicas_at_once_tells_once(world: World) -> None:
    community = await world.intend_founding()
    await world.pass_time()
    await asyncio.gather(*(world.memberships.resume() for _ in range(4)))
    assert await world.standing(community, ADA) == Standing.SETTLED
    assert await world.told() == ["CommunityCreated", "MemberJoined"]


@dataclass
class Late:
    """A change whose call rbac takes only when it is let through."""

    change: asyncio.Task[None]
    gate: Gate

    @classmethod
    async def begin(cls, world: World, change: Coroutine[None, None, None]) -> Late:
        gate = world.rbac.gate = Gate()
        task = asyncio.create_task(change)
        await gate.reached.wait()
        return cls(task, gate)

    async def let_through(self) -> None:
        self.gate.opened.set()
        await self.change


async def test_who_was_removed_gets_no_role_from_a_call_that_came_late(world: World) -> None:
    community, finish = await world.found(), world.memberships
    await world.intend_joining(community)
    late = await Late.begin(world, finish.finish_joining(community.id, BOB))
    await finish.finish_joining(community.id, BOB)  # the same, sent again
    await world.intend_leaving(community)
    await finish.finish_leaving(community.id, BOB)
    assert not world.holds(community)
    await late.let_through()
    assert (await world.standing(community), world.holds(community)) == (None, False)


async def test_who_is_being_removed_gets_no_role_from_a_call_that_came_late(world: World) -> None:
    community, finish = await world.found(), world.memberships
    await world.intend_joining(community)
    late = await Late.begin(world, finish.finish_joining(community.id, BOB))
    await finish.finish_joining(community.id, BOB)
    await world.intend_leaving(community)
    await late.let_through()
    assert (await world.standing(community), world.holds(community)) == (None, False)


async def test_who_came_back_keeps_the_role_whatever_call_came_late(world: World) -> None:
    community, finish = await world.found(), world.memberships
    await world.intend_joining(community)
    await finish.finish_joining(community.id, BOB)
    await world.intend_leaving(community)
    late = await Late.begin(world, finish.finish_leaving(community.id, BOB))
    await finish.finish_leaving(community.id, BOB)  # the same, sent again
    await world.intend_joining(community)
    await finish.finish_joining(community.id, BOB)
    await late.let_through()
    assert (await world.standing(community), world.holds(community)) == (Standing.SETTLED, True)


async def test_who_is_coming_back_keeps_the_role_whatever_call_came_late(world: World) -> None:
    community, finish = await world.found(), world.memberships
    await world.intend_joining(community)
    await finish.finish_joining(community.id, BOB)
    await world.intend_leaving(community)
    late = await Late.begin(world, finish.finish_leaving(community.id, BOB))
    await finish.finish_leaving(community.id, BOB)
    await world.intend_joining(community)
    await late.let_through()
    await finish.finish_joining(community.id, BOB)
    assert (await world.standing(community), world.holds(community)) == (Standing.SETTLED, True)


async def test_whatever_happens_at_once_both_sides_agree_in_the_end(world: World) -> None:
    community = await world.found()

    async def come(user: UUID) -> None:
        with suppress(BeingRemoved):
            await world.intend_joining(community, user)
            await world.memberships.finish_joining(community.id, user)

    async def go(user: UUID) -> None:
        with suppress(MemberNotFound):
            await world.intend_leaving(community, user)
            await world.memberships.finish_leaving(community.id, user)

    for _ in range(15):
        await asyncio.gather(come(BOB), go(BOB), come(BOB), go(BOB), come(EVE), go(EVE))
        for user in (BOB, EVE):
            member = await world.standing(community, user) == Standing.SETTLED
            assert member == world.holds(community, user)
