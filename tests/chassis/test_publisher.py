"""Publishing blocks nobody, keeps the order, and no event stands in the way of another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
import time
from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database
from chassis.outbox import Outbox
from chassis.positions import FIRST_EPOCH
from chassis.publisher import MAX_PENDING, Entry, NotPublishedError, Publisher
from chassis.schema import OUTBOX
from chassis.subjects import subject_for
from chassis.telemetry import Telemetry
from chassis.testing import eventually, scratch_config
from creavio.user.v1 import user_events_pb2
from tests.chassis.spine import STREAM, emit, log_of, positions, relaying, told, updated, whole
from tests.scratch_nats import ScratchNats


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("user") as made:
        yield made


def entry(name: str, subject: str = "creavio.user.v1.user_updated.usr_a", size: int = 0) -> Entry:
    return Entry(
        id=ids.new(),
        type="creavio.user.v1.UserUpdated",
        subject=subject,
        body=b" " * size or updated(name).SerializeToString(),
        headers={"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"},
        create_time=datetime.now(UTC),
    )


@asynccontextmanager
async def publishing(bus: Bus) -> AsyncIterator[tuple[Publisher, dict[object, int]]]:
    """An open publisher, and what was acknowledged to it."""
    acknowledged: dict[object, int] = {}
    telemetry = Telemetry(scratch_config("user"))
    publisher = Publisher("user", bus, acknowledged.__setitem__, telemetry)
    work = asyncio.create_task(publisher.run())
    publisher.open(FIRST_EPOCH)
    try:
        yield publisher, acknowledged
        assert not work.done(), work.exception()
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def all_of(acknowledged: dict[object, int], entries: list[Entry]) -> None:
    assert acknowledged.keys() >= {one.id for one in entries}


async def test_events_stand_in_the_log_in_the_order_they_were_given(
    nats_server: ScratchNats,
) -> None:
    async with nats_server.bus("user") as bus, publishing(bus) as (publisher, acknowledged):
        entries = [entry(f"{number}") for number in range(2_000)]
        for start in range(0, 2_000, 100):
            publisher.publish(entries[start : start + 100])
        await eventually(lambda: all_of(acknowledged, entries), within=10)
        assert [acknowledged[one.id] for one in entries] == list(range(1, 2_001))
        assert await told(bus) == [f"{number}" for number in range(2_000)]
        assert publisher.pending == 0


async def test_an_event_is_a_cloudevent_that_says_its_epoch(nats_server: ScratchNats) -> None:
    async with nats_server.bus("user") as bus, publishing(bus) as (publisher, acknowledged):
        one = entry("x")
        publisher.publish([one])
        await eventually(lambda: all_of(acknowledged, [one]))
        message = await bus.jetstream.get_msg(STREAM, 1, direct=True)
        identifier = ids.text(ids.Kind.EVENT, one.id)
        assert message.headers is not None
        assert {k: v for k, v in message.headers.items() if not k.startswith("Nats-")} == {
            **one.headers,
            "content-type": "application/protobuf",
            "ce-specversion": "1.0",
            "ce-id": identifier,
            "ce-type": one.type,
            "ce-source": "/creavio/user",
            "ce-time": one.create_time.isoformat(),
            "ce-epoch": "0",
            "ce-epochstart": "1",
        }
        assert message.headers["Nats-Msg-Id"] == identifier


async def test_replicas_hear_their_own_answers(nats_server: ScratchNats) -> None:
    async with (
        nats_server.bus("user") as one,
        nats_server.bus("user") as other,
        publishing(one) as (first, acknowledged),
        publishing(other) as (second, acknowledged_too),
    ):
        # Nobody answers about these: what is not theirs to say NATS drops.
        second.publish([entry("x", subject="creavio.chat.v1.message_created.a.b")] * 20)
        await asyncio.sleep(0.1)
        mine = [entry(f"{number}") for number in range(20)]
        first.publish(mine)
        await eventually(lambda: all_of(acknowledged, mine))
        await asyncio.sleep(0.1)
        assert acknowledged_too == {}


async def test_nothing_is_published_while_closed(nats_server: ScratchNats) -> None:
    async with nats_server.bus("user") as bus, publishing(bus) as (publisher, _):
        publisher.close()
        publisher.publish([entry("never")])
        assert await publisher.publish_and_wait([entry("neither")], 1) != []
        await asyncio.sleep(0.2)
        assert publisher.pending == 0
        assert await log_of(bus) == []


async def test_a_lost_connection_closes_and_forgets(nats_server: ScratchNats) -> None:
    async with nats_server.bus("user") as bus, publishing(bus) as (publisher, acknowledged):
        waiting = asyncio.create_task(publisher.publish_and_wait([entry("a")] * 3, 20))
        await asyncio.sleep(0)
        await nats_server.stop()
        answers = await asyncio.wait_for(waiting, 5)
        assert all(isinstance(a, int | NotPublishedError) for a in answers)

        async def closed() -> None:
            assert publisher.epoch is None

        await eventually(closed)
        publisher.publish([entry("b")])
        assert publisher.pending == 0
        await nats_server.start()
        await asyncio.sleep(0.5)
        # Not before somebody looked at the log.
        assert len(await log_of(bus)) <= 1
        assert acknowledged == {}


async def test_memory_is_bounded_and_nobody_waits(nats_server: ScratchNats) -> None:
    async with nats_server.bus("user") as bus, publishing(bus) as (publisher, _):
        entries = [entry("x")] * (MAX_PENDING + 1_000)
        began = time.perf_counter()
        publisher.publish(entries)
        assert time.perf_counter() - began < 0.5
        assert publisher.pending == MAX_PENDING


@pytest.mark.parametrize(
    "bad",
    [
        entry("x", subject="creavio.user.v1.user updated"),
        entry("x", subject=""),
        entry("x", subject="creavio.user.v1..x"),
        entry("x", subject="creavio.chat.v1.message_created.x.y"),
        entry("x", size=5_000_000),
    ],
    ids=["a space", "no subject", "an empty token", "another's subject", "too large"],
)
async def test_a_row_that_can_never_be_published_holds_up_no_other(
    contract: Contract, database: Database, nats_server: ScratchNats, bad: Entry
) -> None:
    async with database.transaction() as tx:
        await tx.execute(sa.insert(OUTBOX), [row(bad), row(entry("good")), row(entry("also"))])
    async with nats_server.bus("user") as bus, relaying(contract, database, bus):

        async def others() -> None:
            assert await positions(database) == [None, 1, 2]

        await eventually(others, within=10)
        await emit(database, updated("later"))

        async def later() -> None:
            assert await positions(database) == [None, 1, 2, 3]

        await eventually(later)
        assert await told(bus) == ["good", "also", "later"]


def row(one: Entry) -> dict[str, object]:
    names = ("id", "type", "subject", "body", "headers", "create_time")
    return {name: getattr(one, name) for name in names}


async def test_a_stream_that_is_missing_says_so_at_once(nats_server: ScratchNats) -> None:
    async with nats_server.bus("user") as bus, publishing(bus) as (publisher, acknowledged):
        async with nats_server.admin() as admin:
            await admin.jetstream().delete_stream(STREAM)
            (answer,) = await publisher.publish_and_wait([entry("x")], 2)
        assert isinstance(answer, NotPublishedError)
        assert "503" in str(answer)
        assert acknowledged == {}


async def test_sending_goes_on_while_nats_does_not_answer(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with nats_server.bus("user") as bus, relaying(contract, database, bus):
        await emit(database, updated("before"))
        await eventually(lambda: whole(bus, database))
        with nats_server.silenced():
            began = time.perf_counter()
            for number in range(20):
                await emit(database, updated(f"{number}"))
            assert time.perf_counter() - began < 2
        await eventually(lambda: whole(bus, database), within=20)
        assert sorted(await told(bus)) == sorted(["before", *map(str, range(20))])


async def test_who_stores_rows_himself_publishes_and_records_them(
    contract: Contract,
    database: Database,
    nats_server: ScratchNats,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chassis.outbox._RECORD_SECONDS", 60)
    async with nats_server.bus("user") as bus, relaying(contract, database, bus) as outbox:
        await eventually(lambda: opened(outbox))
        message_id = ids.new()
        one = outbox.entry(updated("by hand"), message_id)
        assert one.id == message_id
        assert one.subject == "creavio.user.v1.user_updated.usr_a"
        async with database.transaction() as tx:
            await tx.execute(sa.insert(OUTBOX), [row(one)])
        outbox.publish([one])

        async def claimed() -> tuple[list[object], list[int]]:
            taken = outbox.take_acknowledged(10)
            assert taken == ([message_id], [1])
            return taken  # type: ignore[return-value]  # a list of UUID is one of objects here

        await eventually(claimed)
        assert outbox.take_acknowledged(10) == ([], [])
        outbox.give_back([message_id], [1])
        assert outbox.take_acknowledged(10) == ([message_id], [1])


async def opened(outbox: Outbox) -> None:
    assert outbox._publisher.epoch is not None


async def test_what_is_given_back_comes_first_again(contract: Contract, database: Database) -> None:
    telemetry = Telemetry(scratch_config("user"))
    bus = Bus(scratch_config("user"), telemetry)
    outbox = Outbox("user", contract, database, bus, telemetry)
    known = [ids.new() for _ in range(4)]
    for number, identifier in enumerate(known):
        outbox._acknowledge(identifier, number)
    taken = outbox.take_acknowledged(2)
    assert taken == (known[:2], [0, 1])
    outbox.give_back(*taken)
    assert outbox.take_acknowledged(9) == (known, [0, 1, 2, 3])


async def test_a_row_of_a_clock_that_is_wrong_is_published(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    year = 365 * 24 * 3600 * 1000 << 80
    ahead, behind = (
        row(entry("ahead")) | {"id": UUID(int=ids.new().int + year)},
        row(entry("behind")) | {"id": UUID(int=ids.new().int - year)},
    )
    ahead["create_time"] = datetime(2099, 1, 1, tzinfo=UTC)
    async with nats_server.bus("user") as bus, relaying(contract, database, bus) as outbox:
        await eventually(lambda: opened(outbox))
        async with database.transaction() as tx:
            await tx.execute(sa.insert(OUTBOX), [ahead, behind])
        await eventually(lambda: whole(bus, database), within=10)
        assert sorted(await told(bus)) == ["ahead", "behind"]


@pytest.mark.parametrize(
    ("user", "token"),
    [("", "_"), ("a b", "a_b"), ("a.b", "a_b"), ("*", "_"), (">", "_"), ("é", "_")],
)
def test_every_event_has_a_subject_it_can_go_by(contract: Contract, user: str, token: str) -> None:
    event = updated("x", user)
    assert isinstance(event, user_events_pb2.UserUpdated)
    known = contract.events[event.DESCRIPTOR.full_name]
    assert subject_for(known, event) == f"creavio.user.v1.user_updated.{token}"
