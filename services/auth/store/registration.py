"""Who may sign up, and the codes that let people in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row

from chassis.database import Transaction
from services.auth.domain.registration import MOST_CODES, Mode, Registration, SignUpCode
from services.auth.store.tables import ACCOUNT, REGISTRATION, SIGN_UP_CODE, SIGN_UP_USE

_WORKS = sa.and_(
    SIGN_UP_CODE.c.expire_time > sa.func.now(), SIGN_UP_CODE.c.uses < SIGN_UP_CODE.c.max_uses
)


async def registration(tx: Transaction) -> Registration:
    """Who may sign up."""
    return _registration((await tx.execute(sa.select(REGISTRATION))).one())


async def registration_to_change(tx: Transaction) -> Registration:
    """The same, which nobody else changes until the transaction ends."""
    return _registration((await tx.execute(sa.select(REGISTRATION).with_for_update())).one())


async def save(tx: Transaction, changed: Registration) -> None:
    """Keep who may sign up."""
    await tx.execute(
        sa.update(REGISTRATION).values(
            mode=changed.mode, require_verified_email=changed.require_verified_email
        )
    )


async def is_to_verify(tx: Transaction, account_id: UUID) -> bool:
    """Whether an account is to verify its address before it may do more than read and join."""
    wanted, verified = REGISTRATION.c.require_verified_email, ACCOUNT.c.email_verified_time
    query = sa.select(sa.and_(wanted, verified.is_(None)))
    query = query.select_from(ACCOUNT.join(REGISTRATION, sa.true()))
    query = query.where(ACCOUNT.c.id == account_id)
    return bool((await tx.execute(query)).scalar_one_or_none())


async def add_code(tx: Transaction, code: SignUpCode) -> None:
    """Keep a new code."""
    await tx.execute(
        sa.insert(SIGN_UP_CODE).values(
            code=code.code,
            max_uses=code.max_uses,
            uses=code.uses,
            overrules=code.overrules,
            create_time=code.create_time,
            expire_time=code.expire_time,
        )
    )


async def working_codes(tx: Transaction) -> Sequence[SignUpCode]:
    """The codes of administrators that work, the newest first."""
    rows = await tx.execute(
        sa.select(SIGN_UP_CODE)
        .where(_WORKS, ~SIGN_UP_CODE.c.overrules)
        .order_by(SIGN_UP_CODE.c.create_time.desc())
        .limit(MOST_CODES)
    )
    return [_code(row) for row in rows]


async def use_code(tx: Transaction, code: str, mode: Mode) -> bool:
    """Use a code once. False when it does not work, or not in this mode.

    Who uses the same code waits until the transaction ends, so none works too often.
    """
    used = sa.update(SIGN_UP_CODE).where(SIGN_UP_CODE.c.code == code, _WORKS)
    if mode is not Mode.INVITE:
        used = used.where(SIGN_UP_CODE.c.overrules)
    return bool((await tx.execute(used.values(uses=SIGN_UP_CODE.c.uses + 1))).rowcount)


async def remember_use(tx: Transaction, account_id: UUID, code: str) -> None:
    """Keep which code an account was created with, until it counts."""
    await tx.execute(sa.insert(SIGN_UP_USE).values(account_id=account_id, code=code))


async def forget_use(tx: Transaction, account_id: UUID) -> None:
    """Forget it: the account counts."""
    await tx.execute(sa.delete(SIGN_UP_USE).where(SIGN_UP_USE.c.account_id == account_id))


async def give_back(tx: Transaction, account_id: UUID) -> None:
    """Give back the use of a code: the account came to nothing."""
    taken = sa.delete(SIGN_UP_USE).where(SIGN_UP_USE.c.account_id == account_id)
    code = (await tx.execute(taken.returning(SIGN_UP_USE.c.code))).scalar_one_or_none()
    if code is not None:
        returned = sa.update(SIGN_UP_CODE).where(SIGN_UP_CODE.c.code == code)
        await tx.execute(returned.values(uses=SIGN_UP_CODE.c.uses - 1))


async def drop_code(tx: Transaction, code: str) -> None:
    """Take a code back."""
    await tx.execute(sa.delete(SIGN_UP_CODE).where(SIGN_UP_CODE.c.code == code))


async def forget_expired(tx: Transaction) -> None:
    """Drop the codes whose time is over."""
    await tx.execute(sa.delete(SIGN_UP_CODE).where(SIGN_UP_CODE.c.expire_time < sa.func.now()))


def _registration(row: Row[Any]) -> Registration:
    return Registration(Mode(row.mode), row.require_verified_email)


def _code(row: Row[Any]) -> SignUpCode:
    return SignUpCode(
        row.code, row.max_uses, row.uses, row.create_time, row.expire_time, row.overrules
    )
