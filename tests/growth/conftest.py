"""A service's database with as much in it as after years, shared by the tests of a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
import os

import pytest
import sqlalchemy as sa

from chassis.database import Database
from chassis.testing import scratch_config, scratch_database

ROWS = int(os.environ.get("CREAVIO_GROWTH_ROWS", "100000"))
"""How many rows the tables have that grow; `make growth` takes a million."""
_FUNCTIONS = """
    SET session_replication_role = replica;
    SET synchronous_commit = off;
    SET maintenance_work_mem = '256MB';
    CREATE FUNCTION id(n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN lpad(to_hex(n), 32, '0')::uuid;
"""
"""Identifiers from numbers, in their order. What fills a database refers to what there is,
so nobody checks it row by row."""


def fill(url: str, statements: str) -> None:
    """Run statements that fill a database, `:N` standing for how many rows."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        for statement in (_FUNCTIONS + statements).split(";")[:-1]:
            connection.exec_driver_sql(statement.replace(":N", str(ROWS)).replace("%", "%%"))
        connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


@pytest.fixture(scope="module")
def filled(request: pytest.FixtureRequest, postgres: str) -> Iterator[tuple[str, str]]:
    """A filled database: the service, and SQLAlchemy's URL."""
    service, statements = request.module.SERVICE, request.module.FILL
    with asyncio.Runner() as runner:
        making = scratch_database(postgres, service)
        database = runner.run(making.__aenter__())
        try:
            url = database._engine.url.render_as_string(hide_password=False)
            fill(url, statements)
            yield service, url
        finally:
            runner.run(making.__aexit__(None, None, None))


@pytest.fixture
async def database(filled: tuple[str, str]) -> AsyncIterator[Database]:
    """The filled database, for one test: it leaves it as it was."""
    made = Database(scratch_config(*filled), connections=2)
    yield made
    await made.close()
