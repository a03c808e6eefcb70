"""Who wants nothing to do with whom, as far as chat has heard from user."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.chat.store.tables import BLOCK


async def add(tx: Transaction, blocker_id: UUID, blocked_id: UUID) -> None:
    """Keep that somebody blocked somebody."""
    values = {"blocker_id": blocker_id, "blocked_id": blocked_id}
    await tx.execute(insert(BLOCK).values(values).on_conflict_do_nothing())


async def remove(tx: Transaction, blocker_id: UUID, blocked_id: UUID) -> None:
    """Forget that somebody blocked somebody."""
    await tx.execute(
        sa.delete(BLOCK).where(BLOCK.c.blocked_id == blocked_id, BLOCK.c.blocker_id == blocker_id)
    )


async def is_blocked(tx: Transaction, user_id: UUID, by: UUID) -> bool:
    """Whether somebody blocked somebody."""
    query = sa.select(BLOCK.c.blocker_id).where(
        BLOCK.c.blocked_id == user_id, BLOCK.c.blocker_id == by
    )
    return (await tx.execute(query)).one_or_none() is not None
