"""A feed hands on every event once and in order, whatever live messages are lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from nats.aio.msg import Msg
import pytest

from chassis import ids
from chassis.bus import Bus
from chassis.errors import Unavailable
from chassis.events import EPOCH_BEGAN, Received
from chassis.feed import Feed
from chassis.history import History
from chassis.positions import FIRST_EPOCH, START, Epoch, Position
from chassis.telemetry import Telemetry
from chassis.testing import eventually, scratch_config
from tests.scratch_nats import ScratchNats

SUBJECT = "creavio.chat.v1.message_created.com_1.chn_1"
STREAM = "CREAVIO_CHAT"


@dataclass
class Heard:
    """What a feed handed on, and when it was told that its log is another."""

    bodies: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    slow: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, event: Received) -> None:
        await self.slow.wait()
        self.bodies.append(event.body.decode())


@asynccontextmanager
async def following(
    bus: Bus, drop: frozenset[str] = frozenset()
) -> AsyncIterator[tuple[Feed, Heard]]:
    """A feed of chat's events; live messages with a body in `drop` never reach it."""
    heard = Heard()
    heard.slow.set()
    telemetry = Telemetry(scratch_config("gateway"))
    feed = Feed("chat", bus, heard.handle, heard.broken.append, telemetry)
    hear = feed._heard

    async def losing(message: Msg) -> None:
        if message.data.decode() not in drop:
            await hear(message)

    feed._heard = losing  # type: ignore[method-assign]  # a lossy network
    task = asyncio.create_task(feed.run())
    await asyncio.wait_for(feed.started.wait(), 5)
    try:
        yield feed, heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Said:
    """An event as chat publishes it, and may publish it again."""

    def __init__(self, body: str) -> None:
        self.id = ids.text(ids.Kind.EVENT, ids.new())
        self.body = body

    async def publish(self, bus: Bus, epoch: Epoch = FIRST_EPOCH) -> None:
        headers = {
            "Nats-Msg-Id": self.id,
            "ce-id": self.id,
            "ce-type": "creavio.chat.v1.MessageCreated",
            "ce-time": datetime.now(UTC).isoformat(),
            "ce-epoch": str(epoch.number),
            "ce-epochstart": str(epoch.first),
        }
        await bus.jetstream.publish(SUBJECT, self.body.encode(), headers=headers, stream=STREAM)


async def say(server: ScratchNats, *bodies: str, epoch: Epoch = FIRST_EPOCH) -> list[Said]:
    """Publish as chat does."""
    return await repeat(server, *(Said(body) for body in bodies), epoch=epoch)


async def repeat(server: ScratchNats, *said: Said, epoch: Epoch = FIRST_EPOCH) -> list[Said]:
    """Publish events again, in another epoch."""
    async with server.bus("chat") as bus:
        for event in said:
            await event.publish(bus, epoch)
    return list(said)


def heard_exactly(heard: Heard, *bodies: str) -> None:
    assert heard.bodies == list(bodies)


async def reached(heard: Heard, *bodies: str, within: float = 15.0) -> None:
    async def check() -> None:
        heard_exactly(heard, *bodies)

    await eventually(check, within)


async def test_what_is_said_is_heard_at_once_and_in_order(nats_server: ScratchNats) -> None:
    await say(nats_server, "before")
    async with nats_server.bus("gateway") as bus, following(bus) as (feed, heard):
        assert feed.position.number == 1
        bodies = [f"{number}" for number in range(300)]
        await say(nats_server, *bodies)
        await reached(heard, *bodies)
        assert feed.position.number == 301


async def test_a_lost_message_is_filled_in_before_the_next(nats_server: ScratchNats) -> None:
    lost = frozenset({"2", "3", "5"})
    async with nats_server.bus("gateway") as bus, following(bus, lost) as (_, heard):
        await say(nats_server, "1", "2", "3", "4", "5", "6")
        await reached(heard, "1", "2", "3", "4", "5", "6")


async def test_a_lost_last_message_is_found_within_two_seconds(nats_server: ScratchNats) -> None:
    async with (
        nats_server.bus("gateway") as bus,
        following(bus, frozenset({"last"})) as (_, heard),
    ):
        await say(nats_server, "first", "last")
        await reached(heard, "first", "last", within=2.5)


async def test_a_long_gap_is_filled_whole(nats_server: ScratchNats) -> None:
    bodies = [f"{number}" for number in range(700)]
    async with (
        nats_server.bus("gateway") as bus,
        following(bus, frozenset(bodies[:-1])) as (_, heard),
    ):
        await say(nats_server, *bodies)
        await reached(heard, *bodies, within=10)


