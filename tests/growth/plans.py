"""How PostgreSQL carried out what was asked, and whether that grows with the table."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, cast

import psycopg
from psycopg import sql
from psycopg.adapt import PyFormat, Transformer
import sqlalchemy as sa

from chassis.database import Database, Transaction
from chassis.errors import Error

PAGE: Final = 50
"""How many are asked for where a number is asked for."""
LARGE: Final = 1_000
"""A table with so many rows is not read whole."""
_EACH: Final = 6
"""Rows looked at for each row of an answer: of the tables it is joined from."""
_PROBE: Final = 6
"""Pages for each row that is looked at, or looked for: the way down an index, and the row."""
_WRITTEN: Final = 60
"""Pages for each row that is written: every index of its table."""
_FLOOR: Final = 64
"""Pages that any statement may read."""

_EXPLAIN: Final = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)"

Ask = Callable[[Transaction], Awaitable[object]]


@dataclass(frozen=True)
class CarriedOut:
    """A statement, and its plan with what was counted while it ran."""

    statement: str
    plan: dict[str, Any]

    def broken(self, whole: dict[str, float], most: int | None = None) -> list[str]:
        """Which nodes make its cost grow with the table, and how; none when it does not.

        `whole` says how many rows tables have. `most` is what the statement may look at
        where that does not follow from its answer, as with counts of what is bounded.
        """
        nodes = list(_walk(self.plan))
        written = sum(_rows(child) for node in nodes for child in _written(node))
        allowed = most or _EACH * (PAGE + _rows(self.plan) + written)
        scans = [node for node in nodes if _looks(node)]
        found = [
            f"{_named(node)} reads a table of {whole[name]:,.0f} rows whole"
            for node in scans
            if node["Node Type"] == "Seq Scan"
            and whole.get(name := node["Relation Name"], 0) >= LARGE
        ]
        looked_at = sum(map(_looked_at, scans))
        if looked_at > allowed:
            worst = max(scans, key=_looked_at)
            found.append(
                f"looks at {looked_at:,.0f} rows where {allowed:,.0f} are allowed,"
                f" {_looked_at(worst):,.0f} of them in {_named(worst)}"
            )
        probes = sum(node["Actual Loops"] for node in scans)
        pages = _pages(self.plan)
        bound = _FLOOR + _PROBE * (looked_at + probes) + _WRITTEN * written
        if pages > bound:
            worst = max(nodes, key=_own_pages)
            found.append(
                f"reads {pages:,} pages where {bound:,.0f} are allowed,"
                f" {_own_pages(worst):,} of them in {_named(worst)}"
            )
        return found


async def carried_out(database: Database, ask: Ask, *, prepared: bool = False) -> list[CarriedOut]:
    """The statements of what is asked, as they were carried out; nothing of it stays.

    Each is explained just before it runs, in a savepoint that is rolled back: it meets
    what the statements before it left. What is answered with an error was asked until then.
    `prepared` plans each without regard to its parameters, as PostgreSQL may once a
    connection has asked it often (`plan_cache_mode`).
    """
    seen: list[CarriedOut] = []
    explaining = False

    def explain(
        connection: sa.Connection, _: Any, statement: str, parameters: Any, __: Any, many: bool
    ) -> None:
        nonlocal explaining
        if explaining:
            return
        explaining = True
        given = parameters[0] if many else parameters
        try:
            point = connection.begin_nested()
            shown = (
                _explained_prepared(connection, statement, given)
                if prepared
                else connection.exec_driver_sql(f"{_EXPLAIN} {statement}", given).scalar_one()
            )
            seen.append(CarriedOut(statement, shown[0]["Plan"]))
            point.rollback()
        finally:
            explaining = False

    async with database._engine.connect() as connection:
        await connection.begin()
        synchronous = connection.sync_connection
        sa.event.listen(synchronous, "before_cursor_execute", explain)
        try:
            with suppress(Error):
                await ask(Transaction(connection))
        finally:
            sa.event.remove(synchronous, "before_cursor_execute", explain)
            await connection.rollback()
    return seen


def _explained_prepared(connection: sa.Connection, statement: str, given: dict[str, Any]) -> Any:
    """What EXPLAIN says of a statement that is planned for any parameters of these types."""
    driver = cast(psycopg.AsyncConnection[Any], connection.connection.driver_connection)
    transformer = Transformer(driver)
    types = [
        _type_name(driver, transformer.get_dumper(value, PyFormat.AUTO).oid)
        for value in given.values()
    ]
    numbered = statement % {name: f"${number}" for number, name in enumerate(given, 1)}
    values = [sql.Literal(value).as_string(driver) for value in given.values()]

    def run(text: str) -> sa.CursorResult[Any]:
        return connection.exec_driver_sql(text.replace("%", "%%"))

    run("SET LOCAL plan_cache_mode = force_generic_plan")
    run(f"PREPARE asked {_listed(types)} AS {numbered}")
    try:
        return run(f"{_EXPLAIN} EXECUTE asked {_listed(values)}").scalar_one()
    finally:
        run("DEALLOCATE asked")


def _listed(texts: Sequence[str]) -> str:
    return f"({', '.join(texts)})" if texts else ""


def _type_name(driver: psycopg.AsyncConnection[Any], oid: int) -> str:
    """What SQL calls a type; one that psycopg leaves open is to be found out."""
    if not oid:
        return "unknown"
    known = driver.adapters.types.get(oid)
    assert known is not None, oid
    return f"{known.regtype}[]" if oid == known.array_oid else known.regtype


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _walk(child)


def _looks(node: dict[str, Any]) -> bool:
    """Whether a node reads a table or an index, and not what other nodes made."""
    return node["Node Type"].endswith("Scan") and ("Relation Name" in node or "Index Name" in node)


def _written(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Where the rows come from that a node writes."""
    if node["Node Type"] != "ModifyTable":
        return []
    return [plan for plan in node.get("Plans", ()) if plan["Parent Relationship"] == "Outer"]


def _rows(node: dict[str, Any]) -> float:
    return float(node["Actual Rows"] * node["Actual Loops"])


def _looked_at(node: dict[str, Any]) -> float:
    removed = sum(
        node.get(f"Rows Removed by {why}", 0) for why in ("Filter", "Index Recheck", "Join Filter")
    )
    return _rows(node) + float(removed * node["Actual Loops"])


def _pages(node: dict[str, Any]) -> int:
    return int(node["Shared Hit Blocks"] + node["Shared Read Blocks"])


def _own_pages(node: dict[str, Any]) -> int:
    return _pages(node) - sum(map(_pages, node.get("Plans", ())))


def _named(node: dict[str, Any]) -> str:
    index = f" by {node['Index Name']}" if "Index Name" in node else ""
    table = f" of {node['Relation Name']}" if "Relation Name" in node else ""
    said = [
        f"{label.lower()} {node[label]}"
        for label in ("Index Cond", "Recheck Cond", "Filter")
        if label in node
    ]
    return f"{node['Node Type']}{table}{index} ({'; '.join(said)})"
