"""Where it is kept who was erased."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.user.store.tables import CONFIRMATION, ERASURE


async def add_erasure(tx: Transaction, user_id: UUID, now: datetime) -> bool:
    """Keep that somebody is erased. False when it is kept already."""
    values = {"user_id": user_id, "create_time": now, "noted": False}
    return bool(await tx.add(insert(ERASURE).values(values).on_conflict_do_nothing()))


async def confirm(tx: Transaction, user_id: UUID, service: str) -> None:
    """Keep that a service has erased somebody; of who was never to be, nothing is kept."""
    values = sa.select(sa.literal(user_id), sa.literal(service), sa.func.now()).where(
        sa.exists().where(ERASURE.c.user_id == user_id)
    )
    await tx.execute(
        insert(CONFIRMATION)
        .from_select(["user_id", "service", "create_time"], values)
        .on_conflict_do_nothing()
    )


async def unnoted(tx: Transaction, limit: int) -> Sequence[tuple[UUID, datetime]]:
    """Erasures that stand nowhere else yet, the oldest first, with their time."""
    query = (
        sa.select(ERASURE.c.user_id, ERASURE.c.create_time)
        .where(~ERASURE.c.noted)
        .order_by(ERASURE.c.create_time)
        .limit(limit)
    )
    return [(row.user_id, row.create_time) for row in await tx.execute(query)]


async def noted(tx: Transaction, user_ids: Collection[UUID]) -> None:
    """Keep that erasures stand elsewhere as well."""
    await tx.execute(sa.update(ERASURE).where(ERASURE.c.user_id.in_(user_ids)).values(noted=True))


async def erased(tx: Transaction, user_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those among these people who are erased here."""
    rows = await tx.execute(sa.select(ERASURE.c.user_id).where(ERASURE.c.user_id.in_(user_ids)))
    return frozenset(rows.scalars())
