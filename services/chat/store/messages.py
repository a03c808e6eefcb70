"""Messages, as they are listed and changed; `sending` is how they come to be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import Transaction
from services.chat.domain.mentions import packed, unpacked
from services.chat.domain.message import (
    Message,
    MessageNotFound,
    Preview,
    Reaction,
    Reference,
)
from services.chat.domain.place import Place
from services.chat.store import forwards, polls
from services.chat.store.tables import MESSAGE

# The number and the change in one statement: no number is taken without its change.
_CHANGE: Final = sa.text(
    """
    WITH taken AS (
        UPDATE channel SET last_sequence = last_sequence + 1
        WHERE id = :channel_id
        RETURNING last_sequence
    )
    UPDATE message
    SET content = :content, edit_time = :edit_time,
        delete_time = CAST(:delete_time AS timestamptz),
        forward = CASE WHEN CAST(:delete_time AS timestamptz) IS NULL THEN forward END,
        pin_time = CAST(:pin_time AS timestamptz),
        pin_revision = CASE
            WHEN CAST(:pin_time AS timestamptz) IS NULL THEN NULL
            ELSE coalesce(pin_revision, last_sequence)
        END,
        reactions = :reactions, mentions = :mentions, poll = :poll, revision = last_sequence
    FROM taken
    WHERE id = :id
    RETURNING revision
    """
).bindparams(
    sa.bindparam("reactions", type_=JSONB), sa.bindparam("poll", type_=JSONB(none_as_null=True))
)

# Numbers rise with time, so halving finds the place: a few looks into the index of the
# list, and no index by time for each message to be kept in.
_LAST_BEFORE: Final = sa.text(
    """
    WITH RECURSIVE search (low, high) AS (
        SELECT CAST(0 AS bigint), last_sequence + 1 FROM channel WHERE id = :channel_id
        UNION ALL
        SELECT
            CASE WHEN create_time < :moment THEN sequence ELSE low END,
            CASE WHEN create_time < :moment THEN high ELSE middle END
        FROM search
            CROSS JOIN LATERAL (SELECT (low + high) / 2 AS middle) AS half
            LEFT JOIN LATERAL (
                SELECT sequence, create_time FROM message
                WHERE channel_id = :channel_id AND delete_time IS NULL AND sequence >= middle
                ORDER BY sequence LIMIT 1
            ) AS there ON true
        WHERE high - low > 1
    )
    SELECT low FROM search ORDER BY high - low LIMIT 1
    """
)

_IDS: Final = sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid))
# By their ids, also where a plan is made for any channel: that most channels have few
# messages is no reason to look through those of this one.
_NAMED: Final = "(SELECT * FROM message WHERE id = ANY (:ids) OFFSET 0) AS message"
_UNHANG: Final = tuple(
    sa.text(statement).bindparams(_IDS)
    for statement in (
        f"""
        DELETE FROM mention WHERE ctid = ANY (ARRAY (
            SELECT there.ctid
            FROM {_NAMED} CROSS JOIN LATERAL mention_targets(mentions) AS meant
                CROSS JOIN LATERAL (
                    SELECT ctid FROM mention
                    WHERE mention.channel_id = :channel_id AND target = meant
                        AND mention.sequence = message.sequence
                    LIMIT 1
                ) AS there
            WHERE message.channel_id = :channel_id
        ))
        """,  # noqa: S608  # of constants
        *(
            f"""
            DELETE FROM {table} USING {_NAMED}
            WHERE message_id = message.id AND channel_id = :channel_id
            """  # noqa: S608  # of constants
            for table in ("reaction", "poll_vote", "message_version")
        ),
    )
)
_REMOVE: Final = sa.text(
    f"""
    WITH gone AS MATERIALIZED (
        SELECT id AS gone_id, row_number() OVER (ORDER BY sequence) AS number
        FROM {_NAMED}
        WHERE channel_id = :channel_id AND delete_time IS NULL
    ),
    taken AS (
        UPDATE channel SET last_sequence = last_sequence + (SELECT count(*) FROM gone)
        WHERE id = :channel_id
        RETURNING last_sequence - (SELECT count(*) FROM gone) AS base
    )
    UPDATE message
    SET content = '', delete_time = :now, pin_time = NULL, pin_revision = NULL,
        reactions = '[]', mentions = NULL, poll = NULL, forward = NULL, revision = base + number
    FROM gone, taken
    WHERE id = gone_id
    RETURNING message.*
    """  # noqa: S608  # of constants
).bindparams(_IDS)


async def message(tx: Transaction, place: Place, message_id: UUID) -> Message:
    """A message of a place, deleted or not. Raises `MessageNotFound`."""
    query = sa.select(MESSAGE).where(MESSAGE.c.id == message_id, MESSAGE.c.channel_id == place.id)
    row = (await tx.execute(query)).one_or_none()
    if row is None:
        raise MessageNotFound
    return read(row, place)


async def sent_under(tx: Transaction, place: Place, author_id: UUID, nonce: str) -> Message | None:
    """What somebody sent to a place under a nonce, deleted or not; None when nothing was."""
    query = sa.select(MESSAGE).where(
        MESSAGE.c.channel_id == place.id,
        MESSAGE.c.author_id == author_id,
        MESSAGE.c.nonce == nonce,
        MESSAGE.c.nonce != sa.literal_column("''"),  # as the index says it
    )
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else read(row, place)


async def save(tx: Transaction, message: Message) -> Message:
    """Keep a changed message, its revision the place's next number."""
    changed = await tx.execute(
        _CHANGE,
        {
            "id": message.id,
            "channel_id": message.place.id,
            "content": message.content,
            "edit_time": message.edit_time,
            "delete_time": message.delete_time,
            "pin_time": message.pin_time,
            "reactions": [[r.emoji, r.count] for r in message.reactions],
            "mentions": packed(message.mentions),
            "poll": polls.packed(message.poll),
        },
    )
    return replace(message, revision=changed.scalar_one())


