"""Where memberships are kept."""

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
    Banned,
    BeingRemoved,
    Member,
    MemberNotFound,
    Standing,
)
from services.community.store.bans import is_banned, lock_person
from services.community.store.tables import ADMISSION, COMMUNITY, MEMBER


async def add_member(tx: Transaction, member: Member) -> Member:
    """Keep the intent to join; return the membership there is when there is one.

    Raises `BeingRemoved` while the person is on the way out, and `Banned`.
    """
    await lock_person(tx, member.community_id, member.user_id)
    if await is_banned(tx, member.community_id, member.user_id):
        raise Banned
    kept = await _keep(tx, member)
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


async def require_settled(tx: Transaction, community_id: UUID, user_id: UUID) -> None:
    """Return when somebody is a member and stays one. Raises `MemberNotFound`."""
    member = await _member(tx, community_id, user_id)
    if member is None or member.standing != Standing.SETTLED:
        raise MemberNotFound


async def require_staying(tx: Transaction, community_id: UUID, user_id: UUID) -> None:
    """As `require_settled`, and nobody ends the membership before the transaction does."""
    row = await tx.execute(
        sa.select(MEMBER.c.standing)
        .where(MEMBER.c.community_id == community_id, MEMBER.c.user_id == user_id)
        .with_for_update(read=True)
    )
    if row.scalar_one_or_none() != Standing.SETTLED:
        raise MemberNotFound


async def require_member(tx: Transaction, community_id: UUID, user_id: UUID) -> None:
    """Return when somebody is a member, or about to be one no more. Raises `MemberNotFound`."""
    member = await _member(tx, community_id, user_id)
    if member is None or member.standing == Standing.COMING:
        raise MemberNotFound


async def let_go(
    tx: Transaction, community_id: UUID, user_id: UUID, remover_id: UUID | None = None
) -> None:
    """Keep the intent to end a membership, and whose it is; by default, the person's own.

    Raises `MemberNotFound`: somebody who is only on the way in is no member yet.
    """
    if not await _leave(
        tx, community_id, user_id, remover_id or user_id, MEMBER.c.standing != Standing.COMING
    ):
        raise MemberNotFound


async def shut_out(
    tx: Transaction, community_id: UUID, user_id: UUID, remover_id: UUID | None = None
) -> bool:
    """Keep the intent to end a membership, also one that is only on the way in.

    False when there is none.
    """
    return await _leave(tx, community_id, user_id, remover_id or user_id, sa.true())


async def _leave(
    tx: Transaction,
    community_id: UUID,
    user_id: UUID,
    remover_id: UUID,
    where: sa.ColumnElement[bool],
) -> bool:
    # Whoever was only coming has nothing that others could be judged by, and is not put back.
    by = sa.case((MEMBER.c.standing == Standing.COMING, user_id), else_=remover_id)
    marked = await tx.execute(
        sa.update(MEMBER)
        .where(MEMBER.c.community_id == community_id, MEMBER.c.user_id == user_id, where)
        .values(
            standing=Standing.LEAVING,
            change_time=sa.func.now(),
            removers=sa.func.array_append(MEMBER.c.removers, by),
        )
    )
    return bool(marked.rowcount)


async def reinstate(tx: Transaction, community_id: UUID, user_id: UUID, remover_id: UUID) -> None:
    """Let a membership count again that somebody wanted to end and may not, unless others
    want to as well."""
    here = (
        MEMBER.c.community_id == community_id,
        MEMBER.c.user_id == user_id,
        MEMBER.c.standing == Standing.LEAVING,
    )
    others = sa.func.array_remove(MEMBER.c.removers, remover_id)
    await tx.execute(sa.update(MEMBER).where(*here).values(removers=others))
    await tx.execute(
        sa.update(MEMBER)
        .where(*here, sa.func.cardinality(MEMBER.c.removers) == 0)
        .values(standing=Standing.SETTLED, change_time=sa.func.now())
    )


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
    leaving = Member(community_id, user_id, datetime.now(UTC), Standing.LEAVING, (user_id,))
    kept = await _keep(tx, leaving)
    return kept is None or kept.standing == Standing.LEAVING


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


async def members_of(
    tx: Transaction, community_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Member]:
    """Who belongs to a community, in the order of joining."""
    query = (
        sa.select(MEMBER)
        .where(
            MEMBER.c.community_id == community_id,
            MEMBER.c.standing == sa.literal_column("'settled'"),  # as the index says it
        )
        .order_by(MEMBER.c.join_time, MEMBER.c.user_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(sa.tuple_(MEMBER.c.join_time, MEMBER.c.user_id) > sa.tuple_(*after))
    return [_to_member(row) for row in await tx.execute(query)]


async def unsettled(
    tx: Transaction, longer_than: timedelta, limit: int
) -> Sequence[tuple[Member, bool]]:
    """Memberships a crash left half-way, the oldest first; whether each founds a community."""
    founding = (
        sa.select(
            sa.and_(
                MEMBER.c.user_id == COMMUNITY.c.owner_id, COMMUNITY.c.standing == Standing.COMING
            )
        )
        .where(COMMUNITY.c.id == MEMBER.c.community_id)
        .scalar_subquery()
    )
    rows = await tx.execute(
        sa.select(MEMBER, founding.label("founds"))
        .where(
            MEMBER.c.standing != sa.literal_column("'settled'"),  # as the index says it
            MEMBER.c.change_time < sa.func.now() - longer_than,
        )
        .order_by(MEMBER.c.change_time)
        .limit(limit)
    )
    return [(_to_member(row), row.founds) for row in rows]


async def _keep(tx: Transaction, member: Member) -> Member | None:
    """Keep a membership where there is none; return the one there is then."""
    await tx.execute(
        insert(MEMBER)
        .values(
            community_id=member.community_id,
            user_id=member.user_id,
            join_time=member.join_time,
            standing=member.standing,
            change_time=sa.func.now(),
            removers=list(member.removers),
            pending=member.pending,
            admission=ADMISSION.next_value(),
        )
        .on_conflict_do_nothing()
    )
    return await _member(tx, member.community_id, member.user_id)


async def _member(tx: Transaction, community_id: UUID, user_id: UUID) -> Member | None:
    row = (
        await tx.execute(
            sa.select(MEMBER).where(
                MEMBER.c.community_id == community_id, MEMBER.c.user_id == user_id
            )
        )
    ).one_or_none()
    return None if row is None else _to_member(row)


def _to_member(row: Row[Any]) -> Member:
    return Member(
        row.community_id,
        row.user_id,
        row.join_time,
        Standing(row.standing),
        tuple(row.removers),
        row.pending,
    )
