"""An event reaches exactly the open streams of those who may see it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chassis.contract import Contract
from chassis.errors import Unavailable
from chassis.events import Received
from chassis.positions import START
from creavio.options.v1 import event_pb2
from creavio.rbac.v1 import rbac_events_pb2
from services.gateway import convert
from services.gateway.domain import ReadsTooSlowly
from services.gateway.engine import Stream
from tests.gateway.world import (
    EMITTERS,
    QUIET,
    VIEW_CHANNEL,
    VIEW_COMMUNITY,
    Stage,
    joined,
    message,
    opened,
    payloads,
    removed,
    renamed,
    staged,
    texts,
)
from tests.scratch_nats import ScratchNats


@pytest.fixture
async def stage(nats_server: ScratchNats, contract: Contract) -> AsyncIterator[Stage]:
    """Ada and Bob sit at a table with a channel; Eve does not."""
    async with staged(nats_server, contract) as stage:
        stage.world.members["table"] = {"ada", "bob"}
        stage.world.channels["general"] = "table"
        yield stage


async def told(stream: Stream) -> list[str]:
    """What kinds of things a stream was told."""
    return payloads(await stream.next(0))


async def test_a_message_reaches_who_may_view_its_channel(stage: Stage) -> None:
    stage.world.members["elsewhere"] = {"eve"}
    ada, bob, eve = [await stage.open(name) for name in ("ada", "bob", "eve")]
    stage.world.allowed["bob", "table"] = {VIEW_COMMUNITY}
    await stage.happen(message("general", "hello"), opened("table", "general"))
    assert await told(ada) == ["message_created", "channel_created"]
    assert await told(bob) == ["channel_created"]
    assert await told(eve) == []
    stage.world.allowed["bob", "table"] = {VIEW_CHANNEL}
    await stage.happen(message("general", "hello"), opened("table", "general"))
    assert await told(bob) == ["message_created"]


async def test_the_permission_decides_even_before_a_removal_is_told(stage: Stage) -> None:
    bob = await stage.open("bob")
    stage.world.members["table"].discard("bob")
    await stage.happen(message("general", "among ourselves"))
    assert await told(bob) == []


async def test_every_stream_of_a_person_is_told(stage: Stage) -> None:
    streams = [await stage.open("ada") for _ in range(3)]
    await stage.happen(message("general", "hello"), renamed("ada"))
    for stream in streams:
        assert await told(stream) == ["message_created", "user_updated"]


async def test_what_concerns_a_person_reaches_that_person_only(stage: Stage) -> None:
    ada, bob = await stage.open("ada"), await stage.open("bob")
    await stage.happen(renamed("ada"))
    assert await told(ada) == ["user_updated"]
    assert await told(bob) == []


async def test_who_joins_is_told_so_and_everything_after(stage: Stage) -> None:
    ada, eve = await stage.open("ada"), await stage.open("eve")
    await stage.happen(message("general", "before"))
    assert await told(eve) == []
    stage.world.members["table"].add("eve")
    await stage.happen(joined("table", "eve"), message("general", "after"))
    assert await told(eve) == ["member_joined", "message_created"]
    assert await told(ada) == ["message_created", "member_joined", "message_created"]


async def test_who_is_removed_is_told_so_once_and_nothing_after(stage: Stage) -> None:
    ada, bob = await stage.open("ada"), await stage.open("bob")
    stage.world.members["table"].discard("bob")
    await stage.happen(removed("table", "bob"), message("general", "after"))
    assert await told(bob) == ["member_removed"]
    assert await told(ada) == ["member_removed", "message_created"]
    assert bob.communities == set()
    # Back again, and told again.
    stage.world.members["table"].add("bob")
    await stage.happen(joined("table", "bob"), message("general", "welcome back"))
    assert await told(bob) == ["member_joined", "message_created"]


async def test_what_nobody_may_see_reaches_nobody(stage: Stage) -> None:
    ada = await stage.open("ada")
    await stage.happen(message("gone", "?"), renamed("nobody"))
    stage.world.members["table"] = set()
    await stage.happen(message("general", "?"), opened("table", "general"))
    assert await told(ada) == []


async def test_what_services_tell_each_other_reaches_nobody(stage: Stage) -> None:
    internal = rbac_events_pb2.BindingChanged(community_id="table", user_id="ada", revision=1)
    kind = internal.DESCRIPTOR.full_name
    policy = stage.contract.events[kind].policy
    assert policy.audience == event_pb2.EVENT_AUDIENCE_INTERNAL
    ada = await stage.open("ada")
    for name in (kind, "creavio.chat.v1.NotInTheContract", ""):
        await stage.publish("chat", name, internal.SerializeToString(), "creavio.chat.v1.x")
    assert await told(ada) == []


async def test_what_cannot_be_read_is_said_to_all_and_ends_nothing(stage: Stage) -> None:
    ada = await stage.open("ada")
    before = stage.hub.positions
    await stage.publish("chat", "creavio.chat.v1.MessageCreated", b"\xff\xff", "creavio.chat.v1.x")
    assert await told(ada) == ["refetch"]
    await stage.happen(message("general", "after"))
    assert await told(ada) == ["message_created"]
    again = await stage.hub.open("ada", before)
    assert await told(again) == ["ready", "refetch"]


async def test_who_cannot_be_decided_on_is_ended_and_nobody_else(stage: Stage) -> None:
    ada, bob = await stage.open("ada"), await stage.open("bob")
    stage.world.unknown.add("bob")
    await stage.happen(message("general", "hello"))
    assert await told(ada) == ["message_created"]
    with pytest.raises(Unavailable):
        await bob.next(0)
    assert known_streams(stage) == {ada}


async def test_a_reader_too_far_behind_is_ended_and_forgotten(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.MAX_QUEUED", 5)
    ada, bob = await stage.open("ada"), await stage.open("bob")
    for number in range(5):
        await stage.happen(message("general", f"{number}"))
    assert not ada.ended
    assert len(await bob.next(0)) == 5
    await stage.happen(message("general", "one too many"))
    with pytest.raises(ReadsTooSlowly) as ended:
        await ada.next(0)
    assert ended.value.reason == "RATE_LIMITED"
    assert ended.value.retry_after is not None
    assert texts(await bob.next(0)) == ["one too many"]
    assert known_streams(stage) == {bob}


async def test_a_closed_stream_is_forgotten(stage: Stage) -> None:
    ada, again = await stage.open("ada"), await stage.open("ada")
    stage.hub.close(ada)
    stage.hub.close(ada)
    assert known_streams(stage) == {again}
    stage.hub.close(again)
    assert known_streams(stage) == set()
    assert (stage.hub._by_user, stage.hub._by_community) == ({}, {})


async def test_a_stream_that_could_not_open_is_forgotten(stage: Stage) -> None:
    stage.world.unknown.add("ada")
    with pytest.raises(Unavailable):
        await stage.hub.open("ada", None)
    assert known_streams(stage) == set()


async def test_all_streams_end_at_once(stage: Stage) -> None:
    streams = [await stage.open(name) for name in ("ada", "ada", "bob")]
    await stage.happen(message("general", "not told any more"))
    stage.hub.end_all()
    for stream in streams:
        with pytest.raises(Unavailable):
            await stream.next(0)


async def test_a_stream_says_nothing_while_nothing_happens(stage: Stage) -> None:
    ada = await stage.open("ada")
    assert await ada.next(QUIET) == []
    await stage.happen(message("general", "hello"))
    assert texts(await ada.next(5)) == ["hello"]
    assert await ada.next(0) == []


async def test_who_joins_while_the_stream_opens_misses_nothing(stage: Stage) -> None:
    async def join() -> None:
        stage.world.members["table"].add("eve")
        await stage.happen(joined("table", "eve"), message("general", "welcome"))

    before = stage.hub.positions
    stage.world.meanwhile = join
    eve = await stage.hub.open("eve", None)
    await stage.happen(message("general", "hello"))
    events = await eve.next(0)
    assert payloads(events)[0] == "ready"
    assert texts(events)[-1] == "hello"

    stage.world.members["table"].discard("eve")
    resumed = await stage.hub.open("eve", before)
    events = await resumed.next(0)
    assert payloads(events)[0] == "ready"
    assert texts(events)[:2] == ["welcome", "hello"], "what was said after joining is missing"
    assert len({event.id for event in events}) == len(events)


async def test_who_is_removed_while_the_stream_opens_sees_nothing(stage: Stage) -> None:
    async def remove() -> None:
        stage.world.members["table"].discard("bob")
        await stage.happen(removed("table", "bob"), message("general", "after"))

    before = stage.hub.positions
    stage.world.meanwhile = remove
    bob = await stage.hub.open("bob", before)
    await stage.happen(message("general", "and later"))
    assert texts(await bob.next(0)) == []


async def test_a_stream_cannot_open_while_events_cannot_be_followed(
    nats_server: ScratchNats, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.START_SECONDS", QUIET)
    monkeypatch.setattr("chassis.feed.History.last", _never)
    async with staged(nats_server, contract) as stage:
        with pytest.raises(Unavailable):
            await stage.hub.open("ada", None)


async def _never(_: object) -> object:
    raise Unavailable("the event log cannot be read")


async def test_every_service_that_tells_streams_is_followed(stage: Stage) -> None:
    telling = {
        event.service
        for event in stage.contract.events.values()
        if event.policy.audience == event_pb2.EVENT_AUDIENCE_STREAM
    }
    assert stage.hub.positions.keys() == telling == set(EMITTERS)


def test_every_event_that_streams_are_told_has_its_payload(contract: Contract) -> None:
    now = convert.heartbeat().time.ToDatetime().astimezone()
    kinds: set[str] = set()
    for event in contract.events.values():
        if event.policy.audience == event_pb2.EVENT_AUDIENCE_STREAM:
            received = Received("evt_1", event.type, "", now, 1, b"")
            told = convert.told(received, event.message())
            assert told.id == "evt_1"
            kind = told.WhichOneof("payload")
            assert kind is not None, event.type
            assert isinstance(getattr(told, kind), event.message)
            kinds.add(kind)
    said_of_itself = {"ready", "heartbeat", "refetch"}
    assert kinds == set(all_payloads()) - said_of_itself, "a payload that nothing fills"


def all_payloads() -> list[str]:
    oneof = convert.heartbeat().DESCRIPTOR.oneofs_by_name["payload"]
    return [payload.name for payload in oneof.fields]


def known_streams(stage: Stage) -> set[Stream]:
    """The streams the hub still holds, by their people and by their places."""
    hub = stage.hub
    of_people: set[Stream] = set().union(*hub._by_user.values())
    of_places: set[Stream] = set().union(*hub._by_community.values())
    assert of_places <= of_people
    return of_people


async def test_a_hub_begins_where_the_logs_end(
    nats_server: ScratchNats, contract: Contract
) -> None:
    async with staged(nats_server, contract) as stage:
        await stage.open("ada")
        assert set(stage.hub.positions.values()) == {START}
        await stage.happen(renamed("ada"))
    async with staged(nats_server, contract) as stage:
        await stage.open("ada")
        assert stage.hub.positions["user"].number == 1
