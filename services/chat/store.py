"""Where channels' sequences and messages are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.chat.domain import ChannelNotFound, Draft, Message, MessageNotFound

METADATA = sa.MetaData()

CHANNEL = sa.Table(
    "channel",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("community_id", sa.Uuid, nullable=False),
    sa.Column("last_sequence", sa.BigInteger, nullable=False),
)
MESSAGE = sa.Table(
    "message",
    METADATA,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("channel_id", sa.Uuid, sa.ForeignKey("channel.id"), nullable=False),
    sa.Column("author_id", sa.Uuid, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("nonce", sa.Text, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    sa.Column("edit_time", sa.DateTime(timezone=True)),
    sa.Column("delete_time", sa.DateTime(timezone=True)),
)

# The number and the message in one statement: no number is taken without its
# change.
_SEND: Final = sa.text(
    """
    WITH taken AS (
        UPDATE channel SET last_sequence = last_sequence + 1
        WHERE id = :channel_id
        RETURNING last_sequence
    )
    INSERT INTO message
        (id, channel_id, author_id, content, nonce, sequence, revision, create_time)
    SELECT :id, :channel_id, :author_id, :content, :nonce, last_sequence, last_sequence,
        :create_time
    FROM taken
    RETURNING sequence
    """
)
_CHANGE: Final = sa.text(
    """
    WITH taken AS (
        UPDATE channel SET last_sequence = last_sequence + 1
        WHERE id = :channel_id
        RETURNING last_sequence
    )
    UPDATE message
    SET content = :content, edit_time = :edit_time, delete_time = :delete_time,
        revision = last_sequence
    FROM taken
    WHERE id = :id
    RETURNING revision
    """
)


async def add_channel(tx: Transaction, channel_id: UUID, community_id: UUID) -> None:
    """Begin a channel's sequence; one that has begun goes on."""
    await tx.execute(
        insert(CHANNEL)
        .values(id=channel_id, community_id=community_id, last_sequence=0)
        .on_conflict_do_nothing()
    )


async def community_of(tx: Transaction, channel_id: UUID) -> UUID | None:
    """The community of a channel; None when it was never heard of."""
    row = await tx.execute(sa.select(CHANNEL.c.community_id).where(CHANNEL.c.id == channel_id))
    community: UUID | None = row.scalar_one_or_none()
    return community


async def lock(tx: Transaction, channel_id: UUID) -> UUID:
    """Let nobody else change the channel until the transaction ends.

    Returns its community. Raises `ChannelNotFound`.
    """
    row = await tx.execute(
        sa.select(CHANNEL.c.community_id).where(CHANNEL.c.id == channel_id).with_for_update()
    )
    community: UUID | None = row.scalar_one_or_none()
    if community is None:
        raise ChannelNotFound
    return community


async def sent_before(tx: Transaction, draft: Draft) -> Message | None:
    """The message its author sent under the same nonce, in a locked channel."""
    if not draft.nonce:
        return None
    row = (
        await tx.execute(
            sa.select(MESSAGE).where(
                MESSAGE.c.channel_id == draft.channel_id,
                MESSAGE.c.author_id == draft.author_id,
                MESSAGE.c.nonce == draft.nonce,
                # Said as the index says it, for a plan made before the nonce is known.
                MESSAGE.c.nonce != sa.literal_column("''"),
            )
        )
    ).one_or_none()
    return None if row is None else _message(row)


async def send(tx: Transaction, draft: Draft) -> Message:
    """Give the draft the channel's next number and keep it."""
    sequence = (
        await tx.execute(
            _SEND,
            {
                "id": draft.id,
                "channel_id": draft.channel_id,
                "author_id": draft.author_id,
                "content": draft.content,
                "nonce": draft.nonce,
                "create_time": draft.create_time,
            },
        )
    ).scalar_one()
    return Message(
        draft.id,
        draft.channel_id,
        draft.author_id,
        draft.content,
        draft.nonce,
        sequence=sequence,
        revision=sequence,
        create_time=draft.create_time,
    )


async def message(tx: Transaction, channel_id: UUID, message_id: UUID) -> Message:
    """A message, deleted or not, of a locked channel. Raises `MessageNotFound`."""
    row = (
        await tx.execute(
            sa.select(MESSAGE).where(MESSAGE.c.id == message_id, MESSAGE.c.channel_id == channel_id)
        )
    ).one_or_none()
    if row is None:
        raise MessageNotFound
    return _message(row)


async def save(tx: Transaction, message: Message) -> Message:
    """Keep a changed message, its revision the channel's next number."""
    changed = await tx.execute(
        _CHANGE,
        {
            "id": message.id,
            "channel_id": message.channel_id,
            "content": message.content,
            "edit_time": message.edit_time,
            "delete_time": message.delete_time,
        },
    )
    return replace(message, revision=changed.scalar_one())


async def messages_before(
    tx: Transaction, channel_id: UUID, sequence: int | None, limit: int
) -> Sequence[Message]:
    """The messages of a channel before a place, newest first; the latest without one."""
    query = (
        sa.select(MESSAGE)
        .where(MESSAGE.c.channel_id == channel_id, MESSAGE.c.delete_time.is_(None))
        .order_by(MESSAGE.c.sequence.desc())
        .limit(limit)
    )
    if sequence is not None:
        query = query.where(MESSAGE.c.sequence < sequence)
    return [_message(row) for row in await tx.execute(query)]


def _message(row: Row[Any]) -> Message:
    return Message(
        row.id,
        row.channel_id,
        row.author_id,
        row.content,
        row.nonce,
        row.sequence,
        row.revision,
        row.create_time,
        row.edit_time,
        row.delete_time,
    )
