"""How far people have read, and where something is new to them.

No list of everything somebody might read is ever walked through. A channel says in
which hour it was last written in (`channel.active`). Everything that was written in
before the hour a person is settled up to (`reader.settled`) is read by them, or noted
as not (`read_state.behind`). So what may be new is what was written in since, and what
is noted; who reads anything is settled up to the hour before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from chassis.database import Transaction
from services.chat.domain.mentions import EVERYONE_TARGET, role_target, user_target
from services.chat.domain.place import Place, PlaceNotFound
from services.chat.domain.reading import (
    MOST_COUNTED,
    MOST_LOOKED_AT,
    Reader,
    ReadState,
    tally,
)

# Settled is up to the hour before this one: what is being sent and not committed yet is
# of a later hour, for no statement takes so long.
_MARK: Final = sa.text(
    """
    INSERT INTO read_state (user_id, channel_id, community_id, sequence, behind)
    SELECT :user_id, id, community_id, read, read < last_message
    FROM channel CROSS JOIN LATERAL (
        SELECT least(:sequence, last_sequence) AS read
    ) AS mark
    WHERE id = :channel_id AND read > 0
    ON CONFLICT (user_id, channel_id)
        DO UPDATE SET sequence = excluded.sequence, behind = excluded.behind
        WHERE excluded.sequence > read_state.sequence
    RETURNING sequence
    """
)
_BEGIN: Final = sa.text(
    """
    INSERT INTO reader (user_id, community_id, join_time, settled)
    VALUES (:user_id, :community_id, '2000-01-01 00:00+00', '2000-01-01 00:00+00')
    ON CONFLICT DO NOTHING
    """
)
_DUE: Final = sa.text(
    """
    SELECT FROM reader
    WHERE user_id = :user_id AND community_id = :community_id
        AND settled < hour_of(now()) - interval '1 hour'
    FOR UPDATE
    """
)
_NOTE: Final = sa.text(
    """
    INSERT INTO read_state (user_id, channel_id, community_id, sequence, behind)
    SELECT :user_id, channel.id, channel.community_id, 0, true
    FROM reader
        JOIN channel ON channel.community_id = reader.community_id AND parent_id IS NULL
            AND active >= settled AND active < hour_of(now()) - interval '1 hour'
        LEFT JOIN read_state ON read_state.user_id = :user_id AND channel_id = channel.id
    WHERE reader.user_id = :user_id AND reader.community_id = :community_id
        AND last_message > greatest(counted_from, sequence)
    -- Also where the person read on meanwhile: they have news there once too often, and
    -- never once too few.
    ON CONFLICT (user_id, channel_id) DO UPDATE SET behind = true
    """
)
_SETTLE: Final = sa.text(
    """
    UPDATE reader SET settled = hour_of(now()) - interval '1 hour'
    WHERE user_id = :user_id AND community_id = :community_id
    """
)
_JOIN: Final = sa.text(
    """
    INSERT INTO reader (user_id, community_id, join_time, settled)
    VALUES (:user_id, :community_id, :at, hour_of(CAST(:at AS timestamptz)))
    ON CONFLICT (user_id, community_id)
        DO UPDATE SET join_time = excluded.join_time, settled = excluded.settled
    """
)
_LIVELY: Final = sa.text(
    """
    SELECT channel.id
    FROM (
        SELECT id FROM channel
        WHERE community_id = :community_id AND parent_id IS NULL AND active >= coalesce(
            (SELECT settled FROM reader WHERE user_id = :user_id AND community_id = :community_id),
            '2000-01-01 00:00+00'
        )
        UNION
        SELECT channel_id FROM read_state
        WHERE user_id = :user_id AND community_id = :community_id AND behind
    ) AS lively
        JOIN channel ON channel.id = lively.id
        LEFT JOIN read_state ON read_state.user_id = :user_id AND channel_id = channel.id
    WHERE last_message > greatest(counted_from, sequence) AND delete_time IS NULL
        AND parent_id IS NULL
        AND (CAST(:after AS uuid) IS NULL OR channel.id > CAST(:after AS uuid))
    ORDER BY channel.id LIMIT :limit
    """
)
_LIVELY_CONVERSATIONS: Final = sa.text(
    """
    SELECT channel.id
    FROM conversation_member AS mine
        JOIN channel ON channel.id = mine.conversation_id
        LEFT JOIN read_state ON read_state.user_id = mine.user_id AND channel_id = channel.id
    WHERE mine.user_id = :user_id AND last_message > greatest(counted_from, sequence)
        AND (CAST(:after AS uuid) IS NULL OR channel.id > CAST(:after AS uuid))
    ORDER BY channel.id LIMIT :limit
    """
)
_LIVELY_THREADS: Final = sa.text(
    """
    SELECT channel.id, channel.parent_id
    FROM thread_follower AS mine
        JOIN channel ON channel.id = mine.thread_id
        LEFT JOIN read_state ON read_state.user_id = mine.user_id AND channel_id = channel.id
    WHERE mine.user_id = :user_id AND mine.community_id = :community_id
        AND last_message > coalesce(sequence, 0) AND delete_time IS NULL
        AND (CAST(:after AS uuid) IS NULL OR mine.thread_id > CAST(:after AS uuid))
    ORDER BY mine.thread_id LIMIT :limit
    """
)


def _meant(latest: str) -> str:
    """The numbers at which somebody is mentioned in a place, so many for each target."""
    return f"""
        SELECT mention.sequence FROM unnest(:targets) AS target CROSS JOIN LATERAL (
            SELECT mention.sequence FROM mention
            WHERE channel_id = channel.id AND mention.target = target.target
                AND mention.sequence > read.number AND mention.sequence >= near.floor
            ORDER BY mention.sequence DESC LIMIT {latest}
        ) AS mention
        WHERE near.new > 0 OR NOT near.enough
    """  # noqa: S608  # put together from constants


def _counted(meant: str) -> str:
    """How many of these mention somebody whom they concern."""
    return f"""
        SELECT count(*) AS new FROM (
            SELECT FROM ({meant}) AS meant CROSS JOIN LATERAL (
                SELECT author_id, create_time FROM message
                WHERE channel_id = channel.id AND delete_time IS NULL
                    AND message.sequence = meant.sequence
                LIMIT 1
            ) AS message
            WHERE author_id <> :user_id AND create_time > read.since AND NOT EXISTS (
                SELECT FROM block WHERE blocked_id = author_id AND blocker_id = :user_id
            )
            LIMIT :counted
        ) AS new
    """  # noqa: S608  # put together from constants


# The latest hundred nearly always say what is new: more than is counted, all there is, or
# all since the person joined. Numbers rise with time but for what was sent at once, so a
# minute tells. Only where some of these are the person's own is looked on before them, and
# at more mentions where some are the person's own or of somebody they blocked.
_COUNT: Final = sa.text(
    f"""
    SELECT channel.id, channel.community_id IS NULL AS conversation,
        channel.parent_id IS NOT NULL AS thread, read.sequence,
        near.new + CASE WHEN near.enough THEN 0 ELSE (
            SELECT count(*) FROM (
                SELECT FROM (
                    SELECT author_id, create_time FROM message
                    WHERE channel_id = channel.id AND delete_time IS NULL
                        AND message.sequence > read.number AND message.sequence < near.lowest
                    ORDER BY message.sequence DESC LIMIT :looked_at - :counted
                ) AS earlier
                WHERE author_id <> :user_id AND create_time > read.since
                LIMIT :counted - near.new
            ) AS new
        ) END AS unread,
        CASE WHEN meant.all_there_is OR few.new >= :counted THEN few.new ELSE (
            {_counted(f"SELECT DISTINCT sequence FROM ({_meant(':looked_at')}) AS every")}
        ) END AS mentions
    FROM channel
        LEFT JOIN read_state ON read_state.user_id = :user_id AND channel_id = channel.id
        LEFT JOIN reader ON reader.user_id = :user_id
            AND reader.community_id = channel.community_id
        CROSS JOIN LATERAL (
            SELECT coalesce(read_state.sequence, 0) AS sequence,
                greatest(channel.counted_from, read_state.sequence) AS number,
                coalesce(join_time, '2000-01-01 00:00+00') AS since
        ) AS read
        CROSS JOIN LATERAL (
            SELECT new, lowest, CASE WHEN joined THEN lowest ELSE 0 END AS floor,
                joined OR new >= :counted OR looked < :counted AS enough
            FROM (
                SELECT count(*) AS looked, min(latest.sequence) AS lowest,
                    count(*) FILTER (WHERE author_id <> :user_id AND create_time > read.since)
                        AS new,
                    coalesce(min(create_time) < read.since - interval '1 minute', false) AS joined
                FROM (
                    SELECT message.sequence, author_id, create_time FROM message
                    WHERE channel_id = channel.id AND delete_time IS NULL
                        AND message.sequence > read.number
                    ORDER BY message.sequence DESC LIMIT :counted
                ) AS latest
            ) AS latest
        ) AS near
        CROSS JOIN LATERAL (
            SELECT array_agg(DISTINCT latest.sequence) AS sequences,
                count(*) < :counted AS all_there_is
            FROM ({_meant(":counted")}) AS latest
        ) AS meant
        CROSS JOIN LATERAL (
            {_counted("SELECT unnest(meant.sequences) AS sequence")}
        ) AS few
    WHERE channel.id = ANY (:places)
    ORDER BY channel.id
    """  # noqa: S608  # put together from constants
).bindparams(
    sa.bindparam("targets", type_=sa.ARRAY(sa.LargeBinary)),
    sa.bindparam("places", type_=sa.ARRAY(sa.Uuid)),
)


async def join(tx: Transaction, user_id: UUID, community_id: UUID, at: datetime) -> None:
    """Count as read what was written in a community before somebody joined it."""
    await tx.execute(_JOIN, {"user_id": user_id, "community_id": community_id, "at": at})


async def mark(tx: Transaction, place: Place, user_id: UUID, sequence: int) -> int | None:
    """Keep that somebody read a place up to a number, or up to its last if that is less.

    Returns the number that is kept; None when they had read so far already.
    """
    marked = await tx.execute(
        _MARK, {"user_id": user_id, "channel_id": place.id, "sequence": sequence}
    )
    kept: int | None = marked.scalar_one_or_none()
    return kept


async def settle(tx: Transaction, user_id: UUID, community_id: UUID) -> None:
    """Note what somebody has not read of what was written until an hour ago."""
    name = {"user_id": user_id, "community_id": community_id}
    await tx.execute(_BEGIN, name)
    if (await tx.execute(_DUE, name)).one_or_none() is not None:
        await tx.execute(_NOTE, name)
        await tx.execute(_SETTLE, name)


async def lively(
    tx: Transaction, user_id: UUID, community_id: UUID, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """The channels of a community where something may be new to somebody, by their ids."""
    found = await tx.execute(
        _LIVELY,
        {"user_id": user_id, "community_id": community_id, "after": after, "limit": limit},
    )
    return list(found.scalars())


async def lively_conversations(
    tx: Transaction, user_id: UUID, after: UUID | None, limit: int
) -> Sequence[UUID]:
    """Somebody's conversations where something may be new to them, by their ids."""
    found = await tx.execute(
        _LIVELY_CONVERSATIONS, {"user_id": user_id, "after": after, "limit": limit}
    )
    return list(found.scalars())


