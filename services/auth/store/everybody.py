"""What lets people in, whosever it is: all that of everybody ends at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row

from chassis.database import Transaction
from services.auth.domain import Revocation
from services.auth.store.sessions import void
from services.auth.store.tables import APP_GRANT, SESSION, TOKEN


async def end_some(
    tx: Transaction, tokens_end: datetime, limit: int
) -> Sequence[tuple[Revocation, UUID]]:
    """End some sessions, tokens of programs and what apps were given, so many of each at most.

    Each comes with whom it acts for; none when nothing is left. `tokens_end` is when the last
    token of a session ends that is ended now; a program's token says that of itself.
    """
    ends = sa.literal(tokens_end)
    rows = [
        *await _drop_some(tx, SESSION, limit, SESSION.c.account_id, ends),
        *await _drop_some(tx, TOKEN, limit, TOKEN.c.user_id, TOKEN.c.expire_time),
        *await _drop_some(tx, APP_GRANT, limit, APP_GRANT.c.account_id, ends),
    ]
    ended = await void(tx, [(row.id, row.ends) for row in rows])
    return [(one, row.whose) for one, row in zip(ended, rows, strict=True)]


async def _drop_some(
    tx: Transaction,
    table: sa.Table,
    limit: int,
    whose: sa.ColumnElement[UUID],
    ends: sa.ColumnElement[datetime],
) -> Sequence[Row[Any]]:
    # By the index, which forgets what was ended before; the table would be read past it.
    some = sa.select(table.c.id).order_by(table.c.id).limit(limit).scalar_subquery()
    over = sa.delete(table).where(table.c.id == sa.any_(sa.func.array(some)))
    said = (table.c.id, whose.label("whose"), ends.label("ends"))
    return (await tx.execute(over.returning(*said))).all()
