"""What holds for every service, however much there is of everything."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from chassis.database import Database
from tests.growth.questions import (
    KEPT_BY_CHASSIS,
    Asking,
    broken_promises,
    small_tables,
    unindexed_references,
)


class Promises:
    """A file of a service says by a subclass with what its store is asked."""

    asking: ClassVar[Asking]
    small: ClassVar[Collection[str]] = ()
    """Tables that do not grow with use, besides what every service has of them."""
    unindexed: ClassVar[Sequence[str]] = ()
    """References that nobody follows from what they refer to."""

    async def test_no_question_grows_with_what_there_is(self, database: Database) -> None:
        broken = await broken_promises(database, self.asking)
        assert not broken, "\n".join(broken)

    async def test_no_question_grows_once_it_is_planned_for_any_parameters(
        self, database: Database
    ) -> None:
        broken = await broken_promises(database, self.asking, prepared=True)
        assert not broken, "\n".join(broken)

    async def test_every_table_that_grows_is_full(self, database: Database) -> None:
        small = KEPT_BY_CHASSIS | {"alembic_version", *self.small}
        assert await small_tables(database) == small

    async def test_what_refers_to_something_is_found_by_it(self, database: Database) -> None:
        assert await unindexed_references(database) == list(self.unindexed)
