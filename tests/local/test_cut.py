"""Snapshots of several databases are of one moment."""

from __future__ import annotations

from collections.abc import Iterator
import threading
import uuid

import psycopg
import pytest

from chassis.migrate import migrate
from local.backup.cut import cut
from local.backup.manifest import BackupError
from local.databases import connected, database_of
from tests.local.running import Running
from tests.local.test_isolation import config_of, conninfo

ADD = """
INSERT INTO outbox (id, type, subject, body, headers) VALUES (%s, %s, 'x', '', '{}')
"""
SERVICES = ("rbac", "chat")
WRITERS = 4
CUTS = 40


@pytest.fixture
def databases(platform: Running) -> Iterator[dict[str, str]]:
    """Two databases with an outbox; how they are reached."""
    reached = {}
    for service in SERVICES:
        migrate(config_of(platform, service))
        reached[service] = conninfo(platform, service)
    yield reached
    for service in SERVICES:
        with psycopg.connect(reached[service]) as connection:
            connection.execute("DELETE FROM outbox")


def held(platform: Running, service: str, snapshot: str, first: str) -> set[uuid.UUID]:
    """What a database held in a snapshot, of those who write into `first` first."""
    with connected(platform.home, database_of(service), autocommit=True) as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        connection.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
        rows = connection.execute("SELECT id FROM outbox WHERE type = %s", (first,)).fetchall()
        connection.execute("ROLLBACK")
    return {row[0] for row in rows}


def test_no_effect_is_in_it_without_its_cause(platform: Running, databases: dict[str, str]) -> None:
    """Of who writes here, then there, nothing is there alone; whichever is taken first."""
    enough = threading.Event()

    def write(first: str, second: str) -> None:
        with (
            psycopg.connect(databases[first], autocommit=True) as cause,
            psycopg.connect(databases[second], autocommit=True) as effect,
        ):
            while not enough.is_set():
                identifier = uuid.uuid4()
                cause.execute(ADD, (identifier, first))
                effect.execute(ADD, (identifier, first))

    orders = (SERVICES, SERVICES[::-1])
    writers = [threading.Thread(target=write, args=orders[n % 2]) for n in range(WRITERS)]
    for writer in writers:
        writer.start()
    caught = 0
    try:
        for _ in range(CUTS):
            with cut(platform.home, SERVICES) as moment:
                for first, second in orders:
                    causes = held(platform, first, moment.snapshots[first], first)
                    effects = held(platform, second, moment.snapshots[second], first)
                    assert effects <= causes
                    caught += len(causes - effects)
    finally:
        enough.set()
        for writer in writers:
            writer.join()
    assert caught > 0  # Otherwise nothing was going on that could have been torn.


def test_writers_go_on_when_somebody_does_not_make_way(
    platform: Running, databases: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.backup.cut._TRIES", 2)
    with psycopg.connect(databases["chat"]) as endless:
        endless.execute(ADD, (uuid.uuid4(), "chat"))
        with pytest.raises(BackupError, match="try again later"), cut(platform.home, SERVICES):
            pass
        with psycopg.connect(databases["rbac"]) as other:
            other.execute("SET lock_timeout = '100ms'")
            other.execute(ADD, (uuid.uuid4(), "rbac"))
