"""Sending many messages with one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
import json
from typing import Any, Final, TypeAlias
from uuid import UUID

import sqlalchemy as sa

from chassis.database import Transaction
from chassis.outbox import RECORDING, recorded
from chassis.publisher import Entry
from services.chat.domain.mentions import packed, unpacked
from services.chat.domain.message import Draft, Message, Reaction
from services.chat.store import forwards, polls

NONCE_INDEX: Final = "message_nonce"
"""The index that keeps a nonce from naming two messages of its author in a place."""

_SEND: Final = sa.text(
    rf"""
    WITH draft AS MATERIALIZED (
        SELECT * FROM json_to_recordset(CAST(:drafts AS json)) AS draft (
            place integer,
            id uuid, channel_id uuid, author_id uuid, content text, nonce text,
            fingerprint bytea, create_time timestamptz, reply_to uuid, mentions bytea,
            poll jsonb, forward jsonb, paced boolean,
            event_id uuid, subject text, body bytea, headers jsonb, event_time timestamptz
        )
    ),
    -- In the order of their ids: whoever writes to the same channels waits for this,
    -- and never this for them and they for this.
    locked AS MATERIALIZED (
        SELECT id, last_sequence, slow_seconds, frozen, parent_id, community_id FROM channel
        WHERE id = ANY (ARRAY (SELECT DISTINCT channel_id FROM draft)) AND delete_time IS NULL
        ORDER BY id
        FOR UPDATE
    ),
    before AS MATERIALIZED (
        SELECT draft.place, sent.*
        FROM draft CROSS JOIN LATERAL (
            SELECT message.*,
                ARRAY (
                    SELECT emoji FROM reaction
                    WHERE message_id = message.id AND user_id = message.author_id
                ) AS reacted
            FROM message
            WHERE channel_id = draft.channel_id AND author_id = draft.author_id
                AND nonce = draft.nonce AND nonce <> ''
            -- One lookup in the index for each draft, whatever statistics say.
            LIMIT 1
        ) AS sent
    ),
    -- Of the drafts that answer a message, those whose message is there.
    answering AS MATERIALIZED (
        SELECT draft.place
        FROM draft CROSS JOIN LATERAL (
            SELECT FROM message
            WHERE id = draft.reply_to AND channel_id = draft.channel_id AND delete_time IS NULL
            LIMIT 1
        ) AS answered
        WHERE draft.reply_to IS NOT NULL
    ),
    -- Of the drafts in conversations of two, those that the other is not to get: who blocked
    -- the author, is no more, or is away; in this order, as `conversations.reach_in` says it.
    barred AS MATERIALIZED (
        SELECT draft.place, other.why
        FROM draft JOIN locked ON locked.id = draft.channel_id AND community_id IS NULL
        CROSS JOIN LATERAL (
            SELECT CASE
                WHEN EXISTS (
                    SELECT FROM block WHERE blocked_id = draft.author_id
                        AND (blocker_id = first_id OR blocker_id = second_id)
                ) THEN -2
                WHEN gone THEN -3
                WHEN EXISTS (
                    SELECT FROM standing WHERE (user_id = first_id OR user_id = second_id)
                        AND user_id <> draft.author_id AND deactivated
                ) THEN -4
            END AS why
            FROM conversation
            WHERE conversation.id = draft.channel_id AND first_id IS NOT NULL
            LIMIT 1
        ) AS other
        WHERE other.why IS NOT NULL
    ),
    admitted AS MATERIALIZED (
        SELECT draft.*, locked.last_sequence, locked.slow_seconds,
            draft.paced AND locked.slow_seconds > 0 AS slow
        FROM draft JOIN locked ON locked.id = draft.channel_id
        WHERE draft.place NOT IN (SELECT before.place FROM before)
            AND NOT (draft.paced AND locked.frozen)
            AND draft.place NOT IN (SELECT barred.place FROM barred)
            AND (draft.reply_to IS NULL OR draft.place IN (SELECT answering.place FROM answering))
    ),
    -- In slow mode, the first draft of each author.
    next AS MATERIALIZED (
        SELECT DISTINCT ON (channel_id, author_id) place, channel_id, author_id, slow_seconds
        FROM admitted WHERE slow
        ORDER BY channel_id, author_id, place
    ),
    -- What is in the table now decides, not what the statement saw of it before it had
    -- waited for the place.
    going AS (
        INSERT INTO pace (channel_id, user_id, next_time)
        SELECT channel_id, author_id, now() + slow_seconds * interval '1 second' FROM next
        ON CONFLICT (channel_id, user_id)
            DO UPDATE SET next_time = excluded.next_time WHERE pace.next_time <= now()
        RETURNING channel_id, user_id
    ),
    fresh AS MATERIALIZED (
        SELECT admitted.*, last_sequence
            + row_number() OVER (PARTITION BY channel_id ORDER BY place) AS sequence
        FROM admitted
        WHERE NOT slow OR place IN (
            SELECT next.place FROM next JOIN going
                ON going.channel_id = next.channel_id AND going.user_id = next.author_id
        )
    ),
    counted AS (
        UPDATE channel SET last_sequence = last.sequence, last_message = last.sequence,
            -- An index has it, so it changes once an hour and no more often.
            active = hour_of(now())
        FROM (SELECT channel_id, max(sequence) AS sequence FROM fresh GROUP BY channel_id) AS last
        WHERE channel.id = last.channel_id
        AND channel.id = ANY (ARRAY (SELECT DISTINCT channel_id FROM draft))
    ),
    kept AS (
        INSERT INTO message (id, channel_id, author_id, content, nonce, fingerprint,
            sequence, revision, create_time, reply_to, mentions, poll, forward)
        SELECT id, channel_id, author_id, content, nonce, fingerprint,
            sequence, sequence, create_time, reply_to, mentions, poll, forward
        FROM fresh
    ),
    meant AS (
        INSERT INTO mention (channel_id, target, sequence)
        SELECT channel_id, target, sequence
        FROM fresh CROSS JOIN LATERAL mention_targets(mentions) AS target
        WHERE mentions IS NOT NULL
    ),
    -- A message takes its thread out of the archive.
    discussed AS (
        UPDATE thread SET reply_count = reply_count + new.count, last_reply_time = now(),
            archive_time = NULL, stale = true,
            review_time = CASE
                WHEN archive_time IS NULL THEN review_time
                ELSE now() + archive_hours * interval '1 hour'
            END
        FROM (SELECT channel_id, count(*) FROM fresh GROUP BY channel_id) AS new
        WHERE thread.id = new.channel_id
        AND thread.id = ANY (ARRAY (SELECT id FROM locked WHERE parent_id IS NOT NULL))
    ),
    followed AS (
        INSERT INTO thread_follower (user_id, community_id, thread_id)
        SELECT user_id, community_id, locked.id
        FROM fresh JOIN locked ON locked.id = channel_id CROSS JOIN LATERAL (
            SELECT author_id AS user_id
            UNION
            SELECT CAST(encode(substring(target FROM 2), 'hex') AS uuid)
            FROM mention_targets(mentions) AS target WHERE get_byte(target, 0) = 1
        ) AS concerned
        WHERE parent_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM block WHERE blocked_id = author_id AND blocker_id = user_id
        )
        ON CONFLICT DO NOTHING
    ),
    told AS (
        INSERT INTO outbox (id, type, subject, body, headers, create_time)
        -- A second occurrence of `message` (1) with `sequence` (5) and `revision` (9).
        SELECT event_id, :type, subject,
            body || '\x0a' || set_byte('\x00', 0, 2 + 2 * length(number))
                || '\x28' || number || '\x48' || number,
            headers, event_time
        FROM fresh CROSS JOIN LATERAL protobuf_varint(sequence) AS number
    ),
    recorded AS ({RECORDING})
    SELECT place, sequence, NULL AS before, CAST(NULL AS numeric) AS wait FROM fresh
    UNION ALL
    SELECT place, sequence, to_jsonb(before), NULL FROM before
    UNION ALL
    SELECT place, NULL, NULL, CASE
            WHEN pace.next_time > now() THEN extract(epoch FROM pace.next_time - now())
            ELSE slow_seconds
        END
    FROM admitted
        LEFT JOIN pace ON pace.channel_id = admitted.channel_id AND pace.user_id = author_id
    WHERE slow AND place NOT IN (SELECT fresh.place FROM fresh)
    UNION ALL
    SELECT place, NULL, NULL, -1 FROM draft JOIN locked ON locked.id = draft.channel_id
    WHERE paced AND frozen AND place NOT IN (SELECT before.place FROM before)
    UNION ALL
    SELECT place, NULL, NULL, why FROM barred
    WHERE place NOT IN (SELECT before.place FROM before)
    UNION ALL
    SELECT place, NULL, NULL, NULL FROM draft JOIN locked ON locked.id = draft.channel_id
    WHERE reply_to IS NOT NULL AND NOT (paced AND frozen)
        AND place NOT IN (SELECT barred.place FROM barred)
        AND place NOT IN (SELECT answering.place FROM answering)
        AND place NOT IN (SELECT before.place FROM before)
    """  # noqa: S608  # put together from constants
)


@dataclass(frozen=True, slots=True)
class SentBefore:
    """The message an author sent under the same nonce, and what they reacted to it with."""

    message: Message
    reacted: frozenset[str]


class Unanswerable(Enum):
    """A draft answers a message that is not there."""

    UNANSWERABLE = auto()


@dataclass(frozen=True, slots=True)
class Early:
    """Its author wrote in the place a moment ago, and waits so many seconds."""

    seconds: float


class Refused(Enum):
    """Why a place does not take a draft of its author."""

    FROZEN = auto()
    """Only moderators write there."""
    BARRED = auto()
    """It is a conversation of two, and the other blocked the author."""
    GONE = auto()
    """It is a conversation of two, and the other deleted their account."""
    AWAY = auto()
    """It is a conversation of two, and the other deactivated their account."""


_REFUSED: Final = {-1: Refused.FROZEN, -2: Refused.BARRED, -3: Refused.GONE, -4: Refused.AWAY}
"""By what stands in for how long to wait."""

Outcome: TypeAlias = int | SentBefore | Unanswerable | Early | Refused | None
"""What became of a draft: its number, the message it was before, nothing to answer, too
soon, not taken from this author, or no place to stand in."""


async def send(
    tx: Transaction,
    drafts: Sequence[Draft],
    entries: Sequence[Entry],
    acknowledged: tuple[Sequence[UUID], Sequence[int]] = ((), ()),
) -> list[Outcome]:
    """Keep drafts and their events, each place's in the order they are given.

    One statement, so all of it or nothing. A draft whose author used its nonce in the
    place before is not kept; no nonce may stand twice among the drafts. To the body of
    each event the message's number is added. `acknowledged` are events whose
    positions are recorded on the way.

    Fails by `NONCE_INDEX` when another transaction used a nonce while this one waited
    for the place: a second try sees it.
    """
    found = await tx.execute(
        _SEND,
        {
            # One text for all of it: an array for each column takes four times as long to make.
            "drafts": json.dumps([_row(n, d, entries[n]) for n, d in enumerate(drafts)]),
            "type": entries[0].type,
            **recorded(*acknowledged),
        },
    )
    outcomes: list[Outcome] = [None] * len(drafts)
    for row in found:
        if row.before is not None:
            outcomes[row.place] = _sent_before(row.before, drafts[row.place])
        elif row.sequence is not None:
            outcomes[row.place] = row.sequence
        elif row.wait in _REFUSED:
            outcomes[row.place] = _REFUSED[int(row.wait)]
        elif row.wait is not None:
            outcomes[row.place] = Early(float(row.wait))
        else:
            outcomes[row.place] = Unanswerable.UNANSWERABLE
    return outcomes


def _row(place: int, draft: Draft, entry: Entry) -> dict[str, object]:
    mentions = packed(draft.mentions)
    return {
        "place": place,
        "id": draft.id.hex,
        "channel_id": draft.place.id.hex,
        "author_id": draft.author_id.hex,
        "content": draft.content,
        "nonce": draft.nonce,
        "fingerprint": None if draft.fingerprint is None else _bytea(draft.fingerprint),
        "create_time": draft.create_time.isoformat(),
        "reply_to": None if draft.reply_to is None else draft.reply_to.message_id.hex,
        "mentions": None if mentions is None else _bytea(mentions),
        "poll": polls.packed(draft.poll),
        "forward": forwards.packed(draft.forward),
        "paced": draft.paced,
        "event_id": entry.id.hex,
        "subject": entry.subject,
        "body": _bytea(entry.body),
        "headers": entry.headers,
        "event_time": entry.create_time.isoformat(),
    }


def _bytea(value: bytes) -> str:
    return f"\\x{value.hex()}"


def _sent_before(row: dict[str, Any], draft: Draft) -> SentBefore:
    answered = row["reply_to"]
    message = Message(
        UUID(row["id"]),
        draft.place,
        UUID(row["author_id"]),
        row["content"],
        row["nonce"],
        row["sequence"],
        row["revision"],
        datetime.fromisoformat(row["create_time"]),
        _moment(row["edit_time"]),
        _moment(row["delete_time"]),
        _moment(row["pin_time"]),
        tuple(Reaction(emoji, count) for emoji, count in row["reactions"]),
        _bytes(row["fingerprint"]),
        None if answered is None else UUID(answered),
        unpacked(_bytes(row["mentions"])),
        None if row["thread_id"] is None else UUID(row["thread_id"]),
        polls.unpacked(row["poll"]),
        forwards.unpacked(row["forward"]),
    )
    return SentBefore(message, frozenset(row["reacted"]))


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else bytes.fromhex(value.removeprefix("\\x"))


def _moment(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)
