"""Sessions, and those that ended before their tokens did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row

from chassis.database import Transaction
from services.auth.domain import Revocation, Session
from services.auth.store.tables import REVISION, REVOCATION, SESSION

_SKEW = sa.text("interval '1 minute'")
"""By how much the clocks of services may differ, generously."""


async def add_session(tx: Transaction, session: Session) -> None:
    """Keep a new session."""
    await tx.execute(
        sa.insert(SESSION).values(
            id=session.id,
            account_id=session.account_id,
            refresh_hash=session.refresh_hash,
            create_time=session.create_time,
            expire_time=session.expire_time,
            user_agent=session.user_agent,
            network=session.network,
        )
    )


async def session_to_change(tx: Transaction, session_id: UUID, now: datetime) -> Session | None:
    """A session that lasts, which nobody else changes until the transaction ends."""
    row = (
        await tx.execute(
            sa.select(SESSION)
            .where(SESSION.c.id == session_id, SESSION.c.expire_time > now)
            .with_for_update()
        )
    ).one_or_none()
    return None if row is None else _session(row)


async def save_session(tx: Transaction, session: Session) -> None:
    """Keep a refreshed session."""
    await tx.execute(sa.update(SESSION).where(SESSION.c.id == session.id).values(rotation(session)))


def rotation(session: Session) -> dict[str, Any]:
    """What a refresh changes of a session, wherever it is kept."""
    return {
        "refresh_hash": session.refresh_hash,
        "expire_time": session.expire_time,
        "previous_hash": session.previous_hash,
        "rotate_time": session.rotate_time,
    }


async def sessions_of(
    tx: Transaction, account_id: UUID, now: datetime, limit: int
) -> Sequence[Session]:
    """The sessions of an account that last, the newest first."""
    rows = await tx.execute(
        sa.select(SESSION)
        .where(SESSION.c.account_id == account_id, SESSION.c.expire_time > now)
        .order_by(SESSION.c.create_time.desc())
        .limit(limit)
    )
    return [_session(row) for row in rows]


async def end_sessions(
    tx: Transaction,
    account_id: UUID,
    tokens_end: datetime,
    *,
    only: UUID | None = None,
    but: UUID | None = None,
) -> Sequence[Revocation]:
    """End sessions of an account before their tokens end: all, `only` one, or all `but` one."""
    over = sa.delete(SESSION).where(SESSION.c.account_id == account_id)
    if only is not None:
        over = over.where(SESSION.c.id == only)
    if but is not None:
        over = over.where(SESSION.c.id != but)
    ended = (await tx.execute(over.returning(SESSION.c.id))).scalars().all()
    return await void(tx, [(session_id, tokens_end) for session_id in ended])


async def void(tx: Transaction, ended: Sequence[tuple[UUID, datetime]]) -> Sequence[Revocation]:
    """Keep that sessions have ended, each with when the last of its tokens ends."""
    if not ended:
        return []
    raised = sa.update(REVISION).values(value=REVISION.c.value + len(ended))
    last = int((await tx.execute(raised.returning(REVISION.c.value))).scalar_one())
    revocations = [
        Revocation(session_id, number, tokens_end)
        for number, (session_id, tokens_end) in enumerate(ended, last - len(ended) + 1)
    ]
    await tx.execute(
        sa.insert(REVOCATION),
        [
            {"revision": one.revision, "session_id": one.session_id, "expire_time": one.expire_time}
            for one in revocations
        ],
    )
    return revocations


async def revision(tx: Transaction) -> int:
    """The revision of the last revocation."""
    return int((await tx.execute(sa.select(REVISION.c.value))).scalar_one())


async def revocations_after(tx: Transaction, revision: int, limit: int) -> Sequence[Revocation]:
    """The revocations after a revision that are kept, in order."""
    rows = await tx.execute(
        sa.select(REVOCATION)
        .where(REVOCATION.c.revision > revision)
        .order_by(REVOCATION.c.revision)
        .limit(limit)
    )
    return [Revocation(row.session_id, row.revision, row.expire_time) for row in rows]


async def forget_expired(tx: Transaction) -> None:
    """Drop the sessions whose time is over, and revocations of which no token is left."""
    await tx.execute(sa.delete(SESSION).where(SESSION.c.expire_time < sa.func.now()))
    past = sa.func.now() - _SKEW
    await tx.execute(sa.delete(REVOCATION).where(REVOCATION.c.expire_time < past))


def _session(row: Row[Any]) -> Session:
    return Session(
        row.id,
        row.account_id,
        row.refresh_hash,
        row.create_time,
        row.expire_time,
        row.previous_hash,
        row.rotate_time,
        row.user_agent,
        row.network,
    )