async def remove_many(
    tx: Transaction, place: Place, message_ids: Collection[UUID], now: datetime
) -> Sequence[Message]:
    """Delete messages of a place, as `domain.message.delete` does, and what hangs on them.

    Each takes the place's next number, in their order. Returns those that were there.
    """
    named = {"channel_id": place.id, "ids": list(message_ids)}
    for statement in _UNHANG:
        await tx.execute(statement, named)
    removed = await tx.execute(_REMOVE, {**named, "now": now})
    return sorted((read(row, place) for row in removed), key=lambda message: message.revision)


async def messages_before(
    tx: Transaction, place: Place, sequence: int | None, limit: int
) -> Sequence[Message]:
    """The messages of a place before a number, newest first; the latest without one."""
    query = (
        sa.select(MESSAGE)
        .where(MESSAGE.c.channel_id == place.id, MESSAGE.c.delete_time.is_(None))
        .order_by(MESSAGE.c.sequence.desc())
        .limit(limit)
    )
    if sequence is not None:
        query = query.where(MESSAGE.c.sequence < sequence)
    return [read(row, place) for row in await tx.execute(query)]


async def messages_after(
    tx: Transaction, place: Place, sequence: int, limit: int
) -> Sequence[Message]:
    """The messages of a place after a number, oldest first."""
    query = (
        sa.select(MESSAGE)
        .where(
            MESSAGE.c.channel_id == place.id,
            MESSAGE.c.delete_time.is_(None),
            MESSAGE.c.sequence > sequence,
        )
        .order_by(MESSAGE.c.sequence)
        .limit(limit)
    )
    return [read(row, place) for row in await tx.execute(query)]


async def last_before(tx: Transaction, place: Place, moment: datetime) -> int:
    """The number of the last message of a place sent before a moment; 0 when none was."""
    found = await tx.execute(_LAST_BEFORE, {"channel_id": place.id, "moment": moment})
    return found.scalar_one_or_none() or 0


