"""Conversations and their members."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum, auto
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.chat.domain.conversation import (
    AccountDeactivated,
    AccountDeleted,
    Conversation,
    NotReachable,
)
from services.chat.domain.place import Place
from services.chat.store import blocks, standings
from services.chat.store.tables import CHANNEL, CONVERSATION, CONVERSATION_MEMBER

_MEMBERS: Final = (
    sa.select(sa.func.array_agg(CONVERSATION_MEMBER.c.user_id.distinct()))
    .where(CONVERSATION_MEMBER.c.conversation_id == CONVERSATION.c.id)
    .scalar_subquery()
    .label("member_ids")
)
"""Distinct, for they come in their order then."""
_CONVERSATION: Final = sa.select(
    CONVERSATION.c.id,
    _MEMBERS,
    CONVERSATION.c.create_time,
    CONVERSATION.c.owner_id,
    CONVERSATION.c.name,
    CONVERSATION.c.icon_id,
    CONVERSATION.c.revision,
)


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
        "owner_id": conversation.owner_id,
        "name": conversation.name,
        "icon_id": conversation.icon_id,
    }
    if not await tx.add(insert(CONVERSATION).values(values).on_conflict_do_nothing()):
        return False
    await tx.execute(
        sa.insert(CHANNEL).values(id=conversation.id, community_id=None, last_sequence=0)
    )
    await add_members(tx, conversation, conversation.member_ids)
    return True


async def talkers(tx: Transaction, user_id: UUID, latest: int) -> Sequence[UUID]:
    """Who else is in somebody's latest conversations, in the order of their ids."""
    mine = (
        sa.select(CONVERSATION_MEMBER.c.conversation_id)
        .where(CONVERSATION_MEMBER.c.user_id == user_id)
        .order_by(CONVERSATION_MEMBER.c.conversation_id.desc())
        .limit(latest)
    )
    query = (
        sa.select(CONVERSATION_MEMBER.c.user_id)
        .where(
            CONVERSATION_MEMBER.c.conversation_id.in_(mine),
            CONVERSATION_MEMBER.c.user_id != user_id,
        )
        .distinct()
        .order_by(CONVERSATION_MEMBER.c.user_id)
    )
    return (await tx.execute(query)).scalars().all()


async def add_members(
    tx: Transaction, conversation: Conversation, user_ids: Collection[UUID]
) -> None:
    """Keep that people belong to a conversation, since its latest change."""
    members = [
        {"conversation_id": conversation.id, "user_id": member, "since": conversation.revision}
        for member in user_ids
    ]
    if members:
        await tx.execute(sa.insert(CONVERSATION_MEMBER), members)


async def remove_member(tx: Transaction, conversation_id: UUID, user_id: UUID) -> None:
    """Forget that somebody belongs to a conversation."""
    await tx.execute(
        sa.delete(CONVERSATION_MEMBER).where(
            CONVERSATION_MEMBER.c.conversation_id == conversation_id,
            CONVERSATION_MEMBER.c.user_id == user_id,
        )
    )


async def by_seniority(tx: Transaction, conversation_id: UUID) -> Sequence[UUID]:
    """The members of a conversation, who belongs longest first."""
    query = (
        sa.select(CONVERSATION_MEMBER.c.user_id)
        .where(CONVERSATION_MEMBER.c.conversation_id == conversation_id)
        .order_by(CONVERSATION_MEMBER.c.since, CONVERSATION_MEMBER.c.user_id)
    )
    return list((await tx.execute(query)).scalars())


async def save(tx: Transaction, conversation: Conversation) -> None:
    """Keep what a locked group is called and shown as, and who owns it."""
    await tx.execute(
        sa.update(CONVERSATION)
        .where(CONVERSATION.c.id == conversation.id)
        .values(
            owner_id=conversation.owner_id,
            name=conversation.name,
            icon_id=conversation.icon_id,
            revision=conversation.revision,
        )
    )


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


async def reach_in(tx: Transaction, user_id: UUID, place: Place) -> None:
    """Return when somebody may write in a place, as far as the other one of two goes.

    The same `sending` decides of whoever sends. Raises `NotReachable`, `AccountDeleted` and
    `AccountDeactivated`.
    """
    if not place.conversation:
        return
    query = sa.select(CONVERSATION.c.first_id, CONVERSATION.c.second_id, CONVERSATION.c.gone).where(
        CONVERSATION.c.id == place.id, CONVERSATION.c.first_id.is_not(None)
    )
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        return
    other = row.second_id if row.first_id == user_id else row.first_id
    if await blocks.is_blocked(tx, user_id, other):
        raise NotReachable
    if row.gone:
        raise AccountDeleted
    if await standings.is_away(tx, other):
        raise AccountDeactivated


class Belonging(Enum):
    """How somebody is in a conversation."""

    FOR_GOOD = auto()
    """It is one of two people, who never leave it."""
    FOR_NOW = auto()
    """It is a group."""


async def belonging(tx: Transaction, conversation_id: UUID, user_id: UUID) -> Belonging | None:
    """How somebody is in a conversation; None when they are not."""
    query = (
        sa.select(CONVERSATION.c.owner_id.is_not(None))
        .join_from(
            CONVERSATION_MEMBER,
            CONVERSATION,
            CONVERSATION.c.id == CONVERSATION_MEMBER.c.conversation_id,
        )
        .where(
            CONVERSATION_MEMBER.c.conversation_id == conversation_id,
            CONVERSATION_MEMBER.c.user_id == user_id,
        )
    )
    group: bool | None = (await tx.execute(query)).scalar_one_or_none()
    if group is None:
        return None
    return Belonging.FOR_NOW if group else Belonging.FOR_GOOD


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
    return Conversation(
        row.id,
        tuple(row.member_ids or ()),
        row.create_time,
        row.owner_id,
        row.name,
        row.icon_id,
        row.revision,
    )
