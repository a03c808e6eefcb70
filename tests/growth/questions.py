"""Every function of a service's store, asked with what its parameters are called."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
import importlib
import inspect
import itertools
import pkgutil
from types import ModuleType
from typing import Any, Final

import sqlalchemy as sa

from chassis import person
from chassis.database import Database, Transaction
from tests.growth.plans import PAGE, Ask, carried_out

_OFTEN: Final = 20
"""psycopg prepares what it is asked the sixth time, PostgreSQL compares plans five times after."""
KEPT_BY_CHASSIS: Final = frozenset({"epoch", "inbox", "dead_letter", "idempotency", "erasing"})
"""Tables that every service has; test_chassis_plans fills them."""


@dataclass(frozen=True)
class Asking:
    """With what the functions of a store are asked."""

    service: str
    given: Mapping[str, Any]
    """By the names of parameters. Where None is possible, it is asked with that as well."""
    places: Sequence[Mapping[str, Any]] = ({},)
    """What is given instead in a large place, in a small one, and so on: each is asked."""
    instead: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """What single functions, by `module.function`, are given instead: each is asked. One may
    say `most` for itself."""
    most: Mapping[str, int] = field(default_factory=dict)
    """How many rows single functions may look at, where their answers do not say it."""
    varied: Collection[str] = ()
    """Functions for which no plan is good for all parameters. Where one would break a promise,
    PostgreSQL is to go on planning each time, by itself: it is looked whether it does."""
    aside: Collection[str] = ()
    """Functions that only write the object they are given, by its key."""


def parts_of(service: str) -> Sequence[person.Part]:
    """What a service keeps of a person."""
    parts: Sequence[person.Part] = importlib.import_module(f"services.{service}.store.person").PARTS
    return parts


def functions(service: str) -> dict[str, Any]:
    """The functions of a service's store that ask the database something."""
    package = importlib.import_module(f"services.{service}.store")
    found: dict[str, Any] = {}
    for name in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
        module: ModuleType = importlib.import_module(f"{package.__name__}.{name}")
        found |= {
            f"{name}.{label}": function
            for label, function in vars(module).items()
            if inspect.iscoroutinefunction(function)
            and function.__module__ == module.__name__
            and not label.startswith("_")
        }
    return found


async def broken_promises(
    database: Database, asking: Asking, *, prepared: bool = False
) -> list[str]:
    """What of all that a service asks costs more the more there is, and why.

    `prepared` asks all of it as statements that are planned for any parameters.
    """
    async with database.reading() as tx:
        whole = await sizes(tx)
    told: list[str] = []
    for question in _questions(asking):
        found = [
            f"{question.name}({question.arguments}): {why}\n{one.statement.strip()}\n"
            for one in await carried_out(database, question.ask, prepared=prepared)
            for why in one.broken(whole, question.most)
        ]
        varied = prepared and question.name in asking.varied
        if found and not (varied and not await _taken_for_any(database, question.ask)):
            told += found
    return list(dict.fromkeys(told))


async def _taken_for_any(database: Database, ask: Ask) -> bool:
    """Whether PostgreSQL, left to itself, comes to use a plan for any parameters."""
    async with database._engine.connect() as connection:
        for _ in range(_OFTEN):
            await ask(Transaction(connection))
        counted = await connection.exec_driver_sql(
            "SELECT sum(custom_plans) AS custom, sum(generic_plans) AS generic"
            " FROM pg_prepared_statements"
        )
        plans = counted.one()
        await connection.invalidate()  # so that the next question is prepared anew
    assert plans.custom, "asked often enough to be prepared"
    return bool(plans.generic)


@dataclass(frozen=True)
class _Question:
    name: str
    arguments: str
    ask: Ask
    most: int | None = None


def _questions(asking: Asking) -> Iterator[_Question]:
    for name, function in functions(asking.service).items():
        if name in asking.aside:
            continue
        for place, instead in itertools.product(asking.places, asking.instead.get(name, ({},))):
            given = {**asking.given, **place, **instead}
            most = instead.get("most") or asking.most.get(name)
            for arguments in _variants(name, function, given, instead):
                yield _Question(name, _told(arguments), partial(function, **arguments), most)
    for place in asking.places:
        user = {**asking.given, **place}["user_id"]
        for part in parts_of(asking.service):
            yield _Question("export", part.table.name, _export(part, user))
        yield _Question("erasing", str(user), _erasing(asking.service, user))


def _variants(
    name: str, function: Any, given: Mapping[str, Any], instead: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """With all that may be missing, and without."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    optional = {p.name for p in parameters if "None" in str(p.annotation)} - instead.keys()
    for missing in (frozenset[str](), optional) if optional else (frozenset[str](),):
        arguments: dict[str, Any] = {}
        for parameter in parameters:
            if parameter.name in missing:
                arguments[parameter.name] = None
            elif parameter.name in given:
                arguments[parameter.name] = given[parameter.name]
            elif parameter.default is inspect.Parameter.empty:
                raise AssertionError(f"nothing to ask {name} with as {parameter.name}")
        yield arguments


def _told(arguments: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={str(value)[:60]}" for name, value in arguments.items())


def _export(part: person.Part, user: Any) -> Ask:
    async def ask(tx: Transaction) -> None:
        await tx.execute(person._page(part, user, None, PAGE))

    return ask


def _erasing(service: str, user: Any) -> Ask:
    async def ask(tx: Transaction) -> None:
        for part in parts_of(service):
            if not part.stays:
                await tx.execute(sa.delete(part.table).where(part.whose(user)))

    return ask


async def sizes(tx: Transaction) -> dict[str, float]:
    """How many rows the tables have."""
    rows = await tx.execute(sa.text("SELECT relname, reltuples FROM pg_class WHERE relkind = 'r'"))
    return {row.relname: row.reltuples for row in rows}


async def small_tables(database: Database) -> set[str]:
    """The tables that the plans say nothing about, for there is next to nothing in them."""
    async with database.reading() as tx:
        rows = await tx.execute(
            sa.text(
                """
                SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
                WHERE nspname = 'public' AND relkind = 'r' AND reltuples < 1000
                    AND NOT relispartition
                """
            )
        )
        return set(rows.scalars())


async def unindexed_references(database: Database) -> list[str]:
    """Columns that refer to a table and begin no index: to delete there reads all of here."""
    async with database.reading() as tx:
        rows = await tx.execute(
            sa.text(
                """
                SELECT conrelid::regclass || ' (' || string_agg(attname, ', ') || ')'
                FROM pg_constraint
                    JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
                WHERE contype = 'f' AND NOT EXISTS (
                    SELECT FROM pg_index
                    WHERE indrelid = conrelid
                        AND (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey
                        -- Of a partial index, one that leaves out what refers to nothing.
                        AND (indpred IS NULL OR pg_get_expr(indpred, indrelid) ~ (
                            '^\\(?' || attname || ' IS NOT NULL\\)?$'
                        ))
                )
                GROUP BY conrelid, conname ORDER BY 1
                """
            )
        )
        return list(rows.scalars())