async def test_what_is_said_while_nats_restarts_is_heard(nats_server: ScratchNats) -> None:
    async with nats_server.bus("gateway") as bus, following(bus) as (_, heard):
        await say(nats_server, "before")
        await reached(heard, "before")
        await nats_server.stop()
        await nats_server.start()
        await say(nats_server, "after", "and more")
        await reached(heard, "before", "after", "and more", within=15)
        assert heard.broken == []


async def test_what_took_the_place_of_the_lost_is_heard(nats_server: ScratchNats) -> None:
    """The owner is back two seconds later; until then nothing wrong is said."""
    await say(nats_server, "kept")
    await nats_server.remember()
    async with nats_server.bus("gateway") as bus, following(bus) as (feed, heard):
        lost = await say(nats_server, "lost", "lost too")
        await reached(heard, "lost", "lost too")
        before = feed.position
        await nats_server.forget_since()
        await asyncio.sleep(2)
        assert (feed.position, heard.broken) == (before, [])
        now = Epoch(1, 2)
        await say(nats_server, "new", epoch=now)
        await repeat(nats_server, *lost, epoch=now)
        await say(nats_server, "newer", epoch=now)
        await reached(heard, "lost", "lost too", "new", "newer")
        assert heard.broken == []
        assert feed.position == Position(1, 5, feed.position.event_id)


@pytest.mark.parametrize("said", [1, 2, 5], ids=["as far", "further", "much further"])
async def test_a_log_that_was_cut_and_grew_again_is_read_from_the_cut(
    nats_server: ScratchNats, said: int
) -> None:
    await say(nats_server, "kept")
    await nats_server.remember()
    async with nats_server.bus("gateway") as bus, following(bus) as (feed, heard):
        lost = await say(nats_server, "lost")
        await reached(heard, "lost")
        await nats_server.stop()
        # Its numbers are taken again before the feed is back.
        grown = [Said(f"anew {number}") for number in range(said)]
        again = asyncio.gather(
            nats_server.forget_since(), grow(nats_server, *grown, *lost, epoch=Epoch(1, 2))
        )
        await again
        await reached(heard, "lost", *(event.body for event in grown), within=15)
        await say(nats_server, "and on", epoch=Epoch(1, 2))
        await reached(heard, "lost", *(event.body for event in grown), "and on")
        assert heard.broken == []
        assert feed.position.epoch == 1


async def grow(server: ScratchNats, *events: Said, epoch: Epoch) -> None:
    left = list(events)
    while left:
        try:
            await repeat(server, left[0], epoch=epoch)
            del left[0]
        except Exception:
            await asyncio.sleep(0.01)


async def test_an_epoch_that_begins_without_a_cut_changes_nothing(
    nats_server: ScratchNats,
) -> None:
    async with nats_server.bus("gateway") as bus, following(bus) as (feed, heard):
        await say(nats_server, "1", "2", "3")
        await reached(heard, "1", "2", "3")
        await say(nats_server, "4", epoch=Epoch(1, 3))
        await say(nats_server, "5", epoch=Epoch(1, 3))
        await reached(heard, "1", "2", "3", "4", "5")
        assert (feed.position.epoch, heard.broken) == (1, [])


async def test_a_marker_of_an_epoch_is_not_handed_on(nats_server: ScratchNats) -> None:
    async with nats_server.bus("gateway") as bus, following(bus) as (feed, heard):
        await say(nats_server, "1")
        async with nats_server.bus("chat") as chat:
            headers = {
                "ce-id": "evt_marker",
                "ce-type": EPOCH_BEGAN,
                "ce-time": datetime.now(UTC).isoformat(),
                "ce-epoch": "1",
                "ce-epochstart": "2",
            }
            await chat.jetstream.publish("creavio.chat.epoch", b"", headers=headers)
        await say(nats_server, "2", epoch=Epoch(1, 2))
        await reached(heard, "1", "2")
        first = await History(bus, "chat").at(1)
        assert first is not None
        events = await feed.since(Position(0, 1, first.id), feed.position, 10)
        assert events is not None
        assert [event.body for event in events] == [b"2"]


async def test_several_epochs_missed_at_once_are_followed(nats_server: ScratchNats) -> None:
    said = await say(nats_server, *(f"{number}" for number in range(1, 7)))
    async with nats_server.bus("gateway") as bus, following(bus, frozenset("abcd")) as (_, heard):
        await nats_server.stop()
        await nats_server.lose_everything()
        # The log parted at 3, then at 5; the feed stood at 6 and heard of neither.
        await grow(nats_server, *said[:2], epoch=FIRST_EPOCH)
        await grow(nats_server, Said("a"), Said("b"), epoch=Epoch(1, 3))
        await grow(nats_server, *(Said(body) for body in "cdef"), epoch=Epoch(2, 5))
        await reached(heard, *"abcdef", within=15)
        assert heard.broken == []


