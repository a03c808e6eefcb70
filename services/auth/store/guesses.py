"""How often somebody guessed, and from where people are known to sign in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.auth.store.tables import GUESS, KNOWN_SOURCE


async def count(tx: Transaction, key: bytes, period: timedelta) -> tuple[int, float]:
    """Count a guess: how many there were in the period, and in how many seconds it ends.

    Who counts under the same key waits until the transaction ends.
    """
    over = GUESS.c.end_time <= sa.func.now()
    counted = insert(GUESS).values(key=key, count=1, end_time=sa.func.now() + period)
    counted = counted.on_conflict_do_update(
        index_elements=[GUESS.c.key],
        set_={
            "count": sa.case((over, 1), else_=GUESS.c.count + 1),
            "end_time": sa.case((over, sa.func.now() + period), else_=GUESS.c.end_time),
        },
    )
    left = sa.extract("epoch", GUESS.c.end_time - sa.func.now()).label("left")
    row = (await tx.execute(counted.returning(GUESS.c.count.label("number"), left))).one()
    return int(row.number), float(row.left)


async def give_back(tx: Transaction, keys: Sequence[bytes]) -> None:
    """Count a guess less under each key, in their order: it was none."""
    for key in keys:
        await tx.execute(
            sa.update(GUESS)
            .where(GUESS.c.key == key, GUESS.c.count > 0)
            .values(count=GUESS.c.count - 1)
        )


async def forgive(tx: Transaction, key: bytes) -> None:
    """Forget the guesses under a key."""
    await tx.execute(sa.delete(GUESS).where(GUESS.c.key == key))


async def know(tx: Transaction, login: bytes, source: bytes, lasting: timedelta) -> None:
    """Remember that somebody proved from a source who they are."""
    known = insert(KNOWN_SOURCE).values(
        login=login, source=source, expire_time=sa.func.now() + lasting
    )
    await tx.execute(
        known.on_conflict_do_update(
            index_elements=[KNOWN_SOURCE.c.login, KNOWN_SOURCE.c.source],
            set_={"expire_time": known.excluded.expire_time},
        )
    )


async def knows(tx: Transaction, login: bytes, source: bytes) -> bool:
    """Whether somebody proved from a source who they are."""
    query = sa.select(KNOWN_SOURCE.c.login).where(
        KNOWN_SOURCE.c.login == login,
        KNOWN_SOURCE.c.source == source,
        KNOWN_SOURCE.c.expire_time > sa.func.now(),
    )
    return (await tx.execute(query)).one_or_none() is not None


async def forget_login(tx: Transaction, login: bytes) -> None:
    """Forget how often somebody was guessed at, and where they are known."""
    await forgive(tx, login)
    await tx.execute(sa.delete(KNOWN_SOURCE).where(KNOWN_SOURCE.c.login == login))


async def follow_login(tx: Transaction, before: bytes, now: bytes) -> None:
    """Know somebody who has another login from where they were known; forget the guesses."""
    await forget_login(tx, now)
    await forgive(tx, before)
    known = sa.update(KNOWN_SOURCE).where(KNOWN_SOURCE.c.login == before)
    await tx.execute(known.values(login=now))


async def forget_expired(tx: Transaction) -> None:
    """Drop what is over."""
    await tx.execute(sa.delete(GUESS).where(GUESS.c.end_time < sa.func.now()))
    await tx.execute(sa.delete(KNOWN_SOURCE).where(KNOWN_SOURCE.c.expire_time < sa.func.now()))