async def lively_threads(
    tx: Transaction, user_id: UUID, community_id: UUID, after: UUID | None, limit: int
) -> Mapping[UUID, UUID]:
    """The threads somebody follows where something may be new to them, by their ids.

    Each with the channel it is in.
    """
    found = await tx.execute(
        _LIVELY_THREADS,
        {"user_id": user_id, "community_id": community_id, "after": after, "limit": limit},
    )
    return {row.id: row.parent_id for row in found}


async def states(tx: Transaction, reader: Reader, places: Collection[UUID]) -> Sequence[ReadState]:
    """What is new to somebody in places that they see, by the ids of these."""
    if not places:
        return []
    targets = [EVERYONE_TARGET, user_target(reader.user_id), *map(role_target, reader.roles)]
    rows = await tx.execute(
        _COUNT,
        {
            "user_id": reader.user_id,
            "targets": targets,
            "places": list(places),
            "looked_at": MOST_LOOKED_AT,
            "counted": MOST_COUNTED + 1,
        },
    )
    return [
        ReadState(
            Place(row.id, row.conversation, row.thread),
            row.sequence,
            tally(row.unread),
            tally(row.mentions),
        )
        for row in rows
    ]


async def state(tx: Transaction, reader: Reader, place: Place) -> ReadState:
    """What is new to somebody in a place that they see. Raises `PlaceNotFound`."""
    for found in await states(tx, reader, [place.id]):
        return found
    raise PlaceNotFound
