"""Where the audit log is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row

from chassis.database import Transaction
from services.community.domain.audit import Action, Deed, Difference
from services.community.store.tables import AUDIT

_AT_ONCE: Final = 5_000


async def write_down(tx: Transaction, deed: Deed) -> None:
    """Keep what somebody did, in the transaction that does it."""
    await tx.execute(
        sa.insert(AUDIT).values(
            id=deed.id,
            community_id=deed.community_id,
            actor_id=deed.actor_id,
            action=int(deed.action),
            target_id=deed.target_id,
            target_name=deed.target_name,
            reason=deed.reason,
            differences=[[d.field, d.before, d.after] for d in deed.differences],
            create_time=deed.create_time,
        )
    )


async def deeds_of(
    tx: Transaction, community_id: UUID, before: UUID | None, limit: int
) -> Sequence[Deed]:
    """What was done to a community, the newest first."""
    query = (
        sa.select(AUDIT)
        .where(AUDIT.c.community_id == community_id)
        .order_by(AUDIT.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(AUDIT.c.id < before)
    return [_deed(row) for row in await tx.execute(query)]


async def forget_deeds(tx: Transaction, older_than: timedelta) -> bool:
    """Drop what was done longer ago, a batch of it; whether there may be more."""
    old = (sa.select(AUDIT.c.id).where(AUDIT.c.create_time < sa.func.now() - older_than)).limit(
        _AT_ONCE
    )
    gone = await tx.execute(sa.delete(AUDIT).where(AUDIT.c.id.in_(old)))
    return gone.rowcount == _AT_ONCE


def _deed(row: Row[Any]) -> Deed:
    return Deed(
        row.community_id,
        row.actor_id,
        Action(row.action),
        row.target_id,
        row.target_name,
        row.reason,
        tuple(Difference(*said) for said in row.differences),
        row.id,
        row.create_time,
    )
