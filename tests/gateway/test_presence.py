"""Who is there is known to those who share a community with them, and to nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
import time

import pytest

from chassis.contract import Contract
from chassis.errors import NotFound, Unavailable
from chassis.testing import eventually
from creavio.gateway.v1 import gateway_service_pb2
from creavio.gateway.v1.gateway_service_pb2_grpc import GatewayServiceStub
from services.gateway.engine.attendance import EXPIRE_SECONDS, GRACE_SECONDS
from tests.chassis.serving import PERSON
from tests.gateway.gateway import gateways
from tests.gateway.happenings import message
from tests.gateway.seen import BUSY, IDLE, OFFLINE, ONLINE, listed, seeing
from tests.gateway.table import BARRED, MEMBER
from tests.gateway.world import QUIET, Stage, staged
from tests.scratch_nats import ScratchNats


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits as in life, but shorter."""
    assert (GRACE_SECONDS, EXPIRE_SECONDS) == (5.0, 13.0)
    monkeypatch.setattr("services.gateway.engine.attendance.GRACE_SECONDS", 1.0)
    monkeypatch.setattr("services.gateway.engine.attendance.EXPIRE_SECONDS", 2.5)
    monkeypatch.setattr("services.gateway.engine.attendance._WORD_SECONDS", 0.4)


@pytest.fixture
async def stage(nats_server: ScratchNats, contract: Contract) -> AsyncIterator[Stage]:
    """Two replicas. Ada and Bob sit at a table, Eve at another."""
    async with staged(nats_server, contract, replicas=2) as stage:
        stage.world.seat("table", "ada")
        stage.world.seat("table", "bob")
        stage.world.seat("elsewhere", "eve")
        yield stage


@pytest.mark.parametrize("replica", [0, 1], ids=["here", "on another replica"])
async def test_who_comes_and_goes_is_told_to_those_who_share_a_community(
    stage: Stage, replica: int
) -> None:
    ada, eve = await seeing(stage, "ada"), await seeing(stage, "eve")
    await ada.sees(ada=ONLINE)
    bob = await stage.open("bob", stage.hubs[replica])
    await ada.sees(bob=ONLINE)
    await asyncio.sleep(1.1)  # of one person once a second: it would be told at once now
    bob.close()
    await asyncio.sleep(0.6)
    assert (await ada.now())["bob"] == ONLINE, "gone before the grace was over"
    await ada.sees(bob=OFFLINE)
    assert await eve.now() == {"eve": ONLINE}


async def test_who_is_on_two_replicas_is_there_until_the_last_stream_ends(stage: Stage) -> None:
    ada = await seeing(stage, "ada")
    phone, desk = [await stage.open("bob", hub) for hub in stage.hubs]
    await ada.sees(bob=ONLINE)
    phone.close()
    await asyncio.sleep(1.6)
    assert (await ada.now())["bob"] == ONLINE
    desk.close()
    await ada.sees(bob=OFFLINE)


async def test_who_reconnects_in_time_was_never_away(stage: Stage) -> None:
    ada = await seeing(stage, "ada")
    bob = await stage.open("bob")
    await ada.sees(bob=ONLINE)
    said = ada.said
    for replica in (1, 0, 0):
        await asyncio.sleep(1.1)
        bob.close()
        await asyncio.sleep(0.5)
        bob = await stage.open("bob", stage.hubs[replica])
    await asyncio.sleep(1)
    await ada.now()
    assert ada.said == said


async def test_how_somebody_is_there_is_told_and_lasts_until_they_leave(stage: Stage) -> None:
    ada = await seeing(stage, "ada")
    bob, desk = await seeing(stage, "bob", 1), await seeing(stage, "bob", 0)
    await ada.sees(bob=ONLINE)
    for status, replica in ((IDLE, 0), (BUSY, 1), (ONLINE, 0)):
        await stage.presences[replica].choose("bob", status)
        for seen in (ada, bob, desk):
            await seen.sees(bob=status)
    await stage.presences[0].choose("bob", IDLE)
    await ada.sees(bob=IDLE)
    bob.stream.close()
    desk.stream.close()
    await ada.sees(bob=OFFLINE)
    await stage.open("bob")
    await ada.sees(bob=ONLINE)


