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
from chassis.events import Received
from chassis.feed import Feed
from chassis.history import History
from chassis.positions import START, Position
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
    heard, turn = Heard(), asyncio.Lock()
    heard.slow.set()
    telemetry = Telemetry(scratch_config("gateway"))
    feed = Feed("chat", bus, turn, heard.handle, heard.broken.append, telemetry)
    put = feed._live.put

    async def losing(message: Msg) -> None:
        if message.data.decode() not in drop:
            await put(message)

    feed._live.put = losing  # type: ignore[method-assign,assignment]  # a lossy network
    task = asyncio.create_task(feed.run())
    await asyncio.wait_for(feed.started.wait(), 5)
    try:
        yield feed, heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def say(server: ScratchNats, *bodies: str) -> None:
    """Publish as chat's relay does."""
    async with server.bus("chat") as bus:
        for body in bodies:
            event_id = ids.text(ids.Kind.EVENT, ids.new())
            headers = {
                "Nats-Msg-Id": event_id,
                "ce-id": event_id,
                "ce-type": "creavio.chat.v1.MessageCreated",
                "ce-time": datetime.now(UTC).isoformat(),
            }
            await bus.jetstream.publish(SUBJECT, body.encode(), headers=headers, stream=STREAM)


def heard_exactly(heard: Heard, *bodies: str) -> None:
    assert heard.bodies == list(bodies)


async def reached(heard: Heard, *bodies: str, within: float = 5.0) -> None:
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


async def test_a_quiet_log_that_was_cut_is_noticed(nats_server: ScratchNats) -> None:
    await say(nats_server, "kept")
    await nats_server.remember()
    async with nats_server.bus("gateway") as bus, following(bus) as (feed, heard):
        await say(nats_server, "lost")
        await reached(heard, "lost")
        await nats_server.forget_since()

        async def noticed() -> None:
            assert heard.broken

        await eventually(noticed, within=15)
        assert feed.position.number == 1
        await say(nats_server, "anew")
        await reached(heard, "lost", "anew")
        assert len(heard.broken) == 1


@pytest.mark.parametrize("said", [1, 2, 5], ids=["as far", "further", "much further"])
async def test_a_log_that_was_cut_and_grew_again_is_noticed(
    nats_server: ScratchNats, said: int
) -> None:
    await say(nats_server, "kept")
    await nats_server.remember()
    async with nats_server.bus("gateway") as bus, following(bus) as (_, heard):
        await say(nats_server, "lost")
        await reached(heard, "lost")
        await nats_server.stop()
        # Its numbers are taken again before the feed is back: nothing else shows it.
        grown = [f"anew {number}" for number in range(said)]
        await asyncio.gather(nats_server.forget_since(), grow(nats_server, *grown))

        async def noticed() -> None:
            assert heard.broken

        await eventually(noticed, within=15)
        await say(nats_server, "and on")
        await eventually(lambda: said_last(heard, "and on"))
        assert len(heard.broken) == 1


async def grow(server: ScratchNats, *bodies: str) -> None:
    while True:
        try:
            return await say(server, *bodies)
        except Exception:
            await asyncio.sleep(0.01)


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


async def test_what_came_since_a_position_is_told(nats_server: ScratchNats) -> None:
    await say(nats_server, *(f"{number}" for number in range(1, 7)))
    async with nats_server.bus("gateway") as bus, following(bus) as (feed, _):
        history = History(bus, "chat")
        third = await history.at(3)
        assert third is not None
        here, there = feed.position, Position(3, third.id)

        async def since(position: Position, limit: int = 100) -> list[str] | None:
            events = await feed.since(position, limit)
            return None if events is None else [event.body.decode() for event in events]

        assert await since(here) == []
        assert await since(there) == ["4", "5", "6"]
        assert await since(START) == ["1", "2", "3", "4", "5", "6"]
        assert await since(there, limit=2) is None, "too many to look through"
        assert await since(Position(3, "evt_of_another_log")) is None
        assert await since(Position(9, third.id)) is None, "ahead of what there is"
        async with nats_server.admin() as admin:
            await admin.jetstream().purge_stream(STREAM, seq=3)
        assert await since(START) is None, "the first is not kept any more"


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
