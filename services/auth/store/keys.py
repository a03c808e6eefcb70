"""The keys that access tokens are signed with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.auth.domain import ACCESS_LASTS
from services.auth.domain.keys import SKEW, KeptKey
from services.auth.store.tables import SIGNING_KEY, TOKEN

_LOCK = 0x6B657973


async def keys(tx: Transaction) -> Sequence[KeptKey]:
    """The keys there are, the newest first."""
    rows = await tx.execute(sa.select(SIGNING_KEY).order_by(SIGNING_KEY.c.sign_time.desc()))
    return [KeptKey(row.id, row.sealed, row.sign_time, row.withdraw_time) for row in rows]


async def keys_to_change(tx: Transaction) -> Sequence[KeptKey]:
    """The same, which nobody else changes until the transaction ends."""
    await tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    return await keys(tx)


async def add_key(tx: Transaction, key: KeptKey) -> None:
    """Keep a key; the same one is kept once."""
    kept = insert(SIGNING_KEY).values(id=key.id, sealed=key.sealed, sign_time=key.sign_time)
    await tx.execute(kept.on_conflict_do_nothing(index_elements=[SIGNING_KEY.c.id]))


async def withdraw_before(tx: Transaction, sign_time: datetime) -> None:
    """Have nothing accepted from a time on that an earlier key signed."""
    earlier = sa.update(SIGNING_KEY).where(
        SIGNING_KEY.c.sign_time < sign_time, SIGNING_KEY.c.withdraw_time.is_(None)
    )
    await tx.execute(earlier.values(withdraw_time=sign_time))


async def forget_over(tx: Transaction, now: datetime) -> None:
    """Drop the keys that are withdrawn, and those of which no token is left."""
    later = SIGNING_KEY.alias("later")
    longer = sa.exists().where(TOKEN.c.create_time <= later.c.sign_time, TOKEN.c.expire_time > now)
    followed = sa.exists().where(
        later.c.sign_time > SIGNING_KEY.c.sign_time,
        later.c.sign_time <= now - ACCESS_LASTS - SKEW,
        ~longer,
    )
    over = sa.or_(SIGNING_KEY.c.withdraw_time <= now, followed)
    await tx.execute(sa.delete(SIGNING_KEY).where(over))