async def changed_after(
    tx: Transaction, place: Place, revision: int, limit: int
) -> Sequence[Message]:
    """The messages of a place changed after a number, deleted ones too, in that order."""
    query = (
        sa.select(MESSAGE)
        .where(MESSAGE.c.channel_id == place.id, MESSAGE.c.revision > revision)
        .order_by(MESSAGE.c.revision)
        .limit(limit)
    )
    return [read(row, place) for row in await tx.execute(query)]


async def pinned(tx: Transaction, place: Place) -> Sequence[Message]:
    """The pinned messages of a place, the latest pinned first."""
    query = (
        sa.select(MESSAGE)
        .where(MESSAGE.c.channel_id == place.id, MESSAGE.c.pin_revision.is_not(None))
        .order_by(MESSAGE.c.pin_revision.desc())
    )
    return [read(row, place) for row in await tx.execute(query)]


async def referenced(
    tx: Transaction, place: Place, messages: Iterable[Message]
) -> Mapping[UUID, Reference]:
    """What messages of a place answer, by its id; no question is asked where none does."""
    return await references(
        tx, place, {m.reply_to for m in messages if m.reply_to and m.delete_time is None}
    )


async def references(
    tx: Transaction, place: Place, message_ids: Collection[UUID]
) -> Mapping[UUID, Reference]:
    """Messages of a place, as they are shown above an answer; also those that are gone."""
    if not message_ids:
        return {}
    named = (
        sa.select(
            MESSAGE.c.id,
            MESSAGE.c.author_id,
            MESSAGE.c.channel_id,
            MESSAGE.c.delete_time,
            forwards.EXCERPT,
        )
        .where(MESSAGE.c.id == sa.any_(sa.bindparam("messages", type_=sa.ARRAY(sa.Uuid))))
        .offset(sa.literal_column("0"))  # as with `_NAMED`
        .subquery()
    )
    query = sa.select(named.c.id, named.c.author_id, named.c.excerpt).where(
        named.c.channel_id == place.id, named.c.delete_time.is_(None)
    )
    found = {message_id: Reference(message_id) for message_id in message_ids}
    for row in await tx.execute(query, {"messages": list(message_ids)}):
        found[row.id] = Reference(row.id, row.author_id, row.excerpt)
    return found


async def previews(
    tx: Transaction, message_ids: Collection[UUID]
) -> Mapping[tuple[UUID, UUID], Preview]:
    """How messages begin, by the place they are in and their id; not those that are gone."""
    query = sa.select(
        MESSAGE.c.id,
        MESSAGE.c.channel_id,
        MESSAGE.c.author_id,
        forwards.EXCERPT,
        MESSAGE.c.create_time,
    ).where(
        MESSAGE.c.id == sa.any_(sa.bindparam("messages", type_=sa.ARRAY(sa.Uuid))),
        MESSAGE.c.delete_time.is_(None),
    )
    return {
        (row.channel_id, row.id): Preview(row.author_id, row.excerpt, row.create_time)
        for row in await tx.execute(query, {"messages": list(message_ids)})
    }


async def count_pinned(tx: Transaction, place: Place) -> int:
    """How many messages of a place are pinned."""
    query = (
        sa.select(sa.func.count())
        .select_from(MESSAGE)
        .where(MESSAGE.c.channel_id == place.id, MESSAGE.c.pin_revision.is_not(None))
    )
    count: int = (await tx.execute(query)).scalar_one()
    return count


def read(row: Row[Any], place: Place) -> Message:
    """The message in a row that has all its columns."""
    return Message(
        row.id,
        place,
        row.author_id,
        row.content,
        row.nonce,
        row.sequence,
        row.revision,
        row.create_time,
        row.edit_time,
        row.delete_time,
        row.pin_time,
        tuple(Reaction(emoji, count) for emoji, count in row.reactions),
        row.fingerprint,
        row.reply_to,
        unpacked(row.mentions),
        row.thread_id,
        polls.unpacked(row.poll),
        forwards.unpacked(row.forward),
    )
