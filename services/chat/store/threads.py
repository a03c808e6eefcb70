"""Threads, and who follows them. What is sent in one is counted by `sending`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.chat.domain.message import Message
from services.chat.domain.place import Home, Place, PlaceNotFound
from services.chat.domain.thread import Thread
from services.chat.store.tables import CHANNEL, POST_TAG, THREAD, THREAD_FOLLOWER

_FORUM: Final = CHANNEL.alias("forum")
_TAGS: Final = sa.func.array(
    sa.select(POST_TAG.c.tag_id).where(POST_TAG.c.thread_id == THREAD.c.id).scalar_subquery(),
    type_=sa.ARRAY(sa.Uuid),
)
# One lookup for each thread, whatever statistics say: to go through channels and threads
# side by side passes all that are newer than a page.
_ITSELF: Final = (
    sa.select(CHANNEL.c.frozen, CHANNEL.c.delete_time)
    .where(CHANNEL.c.id == THREAD.c.id)
    .correlate(THREAD)
    .limit(1)
    .lateral("itself")
)
SELECT: Final = (
    sa.select(THREAD, _ITSELF.c.frozen, sa.case((_FORUM.c.forum, _TAGS)).label("tags"))
    .join_from(THREAD, _ITSELF, sa.true())
    .join(_FORUM, _FORUM.c.id == THREAD.c.channel_id)
    .where(_ITSELF.c.delete_time.is_(None))
)
"""Threads that are not deleted, with what `read` needs of them."""
# A thread is younger than its channel, so this is the order of ids in which all lock.
_LOCK: Final = sa.text(
    """
    SELECT id, community_id FROM channel
    WHERE id IN (:thread_id, (SELECT parent_id FROM channel WHERE id = :thread_id))
        AND delete_time IS NULL
    ORDER BY id FOR UPDATE
    """
)
_NUMBER: Final = sa.text(
    """
    WITH taken AS (
        UPDATE channel SET last_sequence = last_sequence + 1
        WHERE id = :channel_id AND EXISTS (
            SELECT FROM message
            WHERE id = :message_id AND channel_id = :channel_id AND delete_time IS NULL
        )
        RETURNING last_sequence
    )
    UPDATE message SET revision = last_sequence, thread_id = :thread_id
    FROM taken WHERE id = :message_id
    RETURNING revision
    """
)
_DUE: Final = "greatest(create_time, last_reply_time) + archive_hours * interval '1 hour'"
_REVIEW: Final = sa.text(
    f"""
    WITH due AS (
        SELECT id AS due_id FROM thread
        WHERE archive_time IS NULL AND review_time <= now()
        ORDER BY review_time LIMIT :limit
        FOR UPDATE SKIP LOCKED
    )
    UPDATE thread SET review_time = {_DUE},
        archive_time = CASE WHEN {_DUE} <= now() THEN now() END,
        stale = stale OR {_DUE} <= now()
    FROM due WHERE id = due_id
    RETURNING id
    """  # noqa: S608  # of constants
)


async def add(tx: Transaction, thread: Thread, community_id: UUID) -> bool:
    """Keep a thread; False when another began at its message."""
    await tx.execute(
        sa.insert(CHANNEL).values(
            id=thread.id, community_id=community_id, last_sequence=0, parent_id=thread.channel_id
        )
    )
    return bool(
        await tx.add(
            insert(THREAD)
            .values(
                id=thread.id,
                channel_id=thread.channel_id,
                message_id=thread.message_id,
                creator_id=thread.creator_id,
                name=thread.name,
                create_time=thread.create_time,
                archive_hours=thread.archive_hours,
                review_time=sa.func.now() + _hours(thread),
            )
            .on_conflict_do_nothing()
        )
    )


async def lock(tx: Transaction, thread_id: UUID) -> tuple[Thread, Home]:
    """Let nobody else change a thread, or the channel it is in. Raises `PlaceNotFound`."""
    locked = (await tx.execute(_LOCK, {"thread_id": thread_id})).all()
    if len(locked) != 2:  # Itself, and its channel.
        raise PlaceNotFound
    found = await thread(tx, thread_id)
    return found, Home(locked[0].community_id, found.channel_id)


async def thread(tx: Transaction, thread_id: UUID) -> Thread:
    """A thread. Raises `PlaceNotFound`."""
    query = SELECT.where(THREAD.c.id == thread_id)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        raise PlaceNotFound
    return read(row)


async def begun_at(tx: Transaction, messages: Iterable[Message]) -> Mapping[UUID, Thread]:
    """The threads that began at messages, by their ids; no question where none did."""
    named = [message.thread_id for message in messages if message.thread_id is not None]
    if not named:
        return {}
    query = SELECT.where(THREAD.c.id == sa.any_(sa.bindparam("threads", type_=sa.ARRAY(sa.Uuid))))
    return {row.id: read(row) for row in await tx.execute(query, {"threads": named})}


async def threads_before(
    tx: Transaction, place: Place, before: UUID | None, limit: int, *, archived: bool
) -> Sequence[Thread]:
    """The threads of a channel that began before one of them, the latest first."""
    query = (
        SELECT.where(
            THREAD.c.channel_id == place.id,
            THREAD.c.archive_time.is_not(None) if archived else THREAD.c.archive_time.is_(None),
        )
        .order_by(THREAD.c.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(THREAD.c.id < before)
    return [read(row) for row in await tx.execute(query)]


async def save(tx: Transaction, thread: Thread) -> None:
    """Keep a changed thread that is locked; it is told by who calls."""
    await tx.execute(
        sa.update(THREAD)
        .where(THREAD.c.id == thread.id)
        .values(
            name=thread.name,
            archive_hours=thread.archive_hours,
            archive_time=thread.archive_time,
            # Whoever takes a thread out of the archive has it for as long as who writes.
            review_time=sa.func.now() if thread.archive_time else sa.func.now() + _hours(thread),
            stale=False,
        )
    )
    await tx.execute(
        sa.update(CHANNEL).where(CHANNEL.c.id == thread.id).values(frozen=thread.locked)
    )


async def unfollow_all(tx: Transaction, thread_id: UUID) -> None:
    """Have nobody follow a thread any more."""
    await tx.execute(sa.delete(THREAD_FOLLOWER).where(THREAD_FOLLOWER.c.thread_id == thread_id))


async def number(tx: Transaction, thread: Thread) -> int:
    """The next number of a locked channel, for what is told of a thread in it.

    It becomes the revision of the message the thread began at; 0 when there is none (any
    more), for then it is no change of the channel.
    """
    if thread.message_id is None:
        return 0
    changed = await tx.execute(
        _NUMBER,
        {
            "channel_id": thread.channel_id,
            "message_id": thread.message_id,
            "thread_id": thread.id,
        },
    )
    return changed.scalar_one_or_none() or 0


async def recount(tx: Transaction, place: Place, by: int) -> None:
    """Count messages that came to a locked place, or went; only threads are counted."""
    if place.thread and by:
        await tx.execute(
            sa.update(THREAD)
            .where(THREAD.c.id == place.id)
            .values(reply_count=THREAD.c.reply_count + by, stale=True)
        )


async def stale(tx: Transaction, limit: int) -> Sequence[UUID]:
    """Threads of which something was not told yet."""
    query = sa.select(THREAD.c.id).where(THREAD.c.stale).order_by(THREAD.c.id).limit(limit)
    return list((await tx.execute(query)).scalars())


async def freshen(tx: Transaction, thread_id: UUID) -> bool:
    """Take a thread as told; False when somebody else did."""
    told = await tx.execute(
        sa.update(THREAD)
        .where(THREAD.c.id == thread_id, THREAD.c.stale)
        .values(stale=False)
        .returning(THREAD.c.id)
    )
    return told.one_or_none() is not None


async def review(tx: Transaction, limit: int) -> int:
    """Archive threads in which nothing was said for long; how many were looked at."""
    return len((await tx.execute(_REVIEW, {"limit": limit})).all())


async def follow(tx: Transaction, user_id: UUID, community_id: UUID, thread_id: UUID) -> bool:
    """Have somebody follow a thread; False when they do already."""
    values = {"user_id": user_id, "community_id": community_id, "thread_id": thread_id}
    return bool(await tx.add(insert(THREAD_FOLLOWER).values(values).on_conflict_do_nothing()))


async def unfollow(tx: Transaction, user_id: UUID, community_id: UUID, thread_id: UUID) -> bool:
    """Have somebody follow a thread no longer; False when they did not."""
    gone = await tx.execute(
        sa.delete(THREAD_FOLLOWER)
        .where(*_following(user_id, community_id), THREAD_FOLLOWER.c.thread_id == thread_id)
        .returning(THREAD_FOLLOWER.c.thread_id)
    )
    return gone.one_or_none() is not None


async def followed(
    tx: Transaction, user_id: UUID, community_id: UUID, thread_ids: Collection[UUID]
) -> frozenset[UUID]:
    """Those of a community's threads that somebody follows."""
    query = sa.select(THREAD_FOLLOWER.c.thread_id).where(
        *_following(user_id, community_id),
        THREAD_FOLLOWER.c.thread_id == sa.any_(sa.bindparam("threads", type_=sa.ARRAY(sa.Uuid))),
    )
    return frozenset((await tx.execute(query, {"threads": list(thread_ids)})).scalars())


def _following(user_id: UUID, community_id: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return THREAD_FOLLOWER.c.user_id == user_id, THREAD_FOLLOWER.c.community_id == community_id


def _hours(thread: Thread) -> sa.ColumnElement[Any]:
    return sa.func.make_interval(0, 0, 0, 0, thread.archive_hours)


def read(row: Row[Any]) -> Thread:
    """A thread from a row of `SELECT`."""
    return Thread(
        row.id,
        row.channel_id,
        row.message_id,
        row.creator_id,
        row.name,
        row.create_time,
        row.archive_hours,
        row.archive_time,
        row.frozen,
        row.reply_count,
        row.last_reply_time,
        None if row.tags is None else frozenset(row.tags),
        row.pinned,
    )
