"""A changed name is told to those who know the person, on whatever replica, and to nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.contract import Contract
from creavio.user.v1 import user_events_pb2
from services.gateway.engine import circles, hub
from services.gateway.engine.stream import Stream
from tests.gateway.world import Stage, payloads, staged, told
from tests.scratch_nats import ScratchNats

TALK = "cnv_01h455vb4pex5vsknk084sn02q"


@pytest.fixture
async def stage(nats_server: ScratchNats, contract: Contract) -> AsyncIterator[Stage]:
    """Two replicas; Ada shares a community with Bob, talks to Cleo, and knows no Eve."""
    async with staged(nats_server, contract, replicas=2) as stage:
        for name in ("ada", "bob"):
            stage.world.seat("table", name)
        stage.world.seat("elsewhere", "eve")
        stage.world.conversations[TALK] = ["ada", "cleo"]
        yield stage


def changed(who: str, name: str) -> user_events_pb2.ProfileChanged:
    return user_events_pb2.ProfileChanged(user_id=who, handle=who, display_name=name)


async def names(stream: Stream) -> list[str]:
    """What names a stream was told, since it was last asked; and nothing else."""
    events = await told(stream)
    assert set(payloads(events)) <= {"profile_changed"}
    return [event.profile_changed.display_name for event in events]


async def test_who_knows_them_is_told_on_every_replica_once(stage: Stage) -> None:
    stage.world.seat("another", "ada")
    stage.world.seat("another", "bob")
    stage.world.conversations["cnv_01h455vb4pex5vsknk084sn02r"] = ["ada", "bob", "cleo"]
    people = {
        (name, at): await stage.open(name, stage.hubs[at])
        for name in ("ada", "bob", "cleo", "eve")
        for at in (0, 1)
    }
    await stage.happen(changed("ada", "Countess"))
    for (name, _), stream in people.items():
        assert await names(stream) == (["Countess"] if name in ("bob", "cleo") else []), name


async def test_who_is_not_there_themselves_is_known_all_the_same(stage: Stage) -> None:
    bob = await stage.open("bob")
    await stage.happen(changed("ada", "Countess"))
    assert await names(bob) == ["Countess"]
    # Who left knows them no more, and who came does.
    await stage.bind("table", "ada")
    await stage.bind("elsewhere", "ada", 1)
    await stage.heard()
    eve = await stage.open("eve")
    await asyncio.sleep(circles._KEPT_SECONDS)
    await stage.happen(changed("ada", "Lady"))
    assert (await names(bob), await names(eve)) == ([], ["Lady"])


@pytest.mark.parametrize(("blocker", "blocked"), [("ada", "bob"), ("bob", "ada")])
async def test_whom_a_block_keeps_apart_is_told_nothing(
    stage: Stage, blocker: str, blocked: str
) -> None:
    bob, cleo = await stage.open("bob"), await stage.open("cleo")
    await stage.block(blocker, blocked)
    await told(bob)
    since = stage.hub.positions
    await stage.happen(changed("ada", "Countess"))
    assert (await names(bob), await names(cleo)) == ([], ["Countess"])
    again = await stage.resume("bob", since)
    assert payloads(await told(again)) == ["ready"]


async def test_who_was_away_learns_it_when_they_are_back(stage: Stage) -> None:
    since = stage.hub.positions
    strangers = [changed(f"stranger-{number}", "x") for number in range(150)]
    await asyncio.gather(*(stage.log(event) for event in strangers))
    await stage.happen(changed("ada", "Countess"))
    stage.world.asked.clear()
    for name, expected in (("bob", 1), ("cleo", 1), ("ada", 0), ("eve", 0)):
        events = await told(await stage.resume(name, since))
        assert payloads(events) == ["ready"] + ["profile_changed"] * expected, name
    # A hundred at a time, however many changed.
    assert stage.world.asked.count("ListFellows") <= 4 * 2
    assert stage.world.asked.count("ListTalkers") == 4


async def test_what_it_costs_does_not_grow_with_who_knows_them(stage: Stage) -> None:
    for number in range(50):
        stage.world.seat("table", f"member-{number}")
        stage.world.seat(f"community-{number}", "ada")
    bob = await stage.open("bob")
    stage.world.asked.clear()
    for name in ("A", "B", "C"):
        await stage.happen(changed("ada", name))
    assert await names(bob) == ["A", "B", "C"]
    # Each replica asks once, and not again in the next two seconds.
    for rpc in ("ListBindings", "ListTalkers"):
        assert stage.world.asked.count(rpc) <= 2 * len(stage.hubs)
    assert set(stage.world.asked) == {"ListBindings", "ListTalkers"}


async def test_nobody_misses_it_while_it_is_not_known_who_knows_them(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, eve = await stage.open("bob"), await stage.open("eve")
    stage.world.away.add("ListTalkers")
    where = await stage.log(changed("ada", "Countess"))
    await asyncio.sleep(0.3)
    assert (await names(bob), await names(eve)) == ([], [])
    stage.world.away.clear()
    await stage.reached(*where)
    assert (await names(bob), await names(eve)) == (["Countess"], [])
    # For too long, everybody is to look for themselves, and nobody is told whose it was.
    monkeypatch.setattr(hub, "_MEMBERS_SECONDS", 0.2)
    stage.world.away.add("ListTalkers")
    await asyncio.sleep(circles._KEPT_SECONDS)
    await stage.happen(changed("ada", "Lady"))
    for stream in (bob, eve):
        assert payloads(await told(stream)) == ["refetch"]


def test_it_has_room_for_what_everybody_may_see_alone() -> None:
    described = user_events_pb2.ProfileChanged.DESCRIPTOR
    assert {field.name for field in described.fields} == {
        "user_id",
        "handle",
        "display_name",
        "avatar_id",
        "deactivated",
    }
