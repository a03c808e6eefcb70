"""The posts of forums: threads, with what they are tagged with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.chat.domain.place import Place
from services.chat.domain.post import Sort
from services.chat.domain.thread import Thread
from services.chat.store.tables import CHANNEL, POST_TAG, THREAD
from services.chat.store.threads import SELECT, read

_SWEEP_SECONDS: Final = 10.0
"""Longer than a post may take to be begun with a tag that was there when it was asked for."""
_ACTIVITY: Final = sa.func.coalesce(THREAD.c.last_reply_time, THREAD.c.create_time)
_ASKED_TAGS: Final = sa.bindparam("tags", type_=sa.ARRAY(sa.Uuid))
# From tag to tag, however many posts have it: the few that a forum has, and the gone ones.
_WITH_GONE_TAGS: Final = sa.text(
    """
    WITH RECURSIVE used AS (
        (
            SELECT tag_id FROM post_tag WHERE channel_id = :channel_id
            ORDER BY tag_id LIMIT 1
        )
        UNION ALL
        SELECT (
            SELECT tag_id FROM post_tag
            WHERE channel_id = :channel_id AND tag_id > used.tag_id
            ORDER BY tag_id LIMIT 1
        )
        FROM used WHERE used.tag_id IS NOT NULL
    )
    SELECT DISTINCT post.thread_id
    FROM used CROSS JOIN LATERAL (
        SELECT thread_id FROM post_tag
        WHERE channel_id = :channel_id AND tag_id = used.tag_id
        ORDER BY archived, thread_id LIMIT :limit
    ) AS post
    WHERE used.tag_id <> ALL (:tags)
    LIMIT :limit
    """
).bindparams(_ASKED_TAGS)


def activity(post: Thread) -> datetime:
    """When somebody wrote in a post last."""
    return post.last_reply_time or post.create_time


async def page(
    tx: Transaction,
    place: Place,
    after: tuple[datetime, UUID] | None,
    limit: int,
    *,
    sort: Sort,
    tags: Collection[UUID],
    archived: bool,
) -> Sequence[Thread]:
    """The posts of a forum but for the pinned one, after one of an activity and id."""
    order = (_ACTIVITY, THREAD.c.id) if sort is Sort.ACTIVITY else (THREAD.c.id,)
    query = (
        _posts(place, archived=archived)
        .where(~THREAD.c.pinned)
        .order_by(*(column.desc() for column in order))
        .limit(limit)
    )
    if tags:
        # One more: the pinned post may be among them.
        some = _first_tagged(place, after, limit + 1, sort=sort, archived=archived)
        query = query.where(THREAD.c.id == sa.any_(sa.func.array(some)))
    elif after is not None:
        query = query.where(sa.tuple_(*order) < sa.tuple_(*_key(after, sort)))
    return [read(row) for row in await tx.execute(query, _asked(tags))]


async def pinned(
    tx: Transaction, place: Place, *, tags: Collection[UUID] = (), archived: bool
) -> Thread | None:
    """The post on top of a forum, if it is among those asked for."""
    query = _posts(place, archived=archived).where(THREAD.c.pinned)
    if tags:
        query = query.where(
            sa.exists().where(
                POST_TAG.c.thread_id == THREAD.c.id, POST_TAG.c.tag_id == sa.any_(_ASKED_TAGS)
            )
        )
    row = (await tx.execute(query, _asked(tags))).one_or_none()
    return None if row is None else read(row)


async def pin(tx: Transaction, post: Thread) -> Sequence[Thread]:
    """Put a post of a locked forum on top, or take it from there; the posts that changed."""
    changed: list[Thread] = []
    if post.pinned:
        instead = await tx.execute(
            sa.update(THREAD)
            .where(THREAD.c.channel_id == post.channel_id, THREAD.c.pinned)
            .values(pinned=False)
            .returning(THREAD.c.id)
        )
        query = SELECT.where(THREAD.c.id.in_(instead.scalars().all()))
        changed = [read(row) for row in await tx.execute(query)]
    await tx.execute(sa.update(THREAD).where(THREAD.c.id == post.id).values(pinned=post.pinned))
    return [*changed, post]


async def tag(tx: Transaction, post: Thread, tags: Collection[UUID]) -> None:
    """Have a locked post have these tags and no others."""
    await _hold(tx, post.id)
    await tx.execute(
        sa.delete(POST_TAG).where(
            POST_TAG.c.thread_id == post.id, POST_TAG.c.tag_id != sa.all_(_ASKED_TAGS)
        ),
        _asked(tags),
    )
    if tags:
        named = {"thread_id": post.id, "channel_id": post.channel_id}
        rows = [{**named, "tag_id": one} for one in tags]
        await tx.execute(insert(POST_TAG).values(rows).on_conflict_do_nothing())


async def untag(tx: Transaction, thread_id: UUID) -> None:
    """Forget the tags of a post that is deleted."""
    await _hold(tx, thread_id)
    await tx.execute(sa.delete(POST_TAG).where(POST_TAG.c.thread_id == thread_id))


async def _hold(tx: Transaction, thread_id: UUID) -> None:
    """Lock a thread before its tags, as whoever archives it does."""
    await tx.execute(
        sa.select(THREAD.c.id).where(THREAD.c.id == thread_id).with_for_update(key_share=True)
    )


async def sweep_later(tx: Transaction, channel_id: UUID) -> None:
    """Have the posts of a forum looked through for tags that it has no more."""
    later = sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, _SWEEP_SECONDS)
    await tx.execute(
        sa.update(CHANNEL)
        .where(CHANNEL.c.id == channel_id, CHANNEL.c.delete_time.is_(None))
        .values(sweep_time=later)
    )


async def to_sweep(tx: Transaction) -> tuple[UUID, datetime] | None:
    """A forum that is to be looked through, and since when."""
    query = (
        sa.select(CHANNEL.c.id, CHANNEL.c.sweep_time)
        .where(CHANNEL.c.sweep_time <= sa.func.now())
        .order_by(CHANNEL.c.sweep_time)
        .limit(1)
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else (row.id, row.sweep_time)


async def swept(tx: Transaction, channel_id: UUID, since: datetime) -> None:
    """Note that a forum was looked through, unless it is to be once more."""
    await tx.execute(
        sa.update(CHANNEL)
        .where(CHANNEL.c.id == channel_id, CHANNEL.c.sweep_time == since)
        .values(sweep_time=None)
    )


async def with_other_tags(
    tx: Transaction, channel_id: UUID, tags: Collection[UUID], limit: int
) -> Sequence[UUID]:
    """Some posts of a forum that have another tag than these."""
    named = {"channel_id": channel_id, "limit": limit, **_asked(tags)}
    return (await tx.execute(_WITH_GONE_TAGS, named)).scalars().all()


def _posts(place: Place, *, archived: bool) -> sa.Select[Any]:
    return SELECT.where(
        THREAD.c.channel_id == place.id,
        THREAD.c.archive_time.is_not(None) if archived else THREAD.c.archive_time.is_(None),
    )


def _first_tagged(
    place: Place, after: tuple[datetime, UUID] | None, limit: int, *, sort: Sort, archived: bool
) -> sa.ScalarSelect[Any]:
    """Of each tag that is asked for, so many posts: no other can be on the page."""
    named = sa.func.unnest(_ASKED_TAGS).table_valued(sa.column("tag", sa.Uuid))
    asked = named.render_derived(name="asked")
    lively: tuple[sa.ColumnElement[Any], ...] = (POST_TAG.c.activity, POST_TAG.c.thread_id)
    order = lively if sort is Sort.ACTIVITY else lively[1:]
    first = (
        sa.select(POST_TAG.c.thread_id)
        .where(
            POST_TAG.c.channel_id == place.id,
            POST_TAG.c.tag_id == asked.c.tag,
            POST_TAG.c.archived == archived,
        )
        .order_by(*(column.desc() for column in order))
        .limit(limit)
    )
    if after is not None:
        first = first.where(sa.tuple_(*order) < sa.tuple_(*_key(after, sort)))
    post = first.lateral("post")
    return sa.select(post.c.thread_id).join_from(asked, post, sa.true()).scalar_subquery()


def _key(after: tuple[datetime, UUID], sort: Sort) -> Sequence[Any]:
    moment = sa.literal(after[0], sa.DateTime(timezone=True))
    return (moment, after[1]) if sort is Sort.ACTIVITY else (after[1],)


def _asked(tags: Collection[UUID]) -> dict[str, list[UUID]]:
    return {"tags": list(tags)}
