"""What stands here of a person, and what hangs on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from chassis import ids
from chassis.database import Transaction
from chassis.person import Part, of
from services.community.domain import Standing
from services.community.store.communities import list_or_not
from services.community.store.tables import (
    AUDIT,
    BAN,
    CALENDAR_ANSWER,
    CALENDAR_EVENT,
    CATEGORY,
    CHANNEL,
    COMMUNITY,
    EMOJI,
    INVITE,
    MEMBER,
    ONBOARDING,
    TEMPLATE,
)

_NOBODY: Final = "what is left is an id that leads to nobody"

PARTS: Final = (
    Part(
        COMMUNITY,
        of(COMMUNITY.c.owner_id),
        frozenset(
            {"fold", "facets", "search", "next_owner_id", "transfers", "transfer_time", "founding"}
        ),
        stays="handed over, or closed with its owner",
        names=ids.Kind.COMMUNITY,
    ),
    Part(CHANNEL, of(CHANNEL.c.creator_id), stays=_NOBODY, names=ids.Kind.CHANNEL),
    Part(MEMBER, of(MEMBER.c.user_id), frozenset({"removers", "admission", "tell_time"})),
    Part(INVITE, of(INVITE.c.creator_id)),
    Part(BAN, of(BAN.c.user_id), frozenset({"creator_id"})),
    Part(CALENDAR_ANSWER, of(CALENDAR_ANSWER.c.user_id)),
    Part(CALENDAR_EVENT, of(CALENDAR_EVENT.c.creator_id), stays=_NOBODY),
    Part(EMOJI, of(EMOJI.c.creator_id), stays=_NOBODY),
    Part(TEMPLATE, of(TEMPLATE.c.creator_id)),
    Part(AUDIT, of(AUDIT.c.actor_id), stays=f"kept for 90 days; {_NOBODY}"),
)
"""What is kept of a person."""
_THEIRS: Final = (
    INVITE,
    BAN,
    AUDIT,
    MEMBER,
    CATEGORY,
    EMOJI,
    CALENDAR_EVENT,
    TEMPLATE,
    ONBOARDING,
)
"""What goes with a community that is closed."""


async def owned_by(tx: Transaction, user_id: UUID) -> Sequence[UUID]:
    """The communities a person owns that are not closed."""
    query = sa.select(COMMUNITY.c.id).where(
        COMMUNITY.c.owner_id == user_id, COMMUNITY.c.standing != Standing.GONE
    )
    return (await tx.execute(query)).scalars().all()


async def belongs_to(tx: Transaction, user_id: UUID) -> Sequence[UUID]:
    """Where a person belongs, is about to, or is on the way out."""
    query = sa.select(MEMBER.c.community_id).where(MEMBER.c.user_id == user_id)
    return (await tx.execute(query.order_by(MEMBER.c.join_time))).scalars().all()


async def heir(tx: Transaction, community_id: UUID, owner_id: UUID) -> UUID | None:
    """Who belongs to a community longest besides its owner."""
    query = (
        sa.select(MEMBER.c.user_id)
        .where(
            MEMBER.c.community_id == community_id,
            MEMBER.c.user_id != owner_id,
            MEMBER.c.standing == sa.literal_column("'settled'"),  # as the index says it
        )
        .order_by(MEMBER.c.join_time, MEMBER.c.user_id)
        .limit(1)
    )
    found: UUID | None = (await tx.execute(query)).scalar_one_or_none()
    return found


async def close(tx: Transaction, community_id: UUID) -> None:
    """Leave nothing of a community but that it was there: nobody belongs to it any more.

    Its channels are to be deleted before.
    """
    await tx.execute(
        sa.update(CHANNEL)
        .where(CHANNEL.c.community_id == community_id)
        .values(name="", topic="", category_id=None)
    )
    events = sa.select(CALENDAR_EVENT.c.id).where(CALENDAR_EVENT.c.community_id == community_id)
    await tx.execute(sa.delete(CALENDAR_ANSWER).where(CALENDAR_ANSWER.c.event_id.in_(events)))
    for table in _THEIRS:
        await tx.execute(sa.delete(table).where(table.c.community_id == community_id))
    await tx.execute(
        sa.update(COMMUNITY)
        .where(COMMUNITY.c.id == community_id)
        .values(
            standing=Standing.GONE,
            name="",
            fold="",
            description="",
            icon="",
            tags=[],
            language="",
            facets=[],
            search="",
        )
    )
    await list_or_not(tx, community_id)
