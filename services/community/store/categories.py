"""Where categories are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row

from chassis.database import Transaction
from services.community.domain import Category, CategoryNotFound
from services.community.store.tables import CATEGORY

_PLACE: Final = sa.text(
    """
    UPDATE category SET position = placed.position
    FROM unnest(CAST(:categories AS uuid[]), CAST(:positions AS integer[]))
        AS placed (id, position)
    WHERE category.id = placed.id
    RETURNING category.*
    """
)


async def add_category(tx: Transaction, category: Category) -> None:
    """Keep a new category."""
    await tx.execute(
        sa.insert(CATEGORY).values(
            id=category.id,
            community_id=category.community_id,
            name=category.name,
            position=category.position,
            create_time=category.create_time,
        )
    )


async def category(tx: Transaction, community_id: UUID, category_id: UUID) -> Category:
    """A category of this community. Raises `CategoryNotFound`."""
    row = (
        await tx.execute(
            sa.select(CATEGORY).where(
                CATEGORY.c.id == category_id, CATEGORY.c.community_id == community_id
            )
        )
    ).one_or_none()
    if row is None:
        raise CategoryNotFound
    return _category(row)


async def categories_of(tx: Transaction, community_id: UUID) -> Sequence[Category]:
    """The categories of a community, in their order."""
    rows = await tx.execute(
        sa.select(CATEGORY)
        .where(CATEGORY.c.community_id == community_id)
        .order_by(CATEGORY.c.position, CATEGORY.c.id)
    )
    return [_category(row) for row in rows]


async def place_categories(tx: Transaction, positions: Mapping[UUID, int]) -> Sequence[Category]:
    """Put categories at these positions; they are returned as they are then."""
    rows = await tx.execute(
        _PLACE, {"categories": list(positions), "positions": list(positions.values())}
    )
    return [_category(row) for row in rows]


async def rename_category(tx: Transaction, category: Category) -> None:
    """Keep the name of a category."""
    await tx.execute(
        sa.update(CATEGORY).where(CATEGORY.c.id == category.id).values(name=category.name)
    )


async def delete_category(tx: Transaction, category_id: UUID) -> None:
    """Take a category away; no channel is in it any more."""
    await tx.execute(sa.delete(CATEGORY).where(CATEGORY.c.id == category_id))


def _category(row: Row[Any]) -> Category:
    return Category(row.id, row.community_id, row.name, row.position, row.create_time)
