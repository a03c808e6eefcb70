"""Where emoji are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row

from chassis.database import Transaction
from services.community.domain.emoji import Emoji, EmojiNameTaken, EmojiNotFound
from services.community.store.tables import EMOJI


async def emoji_of(tx: Transaction, community_id: UUID) -> Sequence[Emoji]:
    """The emoji of a community, by their names."""
    rows = await tx.execute(
        sa.select(EMOJI).where(EMOJI.c.community_id == community_id).order_by(EMOJI.c.name)
    )
    return [_emoji(row) for row in rows]


async def emoji(tx: Transaction, community_id: UUID, emoji_id: UUID) -> Emoji:
    """An emoji of this community. Raises `EmojiNotFound`."""
    row = (
        await tx.execute(
            sa.select(EMOJI).where(EMOJI.c.id == emoji_id, EMOJI.c.community_id == community_id)
        )
    ).one_or_none()
    if row is None:
        raise EmojiNotFound
    return _emoji(row)


async def add_emoji(tx: Transaction, emoji: Emoji) -> None:
    """Keep a new emoji; the caller holds the lock of the community. Raises `EmojiNameTaken`."""
    await _must_be_free(tx, emoji)
    await tx.execute(
        sa.insert(EMOJI).values(
            id=emoji.id,
            community_id=emoji.community_id,
            name=emoji.name,
            file_id=emoji.file_id,
            creator_id=emoji.creator_id,
            create_time=emoji.create_time,
        )
    )


async def rename_emoji(tx: Transaction, emoji: Emoji) -> None:
    """Keep the name; the caller holds the lock of the community. Raises `EmojiNameTaken`."""
    await _must_be_free(tx, emoji)
    await tx.execute(sa.update(EMOJI).where(EMOJI.c.id == emoji.id).values(name=emoji.name))


async def delete_emoji(tx: Transaction, emoji_id: UUID) -> None:
    """Take an emoji away."""
    await tx.execute(sa.delete(EMOJI).where(EMOJI.c.id == emoji_id))


async def _must_be_free(tx: Transaction, emoji: Emoji) -> None:
    taken = await tx.execute(
        sa.select(EMOJI.c.id).where(
            EMOJI.c.community_id == emoji.community_id,
            EMOJI.c.name == emoji.name,
            EMOJI.c.id != emoji.id,
        )
    )
    if taken.one_or_none() is not None:
        raise EmojiNameTaken


def _emoji(row: Row[Any]) -> Emoji:
    return Emoji(row.id, row.community_id, row.name, row.file_id, row.creator_id, row.create_time)
