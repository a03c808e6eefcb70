"""Passkeys, and the challenges that were answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.auth.domain.passkeys import Passkey, PasskeyNotFound
from services.auth.store.tables import PASSKEY, USED_CHALLENGE


async def add_passkey(tx: Transaction, passkey: Passkey) -> bool:
    """Keep a new passkey. False when somebody has it already."""
    added = insert(PASSKEY).values(
        id=passkey.id,
        account_id=passkey.account_id,
        name=passkey.name,
        credential_id=passkey.credential_id,
        public_key=passkey.public_key,
        sign_count=passkey.sign_count,
        synced=passkey.synced,
        create_time=passkey.create_time,
    )
    return bool(
        await tx.add(added.on_conflict_do_nothing(index_elements=[PASSKEY.c.credential_id]))
    )


async def passkeys_of(tx: Transaction, account_id: UUID) -> Sequence[Passkey]:
    """The passkeys of an account, the newest first."""
    rows = await tx.execute(
        sa.select(PASSKEY)
        .where(PASSKEY.c.account_id == account_id)
        .order_by(PASSKEY.c.create_time.desc())
    )
    return [_passkey(row) for row in rows]


async def passkey_to_use(tx: Transaction, credential_id: bytes) -> Passkey | None:
    """A passkey, which nobody else uses until the transaction ends."""
    query = sa.select(PASSKEY).where(PASSKEY.c.credential_id == credential_id)
    row = (await tx.execute(query.with_for_update())).one_or_none()
    return None if row is None else _passkey(row)


async def passkey_is_used(
    tx: Transaction, passkey_id: UUID, sign_count: int, now: datetime
) -> None:
    """Keep how often a passkey was used, and that it was now."""
    used = sa.update(PASSKEY).where(PASSKEY.c.id == passkey_id)
    await tx.execute(used.values(sign_count=sign_count, last_use_time=now))


async def rename(tx: Transaction, account_id: UUID, passkey_id: UUID, name: str) -> Passkey:
    """Give a passkey of an account another name. Raises `PasskeyNotFound`."""
    renamed = (
        sa.update(PASSKEY)
        .where(PASSKEY.c.id == passkey_id, PASSKEY.c.account_id == account_id)
        .values(name=name)
    )
    row = (await tx.execute(renamed.returning(PASSKEY))).one_or_none()
    if row is None:
        raise PasskeyNotFound
    return _passkey(row)


async def drop_passkey(tx: Transaction, account_id: UUID, passkey_id: UUID) -> bool:
    """Forget a passkey of an account. False when there was none."""
    dropped = await tx.execute(
        sa.delete(PASSKEY).where(PASSKEY.c.id == passkey_id, PASSKEY.c.account_id == account_id)
    )
    return bool(dropped.rowcount)


async def use_challenge(tx: Transaction, challenge: bytes, expire_time: datetime) -> bool:
    """Use up a challenge. False when it was used before."""
    used = insert(USED_CHALLENGE).values(hash=challenge, expire_time=expire_time)
    return bool(await tx.add(used.on_conflict_do_nothing()))


async def forget_expired(tx: Transaction) -> None:
    """Drop the challenges whose time is over."""
    over = USED_CHALLENGE.c.expire_time < sa.func.now()
    await tx.execute(sa.delete(USED_CHALLENGE).where(over))


def _passkey(row: Row[Any]) -> Passkey:
    return Passkey(
        row.id,
        row.account_id,
        row.name,
        row.credential_id,
        row.public_key,
        row.sign_count,
        row.synced,
        row.create_time,
        row.last_use_time,
    )
