"""Where bans are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
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


async def intend_ban(tx: Transaction, ban: Ban) -> None:
    """Keep a member's ban that does not count yet, unless there is one: nobody is let in."""
    await tx.execute(insert(BAN).values(**_values(ban), settled=False).on_conflict_do_nothing())


async def add_ban(tx: Transaction, ban: Ban) -> Ban:
    """Let a ban count; return the one that counts already when there is one."""
    values = _values(ban)
    await tx.execute(
        insert(BAN)
        .values(**values, settled=True)
        .on_conflict_do_update(
            index_elements=[BAN.c.community_id, BAN.c.user_id],
            set_={**values, "settled": True},
            where=~BAN.c.settled,
        )
    )
    row = await tx.execute(
        sa.select(BAN).where(BAN.c.community_id == ban.community_id, BAN.c.user_id == ban.user_id)
    )
    return _ban(row.one())


async def drop_ban(tx: Transaction, community_id: UUID, user_id: UUID, creator_id: UUID) -> None:
    """Give up a ban that was not to be."""
    await tx.execute(
        sa.delete(BAN).where(
            BAN.c.community_id == community_id,
            BAN.c.user_id == user_id,
            BAN.c.creator_id == creator_id,
            ~BAN.c.settled,
        )
    )


async def unsettled_bans(tx: Transaction, longer_than: timedelta, limit: int) -> Sequence[Ban]:
    """Bans a crash left half-way, the oldest first."""
    rows = await tx.execute(
        sa.select(BAN)
        .where(~BAN.c.settled, BAN.c.create_time < sa.func.now() - longer_than)
        .order_by(BAN.c.create_time)
        .limit(limit)
    )
    return [_ban(row) for row in rows]


async def bans_of(
    tx: Transaction, community_id: UUID, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Ban]:
    """The bans of a community, the newest first."""
    query = (
        sa.select(BAN)
        .where(BAN.c.community_id == community_id, BAN.c.settled)
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


def _values(ban: Ban) -> dict[str, object]:
    return {
        "community_id": ban.community_id,
        "user_id": ban.user_id,
        "creator_id": ban.creator_id,
        "reason": ban.reason,
        "create_time": ban.create_time,
    }


def _ban(row: Row[Any]) -> Ban:
    return Ban(row.community_id, row.user_id, row.creator_id, row.reason, row.create_time)
