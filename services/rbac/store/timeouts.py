"""Who is timed out. What time it is, the database says: there is one for all replicas."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.rbac.domain.timeout import Timeout
from services.rbac.store.tables import TIMEOUT

_NOW: Final = sa.func.clock_timestamp()
"""Not when the transaction began: it may have waited for another one's lock."""


async def time_out(
    tx: Transaction,
    community_id: UUID,
    user_id: UUID,
    creator_id: UUID,
    reason: str,
    lasts: timedelta,
) -> Timeout:
    """Time somebody out from now on, whether or not they were before."""
    values = {
        "creator_id": creator_id,
        "reason": reason,
        "create_time": _NOW,
        "expire_time": _NOW + lasts,
    }
    row = await tx.execute(
        insert(TIMEOUT)
        .values(community_id=community_id, user_id=user_id, **values)
        .on_conflict_do_update(
            index_elements=[TIMEOUT.c.community_id, TIMEOUT.c.user_id], set_=values
        )
        .returning(TIMEOUT)
    )
    return _timeout(row.one())


async def timeout_of(tx: Transaction, community_id: UUID, user_id: UUID) -> Timeout | None:
    """The timeout of a person, while it lasts."""
    row = await tx.execute(
        sa.select(TIMEOUT).where(
            TIMEOUT.c.community_id == community_id,
            TIMEOUT.c.user_id == user_id,
            TIMEOUT.c.expire_time > _NOW,
        )
    )
    found = row.one_or_none()
    return None if found is None else _timeout(found)


async def timeouts_of(
    tx: Transaction, community_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Timeout]:
    """The timeouts of a community that last, the one that ends first first."""
    query = (
        sa.select(TIMEOUT)
        .where(TIMEOUT.c.community_id == community_id)
        .order_by(TIMEOUT.c.expire_time, TIMEOUT.c.user_id)
        .limit(limit)
    )
    # now() of the statement's transaction, which an index can be asked with.
    if after is None:
        query = query.where(TIMEOUT.c.expire_time > sa.func.now())
    else:
        # One bound: of two, the index is read from the first on, past every page before.
        moment = sa.func.greatest(sa.literal(after[0], sa.DateTime(timezone=True)), sa.func.now())
        here = sa.tuple_(TIMEOUT.c.expire_time, TIMEOUT.c.user_id)
        query = query.where(here > sa.tuple_(moment, after[1]))
    return [_timeout(row) for row in await tx.execute(query)]


async def end(tx: Transaction, community_id: UUID, user_id: UUID) -> None:
    """Let somebody act again."""
    await tx.execute(
        sa.delete(TIMEOUT).where(
            TIMEOUT.c.community_id == community_id, TIMEOUT.c.user_id == user_id
        )
    )


async def forget_over(tx: Transaction) -> None:
    """Drop timeouts that are over. They mean nothing any more, so nobody is told."""
    await tx.execute(sa.delete(TIMEOUT).where(TIMEOUT.c.expire_time < sa.func.now()))


def _timeout(row: Row[Any]) -> Timeout:
    return Timeout(
        row.community_id,
        row.user_id,
        row.creator_id,
        row.reason,
        row.create_time,
        row.expire_time,
    )
