"""Who writes is told to those who see the channel, now and then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.contract import Contract
from chassis.errors import Denied, NotFound
from creavio.gateway.v1 import gateway_service_pb2
from creavio.gateway.v1.gateway_service_pb2_grpc import GatewayServiceStub
from services.gateway.engine.stream import Stream
from services.gateway.engine.typists import APART_SECONDS
from tests.chassis.serving import PERSON
from tests.gateway.gateway import gateways, until
from tests.gateway.table import GUEST, MEMBER, SEND, Says
from tests.gateway.world import Stage, staged, told
from tests.scratch_nats import ScratchNats

CHANNEL = "chn_01h455vb4pex5vsknk084sn02q"
CONVERSATION = "cnv_01h455vb4pex5vsknk084sn02q"


@pytest.fixture
async def stage(nats_server: ScratchNats, contract: Contract) -> AsyncIterator[Stage]:
    """Two replicas; Ada and Bob see a channel, Cleo only its community, Eve nothing."""
    async with staged(nats_server, contract, replicas=2) as stage:
        for name in ("ada", "bob"):
            stage.world.seat("table", name)
        stage.world.seat("table", "cleo", MEMBER, GUEST)
        stage.world.channels[CHANNEL] = "table"
        stage.world.conversations[CONVERSATION] = ["ada", "bob"]
        yield stage


async def typing(stream: Stream) -> list[tuple[str, str]]:
    """Of whom a stream was told in a moment, and where they write."""
    await asyncio.sleep(0.1)
    return [
        (event.typing.user_id, event.typing.channel_id)
        for event in await told(stream)
        if event.HasField("typing")
    ]


@pytest.mark.parametrize("place", [CHANNEL, CONVERSATION])
async def test_it_is_told_on_all_replicas_to_who_sees_the_place(stage: Stage, place: str) -> None:
    streams = {
        (name, number): await stage.open(name, hub)
        for name in ("ada", "bob", "cleo", "eve")
        for number, hub in enumerate(stage.hubs)
    }
    await asyncio.sleep(0.1)
    await stage.typists[1].started("ada", place)
    for (name, _), stream in streams.items():
        assert await typing(stream) == [("ada", place)] * (name == "bob"), name


async def test_it_is_told_once_in_three_seconds_whatever_replica_it_is_said_to(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await stage.open("bob")
    await asyncio.sleep(0.1)
    for number in range(6):
        await stage.typists[number % 2].started("ada", CHANNEL)
    assert await typing(bob) == [("ada", CHANNEL)]
    await stage.typists[0].started("ada", CONVERSATION)
    assert await typing(bob) == [("ada", CONVERSATION)]
    assert APART_SECONDS == 3.0
    for typists in stage.typists:
        typists._told.clear()  # three seconds pass
    await stage.typists[1].started("ada", CHANNEL)
    assert await typing(bob) == [("ada", CHANNEL)]


async def test_who_hears_it_need_not_ask_whose_conversation_it_is(stage: Stage) -> None:
    bob = await stage.open("bob")
    await asyncio.sleep(0.1)
    await stage.typists[1].started("ada", CONVERSATION)
    assert await typing(bob) == [("ada", CONVERSATION)]
    assert stage.world.asked.count("ListConversationMembers") == 1


async def test_of_a_crowd_that_writes_a_few_are_told(stage: Stage) -> None:
    bob = await stage.open("bob")
    await asyncio.sleep(0.1)
    for number in range(50):
        await stage.typists[number % 2].started(f"user{number}", CHANNEL)
    assert len(await typing(bob)) == 10


async def test_nothing_is_told_of_a_channel_that_is_not_there(stage: Stage) -> None:
    bob = await stage.open("bob")
    await stage.typists[0].started("ada", "chn_01h455vb4pex5vsknk084sn02z")
    assert await typing(bob) == []


async def test_only_who_may_write_there_may_say_so(
    nats_server: ScratchNats, contract: Contract
) -> None:
    stranger = "usr_01h455vb4pex5vsknk084sn02r"
    async with gateways(nats_server, contract) as gateway:
        world = gateway.stage.world
        world.seat("table", PERSON)
        world.seat("table", "bob")
        world.channels[CHANNEL] = "table"
        world.conversations[CONVERSATION] = [PERSON, "bob"]
        stub = GatewayServiceStub(gateway.channels[0])
        async with gateway.listening(person="bob") as batches:
            await anext(batches)
            for place in (CHANNEL, CONVERSATION):
                request = gateway_service_pb2.StartTypingRequest(channel_id=place)
                with pytest.raises(NotFound):
                    await gateway.caller(stranger).call(stub.StartTyping, request)
                await gateway.caller().call(stub.StartTyping, request)
                heard, _ = await until(batches, "typing")
                assert heard.channel_id == place  # type: ignore[attr-defined]
            world.table("table").members[PERSON].channels[CHANNEL] = Says(deny={SEND})
            await gateway.stage.rebound("table", PERSON)
            request = gateway_service_pb2.StartTypingRequest(channel_id=CHANNEL)
            with pytest.raises(Denied):
                await gateway.caller().call(stub.StartTyping, request)
