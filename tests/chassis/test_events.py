"""An event of others takes effect once, whatever crashes, and none blocks the next."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from opentelemetry import trace
import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from chassis import ids
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database, Transaction
from chassis.events import Consumer, EventError, EventHandler, received
from chassis.outbox import Outbox
from chassis.schema import DEAD_LETTER, INBOX, OUTBOX
from chassis.subjects import subject_for
from chassis.telemetry import Telemetry, trace_headers
from chassis.testing import eventually, scratch_config
from creavio.chat.v1 import chat_events_pb2
from creavio.community.v1 import channel_pb2, community_events_pb2
from tests.chassis.outage import cut_connections
from tests.chassis.spine import connect
from tests.scratch_nats import ScratchNats

STREAM = "CREAVIO_COMMUNITY"
EFFECT = sa.Table("effect", sa.MetaData(), sa.Column("name", sa.Text))
"""What the handler of these tests writes."""


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("chat") as made:
        async with made.transaction() as tx:
            await tx.execute(CreateTable(EFFECT))
        await connect(made)
        yield made


@pytest.fixture
async def server(nats_server: ScratchNats) -> ScratchNats:
    """NATS, which delivers again what was not acknowledged for a second."""
    async with nats_server.admin() as admin:
        jetstream = admin.jetstream()
        config = (await jetstream.consumer_info(STREAM, "chat")).config
        await jetstream.add_consumer(STREAM, config.evolve(ack_wait=1))
    return nats_server


class Counting:
    """Writes down a channel's name, and says how often it was asked to."""

    def __init__(self, fails: Callable[[str], Exception | None] = lambda _: None) -> None:
        self.asked: list[str] = []
        self._fails = fails

    async def handle(self, tx: Transaction, event: Message) -> None:
        assert isinstance(event, community_events_pb2.ChannelCreated)
        self.asked.append(event.channel.name)
        await tx.execute(sa.insert(EFFECT).values(name=event.channel.name))
        failure = self._fails(event.channel.name)
        if failure is not None:
            raise failure


def created(name: str) -> community_events_pb2.ChannelCreated:
    return community_events_pb2.ChannelCreated(
        channel=channel_pb2.Channel(
            id=ids.text(ids.Kind.CHANNEL, ids.new()),
            community_id=ids.text(ids.Kind.COMMUNITY, ids.new()),
            name=name,
        )
    )


async def publish(
    server: ScratchNats,
    contract: Contract,
    *events: Message,
    body: bytes | None = None,
    more: Mapping[str, str] | None = None,
) -> None:
    """Publish as community's outbox does; `body` replaces the events' own."""
    async with server.bus("community") as bus:
        for event in events:
            known = contract.events[event.DESCRIPTOR.full_name]
            headers = {
                "ce-id": ids.text(ids.Kind.EVENT, ids.new()),
                "ce-type": known.type,
                "ce-time": datetime.now(UTC).isoformat(),
                **(more or {}),
            }
            payload = event.SerializeToString() if body is None else body
            subject = subject_for(known, event)
            await bus.jetstream.publish(subject, payload, headers=headers, stream=STREAM)


