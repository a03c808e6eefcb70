"""What stands here of a person, and what of it can be seen by others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from chassis import ids
from chassis.database import Transaction
from chassis.person import Part, of
from services.chat.domain.mentions import user_target
from services.chat.domain.place import Place
from services.chat.store import standings
from services.chat.store.tables import (
    BLOCK,
    BOOKMARK,
    CHANNEL,
    CONVERSATION,
    CONVERSATION_MEMBER,
    DRAFT,
    MENTION,
    MESSAGE,
    MESSAGE_VERSION,
    PACE,
    POLL_VOTE,
    REACTION,
    READ_STATE,
    READER,
    SCHEDULED_MESSAGE,
    STANDING,
    THREAD,
    THREAD_FOLLOWER,
)

_MESSAGES: Final = "deleted one by one, as their author would: the numbers stay"
_OTHERS: Final = "others talk here; what is left is an id that leads to nobody"


def _written(user_id: UUID) -> sa.ColumnElement[bool]:
    return sa.and_(MESSAGE.c.author_id == user_id, MESSAGE.c.delete_time.is_(None))


def _written_before(user_id: UUID) -> sa.ColumnElement[bool]:
    return MESSAGE_VERSION.c.message_id.in_(sa.select(MESSAGE.c.id).where(_written(user_id)))


def _mentioned(user_id: UUID) -> sa.ColumnElement[bool]:
    # As the index says it.
    return sa.and_(
        sa.func.get_byte(MENTION.c.target, sa.literal_column("0")) == sa.literal_column("1"),
        MENTION.c.target == user_target(user_id),
    )


def _one_of_two(user_id: UUID) -> sa.ColumnElement[bool]:
    return CONVERSATION.c.id.in_(
        sa.select(CONVERSATION_MEMBER.c.conversation_id).where(
            CONVERSATION_MEMBER.c.user_id == user_id
        )
    )


PARTS: Final = (
    Part(
        MESSAGE,
        _written,
        frozenset({"fingerprint", "mentions", "reactions", "pin_revision"}),
        stays=_MESSAGES,
        names=ids.Kind.MESSAGE,
    ),
    Part(MESSAGE_VERSION, _written_before, stays=_MESSAGES),
    Part(REACTION, of(REACTION.c.user_id)),
    # How many chose what stays: a number that leads to nobody.
    Part(POLL_VOTE, of(POLL_VOTE.c.user_id)),
    Part(MENTION, _mentioned, frozenset({"target"})),
    # Whom they blocked: who blocked them they are not told.
    Part(BLOCK, of(BLOCK.c.blocker_id)),
    Part(STANDING, of(STANDING.c.user_id), frozenset({"revision"})),
    Part(CONVERSATION, _one_of_two, stays=_OTHERS, names=ids.Kind.CONVERSATION),
    Part(CONVERSATION_MEMBER, of(CONVERSATION_MEMBER.c.user_id), stays=_OTHERS),
    Part(READ_STATE, of(READ_STATE.c.user_id), frozenset({"behind"})),
    Part(READER, of(READER.c.user_id), frozenset({"settled"})),
    Part(
        THREAD,
        of(THREAD.c.creator_id),
        frozenset({"stale", "review_time"}),
        stays=_OTHERS,
        names=ids.Kind.THREAD,
    ),
    Part(THREAD_FOLLOWER, of(THREAD_FOLLOWER.c.user_id)),
    Part(DRAFT, of(DRAFT.c.user_id)),
    Part(BOOKMARK, of(BOOKMARK.c.user_id), frozenset({"id"})),
    Part(
        SCHEDULED_MESSAGE,
        of(SCHEDULED_MESSAGE.c.user_id),
        frozenset({"claim_time"}),
        names=ids.Kind.SCHEDULED_MESSAGE,
    ),
    Part(PACE, of(PACE.c.user_id)),
)
"""What is kept of a person."""
_PLACE: Final = (MESSAGE.c.channel_id, CHANNEL.c.community_id, CHANNEL.c.parent_id)


async def groups_of(tx: Transaction, user_id: UUID) -> Sequence[UUID]:
    """The groups somebody belongs to."""
    query = (
        sa.select(CONVERSATION.c.id)
        .join(CONVERSATION_MEMBER, CONVERSATION_MEMBER.c.conversation_id == CONVERSATION.c.id)
        .where(CONVERSATION_MEMBER.c.user_id == user_id, CONVERSATION.c.first_id.is_(None))
    )
    return (await tx.execute(query)).scalars().all()


async def part_from(tx: Transaction, user_id: UUID) -> None:
    """Forget who wanted nothing to do with a person, and let nobody write to them."""
    await tx.execute(sa.delete(BLOCK).where(BLOCK.c.blocked_id == user_id))
    await standings.close_conversations_of(tx, user_id)


async def some_messages(
    tx: Transaction, user_id: UUID, limit: int
) -> Mapping[tuple[Place, bool], Sequence[UUID]]:
    """Messages somebody wrote that are not deleted, by their place and whether that is gone."""
    rows = await tx.execute(
        sa.select(MESSAGE.c.id, *_PLACE, CHANNEL.c.delete_time)
        .join(CHANNEL, CHANNEL.c.id == MESSAGE.c.channel_id)
        .where(_written(user_id))
        .order_by(MESSAGE.c.id)
        .limit(limit)
    )
    found: dict[tuple[Place, bool], list[UUID]] = {}
    for row in rows:
        found.setdefault((_place(row), row.delete_time is not None), []).append(row.id)
    return found


async def some_reactions(
    tx: Transaction, user_id: UUID, limit: int
) -> Sequence[tuple[Place, UUID, str]]:
    """What somebody reacted to where people can see it: the place, the message, the emoji."""
    rows = await tx.execute(
        sa.select(REACTION, *_PLACE)
        .join(MESSAGE, MESSAGE.c.id == REACTION.c.message_id)
        .join(CHANNEL, CHANNEL.c.id == MESSAGE.c.channel_id)
        .where(REACTION.c.user_id == user_id, CHANNEL.c.delete_time.is_(None))
        .order_by(REACTION.c.message_id, REACTION.c.emoji)
        .limit(limit)
    )
    return [(_place(row), row.message_id, row.emoji) for row in rows]


def _place(row: sa.Row[Any]) -> Place:
    """The place in a row that has `_PLACE`."""
    conversation = row.community_id is None
    return Place(row.channel_id, conversation, thread=row.parent_id is not None)
