"""Second factors, and the recovery codes that go with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.auth.domain.second_factor import SecondFactor
from services.auth.store.tables import RECOVERY_CODE, SECOND_FACTOR


async def begin(tx: Transaction, begun: SecondFactor) -> bool:
    """Keep a secret to be confirmed, instead of another one. False where one is confirmed."""
    kept = insert(SECOND_FACTOR).values(
        account_id=begun.account_id, sealed_secret=begun.sealed_secret, used_step=begun.used_step
    )
    kept = kept.on_conflict_do_update(
        index_elements=[SECOND_FACTOR.c.account_id],
        set_={"sealed_secret": kept.excluded.sealed_secret, "used_step": kept.excluded.used_step},
        where=SECOND_FACTOR.c.enable_time.is_(None),
    )
    return bool(await tx.add(kept))


async def second_factor(tx: Transaction, account_id: UUID) -> SecondFactor | None:
    """The secret of an account, confirmed or not."""
    row = (await tx.execute(_of(account_id))).one_or_none()
    return None if row is None else _second_factor(row)


async def second_factor_to_change(tx: Transaction, account_id: UUID) -> SecondFactor | None:
    """The same, which nobody else changes until the transaction ends."""
    row = (await tx.execute(_of(account_id).with_for_update())).one_or_none()
    return None if row is None else _second_factor(row)


async def use_step(tx: Transaction, account_id: UUID, step: int) -> None:
    """Remember that the code of a time step was used."""
    await tx.execute(_change(account_id).values(used_step=step))


async def enable(tx: Transaction, account_id: UUID, step: int, now: datetime) -> None:
    """Let signing in ask for codes; the one of a time step was used."""
    await tx.execute(_change(account_id).values(used_step=step, enable_time=now))


async def drop(tx: Transaction, account_id: UUID) -> bool:
    """Forget a second factor and its recovery codes. False when there is none that counts."""
    dropped = (
        sa.delete(SECOND_FACTOR)
        .where(SECOND_FACTOR.c.account_id == account_id)
        .returning(SECOND_FACTOR.c.enable_time)
    )
    return (await tx.execute(dropped)).scalar_one_or_none() is not None


async def replace_recovery_codes(
    tx: Transaction, account_id: UUID, hashes: Sequence[bytes]
) -> None:
    """Keep other recovery codes than there were."""
    await tx.execute(sa.delete(RECOVERY_CODE).where(RECOVERY_CODE.c.account_id == account_id))
    await tx.execute(
        sa.insert(RECOVERY_CODE),
        [{"account_id": account_id, "code_hash": one} for one in hashes],
    )


async def use_recovery_code(tx: Transaction, account_id: UUID, code_hash: bytes) -> bool:
    """Use a recovery code up. False when it is none (any more)."""
    used = sa.delete(RECOVERY_CODE).where(
        RECOVERY_CODE.c.account_id == account_id, RECOVERY_CODE.c.code_hash == code_hash
    )
    return bool((await tx.execute(used)).rowcount)


async def recovery_codes_left(tx: Transaction, account_id: UUID) -> int:
    """How many recovery codes an account has."""
    query = sa.select(sa.func.count()).where(RECOVERY_CODE.c.account_id == account_id)
    return int((await tx.execute(query)).scalar_one())


def _of(account_id: UUID) -> sa.Select[Any]:
    return sa.select(SECOND_FACTOR).where(SECOND_FACTOR.c.account_id == account_id)


def _change(account_id: UUID) -> sa.Update:
    return sa.update(SECOND_FACTOR).where(SECOND_FACTOR.c.account_id == account_id)


def _second_factor(row: Row[Any]) -> SecondFactor:
    return SecondFactor(row.account_id, row.sealed_secret, row.used_step, row.enable_time)
