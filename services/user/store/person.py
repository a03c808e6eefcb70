"""What stands here of a person."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from chassis import ids
from chassis.database import Transaction
from chassis.person import Part, of
from services.user.store.tables import BLOCK, HELD_HANDLE, PROFILE, SETTINGS

PARTS: Final = (
    Part(
        PROFILE,
        of(PROFILE.c.id),
        frozenset({"skeleton", "standing_revision", "told_revision"}),
        names=ids.Kind.USER,
    ),
    # Whom they blocked: who blocked them they are not told.
    Part(BLOCK, of(BLOCK.c.blocker_id), frozenset({"number", "told"})),
    Part(SETTINGS, of(SETTINGS.c.user_id)),
    Part(
        HELD_HANDLE,
        of(HELD_HANDLE.c.owner_id),
        frozenset({"skeleton"}),
        stays="held as long as it was to be, and it is not kept for whom",
    ),
)
"""What is kept of a person."""


async def forget_blocks_of(tx: Transaction, user_id: UUID) -> None:
    """Take back the blocks of others that are on a person."""
    await tx.execute(sa.delete(BLOCK).where(BLOCK.c.blocked_id == user_id))
