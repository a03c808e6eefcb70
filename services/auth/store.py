"""Where accounts and sessions are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.auth.domain import Account, HandleTaken, Session, Standing, is_address

METADATA = sa.MetaData()

ACCOUNT = sa.Table(
    "account",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("handle", sa.Text, nullable=False, unique=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
)
SESSION = sa.Table(
    "session",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("account_id", sa.Uuid, sa.ForeignKey("account.id"), nullable=False),
    sa.Column("refresh_hash", sa.LargeBinary, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
)


async def add_account(tx: Transaction, account: Account) -> None:
    """Keep the intent to create an account. Raises `HandleTaken`."""
    added = await tx.add(
        insert(ACCOUNT)
        .values(
            id=account.id,
            handle=account.handle,
            email=account.email,
            display_name=account.display_name,
            password_hash=account.password_hash,
            standing=account.standing,
            create_time=account.create_time,
        )
        .on_conflict_do_nothing(index_elements=[ACCOUNT.c.handle])
    )
    if not added:
        raise HandleTaken(account.handle)


async def settle_account(tx: Transaction, account_id: UUID) -> None:
    """Let an account count: it has its profile."""
    await tx.execute(
        sa.update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(standing=Standing.SETTLED)
    )


async def drop_account(tx: Transaction, account_id: UUID) -> None:
    """Give up an account that could not have its profile."""
    await tx.execute(
        sa.delete(ACCOUNT).where(ACCOUNT.c.id == account_id, ACCOUNT.c.standing == Standing.COMING)
    )


async def accounts_of(tx: Transaction, login: str, limit: int) -> Sequence[Account]:
    """The accounts a login may mean, the oldest first: a handle's one, an address's several."""
    column = ACCOUNT.c.email if is_address(login) else ACCOUNT.c.handle
    rows = await tx.execute(
        sa.select(ACCOUNT)
        .where(column == login.lower(), ACCOUNT.c.standing == Standing.SETTLED)
        .order_by(ACCOUNT.c.id)
        .limit(limit)
    )
    return [_account(row) for row in rows]


async def unsettled(tx: Transaction, longer_than: timedelta, limit: int) -> Sequence[Account]:
    """Accounts a crash left without a profile, the oldest first."""
    rows = await tx.execute(
        sa.select(ACCOUNT)
        .where(
            ACCOUNT.c.standing == Standing.COMING,
            ACCOUNT.c.create_time < sa.func.now() - longer_than,
        )
        .order_by(ACCOUNT.c.create_time)
        .limit(limit)
    )
    return [_account(row) for row in rows]


async def add_session(tx: Transaction, session: Session) -> None:
    """Keep a new session."""
    await tx.execute(
        sa.insert(SESSION).values(
            id=session.id,
            account_id=session.account_id,
            refresh_hash=session.refresh_hash,
            create_time=session.create_time,
            expire_time=session.expire_time,
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
    await tx.execute(
        sa.update(SESSION)
        .where(SESSION.c.id == session.id)
        .values(refresh_hash=session.refresh_hash, expire_time=session.expire_time)
    )


async def end_session(tx: Transaction, session_id: UUID) -> None:
    """End a session."""
    await tx.execute(sa.delete(SESSION).where(SESSION.c.id == session_id))


async def forget_expired(tx: Transaction) -> None:
    """Drop the sessions whose time is over."""
    await tx.execute(sa.delete(SESSION).where(SESSION.c.expire_time < sa.func.now()))


def _account(row: Row[Any]) -> Account:
    return Account(
        row.id,
        row.handle,
        row.email,
        row.display_name,
        row.password_hash,
        Standing(row.standing),
        row.create_time,
    )


def _session(row: Row[Any]) -> Session:
    return Session(row.id, row.account_id, row.refresh_hash, row.create_time, row.expire_time)
