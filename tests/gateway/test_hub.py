"""An event reaches exactly the open streams of those who may see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from chassis.contract import Contract
from chassis.errors import Exhausted, Unavailable
from chassis.events import Received
from chassis.positions import START
from chassis.wire import timestamp
from creavio.gateway.v1 import gateway_event_pb2
from creavio.options.v1 import event_pb2
from creavio.rbac.v1 import rbac_events_pb2
from services.gateway import convert
from services.gateway.engine.hub import Hub
from services.gateway.engine.stream import Stream
from tests.gateway.happenings import (
    begun,
    joined,
    left,
    message,
    opened,
    removed,
    renamed,
    whisper,
)
from tests.gateway.table import GUEST, MEMBER
from tests.gateway.world import EMITTERS, QUIET, Stage, payloads, read, staged, texts, told
from tests.scratch_nats import ScratchNats


@pytest.fixture
async def stage(nats_server: ScratchNats, contract: Contract) -> AsyncIterator[Stage]:
    """Ada and Bob sit at a table with a channel; Eve does not."""
    async with staged(nats_server, contract) as stage:
        stage.world.seat("table", "ada")
        stage.world.seat("table", "bob")
        stage.world.channels["general"] = "table"
        yield stage


async def kinds(stream: Stream) -> list[str]:
    """What kinds of things a stream was told."""
    return payloads(await told(stream))


async def test_a_message_reaches_who_may_view_its_channel(stage: Stage) -> None:
    stage.world.seat("elsewhere", "eve")
    stage.world.seat("table", "bob", MEMBER, GUEST)
    ada, bob, eve = [await stage.open(name) for name in ("ada", "bob", "eve")]
    await stage.happen(message("general", "hello"), joined("table", "cleo"))
    assert await kinds(ada) == ["message_created", "member_joined"]
    assert await kinds(bob) == ["member_joined"]
    assert await kinds(eve) == []


async def test_every_stream_of_a_person_is_told(stage: Stage) -> None:
    streams = [await stage.open("ada") for _ in range(3)]
    await stage.happen(message("general", "hello"), renamed("ada"))
    for stream in streams:
        assert await kinds(stream) == ["message_created", "user_updated"]


async def test_what_concerns_a_person_reaches_that_person_only(stage: Stage) -> None:
    ada, bob = await stage.open("ada"), await stage.open("bob")
    await stage.happen(renamed("ada"))
    assert await kinds(ada) == ["user_updated"]
    assert await kinds(bob) == []


async def test_a_conversation_reaches_its_members_and_no_third_person(stage: Stage) -> None:
    """Not even somebody who shares every community with them."""
    stage.world.seat("table", "eve")
    stage.world.conversations["cnv_1"] = ["ada", "bob"]
    ada, bob, eve = [await stage.open(name) for name in ("ada", "bob", "eve")]
    await stage.happen(whisper("cnv_1", "between us"), begun("cnv_2", "ada", "eve"))
    await stage.happen(whisper("cnv_2", "and us"), whisper("cnv_none", "nobody's"))
    assert texts(await told(ada)) == ["between us", "and us"]
    assert texts(await told(bob)) == ["between us"]
    assert texts(await told(eve)) == ["and us"]


async def test_the_members_of_a_conversation_are_asked_for_once(stage: Stage) -> None:
    stage.world.conversations["cnv_1"] = ["ada", "bob"]
    await stage.open("ada")
    for number in range(5):
        await stage.happen(whisper("cnv_1", f"{number}"))
    await stage.happen(begun("cnv_2", "ada", "bob"), whisper("cnv_2", "known by its beginning"))
    assert stage.world.asked.count("ListConversationMembers") == 1


async def test_who_left_a_group_is_told_that_and_nothing_after(stage: Stage) -> None:
    group = "cnv_1"
    stage.world.conversations[group] = ["ada", "bob", "eve"]
    ada, bob = await stage.open("ada"), await stage.open("bob")
    await stage.happen(whisper(group, "before"))
    stage.world.conversations[group], stage.world.revisions[group] = ["ada", "eve"], 2
    await stage.happen(left(group, 2, "bob", "ada", "eve"), whisper(group, "after"))
    assert await kinds(bob) == ["message_created", "conversation_member_removed"]
    assert texts(await told(ada)) == ["before", "after"]
    # What was so once, and is read again for somebody else, lets nobody in again.
    stage.hub._places.learn(left(group, 1, "cleo", "ada", "bob", "eve"))
    await stage.happen(whisper(group, "still"))
    assert await kinds(bob) == []


async def test_an_answer_older_than_a_change_is_not_believed(stage: Stage) -> None:
    group = "cnv_1"
    stage.world.conversations[group], stage.world.revisions[group] = ["ada", "bob"], 1
    bob = await stage.open("bob")
    stage.hub._places.learn(left(group, 2, "bob", "ada"))
    with pytest.raises(Unavailable):
        await stage.hub._places.members_of(group)
    stage.world.conversations[group], stage.world.revisions[group] = ["ada"], 2
    await stage.happen(whisper(group, "after"))
    assert await kinds(bob) == []


async def test_a_conversation_waits_for_its_members_to_be_known(stage: Stage) -> None:
    stage.world.conversations["cnv_1"] = ["ada", "bob"]
    ada, eve = await stage.open("ada"), await stage.open("eve")
    stage.world.away.add("ListConversationMembers")
    await stage.log(whisper("cnv_1", "between us"))
    await asyncio.sleep(QUIET)
    assert (await kinds(ada), await kinds(eve)) == ([], [])
    stage.world.away.clear()
    await stage.reached("chat", 1)
    assert texts(await told(ada)) == ["between us"]
    assert await kinds(eve) == []


async def test_whose_conversation_it_was_is_never_guessed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.hub._MEMBERS_SECONDS", QUIET)
    ada = await stage.open("ada")
    stage.world.away.add("ListConversationMembers")
    await stage.happen(whisper("cnv_1", "between us"), renamed("ada"))
    assert await kinds(ada) == ["refetch", "user_updated"]


async def test_a_channel_of_no_community_is_nobodys(stage: Stage) -> None:
    ada = await stage.open("ada")
    await stage.happen(message("general", "?", community=""), message("general", "?", "gone"))
    await stage.happen(renamed("nobody"))
    assert await kinds(ada) == []


async def test_who_was_removed_is_told_so_once_and_nothing_after(stage: Stage) -> None:
    ada, bob = await stage.open("ada"), await stage.open("bob")
    await stage.bind("table", "bob")
    await stage.happen(removed("table", "bob"), message("general", "after"))
    assert await kinds(bob) == ["access_changed", "member_removed"]
    assert await kinds(ada) == ["member_removed", "message_created"]
    await stage.bind("table", "bob", MEMBER)
    await stage.happen(joined("table", "bob"), message("general", "welcome back"))
    assert await kinds(bob) == ["access_changed", "member_joined", "message_created"]


async def test_what_services_tell_each_other_reaches_nobody(stage: Stage) -> None:
    internal = rbac_events_pb2.BindingChanged(community_id="table", user_id="ada", revision=1)
    kind = internal.DESCRIPTOR.full_name
    policy = stage.contract.events[kind].policy
    assert policy.audience == event_pb2.EVENT_AUDIENCE_INTERNAL
    ada = await stage.open("ada")
    for name in (kind, "creavio.chat.v1.NotInTheContract", ""):
        body = internal.SerializeToString()
        await stage.reached("chat", await stage.publish("chat", name, body, "creavio.chat.v1.x"))
    assert await kinds(ada) == []


async def test_what_cannot_be_read_is_said_to_all_and_ends_nothing(stage: Stage) -> None:
    ada = await stage.open("ada")
    before = stage.hub.positions
    kind = "creavio.chat.v1.MessageCreated"
    await stage.reached("chat", await stage.publish("chat", kind, b"\xff\xff", "creavio.chat.v1.x"))
    assert await kinds(ada) == ["refetch"]
    await stage.happen(message("general", "after"))
    assert await kinds(ada) == ["message_created"]
    assert await kinds(await stage.resume("ada", before)) == ["ready", "refetch"]


async def test_a_closed_stream_is_forgotten(stage: Stage) -> None:
    ada, again = await stage.open("ada"), await stage.open("ada")
    await stage.happen(message("general", "hello"))
    ada.close()
    await stage.happen(message("general", "hello"))
    assert await kinds(ada) == ["message_created"]
    assert await kinds(again) == ["message_created"] * 2
    again.close()
    assert empty(stage.hub)


async def test_a_stream_that_could_not_open_is_forgotten(stage: Stage) -> None:
    await stage.open("bob")
    stage.world.away.add("ListBindings")
    with pytest.raises(Unavailable):
        await stage.hub.open("ada", None)
    assert stage.hub.crowd.person("ada") is None
    stage.world.away.clear()
    await stage.open("ada")


async def test_who_opens_too_many_streams_is_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.hub.MAX_STREAMS", 3)
    streams = [await stage.open("ada") for _ in range(3)]
    with pytest.raises(Exhausted):
        await stage.hub.open("ada", None)
    await stage.open("bob")
    streams[0].close()
    await stage.open("ada")


async def test_all_streams_end_at_once_and_none_opens_again(stage: Stage) -> None:
    streams = [await stage.open(name) for name in ("ada", "ada", "bob")]
    await stage.happen(message("general", "not told any more"))
    stage.hub.end_all()
    for stream in streams:
        (ended,) = read(await stream.next()).events
        assert ended.ended.reason == "UNAVAILABLE"
        with pytest.raises(Unavailable):
            await stream.next()
    with pytest.raises(Unavailable):
        await stage.hub.open("ada", None)


async def test_a_stream_cannot_open_while_events_cannot_be_followed(
    nats_server: ScratchNats, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.hub.START_SECONDS", QUIET)
    async with staged(nats_server, contract) as stage:
        stage.world.silent = True
        with pytest.raises(Unavailable):
            await stage.hub.open("ada", None)
    monkeypatch.setattr("chassis.feed.History.last", _never)
    async with staged(nats_server, contract) as stage:
        with pytest.raises(Unavailable):
            await stage.hub.open("ada", None)


async def _never(_: object) -> object:
    raise Unavailable("the event log cannot be read")


async def test_opening_costs_one_question_a_person_and_one_a_community(stage: Stage) -> None:
    for number in range(200):
        stage.world.seat("table", f"user{number}")
    opening = [stage.hub.open(f"user{number % 200}", None) for number in range(400)]
    streams = await asyncio.gather(*opening)
    await stage.happen(message("general", "hello"))
    for stream in streams:
        assert texts(await told(stream)) == ["hello"]
    assert stage.world.asked.count("ListBindings") == 200
    assert stage.world.asked.count("GetAccess") == 1


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


async def test_every_service_that_tells_streams_is_followed(stage: Stage) -> None:
    telling = {
        event.service
        for event in stage.contract.events.values()
        if event.policy.audience == event_pb2.EVENT_AUDIENCE_STREAM
    }
    assert stage.hub.positions.keys() == telling == set(EMITTERS)


def test_every_event_that_streams_are_told_has_its_payload(contract: Contract) -> None:
    now = datetime.now(UTC)
    kinds: set[str] = set()
    for event in contract.events.values():
        if event.policy.audience == event_pb2.EVENT_AUDIENCE_STREAM:
            received = Received("evt_1", event.type, "", now, 1, b"")
            (told,) = read(convert.told(received, event.message())).events
            assert (told.id, told.time) == ("evt_1", timestamp(now))
            kind = told.WhichOneof("payload")
            assert kind is not None, event.type
            assert isinstance(getattr(told, kind), event.message)
            kinds.add(kind)
    oneof = gateway_event_pb2.Event.DESCRIPTOR.oneofs_by_name["payload"]
    own = {"ready", "heartbeat", "refetch", "ended", "access_changed", "typing", "presence"}
    assert kinds == {payload.name for payload in oneof.fields} - own, "a payload nothing fills"


def empty(hub: Hub) -> bool:
    """Whether the hub holds nothing of anybody."""
    crowd = hub.crowd
    return not (hub._streams or crowd._people or crowd._communities)


async def test_a_new_channel_reaches_those_who_see_it(stage: Stage) -> None:
    ada = await stage.open("ada")
    await stage.happen(opened("table", "new"), message("new", "first"))
    assert await kinds(ada) == ["channel_created", "message_created"]
