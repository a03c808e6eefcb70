"""Channels and conversations, and the order of everything that happens in them."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.chat.domain.place import Home, Place, PlaceNotFound
from services.chat.store.tables import CHANNEL, PACE


async def add_channel(tx: Transaction, channel_id: UUID, community_id: UUID) -> None:
    """Begin a channel's sequence; one that has begun goes on."""
    await tx.execute(
        insert(CHANNEL)
        .values(id=channel_id, community_id=community_id, last_sequence=0)
        .on_conflict_do_nothing()
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
    await tx.execute(
        sa.update(CHANNEL)
        .where(CHANNEL.c.id.in_(sa.select(threads.c.id)))
        .values(delete_time=sa.func.now())
    )


async def community_of(tx: Transaction, channel_id: UUID) -> UUID | None:
    """The community of a channel; None for a conversation, and when it was never heard of.

    Raises `PlaceNotFound` for a channel that was deleted, and for a thread: by its own
    id nothing would be decided as its channel says.
    """
    query = sa.select(CHANNEL.c.community_id, CHANNEL.c.delete_time, CHANNEL.c.parent_id)
    row = (await tx.execute(query.where(CHANNEL.c.id == channel_id))).one_or_none()
    if row is None:
        return None
    if row.delete_time is not None or row.parent_id is not None:
        raise PlaceNotFound
    community: UUID | None = row.community_id
    return community


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
            sa.select(CHANNEL.c.community_id, CHANNEL.c.parent_id)
            .where(CHANNEL.c.id == place.id, CHANNEL.c.delete_time.is_(None))
            .with_for_update()
        )
    ).one_or_none()
    if row is None or (row.community_id is None, row.parent_id is not None) != (
        place.conversation,
        place.thread,
    ):
        raise PlaceNotFound
    return Home(row.community_id, row.parent_id)


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
