"""The pool never hands out a connection that its server ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from chassis.database import Database, Transaction, unreachable
from tests.chassis.outage import cut_connections

LOCK = sa.text("SELECT pg_advisory_xact_lock(1)")
BACKEND = sa.text("SELECT pg_backend_pid()")
Scratch = Callable[[str], AbstractAsyncContextManager[Database]]


async def backend(database: Database) -> int:
    """The process that serves the connection of a transaction."""
    async with database.transaction() as tx:
        return int((await tx.execute(BACKEND)).scalar_one())


async def fill(database: Database, connections: int) -> None:
    """Let the pool open so many connections."""
    meeting = asyncio.Barrier(connections)

    async def hold() -> None:
        async with database.transaction() as tx:
            await tx.execute(BACKEND)
            await meeting.wait()

    await asyncio.gather(*(hold() for _ in range(connections)))


async def test_a_server_that_restarted_costs_no_call(scratch: Scratch, postgres: str) -> None:
    async with scratch("user") as database:
        await fill(database, 4)
        assert cut_connections(postgres, database) == 4
        await asyncio.gather(*(backend(database) for _ in range(4)))
        assert cut_connections(postgres, database) == 4
        for _ in range(8):
            async with database.reading() as tx:
                await tx.execute(BACKEND)


async def test_a_connection_that_was_only_spoken_to_is_kept(scratch: Scratch) -> None:
    async with scratch("user") as database:
        async with database.transaction() as tx:
            await tx.execute(sa.text("LISTEN gossip"))
        listening = await backend(database)
        meeting = asyncio.Barrier(2)

        async def hold() -> None:
            async with database.transaction():
                await meeting.wait()

        async def gossip() -> None:
            # The pool's other connection: the first is held meanwhile.
            async with database.transaction() as tx:
                await tx.execute(sa.text("NOTIFY gossip"))
                await meeting.wait()

        await asyncio.gather(hold(), gossip())
        await asyncio.sleep(0.1)
        assert listening in {await backend(database) for _ in range(2)}


async def test_who_stands_still_in_a_transaction_gives_up_what_it_holds(
    scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.database._STANDSTILL_SECONDS", 1)
    async with scratch("user") as database, database.transaction() as other:
        with pytest.raises(DBAPIError) as ended:
            await stand_still(database, other)
        assert unreachable(ended.value)


async def stand_still(database: Database, other: Transaction) -> None:
    """Hold what another waits for, and say nothing until they have it."""
    async with database.transaction() as tx:
        await tx.execute(LOCK)
        await other.execute(LOCK)
        await tx.execute(BACKEND)
