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

    Raises `HandleTaken` when another bot, or somebody else's, has the handle.
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
    if row.owner_id != bot.owner_id:
        raise HandleTaken(bot.handle)
    return _bot(row)


async def settle_bot(tx: Transaction, bot_id: UUID) -> None:
    """Let a bot count: it has its profile."""
    await tx.execute(sa.update(BOT).where(BOT.c.id == bot_id).values(standing=Standing.SETTLED))


async def drop_bot(tx: Transaction, bot_id: UUID) -> None:
    """Forget a bot."""
    await tx.execute(sa.delete(BOT).where(BOT.c.id == bot_id))


async def bots_of(tx: Transaction, owner_id: UUID) -> Sequence[Bot]:
    """The bots of somebody, those about to be ones too, the newest first."""
    rows = await tx.execute(
        sa.select(BOT).where(BOT.c.owner_id == owner_id).order_by(BOT.c.create_time.desc())
    )
    return [_bot(row) for row in rows]


async def bot_to_change(tx: Transaction, owner_id: UUID, bot_id: UUID) -> Bot:
    """A bot of somebody's, which nobody else changes until the transaction ends.

    Raises `BotNotFound`, also when it is another's.
    """
    query = sa.select(BOT).where(
        BOT.c.id == bot_id, BOT.c.owner_id == owner_id, BOT.c.standing == Standing.SETTLED
    )
    row = (await tx.execute(query.with_for_update())).one_or_none()
    if row is None:
        raise BotNotFound
    return _bot(row)


async def unsettled(tx: Transaction, longer_than: timedelta, limit: int) -> Sequence[Bot]:
    """Bots a crash left without a profile, the oldest first."""
    rows = await tx.execute(
        sa.select(BOT)
        .where(
            BOT.c.standing != sa.literal_column("'settled'"),
            BOT.c.create_time < sa.func.now() - longer_than,
        )
        .order_by(BOT.c.create_time)
        .limit(limit)
    )
    return [_bot(row) for row in rows]


def _bot(row: Row[Any]) -> Bot:
    return Bot(
        row.id,
        row.owner_id,
        row.handle,
        row.display_name,
        Standing(row.standing),
        row.create_time,
    )
