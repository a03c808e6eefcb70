"""The outbox keeps a week of events, whatever the clock says, and forgets it by the day."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from chassis.database import Database
from chassis.events import forget_old as forget_marks
from chassis.idempotency import forget_old as forget_keys
from chassis.partitions import keep_window
from chassis.testing import plan_of


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("user") as made:
        yield made


async def run(database: Database, *statements: str) -> None:
    async with database.transaction() as tx:
        for statement in statements:
            await tx.execute(sa.text(statement))


async def ask(database: Database, query: str) -> list[object]:
    async with database.reading() as tx:
        return list((await tx.execute(sa.text(query))).scalars())


def name(days: int) -> str:
    """The partition of the day so many days from now."""
    return (datetime.now(UTC) + timedelta(days=days)).strftime("outbox_%Y%m%d")


async def days(database: Database) -> list[object]:
    return await ask(
        database,
        "SELECT inhrelid::regclass::text FROM pg_inherits"
        " WHERE inhparent = 'outbox'::regclass ORDER BY 1",
    )


def rows(age: str, position: str, count: int = 5) -> str:
    row = f"uuidv7(interval '{age}'), 't', 's', 'b', '{{}}', {position}, now()"
    return f"INSERT INTO outbox SELECT {row} FROM generate_series(1, {count})"  # noqa: S608


async def test_the_days_to_come_are_there_before_they_come(database: Database) -> None:
    assert await days(database) == [*(name(n) for n in range(9)), "outbox_rest"]
    await run(database, f"DROP TABLE {name(8)}, {name(3)}")
    assert await keep_window(database)
    assert await days(database) == [*(name(n) for n in range(9)), "outbox_rest"]
    assert await keep_window(database)


async def test_a_day_takes_its_events_from_the_rest(database: Database) -> None:
    """A clock was ahead when they were sent."""
    await run(database, f"DROP TABLE {name(8)}", rows("8 days", "1"))
    assert await ask(database, "SELECT count(*) FROM outbox_rest") == [5]
    assert await keep_window(database)
    assert await ask(database, "SELECT count(*) FROM outbox_rest") == [0]
    assert await ask(database, "SELECT DISTINCT tableoid::regclass::text FROM outbox") == [name(8)]


async def test_no_clock_breaks_a_send(database: Database) -> None:
    for age in ("-40 years", "-8 days", "0", "9 days", "500 years"):
        await run(database, rows(age, "NULL", 1))
    assert await ask(database, "SELECT count(*) FROM outbox") == [5]
    assert await ask(database, "SELECT count(*) FROM outbox_rest") == [4]


async def aged(database: Database, days: int, position: str) -> str:
    """A partition as the one of a day so long ago; its name."""
    now = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begins = now - timedelta(days=days)
    low, high = (
        f"{int(moment.timestamp() * 1000):012x}{'0' * 20}"
        for moment in (begins, begins + timedelta(days=1))
    )
    part = begins.strftime("outbox_%Y%m%d")
    await run(
        database,
        f"CREATE TABLE {part} PARTITION OF outbox FOR VALUES FROM ('{low}') TO ('{high}')",
        f"INSERT INTO outbox VALUES ('{low}', 't', 's', 'b', '{{}}', {position})",  # noqa: S608
    )
    return part


async def test_a_day_goes_when_its_week_is_over_and_all_of_it_was_published(
    database: Database,
) -> None:
    over = await aged(database, 8, "7")
    waiting = await aged(database, 9, "NULL")
    kept = await aged(database, 7, "7")
    await run(database, rows("-20 days", "7"), rows("-20 days", "NULL", 1))
    assert await keep_window(database)
    assert over not in await days(database)
    assert {waiting, kept} <= set(await days(database))
    assert await ask(database, "SELECT position FROM outbox_rest") == [None]
    await run(database, "UPDATE outbox SET position = 8 WHERE position IS NULL")
    assert await keep_window(database)
    assert waiting not in await days(database)
    assert await ask(database, "SELECT count(*) FROM outbox_rest") == [0]


@pytest.mark.parametrize("work", ["to make", "to drop"])
async def test_it_waits_for_nobody_long(database: Database, work: str) -> None:
    if work == "to make":
        await run(database, f"DROP TABLE {name(8)}")
    else:
        await aged(database, 8, "7")
    before = await days(database)
    async with database.transaction() as reader:
        await reader.execute(sa.text("SELECT count(*) FROM outbox"))
        async with asyncio.timeout(3):
            assert not await keep_window(database)
            # Nor does anybody wait for it, once it gave up.
            await run(database, rows("0", "NULL", 1))
    assert await days(database) == before
    assert await keep_window(database)
    assert await days(database) == [*(name(n) for n in range(9)), "outbox_rest"]


async def test_replicas_keep_the_window_at_once(database: Database) -> None:
    await aged(database, 8, "7")
    await run(database, f"DROP TABLE {name(5)}, {name(6)}")
    await asyncio.gather(*(keep_window(database) for _ in range(6)))
    assert await keep_window(database)
    assert await days(database) == [*(name(n) for n in range(9)), "outbox_rest"]


@pytest.mark.parametrize(
    ("fill", "forget", "index"),
    [
        (
            "INSERT INTO inbox SELECT n::text, now() - make_interval(mins => n)"
            " FROM generate_series(1, 30000) AS n",
            forget_marks,
            "inbox_create_time",
        ),
        (
            "INSERT INTO idempotency SELECT n::text, 'r', 'k', 'f', NULL,"
            " now() - make_interval(secs => n * 3) FROM generate_series(1, 30000) AS n",
            forget_keys,
            "idempotency_create_time",
        ),
    ],
    ids=["inbox", "idempotency"],
)
async def test_forgetting_looks_at_nothing_but_what_is_old(
    database: Database, fill: str, forget: Callable[..., object], index: str
) -> None:
    await run(database, fill, "ANALYZE")
    plan = await plan_of(database, forget)  # type: ignore[arg-type]  # both take a transaction
    assert f"using {index}" in plan
    assert "Seq Scan" not in plan
