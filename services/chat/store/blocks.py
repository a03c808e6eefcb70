"""Who wants nothing to do with whom, as far as chat has heard from user."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.chat.domain.conversation import NotReachable
from services.chat.domain.place import Place
from services.chat.store.tables import BLOCK, CONVERSATION

_OTHERS: Final = sa.bindparam("others", type_=sa.ARRAY(sa.Uuid))


async def add(tx: Transaction, blocker_id: UUID, blocked_id: UUID) -> None:
    """Keep that somebody blocked somebody."""
    values = {"blocker_id": blocker_id, "blocked_id": blocked_id}
    await tx.execute(insert(BLOCK).values(values).on_conflict_do_nothing())


async def remove(tx: Transaction, blocker_id: UUID, blocked_id: UUID) -> None:
    """Forget that somebody blocked somebody."""
    await tx.execute(
        sa.delete(BLOCK).where(BLOCK.c.blocked_id == blocked_id, BLOCK.c.blocker_id == blocker_id)
    )


async def reach(tx: Transaction, user_id: UUID, others: Collection[UUID]) -> None:
    """Return when none of the others blocked somebody. Raises `NotReachable`."""
    query = sa.select(BLOCK.c.blocker_id).where(
        BLOCK.c.blocked_id == user_id, BLOCK.c.blocker_id == sa.any_(_OTHERS)
    )
    if (await tx.execute(query.limit(1), {"others": list(others)})).one_or_none() is not None:
        raise NotReachable


async def reach_in(tx: Transaction, user_id: UUID, place: Place) -> None:
    """Return when somebody may write in a place, as far as blocks go. Raises `NotReachable`.

    They count in conversations of two alone.
    """
    if not place.conversation:
        return
    query = sa.select(CONVERSATION.c.first_id, CONVERSATION.c.second_id).where(
        CONVERSATION.c.id == place.id, CONVERSATION.c.first_id.is_not(None)
    )
    row = (await tx.execute(query)).one_or_none()
    if row is not None:
        await reach(tx, user_id, list(row))
