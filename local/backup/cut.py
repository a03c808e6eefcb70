"""One moment of all databases.

Each service keeps its own database, and what spans two of them is carried on by
intents and events. A backup must not hold an effect without its cause. So for a
moment nobody can tell an event, anywhere: the outbox of every database is locked
against writers, which lets those finish that are at it. Then each database's
snapshot is taken, and the locks are let go. What is kept is the state a power
failure would have left at that moment, and every service is made to go on from
there.

What changes without telling an event is not held up. Such a change can only be the
cause of another one (an intent of which the other service had nothing to tell); the
snapshots are taken callees first, so that of such a pair it is the effect that may
be missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
import time
from typing import TYPE_CHECKING, Any

from local.backup.manifest import BackupError
from local.databases import connected, database_of
from local.home import Home

if TYPE_CHECKING:
    import psycopg

_TRIES = 10
_PAUSE_SECONDS = 0.2
_LOCK_TIMEOUT = "SET lock_timeout = '300ms'"
_STILL = "LOCK TABLE ONLY outbox IN SHARE MODE"
_REVISION = "SELECT version_num FROM alembic_version"


@dataclass(frozen=True, slots=True)
class Cut:
    """The moment, and where it can be read from while the block lasts."""

    made: datetime
    held_seconds: float
    """How long writers waited at most."""
    snapshots: dict[str, str]
    """By service, as `pg_dump --snapshot` takes it."""
    revisions: dict[str, str]
    """By service, its last migration."""


@contextmanager
def cut(home: Home, services: Sequence[str]) -> Iterator[Cut]:
    """Take the snapshots of all databases in one moment; they last as long as the block.

    `services` in the order in which they are taken: callees first. Raises
    `BackupError` when writers do not make way, and psycopg's errors.
    """
    with ExitStack() as stack:
        connections = {
            name: stack.enter_context(connected(home, database_of(name), autocommit=True))
            for name in services
        }
        for connection in connections.values():
            connection.execute(_LOCK_TIMEOUT)
        for _ in range(_TRIES):
            if (held := _hold(connections)) is not None:
                break
            time.sleep(_PAUSE_SECONDS)
        else:
            raise BackupError("something writes for seconds without an end: try again later")
        yield Cut(
            datetime.now(UTC),
            held,
            {name: _value(c, "SELECT pg_export_snapshot()") for name, c in connections.items()},
            {name: _value(c, _REVISION) for name, c in connections.items()},
        )
        for connection in connections.values():
            connection.execute("ROLLBACK")


def _hold(connections: dict[str, psycopg.Connection[Any]]) -> float | None:
    """Begin a transaction in every database, all with a snapshot of one moment.

    How long writers were held up; None, with nothing begun, when some did not end.
    """
    from psycopg import errors

    began = time.monotonic()
    try:
        for connection in connections.values():
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for connection in connections.values():
            connection.execute("SAVEPOINT held")
            connection.execute(_STILL)
        for connection in connections.values():
            connection.execute("SELECT 1")  # The snapshot of the whole transaction.
    except (errors.LockNotAvailable, errors.DeadlockDetected):
        for connection in connections.values():
            connection.execute("ROLLBACK")
        return None
    for connection in connections.values():
        # Lets the lock go, and keeps the snapshot; only the outermost can export it.
        connection.execute("ROLLBACK TO held")
        connection.execute("RELEASE held")
    return time.monotonic() - began


def _value(connection: psycopg.Connection[Any], query: str) -> str:
    ((value,),) = connection.execute(query).fetchall()
    return str(value)
