"""An event is told exactly when its cause is true, and once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

from google.protobuf.message import Message
from nats.js.api import DiscardPolicy
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database
from chassis.history import History
from chassis.outbox import _WAITING, RECORD, Outbox, recorded
from chassis.schema import OUTBOX
from chassis.subjects import stream_of
from chassis.telemetry import Telemetry
from chassis.testing import eventually, plan_of, scratch_config
from creavio.chat.v1 import chat_events_pb2
from creavio.user.v1 import user_pb2
from tests.chassis.outage import cut_connections
from tests.chassis.spine import emit, positions, relaying, told, updated
from tests.scratch_nats import ScratchNats

TODAY = datetime.now(UTC).strftime("outbox_%Y%m%d")
"""Where events of now are."""


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("user") as made:
        yield made


async def emit_and_fail(database: Database, event: Message) -> None:
    async with database.transaction() as tx:
        tx.emit(event)
        await tx.execute(sa.text("SELECT 1 / 0"))


async def test_a_committed_event_is_published_and_its_position_recorded(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with nats_server.bus("user") as bus, relaying(contract, database, bus) as outbox:

        async def opened() -> None:
            assert outbox._publisher.epoch is not None

        await eventually(opened)
        await asyncio.sleep(1.1)  # the first sweep is over
        await emit(database, updated("first"), updated("second"))

        async def recorded() -> None:
            assert await positions(database) == [1, 2]

        await eventually(recorded, within=1.5)  # the sweeper waits two seconds
        assert await told(bus) == ["first", "second"]
        event = await History(bus, "user").at(1)
        assert event is not None
        assert event.type == "creavio.user.v1.UserUpdated"
        assert event.subject == "creavio.user.v1.user_updated.usr_a"
        ids.parse(ids.Kind.EVENT, event.id, field="id")


async def test_an_event_of_a_transaction_that_failed_was_never_there(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with nats_server.bus("user") as bus, relaying(contract, database, bus):
        with pytest.raises(sa.exc.DBAPIError):
            await emit_and_fail(database, updated("never"))
        await emit(database, updated("after"))

        async def published() -> None:
            assert await told(bus) == ["after"]

        await eventually(published)

        async def recorded() -> None:
            assert await positions(database) == [1]

        await eventually(recorded)


async def test_a_transaction_whose_event_cannot_be_kept_does_not_happen(
    contract: Contract, database: Database
) -> None:
    bus = Bus(scratch_config("user"), Telemetry(scratch_config("user")))
    Outbox("user", contract, database, bus, Telemetry(scratch_config("user")))
    with pytest.raises(RuntimeError, match="chat's to emit"):
        await emit(database, updated("mine"), chat_events_pb2.MessageDeleted(channel_id="chn_1"))
    assert await positions(database) == []


async def test_what_is_no_event_cannot_be_emitted(contract: Contract, database: Database) -> None:
    bus = Bus(scratch_config("user"), Telemetry(scratch_config("user")))
    Outbox("user", contract, database, bus, Telemetry(scratch_config("user")))
    with pytest.raises(KeyError):
        await emit(database, user_pb2.User(id="usr_a"))


async def test_what_a_crash_left_goes_out_in_order(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    bus = Bus(scratch_config("user"), Telemetry(scratch_config("user")))
    Outbox("user", contract, database, bus, Telemetry(scratch_config("user")))
    everything = [f"bio {number}" for number in range(600)]
    for start in range(0, 600, 100):
        await emit(database, *(updated(bio) for bio in everything[start : start + 100]))
    async with nats_server.bus("user") as connected, relaying(contract, database, connected):

        async def published() -> None:
            assert None not in await positions(database)

        await eventually(published, within=20)
        assert await positions(database) == list(range(1, 601))
        assert await told(connected) == everything


async def test_what_happens_while_nats_is_away_is_told_when_it_is_back(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with nats_server.bus("user") as bus, relaying(contract, database, bus):
        await emit(database, updated("before"))

        async def published() -> None:
            assert None not in await positions(database)

        await eventually(published)
        await nats_server.stop()
        await emit(database, updated("meanwhile"), updated("and then"))
        await asyncio.sleep(1.5)
        assert await positions(database) == [1, None, None]
        await nats_server.start()
        await eventually(published, within=20)
        assert await told(bus) == ["before", "meanwhile", "and then"]


async def test_what_was_refused_is_not_put_off_longer_than_nats_is_away(
    contract: Contract,
    database: Database,
    nats_server: ScratchNats,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chassis.outbox._FIRST_PAUSE", 3_600.0)
    monkeypatch.setattr("chassis.outbox._LONGEST_PAUSE", 3_600.0)
    async with nats_server.bus("user") as bus, relaying(contract, database, bus) as outbox:
        await emit(database, updated("before"))

        async def published() -> None:
            assert None not in await positions(database)

        await eventually(published)
        await nats_server.leave_streams_alone()
        async with nats_server.admin() as admin:
            taken = (await admin.jetstream().stream_info(stream_of("user"))).config
            full = taken.evolve(max_msgs=1, discard=DiscardPolicy.NEW)
            await admin.jetstream().update_stream(full)
            await emit(database, updated("refused"))

            async def put_off() -> None:
                assert outbox._postponed

            await eventually(put_off, within=20)
            await admin.jetstream().update_stream(taken)
        await nats_server.stop()
        await nats_server.start()
        await eventually(published, within=20)
        assert await told(bus) == ["before", "refused"]


async def test_an_event_published_twice_is_kept_once(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with nats_server.bus("user") as bus, relaying(contract, database, bus):
        await emit(database, updated("first"), updated("second"))

        async def published() -> None:
            assert None not in await positions(database)

        await eventually(published)
        # As if we had crashed after publishing, before recording it.
        async with database.transaction() as tx:
            await tx.execute(sa.update(OUTBOX).values(position=None))
        await eventually(published)
        assert await positions(database) == [1, 2]
        assert await told(bus) == ["first", "second"]


async def test_two_relays_publish_every_event_once(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with (
        nats_server.bus("user") as one,
        nats_server.bus("user") as other,
        relaying(contract, database, one),
        relaying(contract, database, other),
    ):
        for number in range(50):
            await emit(database, updated(str(number)), updated(f"{number} again"))

        async def published() -> None:
            assert None not in await positions(database)

        await eventually(published, within=20)
        found = await told(one)
        assert len(found) == 100 == len(set(found))


async def test_a_database_that_hiccups_does_not_end_the_relay(
    postgres: str, contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with nats_server.bus("user") as bus, relaying(contract, database, bus):
        await emit(database, updated("before"))
        assert cut_connections(postgres, database)

        async def emitted() -> None:
            try:
                await emit(database, updated("after"))
            except sa.exc.OperationalError as error:
                raise AssertionError from error

        await eventually(emitted)

        async def published() -> None:
            assert (await told(bus))[-1:] == ["after"]

        await eventually(published, within=10)


async def test_what_waits_is_found_among_much_that_was_published(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO outbox SELECT uuidv7(), 't', 's', 'b', '{}', n, now()"
                " FROM generate_series(1, 20000) AS n"
            )
        )
        await tx.execute(sa.text("INSERT INTO outbox VALUES (uuidv7(), 't', 's', 'b', '{}')"))
        await tx.execute(sa.text("ANALYZE"))
    query = {"after": ids.new(), "age": "2 s", "postponed": []}
    plan = await plan_of(database, lambda tx: tx.execute(_WAITING, query))
    assert f"using {TODAY}_id_idx on {TODAY}" in plan


async def test_recording_looks_at_the_days_in_question_alone(database: Database) -> None:
    known = [ids.new() for _ in range(3)]
    plan = await plan_of(database, lambda tx: tx.execute(RECORD, recorded(known, [1, 2, 3])))
    assert TODAY in plan
    assert plan.count("Update on outbox_") == 1
