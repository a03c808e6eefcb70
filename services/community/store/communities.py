"""Where communities are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import TSVECTOR

from chassis.database import Transaction
from services.community.domain import (
    Community,
    CommunityNotFound,
    Standing,
    Visibility,
)
from services.community.domain.discovery import document, facets
from services.community.domain.naming import folded
from services.community.store.tables import COMMUNITY, MEMBER, MEMBER_CHANGE, MEMBER_COUNT

_COUNTED: Final = (
    sa.select(MEMBER_COUNT.c.members)
    .where(MEMBER_COUNT.c.community_id == COMMUNITY.c.id)
    .correlate(COMMUNITY)
    .scalar_subquery()
)
_CHANGED: Final = (
    sa.select(sa.func.sum(MEMBER_CHANGE.c.change))
    .where(MEMBER_CHANGE.c.community_id == COMMUNITY.c.id)
    .correlate(COMMUNITY)
    .scalar_subquery()
)
SHOWN: Final = (
    COMMUNITY.c.id,
    COMMUNITY.c.name,
    COMMUNITY.c.owner_id,
    COMMUNITY.c.create_time,
    COMMUNITY.c.description,
    COMMUNITY.c.visibility,
    COMMUNITY.c.icon,
    COMMUNITY.c.next_owner_id,
    COMMUNITY.c.transfers,
    COMMUNITY.c.tags,
    COMMUNITY.c.language,
    (sa.func.coalesce(_COUNTED, 0) + sa.func.coalesce(_CHANGED, 0)).label("members"),
)
"""What `to_community` takes: of one moment, also what was counted and what is still to be."""


async def add_community(tx: Transaction, community: Community) -> None:
    """Keep the intent to found a community, its owner the first member."""
    await tx.execute(
        sa.insert(COMMUNITY).values(
            id=community.id,
            name=community.name,
            owner_id=community.owner_id,
            create_time=community.create_time,
            standing=Standing.COMING,
            fold=folded(community.name),
            search=_search(community),
        )
    )
    await tx.execute(sa.insert(MEMBER_COUNT).values(community_id=community.id))
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
        .values(standing=Standing.SETTLED, founding=None)
    )
    await list_or_not(tx, community_id)
    return bool(settled.rowcount)


async def community(tx: Transaction, community_id: UUID) -> Community:
    """A community, whatever its standing. Raises `CommunityNotFound`."""
    row = (await tx.execute(sa.select(*SHOWN).where(COMMUNITY.c.id == community_id))).one_or_none()
    if row is None:
        raise CommunityNotFound
    return to_community(row)


async def community_to_change(tx: Transaction, community_id: UUID) -> Community:
    """A community, while nobody else changes it, its categories or their order.

    Raises `CommunityNotFound`.
    """
    return await _locked(tx, sa.select(*SHOWN).with_for_update(key_share=True), community_id)


async def community_that_stays(tx: Transaction, community_id: UUID) -> Community:
    """A community, while nobody changes it; others may look on as well.

    Raises `CommunityNotFound`.
    """
    return await _locked(tx, sa.select(*SHOWN).with_for_update(read=True), community_id)


async def save_community(tx: Transaction, community: Community) -> None:
    """Keep what a community says of itself."""
    await tx.execute(
        sa.update(COMMUNITY)
        .where(COMMUNITY.c.id == community.id)
        .values(
            name=community.name,
            fold=folded(community.name),
            description=community.description,
            visibility=community.visibility,
            icon=community.icon,
            tags=list(community.tags),
            language=community.language,
            facets=list(facets(community.tags, community.language)),
            search=_search(community),
        )
    )
    await list_or_not(tx, community.id)


async def list_or_not(tx: Transaction, community_id: UUID) -> None:
    """Let a community be among those that everybody may find, if it is one of them."""
    public = sa.and_(
        COMMUNITY.c.visibility == Visibility.PUBLIC, COMMUNITY.c.standing == Standing.SETTLED
    )
    now = sa.select(public).where(COMMUNITY.c.id == community_id).scalar_subquery()
    await tx.execute(
        sa.update(MEMBER_COUNT)
        .where(MEMBER_COUNT.c.community_id == community_id)
        .values(listed=now)
    )


async def begin_transfer(tx: Transaction, community: Community, heir: UUID) -> int:
    """Keep the intent to give a community another owner; the number of the transfer.

    The caller holds the lock of the community. One that was begun is the same again.
    """
    number = community.transfers + (community.next_owner_id is None)
    await tx.execute(
        sa.update(COMMUNITY)
        .where(COMMUNITY.c.id == community.id)
        .values(next_owner_id=heir, transfers=number, transfer_time=sa.func.now())
    )
    return number


async def settle_transfer(tx: Transaction, community_id: UUID, number: int) -> Community | None:
    """Let a transfer count. None when it does already, or was given up."""
    row = (
        await tx.execute(
            sa.update(COMMUNITY)
            .where(*_under_way(community_id, number))
            .values(owner_id=COMMUNITY.c.next_owner_id, next_owner_id=None, transfer_time=None)
            .returning(*SHOWN)
        )
    ).one_or_none()
    return None if row is None else to_community(row)


async def drop_transfer(tx: Transaction, community_id: UUID, number: int) -> None:
    """Give up a transfer that cannot be made."""
    await tx.execute(
        sa.update(COMMUNITY)
        .where(*_under_way(community_id, number))
        .values(next_owner_id=None, transfer_time=None)
    )


async def unsettled_transfers(
    tx: Transaction, longer_than: timedelta, limit: int
) -> Sequence[Community]:
    """Communities whose handing over a crash left half-way, the oldest first."""
    rows = await tx.execute(
        sa.select(*SHOWN)
        .where(
            COMMUNITY.c.next_owner_id.is_not(None),
            COMMUNITY.c.transfer_time < sa.func.now() - longer_than,
        )
        .order_by(COMMUNITY.c.transfer_time)
        .limit(limit)
    )
    return [to_community(row) for row in rows]


def _search(community: Community) -> sa.ColumnElement[Any]:
    said = document(community.name, community.tags, community.description)
    return sa.cast(said, TSVECTOR)


def _under_way(community_id: UUID, number: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        COMMUNITY.c.id == community_id,
        COMMUNITY.c.transfers == number,
        COMMUNITY.c.next_owner_id.is_not(None),
    )


async def _locked(tx: Transaction, query: sa.Select[Any], community_id: UUID) -> Community:
    row = (await tx.execute(query.where(COMMUNITY.c.id == community_id))).one_or_none()
    if row is None:
        raise CommunityNotFound
    return to_community(row)


async def communities_of(
    tx: Transaction, user_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[tuple[Community, datetime]]:
    """The communities a person belongs to with when they joined, in that order."""
    query = (
        sa.select(*SHOWN, MEMBER.c.join_time)
        .join(MEMBER, MEMBER.c.community_id == COMMUNITY.c.id)
        .where(MEMBER.c.user_id == user_id, MEMBER.c.standing == Standing.SETTLED)
        .order_by(MEMBER.c.join_time, COMMUNITY.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(sa.tuple_(MEMBER.c.join_time, COMMUNITY.c.id) > sa.tuple_(*after))
    return [(to_community(row), row.join_time) for row in await tx.execute(query)]


def to_community(row: Row[Any]) -> Community:
    """A community from its columns."""
    return Community(
        row.id,
        row.name,
        row.owner_id,
        row.create_time,
        row.description,
        Visibility(row.visibility),
        row.icon,
        row.next_owner_id,
        row.transfers,
        int(row.members),
        tuple(row.tags),
        row.language,
    )