async def test_where_it_cannot_be_known_what_was_missed_it_is_said(
    nats_server: ScratchNats,
) -> None:
    await say(nats_server, *(f"{number}" for number in range(1, 7)))
    async with nats_server.bus("gateway") as bus, following(bus) as (_, heard):
        async with nats_server.admin() as admin:
            await admin.jetstream().purge_stream(STREAM)
        await say(nats_server, "far", epoch=Epoch(3, 5))
        await eventually(lambda: broken(heard))
        await say(nats_server, "on", epoch=Epoch(3, 5))
        await eventually(lambda: said_last(heard, "on"))
        assert len(heard.broken) == 1


@pytest.mark.parametrize("grown", [0, 5], ids=["noticed at once", "grown before"])
async def test_a_log_that_goes_on_as_another_unannounced_is_broken(
    nats_server: ScratchNats, monkeypatch: pytest.MonkeyPatch, grown: int
) -> None:
    """Nobody owns it who would say so: a database was set back."""
    monkeypatch.setattr("chassis.feed._PATIENCE_SECONDS", 1.0)
    await say(nats_server, "kept")
    await nats_server.remember()
    async with nats_server.bus("gateway") as bus, following(bus) as (_, heard):
        await say(nats_server, "lost", "lost too")
        await reached(heard, "lost", "lost too")
        await nats_server.stop()
        others = [Said(f"unheard {number}") for number in range(grown)]
        await asyncio.gather(
            nats_server.forget_since(), grow(nats_server, *others, epoch=FIRST_EPOCH)
        )
        await asyncio.sleep(1.5)
        await say(nats_server, "another")
        await eventually(lambda: broken(heard), within=10)
        await say(nats_server, "and on")
        await eventually(lambda: said_last(heard, "and on"))
        assert len(heard.broken) == 1


async def test_events_that_grew_old_are_no_cut(nats_server: ScratchNats) -> None:
    async with nats_server.bus("gateway") as bus, following(bus) as (feed, heard):
        await say(nats_server, "1", "2")
        await reached(heard, "1", "2")
        async with nats_server.admin() as admin:
            await admin.jetstream().purge_stream(STREAM)
        await nats_server.stop()
        await nats_server.start()
        await asyncio.sleep(1.5)
        assert feed._lost_at is None, "it waits for nobody's word"
        await say(nats_server, "3")
        await reached(heard, "1", "2", "3", within=15)
        assert heard.broken == []


async def test_a_feed_that_begins_after_everything_grew_old_misses_nothing(
    nats_server: ScratchNats,
) -> None:
    await say(nats_server, "1", "2")
    async with nats_server.admin() as admin:
        await admin.jetstream().purge_stream(STREAM)
    async with nats_server.bus("gateway") as bus, following(bus) as (_, heard):
        await say(nats_server, "3", epoch=Epoch(4, 3))
        await reached(heard, "3")
        assert heard.broken == []


async def test_events_that_were_missed_and_are_gone_are_told_of(nats_server: ScratchNats) -> None:
    lost = frozenset({"2", "3"})
    async with nats_server.bus("gateway") as bus, following(bus, lost) as (_, heard):
        await say(nats_server, "1")
        await reached(heard, "1")
        heard.slow.clear()
        await say(nats_server, "waits", "2", "3", "4")
        async with nats_server.admin() as admin:
            await admin.jetstream().purge_stream(STREAM, seq=5)
        heard.slow.set()
        await reached(heard, "1", "waits", "4")
        assert heard.broken == ["events of chat are not kept any more"]


async def broken(heard: Heard) -> None:
    assert heard.broken


async def said_last(heard: Heard, body: str) -> None:
    assert heard.bodies[-1] == body


async def test_a_message_that_is_no_event_stops_nothing(nats_server: ScratchNats) -> None:
    async with nats_server.bus("gateway") as bus, following(bus) as (_, heard):
        async with nats_server.bus("chat") as chat:
            await chat.jetstream.publish(SUBJECT, b"no headers", stream=STREAM)
        await say(nats_server, "after")
        # What cannot be read is handed on as nothing anybody knows.
        await reached(heard, "no headers", "after")
        assert heard.broken == []
    async with nats_server.bus("gateway") as bus, following(bus) as (feed, heard):
        assert feed.position.number == 2
        async with nats_server.bus("chat") as chat:
            await chat.jetstream.publish(SUBJECT, b"last, no headers", stream=STREAM)
        await reached(heard, "last, no headers")
    async with nats_server.bus("gateway") as bus, following(bus) as (feed, _):
        assert feed.position.number == 3


