"""The check of plans itself finds what grows, and names it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import sqlalchemy as sa

from chassis.database import Database, Transaction
from chassis.testing import scratch_database
from tests.growth.plans import PAGE, Ask, carried_out

ROWS = 20_000


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[Database]:
    async with scratch_database(postgres, "user") as made:
        async with made.reading() as tx:
            for statement in (
                "CREATE TABLE thing (id bigint PRIMARY KEY, place bigint, kind bigint, said text)",
                "CREATE INDEX thing_list ON thing (place, id)",
                "CREATE INDEX thing_kind ON thing (kind, place)",
                f"INSERT INTO thing SELECT n, n % 2, n % 500, repeat('x', 400)"  # noqa: S608  # a number of ours
                f" FROM generate_series(1, {ROWS}) AS n",
                "VACUUM ANALYZE thing",
            ):
                await tx.execute(sa.text(statement))
        yield made


def asking(statement: str, **named: object) -> Ask:
    """What asks one statement."""

    async def ask(tx: Transaction) -> None:
        await tx.execute(sa.text(statement), named)

    return ask


async def found(database: Database, statement: str, most: int | None = None) -> str:
    """What is found against a statement."""
    (one,) = await carried_out(database, asking(statement))
    return "\n".join(one.broken({"thing": ROWS}, most))


async def test_a_page_by_its_index_is_well(database: Database) -> None:
    page = f"SELECT * FROM thing WHERE place = 1 AND id > 500 ORDER BY id LIMIT {PAGE}"  # noqa: S608  # a number of ours
    assert await found(database, page) == ""
    assert await found(database, "UPDATE thing SET said = '' WHERE id = 7") == ""
    assert await found(database, "DELETE FROM thing WHERE id BETWEEN 7 AND 700") == ""


async def test_a_filter_without_an_index_is_named(database: Database) -> None:
    told = await found(database, "SELECT * FROM thing WHERE said = 'y'")
    assert "Seq Scan of thing (filter (said = 'y'::text)) reads a table of 20,000 rows" in told
    assert "looks at 20,000 rows where 300 are allowed" in told


async def test_a_filter_behind_an_order_is_named(database: Database) -> None:
    """By an index, and yet past everything."""
    passing = f"SELECT * FROM thing WHERE said = 'y' AND place = 1 ORDER BY id LIMIT {PAGE}"  # noqa: S608  # a number of ours
    told = await found(database, passing)
    assert "looks at" in told
    assert "rows where 300 are allowed" in told


async def test_a_count_of_everything_is_named(database: Database) -> None:
    count = "SELECT count(*) FROM thing WHERE place = 1"
    assert "looks at 10,000 rows where 306 are allowed" in await found(database, count)
    assert await found(database, "SELECT count(*) FROM thing WHERE place = 1 AND id < 99", 99) == ""


async def test_an_index_read_whole_is_named(database: Database) -> None:
    """It finds next to nothing, and looks for it on every page of the index."""
    async with database.reading() as tx:
        for statement in (
            "DROP INDEX thing_list, thing_kind",
            "CREATE INDEX thing_wide ON thing (kind, id, place)",
        ):
            await tx.execute(sa.text(statement))
    (one,) = await carried_out(
        database,
        asking("SELECT place FROM thing WHERE kind >= 0 AND place = 7"),
    )
    told = "\n".join(one.broken({"thing": ROWS}))
    assert "pages where 70 are allowed" in told
    assert "of them in Index" in told


async def test_what_is_asked_leaves_nothing(database: Database) -> None:
    async def ask(tx: Transaction) -> None:
        await tx.execute(sa.text("INSERT INTO thing VALUES (0, 0, 0, '')"))
        seen = await tx.execute(sa.text("SELECT count(*) FROM thing WHERE id = 0"))
        assert seen.scalar_one() == 1, "the second statement meets what the first one left"

    inserting, counting = await carried_out(database, ask)
    assert (inserting.plan["Node Type"], counting.plan["Node Type"]) == ("ModifyTable", "Aggregate")
    async with database.reading() as tx:
        seen = await tx.execute(sa.text("SELECT count(*) FROM thing WHERE id = 0"))
        assert seen.scalar_one() == 0
