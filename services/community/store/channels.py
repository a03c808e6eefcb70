"""Where channels are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.community.domain import Channel, ChannelNotFound, Standing
from services.community.domain.forum import Forum, Sort, Tag
from services.community.store.tables import CHANNEL, COMMUNITY

_PLACE: Final = sa.text(
    """
    UPDATE channel SET category_id = :category_id, position = placed.position
    FROM unnest(CAST(:channels AS uuid[]), CAST(:positions AS integer[])) AS placed (id, position)
    WHERE channel.id = placed.id
    RETURNING channel.*
    """
)


async def add_channel(tx: Transaction, channel: Channel) -> None:
    """Keep a channel, unless it is kept already."""
    await tx.execute(
        insert(CHANNEL)
        .values(
            id=channel.id,
            community_id=channel.community_id,
            name=channel.name,
            create_time=channel.create_time,
            creator_id=channel.creator_id,
            private=channel.private,
            standing=channel.standing,
            topic=channel.topic,
            category_id=channel.category_id,
            position=channel.position,
            forum=_kept(channel.forum),
        )
        .on_conflict_do_nothing()
    )


async def channels_to_add_to(tx: Transaction, community_id: UUID) -> int:
    """How many channels a community has, while nobody else counts them to add one."""
    await tx.execute(
        sa.select(COMMUNITY.c.id)
        .where(COMMUNITY.c.id == community_id)
        .with_for_update(key_share=True)
    )
    count = sa.select(sa.func.count()).where(
        CHANNEL.c.community_id == community_id, CHANNEL.c.standing != Standing.GONE
    )
    return int((await tx.execute(count)).scalar_one())


async def drop_channel(tx: Transaction, channel_id: UUID) -> None:
    """Give up a private channel that could not be let exist."""
    await tx.execute(
        sa.delete(CHANNEL).where(CHANNEL.c.id == channel_id, CHANNEL.c.standing == Standing.COMING)
    )


async def channel(tx: Transaction, channel_id: UUID) -> Channel:
    """A channel that exists for somebody. Raises `ChannelNotFound`."""
    row = (
        await tx.execute(
            sa.select(CHANNEL).where(
                CHANNEL.c.id == channel_id, CHANNEL.c.standing == Standing.SETTLED
            )
        )
    ).one_or_none()
    if row is None:
        raise ChannelNotFound
    return _channel(row)


async def channels_of(
    tx: Transaction, community_id: UUID, after: UUID | None, limit: int
) -> Sequence[Channel]:
    """The channels of a community, oldest first."""
    query = (
        sa.select(CHANNEL)
        .where(CHANNEL.c.community_id == community_id, CHANNEL.c.standing == Standing.SETTLED)
        .order_by(CHANNEL.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(CHANNEL.c.id > after)
    return [_channel(row) for row in await tx.execute(query)]


async def channel_here(tx: Transaction, community_id: UUID, channel_id: UUID) -> Channel:
    """A channel of this community that exists for somebody. Raises `ChannelNotFound`."""
    found = await channel(tx, channel_id)
    if found.community_id != community_id:
        raise ChannelNotFound
    return found


async def standing_in(
    tx: Transaction, community_id: UUID, category_id: UUID | None
) -> Sequence[tuple[UUID, int]]:
    """The channels of a category, or in none, in their order, with their positions."""
    rows = await tx.execute(
        sa.select(CHANNEL.c.id, CHANNEL.c.position)
        .where(
            CHANNEL.c.community_id == community_id,
            CHANNEL.c.category_id.is_not_distinct_from(category_id),
            CHANNEL.c.standing != Standing.GONE,
        )
        .order_by(CHANNEL.c.position, CHANNEL.c.id)
    )
    return [(row.id, row.position) for row in rows]


async def place_channels(
    tx: Transaction, positions: Mapping[UUID, int], category_id: UUID | None
) -> Sequence[Channel]:
    """Put channels into a category, or in none, at these positions: those that people know
    of, as they are then."""
    rows = await tx.execute(
        _PLACE,
        {
            "channels": list(positions),
            "positions": list(positions.values()),
            "category_id": category_id,
        },
    )
    moved = [_channel(row) for row in rows]
    return [channel for channel in moved if channel.standing == Standing.SETTLED]


async def save_channel(tx: Transaction, channel: Channel) -> None:
    """Keep what a channel says of itself."""
    await tx.execute(
        sa.update(CHANNEL)
        .where(CHANNEL.c.id == channel.id)
        .values(name=channel.name, topic=channel.topic, forum=_kept(channel.forum))
    )


async def delete_channel(tx: Transaction, community_id: UUID, channel_id: UUID) -> Channel | None:
    """Take a channel away. None when there is none (any more).

    That it was there is kept: who could see it decides who is told.
    """
    row = (
        await tx.execute(
            sa.update(CHANNEL)
            .where(
                CHANNEL.c.id == channel_id,
                CHANNEL.c.community_id == community_id,
                CHANNEL.c.standing == Standing.SETTLED,
            )
            .values(standing=Standing.GONE, category_id=None, delete_time=sa.func.now())
            .returning(CHANNEL)
        )
    ).one_or_none()
    return None if row is None else _channel(row)


async def deleted_channels(
    tx: Transaction, longer_than: timedelta, limit: int
) -> Sequence[Channel]:
    """Channels that were deleted so long ago, the earliest first."""
    rows = await tx.execute(
        sa.select(CHANNEL)
        .where(CHANNEL.c.delete_time < sa.func.now() - longer_than)
        .order_by(CHANNEL.c.delete_time)
        .limit(limit)
    )
    return [_channel(row) for row in rows]


async def forget_channel(tx: Transaction, channel_id: UUID) -> None:
    """Forget that a deleted channel was there."""
    await tx.execute(
        sa.delete(CHANNEL).where(CHANNEL.c.id == channel_id, CHANNEL.c.standing == Standing.GONE)
    )


async def settle_channel(tx: Transaction, channel_id: UUID) -> Channel | None:
    """Let a private channel exist. None when it does already."""
    row = (
        await tx.execute(
            sa.update(CHANNEL)
            .where(CHANNEL.c.id == channel_id, CHANNEL.c.standing == Standing.COMING)
            .values(standing=Standing.SETTLED)
            .returning(CHANNEL)
        )
    ).one_or_none()
    return None if row is None else _channel(row)


async def unsettled_channels(
    tx: Transaction, longer_than: timedelta, limit: int
) -> Sequence[Channel]:
    """Private channels a crash left before anybody could see them, the oldest first."""
    rows = await tx.execute(
        sa.select(CHANNEL)
        .where(
            CHANNEL.c.standing != sa.literal_column("'settled'"),  # as the index says it
            CHANNEL.c.standing == Standing.COMING,
            CHANNEL.c.create_time < sa.func.now() - longer_than,
        )
        .order_by(CHANNEL.c.create_time)
        .limit(limit)
    )
    return [_channel(row) for row in rows]


def _channel(row: Row[Any]) -> Channel:
    return Channel(
        row.id,
        row.community_id,
        row.name,
        row.create_time,
        row.creator_id,
        private=row.private,
        standing=Standing(row.standing),
        topic=row.topic,
        category_id=row.category_id,
        position=row.position,
        forum=None if row.forum is None else _forum(row.forum),
    )


def _kept(forum: Forum | None) -> dict[str, Any] | None:
    if forum is None:
        return None
    # Nothing more where there is nothing more to say: an older release reads it too.
    tags = [
        [str(tag.id), tag.name, *((tag.emoji, tag.moderated) if tag.emoji or tag.moderated else ())]
        for tag in forum.tags
    ]
    said = {"guidelines": forum.guidelines, "tag_required": forum.tag_required}
    return {**said, "tags": tags, "sort": int(forum.sort)}


def _forum(kept: dict[str, Any]) -> Forum:
    tags = tuple(Tag(UUID(tag_id), *said) for tag_id, *said in kept["tags"])
    return Forum(kept["guidelines"], tags, kept["tag_required"], Sort(kept["sort"]))
