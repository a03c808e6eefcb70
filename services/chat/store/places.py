"""Channels and conversations, and the order of everything that happens in them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.chat.domain.place import Home, Place, PlaceNotFound, TooSoon
from services.chat.store.tables import CHANNEL, PACE

_FORGOTTEN_AT_ONCE: Final = 1_000
# By their place in the table: joined to it by key, all of it would be read.
_FORGETTING: Final = sa.text(
    """
    DELETE FROM pace WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM pace WHERE next_time <= now()
        ORDER BY next_time LIMIT :most FOR UPDATE SKIP LOCKED
    ))
    """
)


async def add_channel(
    tx: Transaction, channel_id: UUID, community_id: UUID, *, forum: bool = False
) -> None:
    """Begin a channel's sequence; one that has begun goes on, and what it is it stays."""
    await tx.execute(
        insert(CHANNEL)
        .values(id=channel_id, community_id=community_id, last_sequence=0, forum=forum)
        .on_conflict_do_update(
            index_elements=[CHANNEL.c.id],
            set_={"forum": forum},
            where=sa.and_(
                CHANNEL.c.forum.is_(None),
                CHANNEL.c.community_id == community_id,
                CHANNEL.c.parent_id.is_(None),
            ),
        )
    )


async def remove_channel(tx: Transaction, channel_id: UUID, community_id: UUID) -> None:
    """Let nobody write or read in a channel from now on, though its beginning comes later.

    Nor in its threads.
    """
    await tx.execute(
        insert(CHANNEL)
        .values(
            id=channel_id, community_id=community_id, last_sequence=0, delete_time=sa.func.now()
        )
        .on_conflict_do_update(
            index_elements=[CHANNEL.c.id],
            set_={"delete_time": sa.func.now()},
            where=CHANNEL.c.delete_time.is_(None),
        )
    )
    # In the order of their ids, as everybody locks them.
    threads = (
        sa.select(CHANNEL.c.id)
        .where(CHANNEL.c.parent_id == channel_id, CHANNEL.c.delete_time.is_(None))
        .order_by(CHANNEL.c.id)
        .with_for_update()
        .cte("threads")
    )
    # An array, each looked up: as a join, every channel there is may be read beside it.
    found = sa.func.array(sa.select(threads.c.id).scalar_subquery(), type_=sa.ARRAY(sa.Uuid))
    await tx.execute(
        sa.update(CHANNEL).where(CHANNEL.c.id == sa.any_(found)).values(delete_time=sa.func.now())
    )


async def home_of(tx: Transaction, channel_id: UUID) -> Home | None:
    """The community of a channel, and whether it is a forum; None for a conversation, when
    it was never heard of, and when it was not heard yet what it is.

    Raises `PlaceNotFound` for a channel that was deleted, and for a thread: by its own
    id nothing would be decided as its channel says.
    """
    query = sa.select(
        CHANNEL.c.community_id, CHANNEL.c.forum, CHANNEL.c.delete_time, CHANNEL.c.parent_id
    )
    row = (await tx.execute(query.where(CHANNEL.c.id == channel_id))).one_or_none()
    if row is None:
        return None
    if row.delete_time is not None or row.parent_id is not None:
        raise PlaceNotFound
    if row.community_id is None or row.forum is None:
        return None
    return Home(row.community_id, forum=row.forum)


async def channel_of(tx: Transaction, thread_id: UUID) -> UUID | None:
    """The channel a thread is in; None when there is no such thread (any more)."""
    query = sa.select(CHANNEL.c.parent_id).where(
        CHANNEL.c.id == thread_id, CHANNEL.c.delete_time.is_(None)
    )
    channel: UUID | None = (await tx.execute(query)).scalar_one_or_none()
    return channel


async def lock(tx: Transaction, place: Place) -> Home:
    """Let nobody else change the place until the transaction ends.

    Returns what it belongs to. Raises `PlaceNotFound`.
    """
    row = (
        await tx.execute(
            sa.select(CHANNEL.c.community_id, CHANNEL.c.parent_id, CHANNEL.c.forum)
            .where(CHANNEL.c.id == place.id, CHANNEL.c.delete_time.is_(None))
            .with_for_update()
        )
    ).one_or_none()
    if row is None or (row.community_id is None, row.parent_id is not None) != (
        place.conversation,
        place.thread,
    ):
        raise PlaceNotFound
    return Home(row.community_id, row.parent_id, forum=bool(row.forum))


async def next_number(tx: Transaction, place: Place) -> int:
    """Take the next number of a locked place, for a change that is no message's."""
    taken = await tx.execute(
        sa.update(CHANNEL)
        .where(CHANNEL.c.id == place.id)
        .values(last_sequence=CHANNEL.c.last_sequence + 1)
        .returning(CHANNEL.c.last_sequence)
    )
    number: int = taken.scalar_one()
    return number


async def close(tx: Transaction, place: Place) -> None:
    """Let nobody write or read in a locked place any more."""
    await tx.execute(
        sa.update(CHANNEL).where(CHANNEL.c.id == place.id).values(delete_time=sa.func.now())
    )


async def slow_seconds(tx: Transaction, place: Place) -> int:
    """How long people wait in a place between two messages. Raises `PlaceNotFound`."""
    row = await tx.execute(sa.select(CHANNEL.c.slow_seconds).where(CHANNEL.c.id == place.id))
    seconds: int | None = row.scalar_one_or_none()
    if seconds is None:
        raise PlaceNotFound
    return seconds


async def pace(tx: Transaction, place: Place, user_id: UUID, seconds: int) -> None:
    """Note that somebody wrote in a place in slow mode. Raises `TooSoon`."""
    later = sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    going = await tx.add(
        insert(PACE)
        .values(channel_id=place.id, user_id=user_id, next_time=later)
        .on_conflict_do_update(
            index_elements=[PACE.c.channel_id, PACE.c.user_id],
            set_={"next_time": later},
            where=PACE.c.next_time <= sa.func.now(),
        )
    )
    if not going:
        left = sa.select(sa.extract("epoch", PACE.c.next_time - sa.func.now())).where(
            PACE.c.channel_id == place.id, PACE.c.user_id == user_id
        )
        raise TooSoon(float((await tx.execute(left)).scalar_one()))


async def slow_down(tx: Transaction, place: Place, seconds: int) -> bool:
    """Have people wait so long in a locked place; False when they do already.

    Who waits now waits no longer than from now on anybody does.
    """
    if await slow_seconds(tx, place) == seconds:
        return False
    await tx.execute(
        sa.update(CHANNEL).where(CHANNEL.c.id == place.id).values(slow_seconds=seconds)
    )
    latest = sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    waiting = PACE.c.channel_id == place.id
    if seconds:
        await tx.execute(
            sa.update(PACE).where(waiting, PACE.c.next_time > latest).values(next_time=latest)
        )
    else:
        await tx.execute(sa.delete(PACE).where(waiting))
    return True


async def forget_paces(tx: Transaction) -> bool:
    """Forget some of those who may write again; whether there may be more.

    When somebody last wrote somewhere is nobody's business once it holds nobody back.
    """
    gone = await tx.execute(_FORGETTING, {"most": _FORGOTTEN_AT_ONCE})
    return gone.rowcount == _FORGOTTEN_AT_ONCE
