"""Who blocked somebody, and who is blocked, know nothing of each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.contract import Contract
from chassis.errors import Unavailable
from chassis.testing import eventually
from creavio.user.v1 import user_events_pb2
from services.gateway.engine.stream import Stream
from tests.gateway.seen import OFFLINE, ONLINE, listed, seeing
from tests.gateway.world import QUIET, Stage, staged, told
from tests.scratch_nats import ScratchNats

CHANNEL = "chn_01h455vb4pex5vsknk084sn02q"


@pytest.fixture
async def stage(nats_server: ScratchNats, contract: Contract) -> AsyncIterator[Stage]:
    """Two replicas; Ada, Bob and Cleo share a community and a channel."""
    async with staged(nats_server, contract, replicas=2) as stage:
        for name in ("ada", "bob", "cleo"):
            stage.world.seat("table", name)
        stage.world.channels[CHANNEL] = "table"
        yield stage


async def typists(stream: Stream) -> list[str]:
    await asyncio.sleep(QUIET)
    events = await told(stream)
    return [event.typing.user_id for event in events if event.HasField("typing")]


@pytest.mark.parametrize(("blocker", "blocked"), [("ada", "bob"), ("bob", "ada")])
async def test_neither_sees_that_the_other_is_there_or_writes(
    stage: Stage, blocker: str, blocked: str
) -> None:
    stage.world.blocks.add((blocker, blocked))
    ada, cleo = await seeing(stage, "ada"), await seeing(stage, "cleo")
    await stage.open("bob", stage.hubs[1])
    await cleo.sees(bob=ONLINE)
    await asyncio.sleep(QUIET)
    assert "bob" not in await ada.now()
    assert (await listed(stage, "ada", "table")).keys() == {"ada", "cleo"}
    assert (await listed(stage, "cleo", "table")).keys() == {"ada", "bob", "cleo"}
    await stage.typists[1].started("bob", CHANNEL)
    assert await typists(cleo.stream) == ["bob"]
    assert await typists(ada.stream) == []


async def test_a_block_holds_at_once_and_ends_with_it(stage: Stage) -> None:
    ada, bob = await seeing(stage, "ada"), await seeing(stage, "bob", 1)
    await ada.sees(bob=ONLINE)
    await bob.sees(ada=ONLINE)
    await stage.block("ada", "bob")
    await ada.sees(bob=OFFLINE)
    await bob.sees(ada=OFFLINE)
    await stage.typists[0].started("ada", CHANNEL)
    assert await typists(bob.stream) == []
    await stage.unblock("ada", "bob")

    async def again() -> None:
        assert (await listed(stage, "ada", "table")).keys() == {"ada", "bob"}
        assert (await listed(stage, "bob", "table", 1)).keys() == {"ada", "bob"}

    await eventually(again, within=10)


async def test_one_who_takes_it_back_is_still_blocked_by_the_other(stage: Stage) -> None:
    await stage.block("ada", "bob")
    await stage.block("bob", "ada")
    await stage.open("ada")
    await stage.open("bob")
    await stage.unblock("ada", "bob")
    await asyncio.sleep(QUIET)
    assert (await listed(stage, "ada", "table")).keys() == {"ada"}
    assert (await listed(stage, "bob", "table")).keys() == {"bob"}


async def test_an_old_event_brings_no_old_block_back(stage: Stage) -> None:
    """Events are read again for those who were away."""
    await stage.open("ada")
    await stage.open("bob")
    await stage.happen(user_events_pb2.UserBlocked(user_id="ada", blocked_id="bob"))

    async def nothing_of_it() -> None:
        assert (await listed(stage, "ada", "table")).keys() == {"ada", "bob"}

    await eventually(nothing_of_it, within=10)


async def test_a_block_while_the_stream_opens_is_not_missed(stage: Stage) -> None:
    answered = []

    async def block() -> None:
        answered.append(True)
        if len(answered) == 2:  # rbac answered first, and user is about to, as it was before
            stage.world.blocks.add(("ada", "bob"))
            event = user_events_pb2.UserBlocked(user_id="ada", blocked_id="bob")
            stage.hubs[0].crowd.blocks.learn(event)

    stage.world.meanwhile = block
    await stage.open("ada")
    assert stage.hubs[0].crowd.blocks.apart("ada", "bob")


async def test_a_stream_does_not_open_while_it_is_not_known(stage: Stage) -> None:
    stage.world.away.add("ListApart")
    with pytest.raises(Unavailable):
        await stage.open("ada")
    stage.world.away.clear()
    await stage.open("ada")
