"""What messages said before they were edited."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import sqlalchemy as sa

from chassis.database import Transaction
from services.chat.domain.message import MAX_VERSIONS, Message, Version, version
from services.chat.store.tables import MESSAGE_VERSION


async def keep(tx: Transaction, before: Message) -> None:
    """Keep what a message said until now, and forget what is too long ago."""
    said = version(before)
    await tx.execute(
        sa.insert(MESSAGE_VERSION).values(
            message_id=before.id,
            revision=before.revision,
            content=said.content,
            create_time=said.create_time,
        )
    )
    oldest = (
        sa.select(MESSAGE_VERSION.c.revision)
        .where(MESSAGE_VERSION.c.message_id == before.id)
        .order_by(MESSAGE_VERSION.c.revision.desc())
        .offset(MAX_VERSIONS)
        .limit(1)
        .scalar_subquery()
    )
    await tx.execute(
        sa.delete(MESSAGE_VERSION).where(
            MESSAGE_VERSION.c.message_id == before.id, MESSAGE_VERSION.c.revision <= oldest
        )
    )


async def remove_all(tx: Transaction, message_id: UUID) -> None:
    """Forget what a message said."""
    await tx.execute(sa.delete(MESSAGE_VERSION).where(MESSAGE_VERSION.c.message_id == message_id))


async def of_message(tx: Transaction, message_id: UUID) -> Sequence[Version]:
    """What a message said before, the latest first."""
    query = (
        sa.select(MESSAGE_VERSION.c.content, MESSAGE_VERSION.c.create_time)
        .where(MESSAGE_VERSION.c.message_id == message_id)
        .order_by(MESSAGE_VERSION.c.revision.desc())
    )
    return [Version(row.content, row.create_time) for row in await tx.execute(query)]
