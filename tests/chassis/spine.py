"""user's outbox on a real database and a NATS of the test's own, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from google.protobuf.message import Message
import sqlalchemy as sa

from chassis import ids
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database
from chassis.events import EPOCH_BEGAN, Received
from chassis.history import History
from chassis.outbox import Outbox
from chassis.positions import Epoch, number_of
from chassis.schema import EPOCH, OUTBOX
from chassis.telemetry import Telemetry
from chassis.testing import scratch_config
from creavio.user.v1 import user_events_pb2, user_pb2

STREAM = "CREAVIO_USER"


async def connect(database: Database) -> None:
    """Fill the pool, so that no end of a test cuts off who is just connecting."""
    async with AsyncExitStack() as stack:
        for _ in range(6):
            await stack.enter_async_context(database.reading())


@asynccontextmanager
async def relaying(contract: Contract, database: Database, bus: Bus) -> AsyncIterator[Outbox]:
    """The outbox of user, at work."""
    await connect(database)
    outbox = Outbox("user", contract, database, bus, Telemetry(scratch_config("user")))
    work = asyncio.create_task(outbox.run())
    try:
        yield outbox
        assert not work.done(), work.exception()
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


def updated(bio: str, user: str = "usr_a") -> user_events_pb2.UserUpdated:
    """Somebody's profile changed."""
    return user_events_pb2.UserUpdated(user=user_pb2.User(id=user, bio=bio))


async def emit(database: Database, *events: Message) -> None:
    """Have events become true, in one transaction."""
    async with database.transaction() as tx:
        for event in events:
            tx.emit(event)


async def log_of(bus: Bus) -> list[Received]:
    """Everything in user's stream, in its order."""
    found: list[Received] = []
    while batch := await History(bus, "user").after(found[-1].position if found else 0, 256):
        found += batch
    return found


async def told(bus: Bus) -> list[str]:
    """The bios of the events in the stream, in its order."""
    return [
        user_events_pb2.UserUpdated.FromString(event.body).user.bio
        for event in await log_of(bus)
        if event.type != EPOCH_BEGAN
    ]


async def positions(database: Database) -> list[int | None]:
    """The numbers the outbox recorded, in the order of its events."""
    async with database.reading() as tx:
        rows = await tx.execute(sa.select(OUTBOX.c.position).order_by(OUTBOX.c.id))
        return [None if position is None else number_of(position) for position in rows.scalars()]


async def epochs(database: Database) -> list[Epoch]:
    """Every epoch there was."""
    async with database.reading() as tx:
        rows = await tx.execute(sa.select(EPOCH).order_by(EPOCH.c.number))
        return [Epoch(row.number, row.first) for row in rows]


async def whole(bus: Bus, database: Database) -> None:
    """Every event of the outbox stands in the log where it is recorded to stand."""
    log = {event.position: event.id for event in await log_of(bus)}
    async with database.reading() as tx:
        rows = (await tx.execute(sa.select(OUTBOX.c.id, OUTBOX.c.position))).all()
    for row in rows:
        assert row.position is not None, "not published"
        assert log.get(number_of(row.position)) == ids.text(ids.Kind.EVENT, row.id)
