"""Drafts and bookmarks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.chat.domain.kept import Begun, Bookmark
from services.chat.domain.place import Place
from services.chat.store import messages
from services.chat.store.tables import BOOKMARK, CHANNEL, DRAFT, MESSAGE

PLACE: Final = (
    CHANNEL.c.community_id.is_(None).label("conversation"),
    CHANNEL.c.parent_id.is_not(None).label("thread"),
)
"""What tells the kind of a place that is joined."""

# The number is drawn where the row is waited for, so the later has the higher.
_SAVE: Final = sa.text(
    """
    INSERT INTO draft (user_id, channel_id, content, reply_to, update_time, revision)
    SELECT :user_id, :channel_id, :content, CAST(:reply_to AS uuid), :update_time,
        nextval('draft_revision')
    WHERE :after = 0 OR EXISTS (
        SELECT FROM draft WHERE user_id = :user_id AND channel_id = :channel_id
    )
    ON CONFLICT (user_id, channel_id) DO UPDATE
        SET content = excluded.content, reply_to = excluded.reply_to,
            update_time = excluded.update_time, revision = nextval('draft_revision')
        WHERE :after = 0 OR draft.revision = :after
    RETURNING revision
    """
)


async def save_draft(tx: Transaction, user_id: UUID, begun: Begun, after: int) -> int | None:
    """Keep a draft over what there is; None when that is not the version it was made after."""
    saved = await tx.execute(
        _SAVE,
        {
            "user_id": user_id,
            "channel_id": begun.place.id,
            "content": begun.content,
            "reply_to": begun.reply_to,
            "update_time": begun.update_time,
            "after": after,
        },
    )
    revision: int | None = saved.scalar_one_or_none()
    return revision


async def remove_draft(tx: Transaction, user_id: UUID, place: Place) -> int | None:
    """Forget a draft; which version it was, None when there was none."""
    gone = await tx.execute(
        sa.delete(DRAFT)
        .where(DRAFT.c.user_id == user_id, DRAFT.c.channel_id == place.id)
        .returning(DRAFT.c.revision)
    )
    revision: int | None = gone.scalar_one_or_none()
    return revision


async def count_drafts(tx: Transaction, user_id: UUID, besides: Place) -> int:
    """How many drafts somebody has for other places."""
    query = (
        sa.select(sa.func.count())
        .select_from(DRAFT)
        .where(DRAFT.c.user_id == user_id, DRAFT.c.channel_id != besides.id)
    )
    count: int = (await tx.execute(query)).scalar_one()
    return count


async def drafts_after(
    tx: Transaction, user_id: UUID, after: UUID | None, limit: int
) -> Sequence[Begun]:
    """Somebody's drafts, by the ids of their places."""
    query = (
        sa.select(DRAFT, *PLACE)
        .join_from(DRAFT, CHANNEL, CHANNEL.c.id == DRAFT.c.channel_id)
        .where(DRAFT.c.user_id == user_id)
        .order_by(DRAFT.c.channel_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(DRAFT.c.channel_id > after)
    return [
        Begun(
            Place(row.channel_id, row.conversation, row.thread),
            row.content,
            row.reply_to,
            row.update_time,
            row.revision,
        )
        for row in await tx.execute(query)
    ]


async def add_bookmark(tx: Transaction, user_id: UUID, bookmark: Bookmark) -> bool:
    """Keep a bookmark; False when the message has one already."""
    values = {
        "user_id": user_id,
        "message_id": bookmark.message_id,
        "id": bookmark.id,
        "create_time": bookmark.create_time,
    }
    return bool(await tx.add(insert(BOOKMARK).values(values).on_conflict_do_nothing()))


async def remove_bookmark(tx: Transaction, user_id: UUID, message_id: UUID) -> bool:
    """Take a bookmark away; False when there was none."""
    gone = await tx.execute(
        sa.delete(BOOKMARK)
        .where(BOOKMARK.c.user_id == user_id, BOOKMARK.c.message_id == message_id)
        .returning(BOOKMARK.c.id)
    )
    return gone.one_or_none() is not None


async def count_bookmarks(tx: Transaction, user_id: UUID) -> int:
    """How many bookmarks somebody has."""
    query = sa.select(sa.func.count()).select_from(BOOKMARK).where(BOOKMARK.c.user_id == user_id)
    count: int = (await tx.execute(query)).scalar_one()
    return count


async def bookmark(tx: Transaction, user_id: UUID, message_id: UUID) -> Bookmark | None:
    """A bookmark of somebody's."""
    query = _BOOKMARK.where(BOOKMARK.c.user_id == user_id, BOOKMARK.c.message_id == message_id)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _bookmark(row)


async def bookmarks_before(
    tx: Transaction, user_id: UUID, before: UUID | None, limit: int
) -> Sequence[Bookmark]:
    """Somebody's bookmarks before one of them, the latest first."""
    query = (
        _BOOKMARK.where(BOOKMARK.c.user_id == user_id).order_by(BOOKMARK.c.id.desc()).limit(limit)
    )
    if before is not None:
        query = query.where(BOOKMARK.c.id < before)
    return [_bookmark(row) for row in await tx.execute(query)]


_BOOKMARK: Final = (
    sa.select(
        MESSAGE,
        BOOKMARK.c.id.label("bookmark_id"),
        BOOKMARK.c.create_time.label("bookmark_time"),
        *PLACE,
    )
    .join_from(BOOKMARK, MESSAGE, MESSAGE.c.id == BOOKMARK.c.message_id)
    .join(CHANNEL, CHANNEL.c.id == MESSAGE.c.channel_id)
)


def _bookmark(row: Row[Any]) -> Bookmark:
    place = Place(row.channel_id, row.conversation, row.thread)
    return Bookmark(
        row.bookmark_id,
        place,
        row.id,
        row.bookmark_time,
        None if row.delete_time is not None else messages.read(row, place),
    )
