"""Where communities, channels, members and invites are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.community.domain import (
    BeingRemoved,
    Channel,
    ChannelNotFound,
    Community,
    CommunityNotFound,
    Invite,
    InviteNotFound,
    Member,
    MemberNotFound,
    Standing,
)

METADATA = sa.MetaData()

COMMUNITY = sa.Table(
    "community",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("owner_id", sa.Uuid, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
)
CHANNEL = sa.Table(
    "channel",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
)
MEMBER = sa.Table(
    "member",
    METADATA,
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), primary_key=True),
    sa.Column("user_id", sa.Uuid, primary_key=True),
    sa.Column("join_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("change_time", sa.DateTime(timezone=True), nullable=False),
)
INVITE = sa.Table(
    "invite",
    METADATA,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("community_id", sa.Uuid, sa.ForeignKey("community.id"), nullable=False),
    sa.Column("creator_id", sa.Uuid, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
)


async def add_community(tx: Transaction, community: Community) -> None:
    """Keep the intent to found a community, its owner the first member."""
    await tx.execute(
        sa.insert(COMMUNITY).values(
            id=community.id,
            name=community.name,
            owner_id=community.owner_id,
            create_time=community.create_time,
            standing=Standing.COMING,
        )
    )
    await tx.execute(
        sa.insert(MEMBER).values(
            community_id=community.id,
            user_id=community.owner_id,
            join_time=community.create_time,
            standing=Standing.COMING,
            change_time=sa.func.now(),
        )
    )


async def settle_community(tx: Transaction, community_id: UUID) -> bool:
    """Let a founded community count. False when it does already."""
    settled = await tx.execute(
        sa.update(COMMUNITY)
        .where(COMMUNITY.c.id == community_id, COMMUNITY.c.standing == Standing.COMING)
        .values(standing=Standing.SETTLED)
    )
    return bool(settled.rowcount)


async def community(tx: Transaction, community_id: UUID) -> Community:
    """A community, whatever its standing. Raises `CommunityNotFound`."""
    row = (
        await tx.execute(sa.select(COMMUNITY).where(COMMUNITY.c.id == community_id))
    ).one_or_none()
    if row is None:
        raise CommunityNotFound
    return _community(row)


async def communities_of(
    tx: Transaction, user_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[tuple[Community, datetime]]:
    """The communities a person belongs to with when they joined, in that order."""
    query = (
        sa.select(COMMUNITY, MEMBER.c.join_time)
        .join(MEMBER, MEMBER.c.community_id == COMMUNITY.c.id)
        .where(MEMBER.c.user_id == user_id, MEMBER.c.standing == Standing.SETTLED)
        .order_by(MEMBER.c.join_time, COMMUNITY.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(sa.tuple_(MEMBER.c.join_time, COMMUNITY.c.id) > sa.tuple_(*after))
    return [(_community(row), row.join_time) for row in await tx.execute(query)]


async def add_channel(tx: Transaction, channel: Channel) -> None:
    """Keep a new channel."""
    await tx.execute(
        sa.insert(CHANNEL).values(
            id=channel.id,
            community_id=channel.community_id,
            name=channel.name,
            create_time=channel.create_time,
        )
    )


async def channel(tx: Transaction, channel_id: UUID) -> Channel:
    """A channel. Raises `ChannelNotFound`."""
    row = (await tx.execute(sa.select(CHANNEL).where(CHANNEL.c.id == channel_id))).one_or_none()
    if row is None:
        raise ChannelNotFound
    return _channel(row)


async def channels_of(
    tx: Transaction, community_id: UUID, after: UUID | None, limit: int
) -> Sequence[Channel]:
    """The channels of a community, oldest first."""
    query = (
        sa.select(CHANNEL)
        .where(CHANNEL.c.community_id == community_id)
        .order_by(CHANNEL.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(CHANNEL.c.id > after)
    return [_channel(row) for row in await tx.execute(query)]


async def add_invite(tx: Transaction, invite: Invite) -> None:
    """Keep a new invite."""
    await tx.execute(
        sa.insert(INVITE).values(
            code=invite.code,
            community_id=invite.community_id,
            creator_id=invite.creator_id,
            create_time=invite.create_time,
            expire_time=invite.expire_time,
        )
    )


async def community_behind(tx: Transaction, code: str, now: datetime) -> Community:
    """The community an invite leads into. Raises `InviteNotFound`, also once it expired."""
    row = (
        await tx.execute(
            sa.select(COMMUNITY)
            .join(INVITE, INVITE.c.community_id == COMMUNITY.c.id)
            .where(INVITE.c.code == code, INVITE.c.expire_time > now)
        )
    ).one_or_none()
    if row is None:
        raise InviteNotFound
    return _community(row)


async def add_member(tx: Transaction, member: Member) -> Member:
    """Keep the intent to join; return the membership there is when there is one.

    Raises `BeingRemoved` while the person is on the way out.
    """
    await tx.execute(
        insert(MEMBER)
        .values(
            community_id=member.community_id,
            user_id=member.user_id,
            join_time=member.join_time,
            standing=member.standing,
            change_time=sa.func.now(),
        )
        .on_conflict_do_nothing()
    )
    kept = await _member(tx, member.community_id, member.user_id)
    if kept is None or kept.standing == Standing.LEAVING:
        raise BeingRemoved
    return kept


async def settle_member(tx: Transaction, community_id: UUID, user_id: UUID) -> Member | None:
    """Let a membership count. None when it does already, or is gone."""
    row = (
        await tx.execute(
            sa.update(MEMBER)
            .where(
                MEMBER.c.community_id == community_id,
                MEMBER.c.user_id == user_id,
                MEMBER.c.standing == Standing.COMING,
            )
            .values(standing=Standing.SETTLED, change_time=sa.func.now())
            .returning(MEMBER)
        )
    ).one_or_none()
    return None if row is None else _to_member(row)


async def let_go(tx: Transaction, community_id: UUID, user_id: UUID) -> None:
    """Keep the intent to end a membership. Raises `MemberNotFound`.

    Somebody who is only on the way in is no member yet.
    """
    marked = await tx.execute(
        sa.update(MEMBER)
        .where(
            MEMBER.c.community_id == community_id,
            MEMBER.c.user_id == user_id,
            MEMBER.c.standing != Standing.COMING,
        )
        .values(standing=Standing.LEAVING, change_time=sa.func.now())
    )
    if not marked.rowcount:
        raise MemberNotFound


async def remove_member(tx: Transaction, community_id: UUID, user_id: UUID) -> bool:
    """End a membership that was let go. False when it is gone already."""
    gone = await tx.execute(
        sa.delete(MEMBER).where(
            MEMBER.c.community_id == community_id,
            MEMBER.c.user_id == user_id,
            MEMBER.c.standing == Standing.LEAVING,
        )
    )
    return bool(gone.rowcount)


async def take_back(tx: Transaction, community_id: UUID, user_id: UUID) -> bool:
    """Keep the intent to take the roles of somebody who is no member.

    False when the person is one, or about to be.
    """
    leaving = Member(community_id, user_id, datetime.now(UTC), Standing.LEAVING)
    try:
        await add_member(tx, leaving)
    except BeingRemoved:
        return True
    return False


async def give_back(tx: Transaction, community_id: UUID, user_id: UUID) -> bool:
    """Keep the intent to give a member, or somebody about to be one, their role.

    False when the person is neither.
    """
    marked = await tx.execute(
        sa.update(MEMBER)
        .where(
            MEMBER.c.community_id == community_id,
            MEMBER.c.user_id == user_id,
            MEMBER.c.standing != Standing.LEAVING,
        )
        .values(standing=Standing.COMING, change_time=sa.func.now())
    )
    return bool(marked.rowcount)


async def memberships_of(tx: Transaction, user_id: UUID) -> Sequence[Member]:
    """Where a person belongs, in the order of joining."""
    rows = await tx.execute(
        sa.select(MEMBER)
        .where(MEMBER.c.user_id == user_id, MEMBER.c.standing == Standing.SETTLED)
        .order_by(MEMBER.c.join_time, MEMBER.c.community_id)
    )
    return [_to_member(row) for row in rows]


async def unsettled(tx: Transaction, longer_than: timedelta, limit: int) -> Sequence[Member]:
    """Memberships a crash left half-way, the oldest first."""
    rows = await tx.execute(
        sa.select(MEMBER)
        .where(
            MEMBER.c.standing != Standing.SETTLED,
            MEMBER.c.change_time < sa.func.now() - longer_than,
        )
        .order_by(MEMBER.c.change_time)
        .limit(limit)
    )
    return [_to_member(row) for row in rows]


async def _member(tx: Transaction, community_id: UUID, user_id: UUID) -> Member | None:
    row = (
        await tx.execute(
            sa.select(MEMBER).where(
                MEMBER.c.community_id == community_id, MEMBER.c.user_id == user_id
            )
        )
    ).one_or_none()
    return None if row is None else _to_member(row)


def _community(row: Row[Any]) -> Community:
    return Community(row.id, row.name, row.owner_id, row.create_time)


def _channel(row: Row[Any]) -> Channel:
    return Channel(row.id, row.community_id, row.name, row.create_time)


def _to_member(row: Row[Any]) -> Member:
    return Member(row.community_id, row.user_id, row.join_time, Standing(row.standing))
