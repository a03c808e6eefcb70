"""Where invites are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row

from chassis.database import Transaction
from services.community.domain import Community, Invite, InviteNotFound
from services.community.store.communities import SHOWN, to_community
from services.community.store.tables import COMMUNITY, INVITE


async def add_invite(tx: Transaction, invite: Invite) -> None:
    """Keep a new invite."""
    await tx.execute(
        sa.insert(INVITE).values(
            code=invite.code,
            community_id=invite.community_id,
            creator_id=invite.creator_id,
            create_time=invite.create_time,
            expire_time=invite.expire_time,
            max_uses=invite.max_uses,
            uses=invite.uses,
        )
    )


async def community_behind(tx: Transaction, code: str, now: datetime) -> Community:
    """The community an invite leads into. Raises `InviteNotFound`, also once it expired."""
    row = (
        await tx.execute(
            sa.select(*SHOWN)
            .join(INVITE, INVITE.c.community_id == COMMUNITY.c.id)
            .where(INVITE.c.code == code, INVITE.c.expire_time > now)
        )
    ).one_or_none()
    if row is None:
        raise InviteNotFound
    return to_community(row)


async def use(tx: Transaction, code: str, now: datetime) -> None:
    """Count one more whom an invite lets in; of those who come at once one after the other.

    Raises `InviteNotFound` when it lets in nobody any more.
    """
    used = await tx.execute(
        sa.update(INVITE)
        .where(
            INVITE.c.code == code,
            INVITE.c.expire_time > now,
            sa.or_(INVITE.c.max_uses == 0, INVITE.c.uses < INVITE.c.max_uses),
        )
        .values(uses=INVITE.c.uses + 1)
    )
    if not used.rowcount:
        raise InviteNotFound


async def working_invites(tx: Transaction, community_id: UUID, now: datetime) -> int:
    """How many invites of a community have not expired."""
    count = sa.select(sa.func.count()).where(
        INVITE.c.community_id == community_id, INVITE.c.expire_time > now
    )
    return int((await tx.execute(count)).scalar_one())


async def invites_of(
    tx: Transaction,
    community_id: UUID,
    before: tuple[datetime, str] | None,
    limit: int,
    now: datetime,
) -> Sequence[Invite]:
    """The invites of a community that have not expired, the newest first."""
    query = (
        sa.select(INVITE)
        .where(INVITE.c.community_id == community_id, INVITE.c.expire_time > now)
        .order_by(INVITE.c.create_time.desc(), INVITE.c.code.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(sa.tuple_(INVITE.c.create_time, INVITE.c.code) < sa.tuple_(*before))
    return [_invite(row) for row in await tx.execute(query)]


async def invite_to_revoke(tx: Transaction, community_id: UUID, code: str) -> Invite | None:
    """An invite of this community, if there is one, while nobody uses it."""
    row = (
        await tx.execute(
            sa.select(INVITE)
            .where(INVITE.c.code == code, INVITE.c.community_id == community_id)
            .with_for_update()
        )
    ).one_or_none()
    return None if row is None else _invite(row)


async def revoke(tx: Transaction, code: str) -> None:
    """Drop an invite."""
    await tx.execute(sa.delete(INVITE).where(INVITE.c.code == code))


async def forget_expired(tx: Transaction) -> None:
    """Drop the invites that lead nowhere any more."""
    await tx.execute(sa.delete(INVITE).where(INVITE.c.expire_time < sa.func.now()))


def _invite(row: Row[Any]) -> Invite:
    return Invite(
        row.code,
        row.community_id,
        row.creator_id,
        row.create_time,
        row.expire_time,
        row.max_uses,
        row.uses,
    )
