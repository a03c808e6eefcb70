"""Who chose what in polls. How many did stands on the message itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from chassis.database import Transaction
from services.chat.domain.message import Message
from services.chat.domain.poll import Poll
from services.chat.store.tables import POLL_VOTE


def packed(poll: Poll | None) -> dict[str, Any] | None:
    """A poll as it is stored."""
    if poll is None:
        return None
    return {
        "question": poll.question,
        "options": list(poll.options),
        "multiple": poll.multiple,
        "anonymous": poll.anonymous,
        "close_time": poll.close_time.isoformat(),
        "counts": list(poll.counts),
        "voters": poll.voters,
    }


def unpacked(stored: Mapping[str, Any] | None) -> Poll | None:
    """A poll as it was before it was stored."""
    if stored is None:
        return None
    return Poll(
        stored["question"],
        tuple(stored["options"]),
        stored["multiple"],
        stored["anonymous"],
        datetime.fromisoformat(stored["close_time"]),
        tuple(stored["counts"]),
        stored["voters"],
    )


async def of_person(
    tx: Transaction, user_id: UUID, messages: Iterable[Message]
) -> Mapping[UUID, Sequence[int]]:
    """What somebody chose, by message; no question where nothing is asked."""
    asking = [message.id for message in messages if message.poll is not None]
    if not asking:
        return {}
    query = (
        sa.select(POLL_VOTE.c.message_id, POLL_VOTE.c.option)
        .where(
            POLL_VOTE.c.user_id == user_id,
            POLL_VOTE.c.message_id == sa.any_(sa.bindparam("messages", type_=sa.ARRAY(sa.Uuid))),
        )
        .order_by(POLL_VOTE.c.option)
    )
    found: dict[UUID, list[int]] = {}
    for row in await tx.execute(query, {"messages": asking}):
        found.setdefault(row.message_id, []).append(row.option)
    return found


async def choose(tx: Transaction, message_id: UUID, user_id: UUID, chosen: Collection[int]) -> None:
    """Keep what somebody chose, in place of what they chose before."""
    await tx.execute(
        sa.delete(POLL_VOTE).where(
            POLL_VOTE.c.user_id == user_id, POLL_VOTE.c.message_id == message_id
        )
    )
    votes = [{"message_id": message_id, "option": one, "user_id": user_id} for one in chosen]
    if votes:
        await tx.execute(sa.insert(POLL_VOTE), votes)


async def remove_all(tx: Transaction, message_id: UUID) -> None:
    """Forget who chose what in a poll."""
    await tx.execute(sa.delete(POLL_VOTE).where(POLL_VOTE.c.message_id == message_id))


async def voters_after(
    tx: Transaction, message_id: UUID, option: int, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """Who chose something, by their ids."""
    query = (
        sa.select(POLL_VOTE.c.user_id)
        .where(POLL_VOTE.c.message_id == message_id, POLL_VOTE.c.option == option)
        .order_by(POLL_VOTE.c.user_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(POLL_VOTE.c.user_id > after)
    return list((await tx.execute(query)).scalars())
