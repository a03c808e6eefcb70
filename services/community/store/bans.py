"""Where bans are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.community.domain import Ban
from services.community.store.tables import BAN


async def lock_person(tx: Transaction, community_id: UUID, user_id: UUID) -> None:
    """Let nobody else ban this person or let them in until the transaction ends.

    Of the two, each looks for what the other is about to write.
    """
    key = sa.func.hashtextextended(f"{community_id}{user_id}", 0)
    await tx.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


async def is_banned(tx: Transaction, community_id: UUID, user_id: UUID) -> bool:
    """Whether a person is banned."""
    row = await tx.execute(
        sa.select(BAN.c.user_id).where(BAN.c.community_id == community_id, BAN.c.user_id == user_id)
    )
    return row.one_or_none() is not None


async def add_ban(tx: Transaction, ban: Ban) -> Ban:
    """Keep a ban; return the one there is when there is one."""
    await tx.execute(
        insert(BAN)
        .values(
            community_id=ban.community_id,
            user_id=ban.user_id,
            creator_id=ban.creator_id,
            reason=ban.reason,
            create_time=ban.create_time,
        )
        .on_conflict_do_nothing()
    )
    row = await tx.execute(
        sa.select(BAN).where(BAN.c.community_id == ban.community_id, BAN.c.user_id == ban.user_id)
    )
    return _ban(row.one())


async def bans_of(
    tx: Transaction, community_id: UUID, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Ban]:
    """The bans of a community, the newest first."""
    query = (
        sa.select(BAN)
        .where(BAN.c.community_id == community_id)
        .order_by(BAN.c.create_time.desc(), BAN.c.user_id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(sa.tuple_(BAN.c.create_time, BAN.c.user_id) < sa.tuple_(*before))
    return [_ban(row) for row in await tx.execute(query)]


async def lift_ban(tx: Transaction, community_id: UUID, user_id: UUID) -> bool:
    """End a ban. False when there is none."""
    lifted = await tx.execute(
        sa.delete(BAN).where(BAN.c.community_id == community_id, BAN.c.user_id == user_id)
    )
    return bool(lifted.rowcount)


def _ban(row: Row[Any]) -> Ban:
    return Ban(row.community_id, row.user_id, row.creator_id, row.reason, row.create_time)
