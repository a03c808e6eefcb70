"""Whatever NATS loses of a log, every event that became true is in it again, and it says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database
from chassis.epoch import EpochKeeper
from chassis.events import EPOCH_BEGAN
from chassis.outbox import Outbox
from chassis.positions import Epoch, common_end, number_of, packed
from chassis.schema import EPOCH, OUTBOX
from chassis.telemetry import Telemetry
from chassis.testing import eventually
from tests.chassis.spine import (
    STREAM,
    emit,
    epochs,
    log_of,
    positions,
    relaying,
    told,
    updated,
    whole,
)
from tests.scratch_nats import ScratchNats


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("user") as made:
        yield made


async def recorded(bus: Bus, database: Database) -> None:
    """Wait until every event is in the log, where the outbox says."""
    await eventually(lambda: whole(bus, database), within=20)


def bios(*numbers: int) -> list[str]:
    return [f"bio {number}" for number in numbers]


async def say(database: Database, *numbers: int) -> None:
    await emit(database, *(updated(bio) for bio in bios(*numbers)))


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is looked at all the time."""
    monkeypatch.setattr("chassis.outbox._CHECK_SECONDS", 0.3)


async def test_a_restart_that_loses_nothing_begins_no_epoch(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with nats_server.bus("user") as bus, relaying(contract, database, bus):
        await say(database, 1, 2, 3)
        await recorded(bus, database)
        await nats_server.stop()
        await nats_server.start()
        await say(database, 4)
        await recorded(bus, database)
        assert await told(bus) == bios(1, 2, 3, 4)
        # The one that waited may have been on its way, for all anybody knows.
        assert (await epochs(database))[0] == Epoch(0, 1)
        before = await epochs(database)
        await nats_server.stop()
        await nats_server.start()
        await eventually(lambda: answered(bus), within=10)
        await asyncio.sleep(0.5)
        assert await epochs(database) == before


async def answered(bus: Bus) -> None:
    try:
        await log_of(bus)
    except Exception as error:
        raise AssertionError from error


async def test_what_a_cut_log_lost_is_published_again_in_a_new_epoch(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with nats_server.bus("user") as bus, relaying(contract, database, bus):
        await say(database, 1, 2, 3)
        await recorded(bus, database)
        await nats_server.remember()
        await say(database, 4, 5)
        await recorded(bus, database)
        first = (await epochs(database))[-1]
        await nats_server.forget_since()
        await say(database, 6)
        await recorded(bus, database)
        assert sorted(await told(bus)) == bios(1, 2, 3, 4, 5, 6)
        *_, now = await epochs(database)
        assert now == Epoch(first.number + 1, 4)
        log = await log_of(bus)
        # The log itself says it, before it says anything else.
        assert [event.type == EPOCH_BEGAN for event in log[3:5]] == [True, False]
        assert {(event.epoch, event.epoch_start) for event in log[3:]} == {(now.number, 4)}
        assert {event.epoch for event in log[:3]} == {0}


@pytest.mark.parametrize("kept", [1, 255, 256, 257, 499])
async def test_the_surviving_end_is_found_to_the_event(
    contract: Contract, database: Database, nats_server: ScratchNats, kept: int
) -> None:
    async with nats_server.bus("user") as bus:
        async with relaying(contract, database, bus):
            await say(database, *range(kept))
            await recorded(bus, database)
        await nats_server.remember()
        async with relaying(contract, database, bus):
            await say(database, *range(kept, 500))
            await recorded(bus, database)
        await nats_server.forget_since()
        async with relaying(contract, database, bus):
            await recorded(bus, database)
        assert sorted(await told(bus)) == sorted(bios(*range(500)))
        assert (await epochs(database))[-1].first == kept + 1


async def test_what_was_lost_before_it_was_recorded_counts_as_a_cut(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    """Somebody may have read it, under a number that another event gets now."""
    async with nats_server.bus("user") as bus, relaying(contract, database, bus) as outbox:
        await say(database, 1, 2)
        await recorded(bus, database)
        await nats_server.remember()
        await say(database, 3)
        await recorded(bus, database)
        forgetting = asyncio.create_task(forget(outbox))
        await say(database, 4)

        async def logged() -> None:
            assert bios(4)[0] in await told(bus)

        await eventually(logged)
        await nats_server.stop()
        forgetting.cancel()
        # As if only the last one had been lost: all that is recorded is there.
        async with database.transaction() as tx:
            await tx.execute(sa.delete(OUTBOX).where(OUTBOX.c.position == packed(0, 3)))
        before = (await epochs(database))[-1]
        await nats_server.forget_since()
        await recorded(bus, database)
        assert (await epochs(database))[-1] == Epoch(before.number + 1, 3)


async def forget(outbox: Outbox) -> None:
    """Claim positions and die before recording them."""
    while True:
        outbox.take_acknowledged(100)
        await asyncio.sleep(0)


async def test_an_emptied_store_is_filled_again(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with nats_server.bus("user") as bus, relaying(contract, database, bus):
        await say(database, *range(600))
        await recorded(bus, database)
        await nats_server.lose_everything()
        await say(database, 600)
        await recorded(bus, database)
        assert sorted(await told(bus)) == sorted(bios(*range(601)))
        assert (await epochs(database))[-1] == Epoch(1, 1)


@pytest.mark.usefixtures("often")
async def test_a_stream_deleted_under_us_is_made_and_filled_again(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with nats_server.bus("user") as bus, relaying(contract, database, bus):
        await say(database, 1, 2, 3)
        await recorded(bus, database)
        async with nats_server.admin() as admin:
            await admin.jetstream().delete_stream(STREAM)
        # As many, and others: only the time of its making shows that it is another.
        await eventually(lambda: answered(bus), within=10)
        await say(database, 4, 5, 6)
        await eventually(lambda: raised(database), within=20)
        await recorded(bus, database)
        assert set(await told(bus)) == set(bios(1, 2, 3, 4, 5, 6))
        assert (await epochs(database))[-1] == Epoch(1, 1)


async def raised(database: Database, before: int = 0) -> None:
    assert (await epochs(database))[-1].number > before


async def test_a_log_that_was_cut_and_has_grown_is_noticed(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with nats_server.bus("user") as bus:
        async with relaying(contract, database, bus):
            await say(database, 1, 2)
            await recorded(bus, database)
            await nats_server.remember()
            await say(database, 3, 4)
            await recorded(bus, database)
        before = (await epochs(database))[-1]
        await nats_server.forget_since()
        await grow(nats_server, 3)
        async with relaying(contract, database, bus):
            await eventually(lambda: raised(database, before.number))
            await recorded(bus, database)
        assert (await epochs(database))[-1] == Epoch(before.number + 1, 3)
        assert set(await told(bus)) == {*bios(1, 2, 3, 4), "another"}


async def grow(server: ScratchNats, count: int) -> None:
    """Publish without looking, as something of ours that was still in a socket."""
    async with server.bus("user") as bus:
        for _ in range(count):
            event_id = ids.text(ids.Kind.EVENT, ids.new())
            headers = {
                "Nats-Msg-Id": event_id,
                "ce-id": event_id,
                "ce-type": "creavio.user.v1.UserUpdated",
                "ce-time": datetime.now(UTC).isoformat(),
            }
            await bus.jetstream.publish(
                "creavio.user.v1.user_updated.usr_a",
                updated("another").SerializeToString(),
                headers=headers,
                stream=STREAM,
            )


async def test_replicas_agree_on_one_epoch(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with (
        nats_server.bus("user") as one,
        nats_server.bus("user") as other,
        relaying(contract, database, one),
        relaying(contract, database, other) as second,
    ):
        await say(database, 1, 2)
        await recorded(one, database)
        await nats_server.remember()
        await say(database, 3, 4)
        await recorded(one, database)
        before = len(await epochs(database))
        await nats_server.forget_since()
        await say(database, 5)
        await recorded(one, database)

        async def agreed() -> None:
            assert second._publisher.epoch == (await epochs(database))[-1]

        await eventually(agreed)
        assert len(await epochs(database)) == before + 1
        assert set(await told(one)) == set(bios(1, 2, 3, 4, 5))


async def test_what_is_recorded_after_the_look_at_the_log_is_not_lost(
    contract: Contract,
    database: Database,
    nats_server: ScratchNats,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with nats_server.bus("user") as bus, relaying(contract, database, bus):
        await say(database, 1, 2)
        await recorded(bus, database)
        keeper = EpochKeeper("user", database, bus, Telemetry(nats_server.config("user")))
        look, later = keeper._look, [3, 4]

        async def looked_early() -> object:
            log = await look()
            await say(database, *later)
            later.clear()
            await recorded(bus, database)
            return log

        monkeypatch.setattr(keeper, "_look", looked_early)
        before = await epochs(database)
        lost: list[bool] = []
        await keeper.confirm(lambda: lost.append(True))
        assert (lost, await epochs(database)) == ([], before)


@pytest.mark.usefixtures("often")
async def test_a_position_recorded_late_is_taken_back(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    """A replica learned where the old log had an event, and records it in the new one's time."""
    async with nats_server.bus("user") as bus, relaying(contract, database, bus):
        await say(database, 1, 2)
        await recorded(bus, database)
        await nats_server.lose_everything()
        await eventually(lambda: raised(database), within=15)
        await recorded(bus, database)
        before, (first, *_) = await epochs(database), await log_of(bus)
        this = OUTBOX.c.id != ids.parse(ids.Kind.EVENT, first.id, field="id")
        async with database.transaction() as tx:
            await tx.execute(sa.update(OUTBOX).where(this).values(position=packed(0, 1)))
        await recorded(bus, database)
        assert await epochs(database) == before


async def test_what_a_new_epoch_voids_is_unpublished_with_it(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with nats_server.bus("user") as bus:
        async with relaying(contract, database, bus) as outbox:
            await say(database, 1, 2, 3)
            await recorded(bus, database)
        keeper = outbox._epochs
        await keeper._raise(await keeper._known(), 3, await keeper._look())
        assert sorted(await positions(database), key=str) == [1, 2, None]
        # Who comes second with what he knew finds it done.
        known = replace(await keeper._known(), epoch=Epoch(0, 1))
        await keeper._raise(known, 2, await keeper._look())
        assert await epochs(database) == [Epoch(0, 1), Epoch(1, 3)]


async def test_a_database_from_before_epochs_goes_on(
    contract: Contract, database: Database, nats_server: ScratchNats
) -> None:
    async with nats_server.bus("user") as bus:
        async with relaying(contract, database, bus):
            await say(database, 1, 2)
            await recorded(bus, database)
        async with database.transaction() as tx:
            await tx.execute(sa.update(EPOCH).values(log=None, server=None))
        async with relaying(contract, database, bus):
            await say(database, 3)
            await recorded(bus, database)
        assert await epochs(database) == [Epoch(0, 1)]
        assert await told(bus) == bios(1, 2, 3)


async def test_nothing_is_published_before_the_log_was_looked_at(
    contract: Contract,
    database: Database,
    nats_server: ScratchNats,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked = asyncio.Event()

    async def wait(*_: object) -> None:
        await looked.wait()
        raise TimeoutError

    async with nats_server.bus("user") as bus:
        with monkeypatch.context() as patched:
            patched.setattr("chassis.epoch.EpochKeeper.confirm", wait)
            async with relaying(contract, database, bus):
                await say(database, 1)
                await asyncio.sleep(2.5)  # long enough for the sweeper
                assert await told(bus) == []
        async with relaying(contract, database, bus):
            await recorded(bus, database)


def test_a_position_says_its_epoch() -> None:
    assert packed(0, 7) == 7
    assert number_of(packed(3, 7)) == 7
    assert packed(3, 7) > packed(2, 10**9)


@pytest.mark.parametrize(
    ("log", "known", "now", "end"),
    [
        ({}, 0, Epoch(1, 51), 50),
        ({}, 1, Epoch(2, 1), 0),
        # The epoch between began earlier than the newest.
        ({79: (2, 50)}, 1, Epoch(3, 80), 49),
        ({89: (3, 60), 59: (2, 50)}, 1, Epoch(4, 90), 49),
        # What the epoch between wrote is gone.
        ({39: (1, 10)}, 1, Epoch(3, 40), 39),
        ({39: (0, 1)}, 1, Epoch(3, 40), 39),
        ({}, 1, Epoch(3, 40), None),
        ({}, 1, Epoch(3, 1), 0),
    ],
)
async def test_where_two_epochs_part(
    log: dict[int, tuple[int, int]], known: int, now: Epoch, end: int | None
) -> None:
    class Dated:
        def __init__(self, epoch: int, start: int) -> None:
            self.epoch, self.epoch_start = epoch, start

    async def at(number: int) -> Dated | None:
        return Dated(*log[number]) if number in log else None

    assert await common_end(at, known, now) == end
