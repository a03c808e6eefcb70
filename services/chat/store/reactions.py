"""Who reacted to what. How many did stands on the message itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.chat.domain.message import Message
from services.chat.store.tables import REACTION


async def add(tx: Transaction, message_id: UUID, user_id: UUID, emoji: str) -> bool:
    """Keep that somebody reacted; False when it is kept already."""
    values = {"message_id": message_id, "user_id": user_id, "emoji": emoji}
    return bool(await tx.add(insert(REACTION).values(values).on_conflict_do_nothing()))


async def remove(tx: Transaction, message_id: UUID, user_id: UUID, emoji: str) -> bool:
    """Forget that somebody reacted; False when they had not."""
    gone = await tx.execute(
        sa.delete(REACTION)
        .where(
            REACTION.c.message_id == message_id,
            REACTION.c.user_id == user_id,
            REACTION.c.emoji == emoji,
        )
        .returning(sa.literal(1))
    )
    return bool(gone.all())


async def remove_all(tx: Transaction, message_id: UUID) -> None:
    """Forget who reacted to a message."""
    await tx.execute(sa.delete(REACTION).where(REACTION.c.message_id == message_id))


async def of_person(
    tx: Transaction, user_id: UUID, messages: Iterable[Message]
) -> Mapping[UUID, frozenset[str]]:
    """What somebody reacted with, by message; only where there are any reactions."""
    reacted_to = [message.id for message in messages if message.reactions]
    if not reacted_to:
        return {}
    query = sa.select(REACTION.c.message_id, REACTION.c.emoji).where(
        REACTION.c.message_id == sa.any_(sa.bindparam("messages", type_=sa.ARRAY(sa.Uuid))),
        REACTION.c.user_id == user_id,
    )
    found: dict[UUID, frozenset[str]] = {}
    for row in await tx.execute(query, {"messages": reacted_to}):
        found[row.message_id] = found.get(row.message_id, frozenset()) | {row.emoji}
    return found
