"""Conversations and their members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.chat.domain.conversation import Conversation
from services.chat.store.tables import CHANNEL, CONVERSATION, CONVERSATION_MEMBER

_MEMBERS: Final = (
    sa.select(sa.func.array_agg(CONVERSATION_MEMBER.c.user_id.distinct()))
    .where(CONVERSATION_MEMBER.c.conversation_id == CONVERSATION.c.id)
    .scalar_subquery()
    .label("member_ids")
)
"""Distinct, for they come in their order then."""
_CONVERSATION: Final = sa.select(CONVERSATION.c.id, CONVERSATION.c.create_time, _MEMBERS)


async def add(tx: Transaction, conversation: Conversation) -> bool:
    """Keep a conversation; False when its two people have one already.

    Waits for another transaction that is beginning one for the same two.
    """
    first, second = conversation.pair or (None, None)
    values = {
        "id": conversation.id,
        "first_id": first,
        "second_id": second,
        "create_time": conversation.create_time,
    }
    if not await tx.add(insert(CONVERSATION).values(values).on_conflict_do_nothing()):
        return False
    await tx.execute(
        sa.insert(CHANNEL).values(id=conversation.id, community_id=None, last_sequence=0)
    )
    members = [{"conversation_id": conversation.id, "user_id": m} for m in conversation.member_ids]
    await tx.execute(sa.insert(CONVERSATION_MEMBER), members)
    return True


async def between(tx: Transaction, pair: tuple[UUID, UUID]) -> Conversation | None:
    """The conversation of two people, in the order of their ids."""
    query = _CONVERSATION.where(
        CONVERSATION.c.first_id == pair[0], CONVERSATION.c.second_id == pair[1]
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _read(row)


async def conversation(tx: Transaction, conversation_id: UUID) -> Conversation | None:
    """A conversation."""
    query = _CONVERSATION.where(CONVERSATION.c.id == conversation_id)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _read(row)


async def belongs(tx: Transaction, conversation_id: UUID, user_id: UUID) -> bool:
    """Whether somebody is in a conversation."""
    query = sa.select(sa.literal(1)).where(
        CONVERSATION_MEMBER.c.conversation_id == conversation_id,
        CONVERSATION_MEMBER.c.user_id == user_id,
    )
    return (await tx.execute(query)).one_or_none() is not None


async def conversations_before(
    tx: Transaction, user_id: UUID, before: UUID | None, limit: int
) -> Sequence[Conversation]:
    """Somebody's conversations that began before one of them, newest first."""
    mine = CONVERSATION_MEMBER.alias("mine")
    query = (
        _CONVERSATION.join_from(mine, CONVERSATION, CONVERSATION.c.id == mine.c.conversation_id)
        .where(mine.c.user_id == user_id)
        .order_by(mine.c.conversation_id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(mine.c.conversation_id < before)
    return [_read(row) for row in await tx.execute(query)]


def _read(row: Row[Any]) -> Conversation:
    return Conversation(row.id, tuple(row.member_ids), row.create_time)
