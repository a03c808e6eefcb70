"""A group writer as chat runs it, and ways to stand in its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import sqlalchemy as sa

from chassis.bus import Bus
from chassis.config import Config
from chassis.contract import Contract
from chassis.database import Database, Transaction
from chassis.outbox import Outbox
from chassis.publisher import Entry
from chassis.telemetry import Telemetry
from chassis.testing import scratch_config
from creavio.chat.v1 import message_pb2
from services.chat.domain.message import Draft
from services.chat.domain.place import Home, Place
from services.chat.engine.writer import Writer
from services.chat.store import places
from tests.chat.making import COMMUNITY


class Outboxed(Outbox):
    """chat's outbox, with no NATS behind it: it remembers what it was to publish."""

    def __init__(self, contract: Contract, database: Database) -> None:
        config = scratch_config("chat")
        telemetry = Telemetry(config)
        super().__init__("chat", contract, database, Bus(config, telemetry), telemetry)
        self.published: list[Entry] = []

    def publish(self, entries: Sequence[Entry]) -> None:
        self.published += entries


@dataclass
class Desk:
    """A writer that runs, and its outbox."""

    writer: Writer
    outbox: Outboxed
    telemetry: Telemetry
    running: asyncio.Task[None]
    answers: list[asyncio.Future[message_pb2.Message]] = field(default_factory=list)

    def submit(self, *drafts: Draft) -> list[asyncio.Future[message_pb2.Message]]:
        return [self.writer.submit(draft, Home(COMMUNITY)) for draft in drafts]

    async def send(self, *drafts: Draft) -> list[message_pb2.Message | BaseException]:
        """What becomes of each, in the end."""
        async with asyncio.timeout(20):
            return await asyncio.gather(*self.submit(*drafts), return_exceptions=True)

    @property
    def batches(self) -> int:
        """How many statements kept something."""
        counted = self.telemetry.registry.get_sample_value("chat_batch_messages_count")
        return int(counted or 0)


@asynccontextmanager
async def writing(contract: Contract, database: Database) -> AsyncIterator[Desk]:
    """A writer that runs until the block ends."""
    outbox = Outboxed(contract, database)
    telemetry = Telemetry(scratch_config("chat"))
    writer = Writer(database, outbox, telemetry)
    running = asyncio.create_task(writer.run())
    try:
        yield Desk(writer, outbox, telemetry, running)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def held(database: Database, place: Place) -> AsyncIterator[Transaction]:
    """Somebody changes the place: nobody else does until the block ends."""
    async with database.transaction() as tx:
        # However long the block takes: it is not who stands still that is tested.
        await tx.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        await places.lock(tx, place)
        yield tx


@asynccontextmanager
async def another_pool(database: Database, connections: int = 8) -> AsyncIterator[Database]:
    """The same database, as another replica has it."""
    url = database._engine.url.render_as_string(hide_password=False)
    config: Config = scratch_config("chat", url)
    other = Database(config, connections)
    try:
        yield other
    finally:
        await other.close()


async def waits_for_a_lock(database: Database) -> None:
    """Return once some connection stands in line for a row."""
    query = sa.text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(5):
        while True:
            async with database.reading() as tx:
                if (await tx.execute(query)).scalar_one():
                    return
            await asyncio.sleep(0.02)


async def refuse(database: Database, content: str) -> None:
    """Let no message with this text be kept."""
    async with database.transaction() as tx:
        await tx.execute(
            sa.text(f"ALTER TABLE message ADD CONSTRAINT refused CHECK (content <> '{content}')")
        )
