"""Whatever says something about a person is given to them, and erased when they ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
import importlib
from pathlib import Path
import re
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis import catalog as catalogs
from chassis.database import Database, Transaction
from chassis.person import ERASED, Part
from chassis.testing import plan_of
from services.gateway.engine.exports import ASKED

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
CATALOG = catalogs.load()
KEEPING = sorted(n for n, entry in CATALOG.services.items() if entry.database is not None)
SERVICES = [n for n in KEEPING if n == "user" or ERASED in CATALOG.services[n].consumes]
"""Those that keep something of people."""


def parts_of(service: str) -> Sequence[Part]:
    """What a service says it keeps of people."""
    parts: Sequence[Part] = importlib.import_module(f"services.{service}.store.person").PARTS
    return parts


def personal(service: str) -> set[str]:
    """The tables that tell something about a person, as the page has it."""
    section = re.search(rf"^## {service}$(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    assert section is not None, service
    rows = re.findall(r"^\| `([a-z_]+)` \| [^|]* \| ([^|]*) \|", section[1], re.M)
    return {table for table, said in rows if not re.match(r"no\b", said)}


@pytest.mark.parametrize("service", SERVICES)
def test_no_table_that_is_personal_is_left_out(service: str) -> None:
    covered = {part.table.name for part in parts_of(service)}
    assert personal(service) - covered == set(), "add them to PARTS in store/person.py"
    assert covered - personal(service) == set(), "say in docs/data.md that they are personal"


def test_every_service_that_keeps_something_is_asked() -> None:
    assert {name for name in KEEPING if personal(name)} == set(SERVICES)
    exported = {CATALOG.owner_of(request.DESCRIPTOR.full_name) for _, request in ASKED}
    assert exported == set(SERVICES), "gateway's engine/exports.py asks for what they keep"
    confirmed = {f"creavio.{name}.v1.PersonErased" for name in SERVICES if name != "user"}
    assert confirmed <= set(CATALOG.services["user"].consumes)


@pytest.mark.parametrize("service", SERVICES)
async def test_the_columns_are_those_of_the_database(
    service: str, scratch: Callable[[str], AbstractAsyncContextManager[Database]]
) -> None:
    """A column that was forgotten would be in no export; one that is hidden exists."""
    async with scratch(service) as database, database.reading() as tx:
        for part in parts_of(service):
            query = sa.text(
                "SELECT column_name FROM information_schema.columns"
                " WHERE table_schema = 'public' AND table_name = :name"
            )
            there = set((await tx.execute(query, {"name": part.table.name})).scalars())
            assert {column.name for column in part.table.columns} == there
            assert part.hidden <= there
            (await tx.execute(sa.select(part.table).where(part.whose(uuid4())))).all()


OF_A_DAY = {"mail"}
"""Tables that hold so little that they may be read through."""


@pytest.mark.parametrize("service", SERVICES)
async def test_what_is_somebodys_is_found_by_an_index(
    service: str, scratch: Callable[[str], AbstractAsyncContextManager[Database]]
) -> None:
    async with scratch(service) as database:
        for part in parts_of(service):

            async def ask(tx: Transaction, part: Part = part) -> None:
                await tx.execute(sa.select(sa.func.set_config("enable_seqscan", "off", True)))
                await tx.execute(sa.select(part.table).where(part.whose(uuid4())))
                if not part.stays:
                    await tx.execute(sa.delete(part.table).where(part.whose(uuid4())))

            plan = await plan_of(database, ask)
            assert part.table.name in OF_A_DAY or "Seq Scan" not in plan, plan
