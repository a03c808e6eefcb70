"""Accounts, and the addresses they have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.auth.domain import Account, EmailTaken, HandleTaken, Standing, is_address
from services.auth.store.tables import ACCOUNT, HANDLE_CHANGE


async def add_account(tx: Transaction, account: Account) -> None:
    """Keep the intent to create an account. Raises `HandleTaken`."""
    await decide_on(tx, account.handle)
    reserved = sa.select(HANDLE_CHANGE.c.account_id).where(HANDLE_CHANGE.c.handle == account.handle)
    if (await tx.execute(reserved)).one_or_none() is not None:
        raise HandleTaken(account.handle)
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


async def decide_on(tx: Transaction, handle: str) -> None:
    """Let nobody else create an account under a handle, or reserve it, until this ends."""
    await tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(handle, 1))))


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


async def account_by(tx: Transaction, login: str) -> Account | None:
    """The account a login means: the one under a handle, or the one that has an address."""
    meant = (
        sa.and_(ACCOUNT.c.email == login.lower(), ACCOUNT.c.email_verified_time.is_not(None))
        if is_address(login)
        else ACCOUNT.c.handle == login.lower()
    )
    return await _one_account(tx, sa.select(ACCOUNT).where(meant))


async def account(tx: Transaction, account_id: UUID) -> Account | None:
    """An account by its id."""
    return await _one_account(tx, sa.select(ACCOUNT).where(ACCOUNT.c.id == account_id))


async def account_to_change(tx: Transaction, account_id: UUID) -> Account:
    """An account there is, which nobody else changes until the transaction ends."""
    query = sa.select(ACCOUNT).where(ACCOUNT.c.id == account_id).with_for_update()
    return to_account((await tx.execute(query)).one())


async def password_is(tx: Transaction, account_id: UUID, password_hash: str) -> bool:
    """Whether an account's password is still the one, and stays it until the transaction ends.

    False also when it was deactivated meanwhile.
    """
    query = sa.select(ACCOUNT.c.id).where(
        ACCOUNT.c.id == account_id,
        ACCOUNT.c.password_hash == password_hash,
        ACCOUNT.c.deactivate_time.is_(None),
    )
    return (await tx.execute(query.with_for_update(read=True))).one_or_none() is not None


async def may_sign_in(tx: Transaction, account_id: UUID, password_hash: str) -> bool:
    """Whether an account's password is still the one, and stays it until the transaction ends.

    Nobody else signs in with the account until then: whoever does may reactivate it.
    """
    query = sa.select(ACCOUNT.c.id).where(
        ACCOUNT.c.id == account_id, ACCOUNT.c.password_hash == password_hash
    )
    return (await tx.execute(query.with_for_update(key_share=True))).one_or_none() is not None


async def is_active(tx: Transaction, account_id: UUID) -> bool:
    """Whether there is an account that is not deactivated, nor is until the transaction ends."""
    query = sa.select(ACCOUNT.c.id).where(
        ACCOUNT.c.id == account_id,
        ACCOUNT.c.standing == Standing.SETTLED,
        ACCOUNT.c.deactivate_time.is_(None),
    )
    return (await tx.execute(query.with_for_update(read=True))).one_or_none() is not None


async def deactivate(tx: Transaction, account: Account, now: datetime) -> bool:
    """Have an account wait for its owner. False when it does, or its password is another by now."""
    changed = await tx.execute(
        sa.update(ACCOUNT)
        .where(
            ACCOUNT.c.id == account.id,
            ACCOUNT.c.password_hash == account.password_hash,
            ACCOUNT.c.standing == Standing.SETTLED,
            ACCOUNT.c.deactivate_time.is_(None),
        )
        .values(deactivate_time=now, standing_revision=ACCOUNT.c.standing_revision + 1)
    )
    return bool(changed.rowcount)


async def reactivate(tx: Transaction, account_id: UUID) -> bool:
    """Have an account wait no longer. False when it did not."""
    changed = await tx.execute(
        sa.update(ACCOUNT)
        .where(ACCOUNT.c.id == account_id, ACCOUNT.c.deactivate_time.is_not(None))
        .values(deactivate_time=None, standing_revision=ACCOUNT.c.standing_revision + 1)
    )
    return bool(changed.rowcount)


async def news_of(tx: Transaction, account_id: UUID) -> tuple[int, bool] | None:
    """The revision that user is to be told of, and whether the account is deactivated by it."""
    query = sa.select(ACCOUNT.c.standing_revision, ACCOUNT.c.deactivate_time).where(
        ACCOUNT.c.id == account_id,
        ACCOUNT.c.standing == Standing.SETTLED,
        ACCOUNT.c.standing_revision != ACCOUNT.c.told_revision,
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else (row.standing_revision, row.deactivate_time is not None)


async def told_of(tx: Transaction, account_id: UUID, revision: int) -> None:
    """Keep how far user was told."""
    told = sa.update(ACCOUNT).where(ACCOUNT.c.id == account_id, ACCOUNT.c.told_revision < revision)
    await tx.execute(told.values(told_revision=revision))


async def untold(tx: Transaction, limit: int) -> Sequence[UUID]:
    """Accounts that user has to be told of, the oldest first."""
    query = sa.select(ACCOUNT.c.id).where(
        ACCOUNT.c.standing_revision != ACCOUNT.c.told_revision,
        ACCOUNT.c.standing == Standing.SETTLED,
    )
    return (await tx.execute(query.order_by(ACCOUNT.c.create_time).limit(limit))).scalars().all()


async def set_password(tx: Transaction, account: Account, password_hash: str) -> bool:
    """Keep another password than the one an account has. False when it has another already."""
    changed = await tx.execute(
        sa.update(ACCOUNT)
        .where(ACCOUNT.c.id == account.id, ACCOUNT.c.password_hash == account.password_hash)
        .values(password_hash=password_hash)
    )
    return bool(changed.rowcount)


async def verify_email(tx: Transaction, account_id: UUID, email: str, now: datetime) -> None:
    """Give an account an address. Raises `EmailTaken` when another has it."""
    # Two who verify one address at once come one after the other.
    await tx.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(email, 0))))
    owner = await account_by(tx, email)
    if owner is not None and owner.id != account_id:
        raise EmailTaken
    await tx.execute(
        sa.update(ACCOUNT)
        .where(ACCOUNT.c.id == account_id)
        .values(email=email, email_verified_time=now)
    )


async def retire(tx: Transaction, account: Account) -> bool:
    """Let nobody sign in with an account any more. False when its password is another by now."""
    # Without a password, whoever is signing in this moment does not get through either.
    retired = await tx.execute(
        sa.update(ACCOUNT)
        .where(ACCOUNT.c.id == account.id, ACCOUNT.c.password_hash == account.password_hash)
        .values(standing=Standing.LEAVING, password_hash="")
    )
    return bool(retired.rowcount)


async def retired(tx: Transaction, limit: int) -> Sequence[UUID]:
    """Accounts that are to be erased, the oldest first."""
    query = sa.select(ACCOUNT.c.id).where(
        ACCOUNT.c.standing != sa.literal_column("'settled'"),
        ACCOUNT.c.standing == Standing.LEAVING,
    )
    return (await tx.execute(query.order_by(ACCOUNT.c.create_time).limit(limit))).scalars().all()


async def unsettled(tx: Transaction, longer_than: timedelta, limit: int) -> Sequence[Account]:
    """Accounts a crash left without a profile, the oldest first."""
    rows = await tx.execute(
        sa.select(ACCOUNT)
        .where(
            ACCOUNT.c.standing != sa.literal_column("'settled'"),  # as the index says it
            ACCOUNT.c.standing == Standing.COMING,
            ACCOUNT.c.create_time < sa.func.now() - longer_than,
        )
        .order_by(ACCOUNT.c.create_time)
        .limit(limit)
    )
    return [to_account(row) for row in rows]


async def _one_account(tx: Transaction, query: sa.Select[Any]) -> Account | None:
    row = (await tx.execute(query.where(ACCOUNT.c.standing == Standing.SETTLED))).one_or_none()
    return None if row is None else to_account(row)


def to_account(row: Row[Any]) -> Account:
    """An account from its columns."""
    return Account(
        row.id,
        row.handle,
        row.email,
        row.display_name,
        row.password_hash,
        Standing(row.standing),
        row.create_time,
        row.email_verified_time,
        row.deactivate_time,
    )
