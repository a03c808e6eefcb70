"""PostgreSQL: an engine, and transactions that carry events with them.

A service writes only inside `transaction()`. What it emits there is stored in
the same transaction and published after the commit (`chassis.outbox`), so an
event is told exactly when its cause is true.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from google.protobuf.message import Message
import sqlalchemy as sa
from sqlalchemy import CursorResult, Executable, exc
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from chassis.config import Config

UNREACHABLE: Final = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
"""What is raised when PostgreSQL cannot be reached, or gave up a transaction it may repeat."""

Params = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


class Transaction:
    """One transaction: statements, and the events that become true with it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.events: list[Message] = []

    async def execute(self, statement: Executable, params: Params = None) -> CursorResult[Any]:
        """Run one statement."""
        return await self._connection.execute(statement, params)

    async def add(self, statement: Insert, params: Params = None) -> int:
        """Insert rows, and return how many were new.

        SQLAlchemy does not say it: `rowcount` of an insert is -1 with psycopg.
        """
        counted = await self.execute(statement.returning(sa.literal(1)), params)
        return len(counted.all())

    def emit(self, event: Message) -> None:
        """Tell the others, once this transaction is committed."""
        self.events.append(event)


class Database:
    """The database of one service."""

    def __init__(self, config: Config, connections: int) -> None:
        assert config.database_url is not None, "the service has no database in the catalog"
        self._engine = create_async_engine(
            config.database_url.get_secret_value(),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=5,
            # Errors are logged, and parameters are what people write.
            hide_parameters=True,
            connect_args={"connect_timeout": 5, "application_name": config.service},
        )
        self._store_events: Callable[[Transaction], Any] | None = None
        self._committed: Callable[[], None] = lambda: None

    def attach_outbox(
        self, store: Callable[[Transaction], Any], committed: Callable[[], None]
    ) -> None:
        """Say how events are stored, and whom to tell that some were."""
        self._store_events, self._committed = store, committed

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction: committed when the block ends, undone when it raises."""
        async with self._engine.begin() as connection:
            transaction = Transaction(connection)
            yield transaction
            if transaction.events:
                assert self._store_events is not None, "the service has no outbox"
                await self._store_events(transaction)
        if transaction.events:
            self._committed()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Statements that only read, each for itself, without a transaction's cost."""
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            yield Transaction(connection)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
