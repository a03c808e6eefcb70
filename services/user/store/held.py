"""Handles that nobody gets, or nobody but who had them before."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.user.store.tables import HELD_HANDLE


async def hold(tx: Transaction, skeleton: bytes) -> None:
    """Let nobody have a handle that looks like this, ever."""
    for_good = {"owner_id": None, "expire_time": None}
    await tx.execute(
        insert(HELD_HANDLE)
        .values(skeleton=skeleton, **for_good)
        .on_conflict_do_update(index_elements=[HELD_HANDLE.c.skeleton], set_=for_good)
    )


async def hold_for(tx: Transaction, skeleton: bytes, owner_id: UUID, expire_time: datetime) -> None:
    """Let nobody but the owner have a handle that looks like this until then."""
    values = {"owner_id": owner_id, "expire_time": expire_time}
    await tx.execute(
        insert(HELD_HANDLE)
        .values(skeleton=skeleton, **values)
        .on_conflict_do_update(
            index_elements=[HELD_HANDLE.c.skeleton],
            set_=values,
            # What is held for good stays so.
            where=HELD_HANDLE.c.expire_time.is_not(None),
        )
    )


async def is_held(tx: Transaction, skeleton: bytes, wanted_by: UUID) -> bool:
    """Whether somebody is not to have a handle that looks like this."""
    query = sa.select(HELD_HANDLE.c.skeleton).where(
        HELD_HANDLE.c.skeleton == skeleton,
        HELD_HANDLE.c.owner_id.is_distinct_from(wanted_by),
        sa.or_(HELD_HANDLE.c.expire_time.is_(None), HELD_HANDLE.c.expire_time > sa.func.now()),
    )
    return (await tx.execute(query)).one_or_none() is not None


async def take_back(tx: Transaction, skeleton: bytes, owner_id: UUID) -> None:
    """Hold what looks like this for its owner no longer: they have it again."""
    mine = sa.and_(HELD_HANDLE.c.skeleton == skeleton, HELD_HANDLE.c.owner_id == owner_id)
    await tx.execute(sa.delete(HELD_HANDLE).where(mine))


async def disown(tx: Transaction, owner_id: UUID) -> None:
    """Hold for nobody, as long as it was to be, what is held for somebody."""
    mine = sa.update(HELD_HANDLE).where(HELD_HANDLE.c.owner_id == owner_id)
    await tx.execute(mine.values(owner_id=None))


async def forget_expired(tx: Transaction) -> None:
    """Drop what is held no longer."""
    await tx.execute(sa.delete(HELD_HANDLE).where(HELD_HANDLE.c.expire_time < sa.func.now()))
