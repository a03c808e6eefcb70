"""Migrations make exactly the tables the code speaks of, once, whoever starts when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import UTC, datetime
from importlib import import_module
import uuid

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
import pytest
import sqlalchemy as sa

from chassis import catalog as catalogs
from chassis import schema
from chassis.config import Config
from chassis.database import Database
from chassis.migrate import _upgrade, migrate, migrations_of, newest
from chassis.testing import scratch_config

KEEPING = sorted(name for name, entry in catalogs.load().services.items() if entry.database)


def metadata_of(service: str) -> sa.MetaData:
    """The tables a service speaks of, in one file or in several."""
    store = import_module(f"services.{service}.store")
    tables = import_module(f"{store.__name__}.tables") if hasattr(store, "__path__") else store
    metadata = tables.METADATA
    assert isinstance(metadata, sa.MetaData)
    return metadata


@pytest.mark.parametrize("service", KEEPING)
async def test_the_tables_are_those_the_code_speaks_of(
    service: str, scratch: Callable[[str], AbstractAsyncContextManager[Database]]
) -> None:
    spoken_of = sa.MetaData()
    for metadata in (schema.METADATA, metadata_of(service)):
        for table in metadata.tables.values():
            table.to_metadata(spoken_of)

    def differences(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        found = compare_metadata(context, spoken_of)
        # Indexes are the migrations' alone: no query names one. Nor is a day of the outbox.
        return [
            change
            for change in found
            if change[0] != "remove_index"
            and not (change[0] == "remove_table" and change[1].name.startswith("outbox_"))
        ]

    async with scratch(service) as database, database.transaction() as tx:
        assert await tx._connection.run_sync(differences) == []


@contextmanager
def empty_database(server: str) -> Iterator[str]:
    """A database nobody migrated; its URL."""
    name = f"scratch_{uuid.uuid4().hex}"
    admin = sa.create_engine(server, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def ask(url: str, query: str) -> list[object]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return list(connection.execute(sa.text(query)).scalars())


async def test_replicas_that_start_at_once_migrate_once(postgres: str) -> None:
    with empty_database(postgres) as url:
        config = scratch_config("community", url)
        await asyncio.gather(*(asyncio.to_thread(migrate, config) for _ in range(5)))
        assert ask(url, "SELECT version_num FROM alembic_version") == [
            newest(migrations_of("community"))
        ]


async def test_migrating_again_changes_nothing(postgres: str) -> None:
    with empty_database(postgres) as url:
        config = scratch_config("rbac", url)
        migrate(config)
        before = ask(url, "SELECT value FROM revision")
        migrate(config)
        assert ask(url, "SELECT value FROM revision") == before == [0]


def migrate_to_first(config: Config) -> None:
    """Migrate as the first release did."""
    assert config.database_url is not None
    engine = sa.create_engine(config.database_url.get_secret_value(), poolclass=sa.NullPool)
    with engine.begin() as connection, pytest.MonkeyPatch.context() as patched:
        step = ScriptDirectory._upgrade_revs
        patched.setattr(
            ScriptDirectory, "_upgrade_revs", lambda self, _, start: step(self, "0001", start)
        )
        _upgrade(connection, migrations_of(config.service))


def write(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


async def test_a_database_of_the_first_release_opens_with_all_it_held(postgres: str) -> None:
    with empty_database(postgres) as url:
        config = scratch_config("user", url)
        migrate_to_first(config)
        assert ask(url, "SELECT version_num FROM alembic_version") == ["0001"]
        write(
            url,
            # Some of every age, some of no time at all, some unpublished.
            "INSERT INTO outbox SELECT uuidv7(make_interval(hours => -n)), 't', 's', 'b', '{}',"
            " CASE WHEN n % 10 = 0 THEN NULL ELSE 1000 - n END, now() - make_interval(hours => n)"
            " FROM generate_series(0, 300) AS n",
            "INSERT INTO outbox SELECT gen_random_uuid(), 't', 's', 'b', '{}', n, now()"
            " FROM generate_series(2001, 2010) AS n",
            "INSERT INTO dead_letter VALUES ('evt_1', 't', 's', 'b', 'error')",
        )
        before = ask(url, "SELECT outbox::text FROM outbox ORDER BY id")
        await asyncio.gather(*(asyncio.to_thread(migrate, config) for _ in range(3)))
        assert ask(url, "SELECT outbox::text FROM outbox ORDER BY id") == before
        today = datetime.now(UTC).strftime("outbox_%Y%m%d")
        newest = "SELECT tableoid::regclass::text FROM outbox WHERE create_time < now()"
        assert today in ask(url, newest)
        # Only what no kept day takes is in the rest.
        week = (
            "SELECT count(*) FROM outbox_rest"
            " WHERE id BETWEEN uuidv7(interval '-7 days') AND uuidv7()"
        )
        assert ask(url, week) == [0]
        assert ask(url, "SELECT number FROM epoch") == [0]
        assert ask(url, "SELECT tries FROM dead_letter WHERE NOT replay") == [0]


async def test_a_migration_that_dies_midway_leaves_nothing(postgres: str) -> None:
    with empty_database(postgres) as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            # In the way of the migration's last statement.
            connection.execute(sa.text("CREATE VIEW message AS SELECT 1"))
        with pytest.raises(sa.exc.DBAPIError):
            migrate(scratch_config("chat", url))
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        assert ask(url, tables) == []
        with engine.begin() as connection:
            connection.execute(sa.text("DROP VIEW message"))
        migrate(scratch_config("chat", url))
        assert "message" in ask(url, tables)


@pytest.mark.parametrize("service", KEEPING)
def test_migrations_are_numbered_in_one_row(service: str) -> None:
    versions = sorted((migrations_of(service) / "versions").glob("*.py"))
    numbers = [path.name.partition("_")[0] for path in versions]
    assert numbers == [f"{number:04}" for number in range(1, len(versions) + 1)]
    assert newest(migrations_of(service)) == numbers[-1]
