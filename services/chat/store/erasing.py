"""Erasing what stood in places that are no more, a bounded part at a time.

The place itself stays, as a name under which nothing can begin again.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import sqlalchemy as sa

from chassis.database import Transaction

_NEXT: Final = sa.text(
    """
    SELECT id FROM channel WHERE delete_time IS NOT NULL AND erase_time IS NULL
    ORDER BY delete_time LIMIT 1
    FOR UPDATE SKIP LOCKED
    """
)
_MESSAGES: Final = sa.text(
    """
    SELECT id FROM message WHERE channel_id = :channel_id
    ORDER BY revision LIMIT :limit
    """
)
_IDS: Final = sa.bindparam("ids", type_=sa.ARRAY(sa.Uuid))
_OF_MESSAGES: Final = tuple(
    sa.text(f"DELETE FROM {table} WHERE {column} = ANY (:ids)").bindparams(_IDS)  # noqa: S608  # of constants
    for table, column in (
        ("reaction", "message_id"),
        ("poll_vote", "message_id"),
        ("message_version", "message_id"),
        ("bookmark", "message_id"),
        ("message", "id"),
    )
)
_OF_A_PLACE: Final = tuple(
    sa.text(
        f"DELETE FROM {table} WHERE ctid = ANY (ARRAY ("  # noqa: S608  # of constants
        f"SELECT ctid FROM {table} WHERE {column} = :channel_id ORDER BY {then} LIMIT :limit))"
    )
    for table, column, then in (
        ("mention", "channel_id", "target"),
        ("pace", "channel_id", "user_id"),
        ("draft", "channel_id", "channel_id"),
        ("scheduled_message", "channel_id", "channel_id"),
        ("thread_follower", "thread_id", "thread_id"),
        ("post_tag", "thread_id", "thread_id"),
        ("thread", "id", "id"),
        ("conversation_member", "conversation_id", "conversation_id"),
        ("conversation", "id", "id"),
    )
)
"""What refers to something stands before it. In the order of an index, which is then what
they are found by."""
_DONE: Final = sa.text("UPDATE channel SET erase_time = now() WHERE id = :channel_id")


async def erase(tx: Transaction, limit: int) -> bool:
    """Erase so many messages, or other things, of a deleted place; False when none is left.

    Two never erase the same place.
    """
    channel_id: UUID | None = (await tx.execute(_NEXT)).scalar_one_or_none()
    if channel_id is None:
        return False
    named = {"channel_id": channel_id, "limit": limit}
    found = list((await tx.execute(_MESSAGES, named)).scalars())
    if found:
        for statement in _OF_MESSAGES:
            await tx.execute(statement, {"ids": found})
        return True
    for statement in _OF_A_PLACE:
        if (await tx.execute(statement, named)).rowcount:
            return True
    await tx.execute(_DONE, {"channel_id": channel_id})
    return True
