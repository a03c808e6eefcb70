"""Bots, and who made them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.auth.domain import HandleTaken, Standing
from services.auth.domain.bots import Bot, BotNotFound
from services.auth.store.tables import BOT


async def add_bot(tx: Transaction, bot: Bot) -> Bot:
    """Keep the intent to make a bot; return the one made first when there is one.

    Raises `HandleTaken` when one that is leaving, or somebody else's, has the handle.
    """
    added = insert(BOT).values(
        id=bot.id,
        owner_id=bot.owner_id,
        handle=bot.handle,
        display_name=bot.display_name,
        standing=bot.standing,
        create_time=bot.create_time,
    )
    await tx.execute(added.on_conflict_do_nothing(index_elements=[BOT.c.handle]))
    row = (await tx.execute(sa.select(BOT).where(BOT.c.handle == bot.handle))).one()
    if row.owner_id != bot.owner_id or row.standing == Standing.LEAVING:
        raise HandleTaken(bot.handle)
    return _bot(row)


async def settle_bot(tx: Transaction, bot_id: UUID) -> None:
    """Let a bot count: it has its profile."""
    coming = sa.and_(BOT.c.id == bot_id, BOT.c.standing == Standing.COMING)
    await tx.execute(sa.update(BOT).where(coming).values(standing=Standing.SETTLED))


async def drop_bot(tx: Transaction, bot_id: UUID) -> None:
    """Give up a bot that could not have its profile."""
    await tx.execute(sa.delete(BOT).where(BOT.c.id == bot_id, BOT.c.standing == Standing.COMING))


async def retire_bot(tx: Transaction, bot_id: UUID) -> None:
    """Let a bot count no more: it is to be erased."""
    await tx.execute(sa.update(BOT).where(BOT.c.id == bot_id).values(standing=Standing.LEAVING))


async def retired(tx: Transaction, limit: int) -> Sequence[UUID]:
    """Bots that are to be erased, the oldest first."""
    query = sa.select(BOT.c.id).where(
        BOT.c.standing != sa.literal_column("'settled'"), BOT.c.standing == Standing.LEAVING
    )
    return (await tx.execute(query.order_by(BOT.c.create_time).limit(limit))).scalars().all()


async def bots_of(tx: Transaction, owner_id: UUID) -> Sequence[Bot]:
    """The bots of somebody, those coming and leaving too, the newest first."""
    rows = await tx.execute(
        sa.select(BOT).where(BOT.c.owner_id == owner_id).order_by(BOT.c.create_time.desc())
    )
    return [_bot(row) for row in rows]


async def bot_of(tx: Transaction, owner_id: UUID, bot_id: UUID) -> Bot | None:
    """A bot of somebody's. None when there is none (any more), or it is another's."""
    row = (await tx.execute(_settled(owner_id, bot_id))).one_or_none()
    return None if row is None else _bot(row)


async def bot_to_change(tx: Transaction, owner_id: UUID, bot_id: UUID) -> Bot:
    """A bot of somebody's, which nobody else changes until the transaction ends.

    Raises `BotNotFound`, also when it is another's.
    """
    row = (await tx.execute(_settled(owner_id, bot_id).with_for_update())).one_or_none()
    if row is None:
        raise BotNotFound
    return _bot(row)


async def unsettled(tx: Transaction, longer_than: timedelta, limit: int) -> Sequence[Bot]:
    """Bots a crash left without a profile, the oldest first."""
    rows = await tx.execute(
        sa.select(BOT)
        .where(
            BOT.c.standing != sa.literal_column("'settled'"),
            BOT.c.standing == Standing.COMING,
            BOT.c.create_time < sa.func.now() - longer_than,
        )
        .order_by(BOT.c.create_time)
        .limit(limit)
    )
    return [_bot(row) for row in rows]


def _settled(owner_id: UUID, bot_id: UUID) -> sa.Select[Any]:
    return sa.select(BOT).where(
        BOT.c.id == bot_id, BOT.c.owner_id == owner_id, BOT.c.standing == Standing.SETTLED
    )


def _bot(row: Row[Any]) -> Bot:
    return Bot(
        row.id,
        row.owner_id,
        row.handle,
        row.display_name,
        Standing(row.standing),
        row.create_time,
    )
