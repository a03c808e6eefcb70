"""Migrations make exactly the tables the code speaks of, once, whoever starts when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from importlib import import_module
import uuid

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
import pytest
import sqlalchemy as sa

from chassis import catalog as catalogs
from chassis import schema
from chassis.database import Database
from chassis.migrate import migrate, migrations_of, newest
from chassis.testing import scratch_config
from tests.live import Live

KEEPING = sorted(name for name, entry in catalogs.load().services.items() if entry.database)


@pytest.mark.parametrize("service", KEEPING)
async def test_the_tables_are_those_the_code_speaks_of(
    service: str, scratch: Callable[[str], AbstractAsyncContextManager[Database]]
) -> None:
    spoken_of = sa.MetaData()
    for metadata in (schema.METADATA, import_module(f"services.{service}.store").METADATA):
        for table in metadata.tables.values():
            table.to_metadata(spoken_of)

    def differences(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        found = compare_metadata(context, spoken_of)
        # Indexes are the migrations' alone: no query names one.
        return [change for change in found if change[0] != "remove_index"]

    async with scratch(service) as database, database.transaction() as tx:
        assert await tx._connection.run_sync(differences) == []


@contextmanager
def empty_database(live: Live) -> Iterator[str]:
    """A database nobody migrated; its URL."""
    name = f"scratch_{uuid.uuid4().hex}"
    admin = sa.create_engine(
        live.database_url(), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield live.database_url(name)
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def ask(url: str, query: str) -> list[object]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return list(connection.execute(sa.text(query)).scalars())


async def test_replicas_that_start_at_once_migrate_once(live: Live) -> None:
    with empty_database(live) as url:
        config = scratch_config("community", url)
        await asyncio.gather(*(asyncio.to_thread(migrate, config) for _ in range(5)))
        assert ask(url, "SELECT version_num FROM alembic_version") == [
            newest(migrations_of("community"))
        ]


async def test_migrating_again_changes_nothing(live: Live) -> None:
    with empty_database(live) as url:
        config = scratch_config("rbac", url)
        migrate(config)
        before = ask(url, "SELECT value FROM revision")
        migrate(config)
        assert ask(url, "SELECT value FROM revision") == before == [0]


async def test_a_migration_that_dies_midway_leaves_nothing(live: Live) -> None:
    with empty_database(live) as url:
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