async def test_who_hides_is_not_there_for_others(stage: Stage) -> None:
    ada, bob = await seeing(stage, "ada"), await seeing(stage, "bob", 1)
    await ada.sees(bob=ONLINE)
    await stage.presences[1].choose("bob", OFFLINE)
    await ada.sees(bob=OFFLINE)
    await bob.sees(bob=OFFLINE)
    for replica in range(2):
        assert await listed(stage, "ada", "table", replica) == {"ada": ONLINE}
    said = ada.said
    bob.stream.close()
    await asyncio.sleep(1.6)
    await ada.now()
    assert ada.said == said, "a hidden person's leaving shows"


async def test_one_person_is_told_of_once_a_second(stage: Stage) -> None:
    ada, _ = await seeing(stage, "ada"), await seeing(stage, "bob", 1)
    await ada.sees(bob=ONLINE)
    said = ada.said
    for number in range(36):
        await stage.presences[1].choose("bob", (BUSY, ONLINE, IDLE)[number // 4 % 3])
        await asyncio.sleep(0.05)
    await ada.sees(bob=IDLE)
    assert 1 <= ada.said - said <= 4


async def test_a_list_holds_those_who_belong_and_are_there(stage: Stage) -> None:
    stage.world.seat("table", "cleo")
    for user, replica in (("ada", 0), ("bob", 1), ("eve", 1)):
        await stage.open(user, stage.hubs[replica])
    await stage.presences[0].choose("bob", IDLE)

    async def known() -> None:
        for replica in range(2):
            found = await listed(stage, "ada", "table", replica)
            assert found == {"ada": ONLINE, "bob": IDLE}, replica

    await eventually(known)
    # Whoever is no member any more, or comes to be one, is so at once and everywhere.
    await stage.bind("table", "bob")
    await stage.bind("table", "eve", MEMBER)

    async def moved() -> None:
        for replica in range(2):
            assert await listed(stage, "ada", "table", replica) == {"ada": ONLINE, "eve": ONLINE}

    await eventually(moved)
    await stage.bind("table", "eve", MEMBER, BARRED)

    async def barred() -> None:
        for replica in range(2):
            assert await listed(stage, "ada", "table", replica) == {"ada": ONLINE}

    await eventually(barred)


async def test_who_joins_is_seen_there_and_who_left_no_more(stage: Stage) -> None:
    ada, eve = await seeing(stage, "ada"), await seeing(stage, "eve", 1)
    await ada.sees(ada=ONLINE)
    await stage.bind("table", "eve", MEMBER)
    await ada.sees(eve=ONLINE)
    await stage.bind("table", "eve")
    await stage.presences[1].choose("eve", BUSY)
    await eve.sees(eve=BUSY)
    await asyncio.sleep(QUIET)
    assert (await ada.now())["eve"] == ONLINE, "an outsider's presence is nobody's business"
    await stage.presences[0].choose("ada", IDLE)
    await ada.sees(ada=IDLE)
    await asyncio.sleep(QUIET)
    assert (await eve.now()).get("ada") != IDLE


async def test_those_of_a_replica_that_died_are_gone_after_a_while(stage: Stage) -> None:
    ada = await seeing(stage, "ada")
    await stage.open("bob", stage.hubs[1])
    await ada.sees(bob=ONLINE)
    await stage.cut[1]()
    await ada.sees(bob=OFFLINE)
    assert await listed(stage, "ada", "table") == {"ada": ONLINE}


async def unsaid(*_: object) -> None:
    """What is published is lost."""


async def test_a_replica_that_missed_a_word_asks_for_all_of_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await seeing(stage, "ada")
    stage.world.seat("table", "cleo")
    cleo = await stage.open("cleo", stage.hubs[1])
    await ada.sees(cleo=ONLINE)
    with monkeypatch.context() as mute:
        mute.setattr(stage.gateway_buses[1], "publish", unsaid)
        await stage.open("bob", stage.hubs[1])
        cleo.close()
        await asyncio.sleep(1.6)
    await ada.sees(bob=ONLINE, cleo=OFFLINE)


async def test_a_replica_that_comes_back_brings_its_people_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was not heard for too long; its people are news again when it is."""
    ada = await seeing(stage, "ada")
    await stage.open("bob", stage.hubs[1])
    await ada.sees(bob=ONLINE)
    with monkeypatch.context() as mute:
        mute.setattr(stage.gateway_buses[1], "publish", unsaid)
        await ada.sees(bob=OFFLINE)
    await ada.sees(bob=ONLINE)


async def test_nobody_is_listed_while_it_is_not_known_who_belongs(stage: Stage) -> None:
    for user in ("ada", "bob"):
        await stage.open(user)
    await asyncio.sleep(QUIET)
    stage.world.away |= {"ListBindings", "GetAccess"}
    stage.world.revision = 0
    await asyncio.sleep(QUIET)
    with pytest.raises(Unavailable):
        await listed(stage, "ada", "table")
    # Bob left while nobody was told; all is asked for again.
    stage.world.table("table").members["bob"].roles = set()
    stage.world.away.clear()
    await stage.open("ada")

    ends = time.monotonic() + 5
    for replica in range(2):
        found: dict[str, int] = {}
        while found != {"ada": ONLINE} and time.monotonic() < ends:
            with suppress(Unavailable):
                found = await listed(stage, "ada", "table", replica)
            assert "bob" not in found
            await asyncio.sleep(0.02)
        assert found == {"ada": ONLINE}


async def test_people_of_a_large_community_are_not_told_of_each_other_but_may_ask(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.presence.MAX_THERE", 3)
    for name in ("cleo", "dan"):
        stage.world.seat("table", name)
    stage.world.seat("small", "ada")
    stage.world.seat("small", "dan")
    ada = await seeing(stage, "ada")
    for number, name in enumerate(("bob", "cleo", "dan")):
        await stage.open(name, stage.hubs[number % 2])
        await ada.sees(**{name: ONLINE})
    for name in ("bob", "dan"):
        await stage.presences[0].choose(name, IDLE)
    await ada.sees(dan=IDLE)
    await asyncio.sleep(QUIET)
    assert (await ada.now())["bob"] == ONLINE
    assert (await listed(stage, "ada", "table"))["bob"] == IDLE


async def test_messages_do_not_wait_for_a_crowd_that_comes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So much is told at a time: the rest a moment later."""
    monkeypatch.setattr("services.gateway.engine.presence._PUSHES_A_TICK", 200)
    people = [f"user{number}" for number in range(60)]
    for name in people:
        stage.world.seat("table", name)
    ada = await seeing(stage, "ada")
    for name in people:
        await stage.open(name, stage.hubs[1])
    told: list[int] = []
    presence = stage.presences[0]
    tell = presence._tell_due

    def counted() -> int:
        before = len(presence._due)
        left = tell()
        told.append(before - len(presence._due))
        return left

    monkeypatch.setattr(presence, "_tell_due", counted)
    await ada.sees(**dict.fromkeys(people, ONLINE))
    await stage.happen(message("general", "hello"))
    assert max(told) <= 200 // 10, "to look somebody up costs as well"


async def test_only_members_may_ask(nats_server: ScratchNats, contract: Contract) -> None:
    community = "com_01h455vb4pex5vsknk084sn02q"
    stranger = "usr_01h455vb4pex5vsknk084sn02r"
    async with gateways(nats_server, contract) as gateway:
        gateway.stage.world.seat(community, PERSON)
        stub = GatewayServiceStub(gateway.channels[0])
        request = gateway_service_pb2.ListPresencesRequest(community_id=community)
        async with gateway.listening() as batches:
            await anext(batches)
            reply = await gateway.caller().call(stub.ListPresences, request)
            assert [presence.user_id for presence in reply.presences] == [PERSON]
            with pytest.raises(NotFound):
                await gateway.caller(stranger).call(stub.ListPresences, request)
            chosen = gateway_service_pb2.SetPresenceRequest(status=BUSY)
            await gateway.caller().call(stub.SetPresence, chosen)
            reply = await gateway.caller().call(stub.ListPresences, request)
            assert [presence.status for presence in reply.presences] == [BUSY]
