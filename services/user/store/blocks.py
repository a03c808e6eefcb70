"""Where blocks are kept."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.user.domain import MAX_BLOCKS, Block, TooManyBlocks
from services.user.store.tables import BLOCK


async def add_block(
    tx: Transaction, blocker_id: UUID, blocked_id: UUID, now: datetime
) -> tuple[Block, bool]:
    """Keep a block, or find the one there is; whether it is new.

    Raises `TooManyBlocks`. Whose blocks are counted is locked until the transaction ends.
    """
    await tx.execute(
        sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(str(blocker_id), 0)))
    )
    this = (BLOCK.c.blocker_id == blocker_id, BLOCK.c.blocked_id == blocked_id)
    known = (await tx.execute(sa.select(BLOCK).where(*this))).one_or_none()
    if known is not None:
        return _block(known), False
    count = sa.select(sa.func.count()).select_from(BLOCK).where(BLOCK.c.blocker_id == blocker_id)
    if (await tx.execute(count)).scalar_one() >= MAX_BLOCKS:
        raise TooManyBlocks
    made = await tx.execute(
        insert(BLOCK)
        .values(blocker_id=blocker_id, blocked_id=blocked_id, create_time=now)
        .returning(BLOCK)
    )
    return _block(made.one()), True


async def remove_block(tx: Transaction, blocker_id: UUID, blocked_id: UUID) -> bool:
    """Take a block back; whether there was one."""
    removed = await tx.execute(
        sa.delete(BLOCK)
        .where(BLOCK.c.blocker_id == blocker_id, BLOCK.c.blocked_id == blocked_id)
        .returning(BLOCK.c.number)
    )
    return removed.one_or_none() is not None


async def blocks_of(
    tx: Transaction, blocker_id: UUID, before: int | None, limit: int
) -> Sequence[Block]:
    """Somebody's blocks before a number, the latest first; from the latest without one."""
    query = (
        sa.select(BLOCK)
        .where(BLOCK.c.blocker_id == blocker_id)
        .order_by(BLOCK.c.number.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(BLOCK.c.number < before)
    return [_block(row) for row in await tx.execute(query)]


async def apart_from(tx: Transaction, user_id: UUID, limit: int) -> Sequence[UUID]:
    """Whom somebody blocked and who blocked them, in the order of their ids.

    Everybody they blocked is among them; of those who blocked them, `limit` at most are.
    """
    mine = sa.select(BLOCK.c.blocked_id.label("other")).where(BLOCK.c.blocker_id == user_id)
    theirs = (
        sa.select(BLOCK.c.blocker_id)
        .where(BLOCK.c.blocked_id == user_id)
        .order_by(BLOCK.c.blocker_id)
        .limit(limit)
    )
    both = sa.union(mine, theirs).subquery()
    query = sa.select(both.c.other).order_by(both.c.other)
    return (await tx.execute(query)).scalars().all()


async def blocking(tx: Transaction, user_id: UUID, others: Collection[UUID]) -> frozenset[UUID]:
    """Those among others who blocked somebody."""
    query = sa.select(BLOCK.c.blocker_id).where(
        BLOCK.c.blocked_id == user_id, BLOCK.c.blocker_id.in_(others)
    )
    return frozenset((await tx.execute(query)).scalars())


async def take_untold(tx: Transaction, limit: int) -> Sequence[Block]:
    """Blocks nobody was told of, the first first; from here on they count as told."""
    untold = (
        sa.select(BLOCK.c.number)
        .where(~BLOCK.c.told)
        .order_by(BLOCK.c.number)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = await tx.execute(
        sa.update(BLOCK).where(BLOCK.c.number.in_(untold)).values(told=True).returning(BLOCK)
    )
    return sorted(map(_block, rows), key=lambda block: block.number)


def _block(row: Row[Any]) -> Block:
    return Block(row.number, row.blocker_id, row.blocked_id, row.create_time)
