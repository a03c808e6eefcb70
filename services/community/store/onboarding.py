"""Where what newcomers meet is kept, and which rules members accepted."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.community.domain import Standing
from services.community.domain.onboarding import Onboarding, Rule
from services.community.store.tables import CHANNEL, MEMBER, ONBOARDING


async def onboarding(tx: Transaction, community_id: UUID) -> Onboarding:
    """What a newcomer meets; nothing where nothing was ever said."""
    rows = await tx.execute(sa.select(ONBOARDING).where(ONBOARDING.c.community_id == community_id))
    row = rows.one_or_none()
    if row is None:
        return Onboarding(community_id)
    return Onboarding(
        row.community_id,
        tuple(Rule(rule["title"], rule["text"]) for rule in row.rules),
        row.rules_version,
        row.welcome,
        tuple(row.channel_ids),
        row.must_accept,
    )


async def save_onboarding(tx: Transaction, onboarding: Onboarding) -> None:
    """Keep what a newcomer meets; the caller holds the lock of the community."""
    values = {
        "rules": [{"title": rule.title, "text": rule.text} for rule in onboarding.rules],
        "rules_version": onboarding.rules_version,
        "welcome": onboarding.welcome,
        "channel_ids": list(onboarding.channel_ids),
        "must_accept": onboarding.must_accept,
    }
    await tx.execute(
        insert(ONBOARDING)
        .values(community_id=onboarding.community_id, **values)
        .on_conflict_do_update(index_elements=[ONBOARDING.c.community_id], set_=values)
    )


async def still_there(tx: Transaction, channel_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those among these channels that exist for somebody."""
    rows = await tx.execute(
        sa.select(CHANNEL.c.id).where(
            CHANNEL.c.id.in_(channel_ids), CHANNEL.c.standing == Standing.SETTLED
        )
    )
    return frozenset(rows.scalars())


async def accepted(tx: Transaction, community_id: UUID, user_id: UUID) -> int:
    """The version of the rules that a member accepted last; 0 for none, and for no member."""
    rows = await tx.execute(
        sa.select(MEMBER.c.accepted_version).where(
            MEMBER.c.community_id == community_id, MEMBER.c.user_id == user_id
        )
    )
    return int(rows.scalar_one_or_none() or 0)


async def accept_rules(tx: Transaction, onboarding: Onboarding, user_id: UUID) -> bool:
    """Keep that a member accepted the rules. False when they had."""
    kept = await tx.execute(
        sa.update(MEMBER)
        .where(
            MEMBER.c.community_id == onboarding.community_id,
            MEMBER.c.user_id == user_id,
            MEMBER.c.accepted_version != onboarding.rules_version,
        )
        .values(accepted_version=onboarding.rules_version, accept_time=sa.func.now())
    )
    return bool(kept.rowcount)
