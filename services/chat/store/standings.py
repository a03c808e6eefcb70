"""Whose account is deactivated, as far as chat has heard from user."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.chat.store.tables import CONVERSATION, CONVERSATION_MEMBER, STANDING


async def keep(tx: Transaction, user_id: UUID, revision: int, *, deactivated: bool) -> None:
    """Keep whether somebody is away, unless something newer is kept."""
    values = {"revision": revision, "deactivated": deactivated}
    await tx.execute(
        insert(STANDING)
        .values(user_id=user_id, **values)
        .on_conflict_do_update(
            index_elements=[STANDING.c.user_id], set_=values, where=STANDING.c.revision < revision
        )
    )


async def is_away(tx: Transaction, user_id: UUID) -> bool:
    """Whether somebody's account is deactivated."""
    query = sa.select(STANDING.c.user_id).where(
        STANDING.c.user_id == user_id, STANDING.c.deactivated
    )
    return (await tx.execute(query)).one_or_none() is not None


async def close_conversations_of(tx: Transaction, user_id: UUID) -> None:
    """Keep that nobody is left to read what is sent in the conversations somebody had with one."""
    theirs = sa.select(CONVERSATION_MEMBER.c.conversation_id).where(
        CONVERSATION_MEMBER.c.user_id == user_id
    )
    await tx.execute(
        sa.update(CONVERSATION)
        .where(CONVERSATION.c.id.in_(theirs), CONVERSATION.c.first_id.is_not(None))
        .values(gone=True)
    )
