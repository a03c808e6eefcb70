"""PostgreSQL: an engine, and transactions that carry events with them.

A service writes only inside `transaction()`. What it emits there is stored in
the same transaction and published after the commit (`chassis.outbox`), so an
event is told exactly when its cause is true.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
import select
from typing import Any, Final, TypeAlias, cast

from google.protobuf.message import Message
import psycopg
import sqlalchemy as sa
from sqlalchemy import CursorResult, Dialect, Executable, exc
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from chassis.config import Config
from chassis.publisher import Entry

UNREACHABLE: Final = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
"""What is raised when PostgreSQL cannot be reached, or gave up a transaction it may repeat."""

_STANDSTILL_SECONDS: Final = 5
"""No call leaves from inside a transaction, so nothing takes so long."""
_SPEAKS: Final = select.POLLIN | select.POLLPRI | select.POLLHUP

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


Store: TypeAlias = Callable[[Transaction], Awaitable[Sequence[Entry]]]
"""Stores a transaction's events in it, and says what they are to be published as."""


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
            connect_args={
                "connect_timeout": 5,
                "application_name": config.service,
                # Who stands still in a transaction holds rows that others wait for.
                "options": f"-c idle_in_transaction_session_timeout={_STANDSTILL_SECONDS}s",
            },
        )
        sa.event.listen(self._engine.sync_engine, "checkout", _living(self._engine.dialect))
        self._store: Store | None = None
        self._committed: Callable[[Sequence[Entry]], None] = lambda _: None

    def attach_outbox(self, store: Store, committed: Callable[[Sequence[Entry]], None]) -> None:
        """Say how events are stored, and whom to give them once they are committed."""
        self._store, self._committed = store, committed

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction: committed when the block ends, undone when it raises."""
        stored: Sequence[Entry] = ()
        async with self._engine.begin() as connection:
            transaction = Transaction(connection)
            yield transaction
            if transaction.events:
                assert self._store is not None, "the service has no outbox"
                stored = await self._store(transaction)
        if stored:
            self._committed(stored)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Statements that only read, each for itself, without a transaction's cost."""
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            yield Transaction(connection)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()


def unreachable(error: BaseException) -> bool:
    """Whether PostgreSQL could not be reached, or was lost on the way."""
    return isinstance(error, UNREACHABLE) or (
        isinstance(error, exc.DBAPIError) and error.connection_invalidated
    )


def _living(dialect: Dialect) -> Callable[[DBAPIConnection, ConnectionPoolEntry, object], None]:
    """Has the pool replace a connection that its server ended, before it is used.

    An idle connection that has something to say is asked for its health; that it
    has nothing to say costs a microsecond to see, where to ask each one would
    cost a round trip.
    """

    def check(connection: DBAPIConnection, entry: ConnectionPoolEntry, _: object) -> None:
        ready = select.poll()
        try:
            ready.register(cast(psycopg.AsyncConnection[Any], entry.driver_connection), _SPEAKS)
            if ready.poll(0):
                dialect.do_ping(connection)
        except psycopg.Error as error:
            raise exc.DisconnectionError(str(error)) from error

    return check
