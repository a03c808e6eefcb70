"""A stream keeps so much for its reader, writes at once while it can, and ends in words."""

from __future__ import annotations

import asyncio

import pytest

from chassis.errors import Exhausted, Unavailable
from services.gateway import convert
from services.gateway.domain import BURST, COALESCE_SECONDS, HEARTBEAT_SECONDS, Restarting
from services.gateway.engine.community import Person
from services.gateway.engine.stream import Stream
from tests.gateway.world import payloads, read

EVENT = convert.typing("general", "ada")
TOKEN = convert.resume_token("token")


class Reader:
    """A stream, what ended it, and the events it wrote."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.stream = Stream(
            Person("ada"),
            lambda _: TOKEN,
            lambda _, failure: self.ended.append(failure.reason),
            lambda _: None,
        )

    async def next(self) -> tuple[list[str], str]:
        written = read(await self.stream.next())
        return payloads(written.events), written.resume_token


@pytest.fixture
async def reader() -> Reader:
    return Reader()


async def test_what_is_queued_is_written_joined_and_with_a_token(reader: Reader) -> None:
    for _ in range(3):
        reader.stream.push(EVENT)
    assert await reader.next() == (["typing"] * 3, "token")


async def test_what_comes_first_is_written_first(reader: Reader) -> None:
    reader.stream.push(EVENT)
    reader.stream.begin([convert.ready(resumed=True), convert.heartbeat()])
    assert (await reader.next())[0] == ["ready", "heartbeat", "typing"]


async def test_an_event_wakes_a_reader_that_waits(reader: Reader) -> None:
    waiting = asyncio.create_task(reader.next())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    reader.stream.push(EVENT)
    assert (await waiting)[0] == ["typing"]


async def test_few_events_are_written_at_once_and_many_together(reader: Reader) -> None:
    """Counted in writes: the time they take is the machine's."""

    async def write(events: int) -> int:
        writes = heard = 0
        for _ in range(events):
            reader.stream.push(EVENT)
            if len(tasks) and tasks[-1].done():
                writes, heard = writes + 1, heard + len(tasks.pop().result()[0])
            if not tasks:
                tasks.append(asyncio.create_task(reader.next()))
            await asyncio.sleep(0.002)
        while heard < events:
            if not tasks:
                tasks.append(asyncio.create_task(reader.next()))
            writes, heard = writes + 1, heard + len((await tasks.pop())[0])
        return writes

    tasks: list[asyncio.Task[tuple[list[str], str]]] = []
    assert await write(int(BURST)) == int(BURST)
    assert await write(200) < 100


async def test_the_first_event_after_a_while_is_written_at_once(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.stream.COALESCE_SECONDS", 60.0)
    for _ in range(int(BURST)):
        reader.stream.push(EVENT)
        await asyncio.wait_for(reader.next(), 5)
    reader.stream._written_at -= 1.0  # a second passes
    reader.stream.push(EVENT)
    await asyncio.wait_for(reader.next(), 5)
    assert 0.01 <= COALESCE_SECONDS <= 0.03


async def test_a_reader_that_does_not_read_costs_no_more_than_the_bound(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.stream.MAX_QUEUED", 100)
    for _ in range(10_000):
        reader.stream.push(EVENT)
        assert reader.stream.queued <= 100
    assert reader.stream.queued == 0
    assert reader.ended == ["RATE_LIMITED"]
    # When it reads again it is told why, without a token: what was queued comes again.
    assert await reader.next() == (["ended"], "")
    with pytest.raises(Exhausted) as ended:
        await reader.next()
    assert ended.value.retry_after is not None


async def test_long_events_are_bounded_by_their_length(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.stream.MAX_QUEUED_BYTES", 10 * len(EVENT))
    for _ in range(10):
        reader.stream.push(EVENT)
    assert not reader.stream.over
    reader.stream.push(EVENT)
    assert reader.stream.over


async def test_what_was_read_makes_room(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.gateway.engine.stream.MAX_QUEUED_BYTES", 10 * len(EVENT))
    for _ in range(20):
        for _ in range(10):
            reader.stream.push(EVENT)
        assert len((await reader.next())[0]) == 10
    assert not reader.stream.over


async def test_no_write_is_too_long(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.gateway.engine.stream.MAX_WRITTEN_BYTES", 4 * len(EVENT))
    for _ in range(10):
        reader.stream.push(EVENT)
    written = [await reader.next() for _ in range(3)]
    assert [len(events) for events, _ in written] == [4, 4, 2]
    # A token stands for everything before it: only the last write has one.
    assert [token for _, token in written] == ["", "", "token"]
    monkeypatch.setattr("services.gateway.engine.stream.MAX_WRITTEN_BYTES", 1)
    reader.stream.push(EVENT)
    reader.stream.push(EVENT)
    assert len((await reader.next())[0]) == 1


async def test_why_a_stream_ends_is_told_once_and_first(reader: Reader) -> None:
    waiting = asyncio.create_task(reader.next())
    await asyncio.sleep(0)
    reader.stream.push(EVENT)
    reader.stream.end(Restarting())
    reader.stream.end(Unavailable("another reason"))
    reader.stream.push(EVENT)
    assert await waiting == (["ended"], "")
    with pytest.raises(Restarting):
        await reader.next()
    assert reader.ended == ["UNAVAILABLE"]


async def test_a_heartbeat_is_said_only_when_nothing_else_is(reader: Reader) -> None:
    reader.stream.beat()
    reader.stream.beat()
    assert await reader.next() == (["heartbeat"], "token")
    reader.stream.push(EVENT)
    reader.stream.beat()
    assert (await reader.next())[0] == ["typing"]


def test_heartbeats_come_every_fifteen_seconds_and_not_all_at_once() -> None:
    async def due() -> list[float]:
        now = asyncio.get_running_loop().time()
        return [Reader().stream.beat_at - now for _ in range(100)]

    times = asyncio.run(due())
    assert max(times) < HEARTBEAT_SECONDS - 0.5
    assert HEARTBEAT_SECONDS <= 15
    assert max(times) - min(times) > 2