async def at(bus: Bus, number: int) -> Position:
    """The position of an event that is kept."""
    event = await History(bus, "chat").at(number)
    assert event is not None
    return Position(event.epoch, number, event.id)


async def since(
    feed: Feed, position: Position, until: Position | None = None, limit: int = 100
) -> list[str] | None:
    events = await feed.since(position, until or feed.position, limit)
    return None if events is None else [event.body.decode() for event in events]


async def test_what_came_since_a_position_is_told(nats_server: ScratchNats) -> None:
    await say(nats_server, *(f"{number}" for number in range(1, 7)))
    async with nats_server.bus("gateway") as bus, following(bus) as (feed, _):
        here, third, fifth = feed.position, await at(bus, 3), await at(bus, 5)
        assert await since(feed, here) == []
        assert await since(feed, third) == ["4", "5", "6"]
        assert await since(feed, third, fifth) == ["4", "5"]
        assert await since(feed, START) == ["1", "2", "3", "4", "5", "6"]
        assert await since(feed, third, limit=2) is None, "too many to look through"
        assert await since(feed, Position(0, 3, "evt_of_another_log")) is None
        assert await since(feed, Position(0, 9, third.event_id)) is None, "ahead of what there is"
        assert await since(feed, here, fifth) == [], "another replica was further"
        assert await since(feed, third, Position(0, 5, "evt_that_is_gone")) is None
        async with nats_server.admin() as admin:
            await admin.jetstream().purge_stream(STREAM, seq=3)
        assert await since(feed, START) is None, "the first is not kept any more"


async def test_a_position_of_an_earlier_epoch_is_good_up_to_where_the_logs_part(
    nats_server: ScratchNats,
) -> None:
    await say(nats_server, "1", "2")
    await nats_server.remember()
    async with nats_server.bus("gateway") as bus:
        await say(nats_server, "lost 3", "lost 4")
        first, second, fourth = await at(bus, 1), await at(bus, 2), await at(bus, 4)
        await nats_server.forget_since()
        await eventually(lambda: answers(bus), within=10)
        now = Epoch(1, 3)
        await say(nats_server, "3", "4", "5", epoch=now)
        async with following(bus) as (feed, _):
            assert await since(feed, first) == ["2", "3", "4", "5"]
            assert await since(feed, second) == ["3", "4", "5"]
            assert await since(feed, fourth) == ["3", "4", "5"], "read anew from the cut"
            assert await since(feed, Position(0, 9, "evt_lost_too")) == ["3", "4", "5"]
            assert await since(feed, Position(0, 2, "evt_of_another_log")) is None
            ahead = Position(2, 3, "evt_of_an_epoch_to_come")
            assert await since(feed, ahead) is None
            await say(nats_server, "6", epoch=Epoch(2, 6))
            await eventually(lambda: stands_at(feed, 6))
            assert await since(feed, second) == ["3", "4", "5", "6"]
            assert await since(feed, fourth) == ["3", "4", "5", "6"], "two epochs ago"
            async with nats_server.admin() as admin:
                await admin.jetstream().purge_stream(STREAM, seq=6)
            assert await since(feed, fourth) is None, "where they part is not kept"


async def stands_at(feed: Feed, number: int) -> None:
    assert feed.position.number == number


async def answers(bus: Bus) -> None:
    try:
        await History(bus, "chat").last()
    except Unavailable as error:
        raise AssertionError from error


async def test_reading_back_does_not_stop_delivery(nats_server: ScratchNats) -> None:
    said = [f"{number}" for number in range(1, 301)]
    await say(nats_server, *said)
    async with nats_server.bus("gateway") as bus, following(bus) as (feed, heard):
        reading = asyncio.create_task(since(feed, START, limit=1_000))
        await say(nats_server, "live")
        await reached(heard, "live")
        assert await reading == said


async def test_a_feed_says_up_to_where_it_handed_on(nats_server: ScratchNats) -> None:
    async with nats_server.bus("gateway") as bus, following(bus) as (feed, heard):
        heard.slow.clear()
        await say(nats_server, "slow")
        await asyncio.sleep(0.3)
        assert feed.position == START
        heard.slow.set()
        await reached(heard, "slow")

        async def moved() -> None:
            assert feed.position.number == 1

        await eventually(moved)


async def test_a_history_that_cannot_be_read_is_unavailable(
    nats_server: ScratchNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.history._SECONDS", 0.3)
    async with nats_server.bus("gateway") as bus:
        await nats_server.stop()
        with pytest.raises(Unavailable):
            await History(bus, "chat").last()
