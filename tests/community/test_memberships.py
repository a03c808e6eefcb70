"""Whoever joins or leaves does so here and in rbac, or in neither, whatever crashes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import pytest

from chassis import ids
from chassis.errors import NotFound
from services.community import domain, store
from services.community.domain import (
    Banned,
    BeingRemoved,
    Community,
    MemberNotFound,
    Standing,
)
from tests.community.world import ADA, BOB, EVE, LOST, NOW, Gate, World, fail


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


async def ban(world: World, community: Community, user: UUID = BOB) -> bool:
    """Whether there was a membership to end."""
    async with world.database.transaction() as tx:
        await store.lock_person(tx, community.id, user)
        await store.add_ban(tx, domain.Ban(community.id, user, ADA, "spam", NOW))
        return await store.shut_out(tx, community.id, user)


async def test_who_is_banned_cannot_join_until_it_is_lifted(world: World) -> None:
    community = await world.found()
    assert not await ban(world, community)
    with pytest.raises(Banned):
        await world.intend_joining(community)
    async with world.database.transaction() as tx:
        await store.lift_ban(tx, community.id, BOB)
    await world.intend_joining(community)


async def test_who_is_banned_while_joining_does_not_stay(world: World) -> None:
    community = await world.found()
    await world.intend_joining(community)
    late = await Late.begin(world, world.memberships.finish_joining(community.id, BOB))
    assert await ban(world, community)
    await world.memberships.finish_leaving(community.id, BOB)
    await late.let_through()
    assert (await world.standing(community), world.holds(community)) == (None, False)


async def test_a_ban_and_a_join_at_once_leave_nobody_inside(world: World) -> None:
    community = await world.found()

    async def join(user: UUID) -> None:
        with suppress(Banned, BeingRemoved):
            await world.intend_joining(community, user)
            await world.memberships.finish_joining(community.id, user)

    async def shut(user: UUID) -> None:
        if await ban(world, community, user):
            await world.memberships.finish_leaving(community.id, user)

    for user in (ids.new() for _ in range(20)):
        await asyncio.gather(join(user), shut(user))
        await world.pass_time()
        await world.memberships.resume()
        assert (await world.standing(community, user), world.holds(community, user)) == (
            None,
            False,
        )
