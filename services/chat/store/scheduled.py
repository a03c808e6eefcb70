"""Messages that are to be sent later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row

from chassis.database import Transaction
from services.chat.domain.kept import BeingSent, NotWaiting, Scheduled
from services.chat.domain.place import Place
from services.chat.store.kept import PLACE
from services.chat.store.tables import CHANNEL, SCHEDULED_MESSAGE

_CLAIM: Final = sa.text(
    """
    WITH due AS (
        SELECT id FROM scheduled_message
        WHERE failure = '' AND send_time <= now()
            AND (claim_time IS NULL OR claim_time < now() - :seconds * interval '1 second')
        ORDER BY send_time LIMIT :limit
        FOR UPDATE SKIP LOCKED
    )
    UPDATE scheduled_message SET claim_time = now() FROM due
    WHERE scheduled_message.id = due.id
    RETURNING scheduled_message.id
    """
)
_SCHEDULED: Final = sa.select(SCHEDULED_MESSAGE, *PLACE).join_from(
    SCHEDULED_MESSAGE, CHANNEL, CHANNEL.c.id == SCHEDULED_MESSAGE.c.channel_id
)


async def add(tx: Transaction, message: Scheduled) -> None:
    """Have a message wait."""
    await tx.execute(
        sa.insert(SCHEDULED_MESSAGE).values(
            id=message.id,
            user_id=message.user_id,
            channel_id=message.place.id,
            content=message.content,
            reply_to=message.reply_to,
            send_time=message.send_time,
        )
    )


async def count(tx: Transaction, user_id: UUID) -> int:
    """How many messages of somebody's wait, or failed."""
    query = (
        sa.select(sa.func.count())
        .select_from(SCHEDULED_MESSAGE)
        .where(SCHEDULED_MESSAGE.c.user_id == user_id)
    )
    there: int = (await tx.execute(query)).scalar_one()
    return there


async def of_person(tx: Transaction, user_id: UUID, limit: int) -> Sequence[Scheduled]:
    """Somebody's messages that wait or failed, the soonest first."""
    query = (
        _SCHEDULED.where(SCHEDULED_MESSAGE.c.user_id == user_id)
        .order_by(SCHEDULED_MESSAGE.c.send_time, SCHEDULED_MESSAGE.c.id)
        .limit(limit)
    )
    return [_read(row) for row in await tx.execute(query)]


async def lock(tx: Transaction, user_id: UUID, message_id: UUID) -> Scheduled:
    """A message of somebody's that nobody sends or changes until the transaction ends.

    Raises `NotWaiting`, and `BeingSent` once it was taken to be sent: what became of
    it may not be known yet.
    """
    query = _SCHEDULED.where(
        SCHEDULED_MESSAGE.c.id == message_id, SCHEDULED_MESSAGE.c.user_id == user_id
    ).with_for_update(of=SCHEDULED_MESSAGE)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        raise NotWaiting
    if row.claim_time is not None and not row.failure:
        raise BeingSent
    return _read(row)


async def save(tx: Transaction, message: Scheduled) -> None:
    """Keep a changed message that is locked; it waits again."""
    await tx.execute(
        sa.update(SCHEDULED_MESSAGE)
        .where(SCHEDULED_MESSAGE.c.id == message.id)
        .values(
            content=message.content,
            send_time=message.send_time,
            failure=message.failure,
            claim_time=None,
        )
    )


async def cancel(tx: Transaction, user_id: UUID, message_id: UUID) -> bool:
    """Have a message of somebody's not sent; False when none waits. Raises `BeingSent`."""
    try:
        await lock(tx, user_id, message_id)
    except NotWaiting:
        return False
    return await remove(tx, message_id)


async def remove(tx: Transaction, message_id: UUID) -> bool:
    """Have a message wait no longer; False when it does not."""
    gone = await tx.execute(
        sa.delete(SCHEDULED_MESSAGE)
        .where(SCHEDULED_MESSAGE.c.id == message_id)
        .returning(SCHEDULED_MESSAGE.c.id)
    )
    return gone.one_or_none() is not None


async def fail(tx: Transaction, message_id: UUID, reason: str) -> bool:
    """Keep why a message could not be sent; False when it waits no longer."""
    failed = await tx.execute(
        sa.update(SCHEDULED_MESSAGE)
        .where(SCHEDULED_MESSAGE.c.id == message_id, SCHEDULED_MESSAGE.c.failure == "")
        .values(failure=reason)
        .returning(SCHEDULED_MESSAGE.c.id)
    )
    return failed.one_or_none() is not None


async def claim(tx: Transaction, limit: int, seconds: float) -> Sequence[Scheduled]:
    """Take messages whose time has come; nobody else does within so many seconds."""
    taken = list((await tx.execute(_CLAIM, {"limit": limit, "seconds": seconds})).scalars())
    if not taken:
        return []
    query = _SCHEDULED.where(
        SCHEDULED_MESSAGE.c.id == sa.any_(sa.bindparam("taken", type_=sa.ARRAY(sa.Uuid)))
    ).order_by(SCHEDULED_MESSAGE.c.send_time, SCHEDULED_MESSAGE.c.id)
    return [_read(row) for row in await tx.execute(query, {"taken": taken})]


def _read(row: Row[Any]) -> Scheduled:
    return Scheduled(
        row.id,
        row.user_id,
        Place(row.channel_id, row.conversation, row.thread),
        row.content,
        row.reply_to,
        row.send_time,
        row.failure,
    )
