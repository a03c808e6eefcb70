"""Where the audit log is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row

from chassis.database import Transaction
from services.community.domain.audit import Action, Deed, Difference, Wanted
from services.community.store.tables import AUDIT

_AT_ONCE: Final = 5_000
_LATE: Final = timedelta(days=1)
"""What other services tell of may be written down so much later than it was done."""
_ALL: Final = Wanted()


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
    tx: Transaction,
    community_id: UUID,
    before: UUID | None,
    limit: int,
    wanted: Wanted = _ALL,
) -> Sequence[Deed]:
    """What was done to a community of what is wanted, the newest first."""
    query = (
        sa.select(AUDIT)
        .where(AUDIT.c.community_id == community_id)
        .order_by(AUDIT.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(AUDIT.c.id < before)
    if wanted.actor_id is not None:
        query = query.where(AUDIT.c.actor_id == wanted.actor_id)
    if wanted.action is not None:
        query = query.where(AUDIT.c.action == int(wanted.action))
    if wanted.target_id is not None:
        query = query.where(AUDIT.c.target_id == wanted.target_id)
    # An id says when it was made, and is made when or after the deed is done: so the
    # index, which is in the order of ids, leads to the time.
    if wanted.after is not None:
        query = query.where(
            AUDIT.c.create_time >= wanted.after, AUDIT.c.id >= _first_id(wanted.after)
        )
    if wanted.before is not None:
        query = query.where(
            AUDIT.c.create_time < wanted.before, AUDIT.c.id < _first_id(wanted.before + _LATE)
        )
    return [_deed(row) for row in await tx.execute(query)]


async def forget_deeds(tx: Transaction, older_than: timedelta) -> bool:
    """Drop what was done longer ago, a batch of it; whether there may be more."""
    old = sa.select(AUDIT.c.id).where(AUDIT.c.create_time < sa.func.now() - older_than)
    # An array, each looked up: as a join, the whole table may be read beside it.
    batch = sa.func.array(old.limit(_AT_ONCE).scalar_subquery(), type_=sa.ARRAY(sa.Uuid))
    gone = await tx.execute(sa.delete(AUDIT).where(AUDIT.c.id == sa.any_(batch)))
    return gone.rowcount == _AT_ONCE


def _first_id(moment: datetime) -> UUID:
    """No UUIDv7 of this moment or later is smaller."""
    return UUID(int=max(int(moment.timestamp() * 1_000), 0) << 80)


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
