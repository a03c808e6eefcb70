"""Drafts, and what is made of them, as short as tests like it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa

from chassis import ids
from chassis.database import Database, Transaction
from chassis.publisher import Entry
from services.chat import convert, events
from services.chat.domain import message as domain
from services.chat.domain.message import Draft, Fingerprints, Message
from services.chat.domain.place import Home, Place
from services.chat.store import messages, places, sending
from services.chat.store.sending import Outcome

COMMUNITY, ADA, BOB = ids.new(), ids.new(), ids.new()
COMMUNITY_ID = ids.text(ids.Kind.COMMUNITY, COMMUNITY)
NOW = datetime(2026, 1, 1, 12, 30, 15, 123456, tzinfo=UTC)
FINGERPRINTS = Fingerprints("a secret of these tests")


async def new_channel(database: Database) -> Place:
    """A channel that chat knows."""
    channel = ids.new()
    async with database.transaction() as tx:
        await places.add_channel(tx, channel, COMMUNITY)
    return Place(channel)


def draft(place: Place, content: str = "hello", nonce: str = "", author: UUID = ADA) -> Draft:
    return domain.draft(place, author, content, nonce, NOW, FINGERPRINTS)


def entry(draft: Draft, headers: dict[str, str] | None = None) -> Entry:
    """The event of a draft, as the outbox makes it."""
    event = events.drafted(convert.draft(draft), Home(COMMUNITY))
    return Entry(
        id=ids.new(),
        type=event.DESCRIPTOR.full_name,
        subject=f"creavio.chat.v1.message_created.{draft.place.id}",
        body=event.SerializeToString(),
        headers=headers or {},
        create_time=datetime.now(UTC),
    )


async def send_in(tx: Transaction, drafts: Sequence[Draft]) -> list[Outcome]:
    return await sending.send(tx, drafts, [entry(draft) for draft in drafts])


async def send(database: Database, *drafts: Draft) -> list[Outcome]:
    """Send with one statement; what became of each."""
    async with database.reading() as tx:
        return await send_in(tx, drafts)


async def sent(database: Database, *drafts: Draft) -> list[Message]:
    """Send what is sent for the first time, and read it back."""
    await send(database, *drafts)
    async with database.reading() as tx:
        return [await messages.message(tx, draft.place, draft.id) for draft in drafts]


async def numbers(database: Database, place: Place) -> list[int]:
    """The sequence of every message of a place, deleted or not."""
    query = sa.text("SELECT sequence FROM message WHERE channel_id = :id ORDER BY sequence")
    async with database.reading() as tx:
        return list((await tx.execute(query, {"id": place.id})).scalars())


async def last_number(database: Database, place: Place) -> int:
    """The last number that was given in a place."""
    query = sa.text("SELECT last_sequence FROM channel WHERE id = :id")
    async with database.reading() as tx:
        return int((await tx.execute(query, {"id": place.id})).scalar_one())
