"""Handles that accounts are about to have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.auth.domain import Account, HandleChange, HandleChanging, HandleTaken
from services.auth.store.accounts import decide_on, to_account
from services.auth.store.tables import ACCOUNT, HANDLE_CHANGE


async def reserve(tx: Transaction, account_id: UUID, handle: str, now: datetime) -> HandleChange:
    """Keep a handle for an account; the same again is another attempt at it.

    Raises `HandleTaken`, and `HandleChanging` when the account is about to have another.
    """
    wanted = handle.lower()
    await decide_on(tx, wanted)
    for table, owner in (
        (ACCOUNT, ACCOUNT.c.id),
        (HANDLE_CHANGE, HANDLE_CHANGE.c.account_id),
    ):
        others = sa.select(owner).where(table.c.handle == wanted, owner != account_id)
        if (await tx.execute(others)).one_or_none() is not None:
            raise HandleTaken(wanted)
    kept = insert(HANDLE_CHANGE).values(account_id=account_id, handle=wanted, attempt_time=now)
    again = kept.on_conflict_do_update(
        index_elements=[HANDLE_CHANGE.c.account_id],
        set_={"attempt_time": kept.excluded.attempt_time},
        where=HANDLE_CHANGE.c.handle == wanted,
    )
    row = (await tx.execute(again.returning(HANDLE_CHANGE))).one_or_none()
    if row is None:
        raise HandleChanging
    return _change(row)


async def take_abandoned(
    tx: Transaction, longer_than: timedelta, now: datetime, limit: int
) -> Sequence[HandleChange]:
    """Changes that a crash left half-way, the oldest first, each taken up for another attempt."""
    left = (
        sa.select(HANDLE_CHANGE.c.account_id)
        .where(HANDLE_CHANGE.c.attempt_time < now - longer_than)
        .order_by(HANDLE_CHANGE.c.attempt_time)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken: list[HandleChange] = []
    for account_id in (await tx.execute(left)).scalars().all():
        mine = sa.update(HANDLE_CHANGE).where(HANDLE_CHANGE.c.account_id == account_id)
        again = mine.values(attempt_time=now).returning(HANDLE_CHANGE)
        taken.append(_change((await tx.execute(again)).one()))
    return taken


async def give_up(tx: Transaction, change: HandleChange) -> None:
    """Keep the handle for the account no longer, unless there is a later attempt."""
    await tx.execute(
        sa.delete(HANDLE_CHANGE).where(
            HANDLE_CHANGE.c.account_id == change.account_id,
            HANDLE_CHANGE.c.attempt_time == change.attempt_time,
        )
    )


async def carry_out(tx: Transaction, change: HandleChange) -> Account | None:
    """Give an account the handle that is kept for it; the account as it was before.

    None when there is nothing to change (any more).
    """
    query = (
        sa.select(ACCOUNT)
        .join(HANDLE_CHANGE, HANDLE_CHANGE.c.account_id == ACCOUNT.c.id)
        .where(ACCOUNT.c.id == change.account_id, HANDLE_CHANGE.c.handle == change.handle)
        .with_for_update(of=ACCOUNT)
    )
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return None
    await tx.execute(
        sa.delete(HANDLE_CHANGE).where(
            HANDLE_CHANGE.c.account_id == change.account_id,
            HANDLE_CHANGE.c.handle == change.handle,
        )
    )
    if row.handle == change.handle:
        return None
    this = sa.update(ACCOUNT).where(ACCOUNT.c.id == change.account_id)
    await tx.execute(this.values(handle=change.handle))
    return to_account(row)


def _change(row: Row[Any]) -> HandleChange:
    return HandleChange(row.account_id, row.handle, row.attempt_time)
