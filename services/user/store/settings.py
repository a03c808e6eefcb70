"""Where settings are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.user.domain import Audience, Settings, Theme
from services.user.store.tables import SETTINGS


async def settings_of(tx: Transaction, user_id: UUID, *, to_change: bool = False) -> Settings:
    """Somebody's settings; the defaults while they have none.

    `to_change` lets nobody else change them until the transaction ends.
    """
    if to_change:
        await tx.execute(
            sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(str(user_id), 1)))
        )
    row = (await tx.execute(sa.select(SETTINGS).where(SETTINGS.c.user_id == user_id))).one_or_none()
    if row is None:
        return Settings()
    return Settings(
        Theme(row.theme),
        row.locale,
        row.reduce_motion,
        row.hide_typing,
        row.compact,
        Audience(row.direct_messages),
    )


async def direct_messages_of(
    tx: Transaction, user_ids: Collection[UUID]
) -> Mapping[UUID, Audience]:
    """Who may begin to talk to some people, of those who chose."""
    query = sa.select(SETTINGS.c.user_id, SETTINGS.c.direct_messages).where(
        SETTINGS.c.user_id.in_(user_ids)
    )
    return {row.user_id: Audience(row.direct_messages) for row in await tx.execute(query)}


async def keep_settings(tx: Transaction, user_id: UUID, settings: Settings) -> None:
    """Keep somebody's settings."""
    values = {
        **asdict(settings),
        "theme": int(settings.theme),
        "direct_messages": int(settings.direct_messages),
    }
    await tx.execute(
        insert(SETTINGS)
        .values(user_id=user_id, **values)
        .on_conflict_do_update(index_elements=[SETTINGS.c.user_id], set_=values)
    )
