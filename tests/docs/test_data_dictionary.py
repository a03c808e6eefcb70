"""The page that says what is stored names every table there is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
import re

import pytest
import sqlalchemy as sa

from chassis import catalog as catalogs
from chassis.database import Database

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
SERVICES = sorted(
    name for name, entry in catalogs.load().services.items() if entry.database is not None
)
TABLES = sa.text(
    "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
    " WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition"
)


def named(heading: str) -> set[str]:
    """The tables of one section."""
    section = re.search(rf"^## {heading}$(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)
    assert section is not None, heading
    return set(re.findall(r"^\| `([a-z_]+)` \|", section[1], re.M))


@pytest.mark.parametrize("service", SERVICES)
async def test_every_table_is_explained(
    service: str, scratch: Callable[[str], AbstractAsyncContextManager[Database]]
) -> None:
    async with scratch(service) as database, database.reading() as tx:
        made = {row.relname for row in await tx.execute(TABLES)}
    assert named(service) == made - named("In every database")
    assert named("In every database") <= made