@asynccontextmanager
async def consuming(
    server: ScratchNats,
    contract: Contract,
    database: Database,
    handler: EventHandler,
    buses: list[Bus] | None = None,
) -> AsyncIterator[asyncio.Task[None]]:
    """chat's consumer of community's events; its connection is added to `buses`."""
    async with server.bus("chat") as bus:
        if buses is not None:
            buses.append(bus)
        telemetry = Telemetry(scratch_config("chat"))
        consumer = Consumer("chat", "community", contract, database, bus, telemetry, handler)
        task = asyncio.create_task(consumer.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def pending(server: ScratchNats) -> int:
    """How many events are not yet done with."""
    async with server.admin() as admin:
        info = await admin.jetstream().consumer_info(STREAM, "chat")
    return int(info.num_pending or 0) + int(info.num_ack_pending or 0)


async def done(server: ScratchNats) -> None:
    assert await pending(server) == 0


async def rows(database: Database, table: sa.Table) -> list[Any]:
    async with database.reading() as tx:
        return list(await tx.execute(sa.select(table)))


async def test_every_event_takes_effect_once_and_in_order(
    contract: Contract, database: Database, server: ScratchNats
) -> None:
    handler = Counting()
    names = [f"channel {number}" for number in range(150)]
    await publish(server, contract, *(created(name) for name in names))
    async with consuming(server, contract, database, handler):
        await eventually(lambda: done(server), within=15)
    assert handler.asked == names
    assert len(await rows(database, EFFECT)) == len(await rows(database, INBOX)) == 150


async def test_what_is_not_consumed_is_not_delivered(
    contract: Contract, database: Database, server: ScratchNats
) -> None:
    handler = Counting()
    removed = community_events_pb2.MemberRemoved(community_id="com_1", user_id="usr_1")
    await publish(server, contract, removed, created("after"))
    async with consuming(server, contract, database, handler):
        await eventually(lambda: done(server))
    assert handler.asked == ["after"]


async def test_an_event_delivered_again_changes_nothing(
    contract: Contract, database: Database, server: ScratchNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    handler, died = Counting(), asyncio.Event()

    async def die(message: Msg) -> None:
        # The effect is committed; the acknowledgement never leaves.
        died.set()
        raise asyncio.CancelledError

    await publish(server, contract, created("general"))
    with monkeypatch.context() as patched:
        patched.setattr(Msg, "ack", die)
        async with consuming(server, contract, database, handler):
            await asyncio.wait_for(died.wait(), 5)
    assert await pending(server) == 1
    async with consuming(server, contract, database, handler):
        await eventually(lambda: done(server), within=10)
    assert handler.asked == ["general"]
    assert len(await rows(database, EFFECT)) == 1


async def test_a_crash_before_the_commit_leaves_nothing_and_it_is_done_later(
    contract: Contract, database: Database, server: ScratchNats
) -> None:
    crashing = Counting(fails=lambda _: asyncio.CancelledError())  # type: ignore[arg-type, return-value]  # the process ends here
    await publish(server, contract, created("general"))
    async with consuming(server, contract, database, crashing) as task:
        await asyncio.wait({task}, timeout=5)
    assert await rows(database, EFFECT) == await rows(database, INBOX) == []
    healthy = Counting()
    async with consuming(server, contract, database, healthy):
        await eventually(lambda: done(server), within=10)
    assert (crashing.asked, healthy.asked) == (["general"], ["general"])
    assert len(await rows(database, EFFECT)) == 1


def broken_rule(name: str) -> Exception | None:
    return ValueError("no such thing") if name == "poison" else None


def broken_statement(name: str) -> Exception | None:
    return sa.exc.DataError("INSERT", {}, Exception("NUL")) if name == "poison" else None


@pytest.mark.parametrize("fails", [broken_rule, broken_statement])
async def test_a_poison_event_is_set_aside_and_blocks_nobody(
    contract: Contract,
    database: Database,
    server: ScratchNats,
    fails: Callable[[str], Exception | None],
) -> None:
    handler = Counting(fails)
    await publish(server, contract, created("before"), created("poison"), created("after"))
    async with consuming(server, contract, database, handler):

        async def after() -> None:
            assert "after" in handler.asked

        await eventually(after, within=2)
        assert await rows(database, DEAD_LETTER) == []
        await eventually(lambda: done(server), within=15)
    assert handler.asked.count("poison") == 5
    (letter,) = await rows(database, DEAD_LETTER)
    assert letter.type == "creavio.community.v1.ChannelCreated"
    assert type(fails("poison")).__name__ in letter.error
    assert community_events_pb2.ChannelCreated.FromString(letter.body).channel.name == "poison"
    assert len(await rows(database, EFFECT)) == 2


async def test_what_cannot_be_read_is_set_aside(
    contract: Contract, database: Database, server: ScratchNats
) -> None:
    handler = Counting()
    await publish(server, contract, created("unreadable"), body=b"\xff\xff")
    async with server.bus("community") as bus:
        subject = "creavio.community.v1.channel_created.com_1.chn_1"
        await bus.jetstream.publish(subject, b"no headers at all", stream=STREAM)
    await publish(server, contract, created("after"))
    async with consuming(server, contract, database, handler):
        await eventually(lambda: done(server), within=15)
    assert handler.asked == ["after"]
    assert len(await rows(database, DEAD_LETTER)) == 2


async def test_a_database_that_went_away_is_waited_for_and_no_longer(
    postgres: str, contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    server = nats_server  # which would deliver again after half a minute
    handler = Counting()
    async with consuming(server, contract, database, handler) as task:
        await publish(server, contract, created("first"))
        await eventually(lambda: done(server))
        assert cut_connections(postgres, database)
        await publish(server, contract, created("second"))
        await eventually(lambda: done(server), within=15)
        assert not task.done()
    assert len(await rows(database, EFFECT)) == 2
    assert await rows(database, DEAD_LETTER) == []


async def test_nats_that_went_away_is_waited_for(
    contract: Contract, database: Database, server: ScratchNats
) -> None:
    handler = Counting()
    async with consuming(server, contract, database, handler) as task:
        await publish(server, contract, created("first"))
        await eventually(lambda: done(server))
        await server.stop()
        await asyncio.sleep(0.5)
        await server.start()
        await publish(server, contract, created("second"))

        # Not that nothing is pending: a NATS that was killed may have forgotten that
        # the first was acknowledged, and gives it once more after `ack_wait`.
        async def handled() -> None:
            assert handler.asked == ["first", "second"]

        await eventually(handled, within=15)
        assert not task.done()


async def test_a_message_that_is_no_event_says_so(nats_server: ScratchNats) -> None:
    async with nats_server.bus("rbac") as bus:
        subscription = await bus.client.subscribe("live.creavio.rbac.>")
        await bus.publish("live.creavio.rbac.v1.heartbeat", b"")
        message = await subscription.next_msg(2)
        with pytest.raises(EventError):
            received(message)


async def test_a_durable_that_vanishes_for_a_moment_is_waited_for(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    server = nats_server
    handler = Counting()
    async with consuming(server, contract, database, handler) as task:
        await publish(server, contract, created("first"))
        await eventually(lambda: done(server))
        async with server.admin() as admin:
            await admin.jetstream().delete_consumer(STREAM, "chat")
        await publish(server, contract, created("second"))

        async def handled() -> None:
            assert handler.asked == ["first", "second"]

        await eventually(handled, within=10)
        assert not task.done()


async def test_beginning_again_leaves_nothing_behind(
    contract: Contract, database: Database, server: ScratchNats
) -> None:
    away = sa.exc.OperationalError("SELECT", {}, Exception("PostgreSQL is away"))
    handler = Counting(lambda _: away if len(handler.asked) < 3 else None)
    buses: list[Bus] = []
    async with consuming(server, contract, database, handler, buses):
        await eventually(lambda: subscribed(buses))
        await publish(server, contract, created("general"))
        await eventually(lambda: done(server), within=10)
        await subscribed(buses)
    assert handler.asked == ["general"] * 3


async def subscribed(buses: list[Bus]) -> None:
    assert len(buses[0].client._subs) == 1


async def replay(database: Database, event_id: str) -> None:
    """As `creavio events replay` marks it."""
    async with database.transaction() as tx:
        await tx.execute(
            sa.update(DEAD_LETTER).where(DEAD_LETTER.c.event_id == event_id).values(replay=True)
        )


async def test_a_dead_letter_is_replayed_when_it_is_marked(
    contract: Contract, database: Database, server: ScratchNats
) -> None:
    mended = False

    def fails(name: str) -> Exception | None:
        return None if mended else broken_rule(name)

    handler = Counting(fails)
    await publish(server, contract, created("poison"))
    async with consuming(server, contract, database, handler):
        await eventually(lambda: done(server), within=15)
        (letter,) = await rows(database, DEAD_LETTER)
        assert (letter.tries, letter.replay) == (5, False)

        # Marked too soon, it is a dead letter again.
        await replay(database, letter.event_id)

        async def tried() -> None:
            (again,) = await rows(database, DEAD_LETTER)
            assert (again.tries, again.replay) == (6, False)

        await eventually(tried)
        assert await rows(database, EFFECT) == await rows(database, INBOX) == []

        mended = True
        await asyncio.sleep(1.5)
        assert handler.asked.count("poison") == 6, "not before it is marked"
        await replay(database, letter.event_id)

        async def gone() -> None:
            assert await rows(database, DEAD_LETTER) == []

        await eventually(gone)
        assert len(await rows(database, EFFECT)) == len(await rows(database, INBOX)) == 1


async def test_a_dead_letter_that_took_effect_meanwhile_takes_none_again(
    contract: Contract, database: Database, server: ScratchNats
) -> None:
    handler = Counting()
    await publish(server, contract, created("general"))
    async with consuming(server, contract, database, handler):
        await eventually(lambda: done(server), within=10)
        (mark,) = await rows(database, INBOX)
        async with database.transaction() as tx:
            await tx.execute(
                sa.insert(DEAD_LETTER).values(
                    event_id=mark.event_id,
                    type="creavio.community.v1.ChannelCreated",
                    subject="creavio.community.v1.channel_created.a.b",
                    body=created("general").SerializeToString(),
                    error="it was",
                    replay=True,
                )
            )

        async def gone() -> None:
            assert await rows(database, DEAD_LETTER) == []

        await eventually(gone)
    assert handler.asked == ["general"]
    assert len(await rows(database, EFFECT)) == 1


async def test_a_dead_letter_of_another_stream_is_not_touched(
    contract: Contract, database: Database, server: ScratchNats
) -> None:
    async with database.transaction() as tx:
        await tx.execute(
            sa.insert(DEAD_LETTER).values(
                event_id="evt_1",
                type="creavio.user.v1.UserUpdated",
                subject="creavio.user.v1.user_updated.a",
                body=b"",
                error="it was",
                replay=True,
            )
        )
    async with consuming(server, contract, database, Counting()):
        await asyncio.sleep(1.5)
    (letter,) = await rows(database, DEAD_LETTER)
    assert letter.replay


async def test_a_trace_goes_through_to_what_the_handler_emits(
    contract: Contract, database: Database, server: ScratchNats
) -> None:
    """From the call that emitted, over the consumer's span, into what the consumer emits."""
    spans: list[trace.SpanContext] = []

    class Telling:
        async def handle(self, tx: Transaction, event: Message) -> None:
            spans.append(trace.get_current_span().get_span_context())
            tx.emit(chat_events_pb2.MessageDeleted(channel_id="chn_1"))

    telemetry = Telemetry(scratch_config("chat"))
    async with server.bus("chat") as bus:
        Outbox("chat", contract, database, bus, telemetry)
        with telemetry.tracer.start_as_current_span("a call") as call:
            headers = trace_headers()
            caller = call.get_span_context()
        await publish(server, contract, created("general"), more=headers)
        async with consuming(server, contract, database, Telling()):
            await eventually(lambda: done(server), within=10)
    (within,) = spans
    (emitted,) = await rows(database, OUTBOX)
    version, trace_id, span_id, _ = emitted.headers["traceparent"].split("-")
    assert version == "00"
    assert int(trace_id, 16) == within.trace_id == caller.trace_id
    assert int(span_id, 16) == within.span_id != caller.span_id


async def test_an_emitted_event_carries_the_trace_of_its_call(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    telemetry = Telemetry(scratch_config("chat"))
    async with nats_server.bus("chat") as bus:
        outbox = Outbox("chat", contract, database, bus, telemetry)
        relay = asyncio.create_task(outbox.run())
        with telemetry.tracer.start_as_current_span("a call") as call:
            async with database.transaction() as tx:
                tx.emit(chat_events_pb2.MessageDeleted(channel_id="chn_1"))

        async def said() -> None:
            try:
                message = await bus.jetstream.get_msg("CREAVIO_CHAT", 1, direct=True)
            except NatsError as error:
                raise AssertionError from error
            assert message.headers is not None
            trace_id = trace.format_trace_id(call.get_span_context().trace_id)
            assert trace_id in message.headers["traceparent"]

        await eventually(said)
        relay.cancel()
        await asyncio.gather(relay, return_exceptions=True)


@pytest.mark.parametrize("wrong", ["", "yesterday", "2026-01-02T03:04:05"])
def test_a_time_that_is_none_or_might_be_anywhere_says_so(wrong: str) -> None:
    subject = "live.creavio.rbac.v1.policy_changed.x"
    headers = {"ce-id": "evt", "ce-type": "t", "ce-time": "2026-01-02T03:04:05Z"}
    headers["Nats-Sequence"] = "7"
    assert received(Msg(Client(), subject, "", b"", headers)).position == 7
    with pytest.raises(EventError, match="live"):
        received(Msg(Client(), subject, "", b"", headers | {"ce-time": wrong}))
