"""A channel's numbers are given once each and without a gap; lists come from an index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from chassis import ids
from chassis.database import Database, Transaction
from chassis.testing import plan_of
from services.chat import domain, store
from services.chat.domain import ChannelNotFound, Draft, Message, MessageNotFound

Scratch: TypeAlias = Callable[[str], AbstractAsyncContextManager[Database]]

COMMUNITY, ADA, BOB = ids.new(), ids.new(), ids.new()
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def database(scratch: Scratch) -> AsyncIterator[Database]:
    async with scratch("chat") as database:
        yield database


@pytest.fixture
async def channel(database: Database) -> UUID:
    return await new_channel(database)


async def new_channel(database: Database) -> UUID:
    channel = ids.new()
    async with database.transaction() as tx:
        await store.add_channel(tx, channel, COMMUNITY)
    return channel


def draft(channel: UUID, content: str = "hello", nonce: str = "", author: UUID = ADA) -> Draft:
    return domain.draft(channel, author, content, nonce, NOW)


async def send(database: Database, *drafts: Draft) -> list[Message]:
    async with database.transaction() as tx:
        return [await store.send(tx, draft) for draft in drafts]


async def listed(
    database: Database, channel: UUID, before: int | None = None, limit: int = 100
) -> Sequence[Message]:
    async with database.reading() as tx:
        return await store.messages_before(tx, channel, before, limit)


async def test_who_sends_at_once_gets_consecutive_numbers(
    database: Database, channel: UUID
) -> None:
    async def second() -> Message:
        async with database.transaction() as tx:
            await store.lock(tx, channel)
            return await store.send(tx, draft(channel, "second"))

    async with database.transaction() as tx:
        await store.lock(tx, channel)
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.2)
        assert not waiting.done(), "two were in the channel at once"
        first = await store.send(tx, draft(channel, "first"))
    assert (first.sequence, (await waiting).sequence) == (1, 2)


async def test_numbers_are_distinct_even_without_the_lock(
    database: Database, channel: UUID
) -> None:
    async def one(number: int) -> Message:
        async with database.transaction() as tx:
            message = await store.send(tx, draft(channel, f"{number}"))
            await asyncio.sleep(0.01)
            return message

    messages = await asyncio.gather(*(one(number) for number in range(16)))
    assert sorted(message.sequence for message in messages) == list(range(1, 17))


async def test_channels_count_for_themselves(database: Database, channel: UUID) -> None:
    other = await new_channel(database)
    async with database.transaction() as tx:
        await store.lock(tx, channel)
        # Nobody waits for another channel's sender.
        (elsewhere,) = await asyncio.wait_for(send(database, draft(other)), 2)
        here = await store.send(tx, draft(channel))
    assert (here.sequence, elsewhere.sequence) == (1, 1)


async def test_what_is_undone_leaves_no_gap(database: Database, channel: UUID) -> None:
    await send(database, draft(channel, "first"))
    with suppress(RuntimeError):
        async with database.transaction() as tx:
            assert (await store.send(tx, draft(channel, "undone"))).sequence == 2
            raise RuntimeError
    (second,) = await send(database, draft(channel, "second"))
    assert second.sequence == 2
    assert [m.content for m in await listed(database, channel)] == ["second", "first"]


async def test_a_channel_that_began_is_not_begun_again(database: Database, channel: UUID) -> None:
    await send(database, draft(channel))
    async with database.transaction() as tx:
        await store.add_channel(tx, channel, ids.new())
        assert await store.lock(tx, channel) == COMMUNITY
    (second,) = await send(database, draft(channel))
    assert second.sequence == 2


async def test_an_unknown_channel_cannot_be_locked(database: Database) -> None:
    async with database.transaction() as tx:
        assert await store.community_of(tx, ids.new()) is None
        with pytest.raises(ChannelNotFound):
            await store.lock(tx, ids.new())


async def test_a_nonce_names_one_message_of_its_author_in_its_channel(
    database: Database, channel: UUID
) -> None:
    other = await new_channel(database)
    again = draft(channel, nonce="n")
    first, *_ = await send(
        database,
        again,
        draft(channel, nonce="n", author=BOB),
        draft(other, nonce="n"),
        draft(channel, nonce=""),
        draft(channel, nonce=""),
    )
    async with database.reading() as tx:
        assert await store.sent_before(tx, draft(channel, nonce="n")) == first
        assert await store.sent_before(tx, draft(channel, nonce="N")) is None
        assert await store.sent_before(tx, draft(channel, nonce="")) is None
    with pytest.raises(IntegrityError):
        await send(database, draft(channel, "twice", nonce="n"))
    (last,) = await send(database, draft(channel))
    assert last.sequence == 5, "the refused one took a number"


async def test_a_change_takes_the_channels_next_number(database: Database, channel: UUID) -> None:
    first, second = await send(database, draft(channel, "first"), draft(channel, "second"))
    async with database.transaction() as tx:
        edited = await store.save(tx, replace(first, content="edited", edit_time=NOW))
        assert edited.revision == 3
        assert await store.message(tx, channel, first.id) == edited
        gone = await store.save(tx, domain.delete(second, ADA, moderates=False, now=NOW))
        assert (gone.sequence, gone.revision) == (2, 4)
        assert await store.message(tx, channel, second.id) == gone
    (fifth,) = await send(database, draft(channel))
    assert fifth.sequence == fifth.revision == 5


async def test_a_message_is_found_in_its_channel_only(database: Database, channel: UUID) -> None:
    other = await new_channel(database)
    (message,) = await send(database, draft(channel))
    async with database.reading() as tx:
        assert await store.message(tx, channel, message.id) == message
        for place, name in ((other, message.id), (channel, ids.new())):
            with pytest.raises(MessageNotFound):
                await store.message(tx, place, name)


async def test_a_list_goes_back_in_time_and_leaves_out_what_is_gone(
    database: Database, channel: UUID
) -> None:
    messages = await send(database, *(draft(channel, f"{number}") for number in range(1, 11)))
    await send(database, draft(await new_channel(database), "elsewhere"))
    for gone in (messages[4], messages[9]):
        async with database.transaction() as tx:
            await store.save(tx, domain.delete(gone, ADA, moderates=False, now=NOW))

    async def sequences(before: int | None, limit: int) -> list[int]:
        return [m.sequence for m in await listed(database, channel, before, limit)]

    assert await sequences(None, 100) == [9, 8, 7, 6, 4, 3, 2, 1]
    assert await sequences(None, 3) == [9, 8, 7]
    assert await sequences(7, 3) == [6, 4, 3]
    assert await sequences(3, 100) == [2, 1]
    assert await sequences(1, 100) == []


async def filled(database: Database) -> UUID:
    """A channel of a thousand messages among twenty such, each with a nonce."""
    channels = [await new_channel(database) for _ in range(20)]
    fill = sa.text(
        """
        INSERT INTO message
            (id, channel_id, author_id, content, nonce, sequence, revision, create_time)
        SELECT gen_random_uuid(), channel.id, :author, 'text', 'n' || number, number, number, now()
        FROM channel, generate_series(1, 1000) AS number
        """
    )
    async with database.transaction() as tx:
        await tx.execute(fill, {"author": ADA})
        await tx.execute(sa.text("ANALYZE message"))
    return channels[7]


async def test_lists_and_nonces_are_looked_up_in_an_index(database: Database) -> None:
    channel = await filled(database)

    async def newest(tx: Transaction) -> object:
        return await store.messages_before(tx, channel, None, 51)

    async def older(tx: Transaction) -> object:
        return await store.messages_before(tx, channel, 500, 51)

    async def again(tx: Transaction) -> object:
        return await store.sent_before(tx, draft(channel, nonce="n5"))

    for ask, index in ((newest, "message_list"), (older, "message_list"), (again, "message_nonce")):
        plan = await plan_of(database, ask)
        assert f"Index Scan using {index} " in plan
        assert "Seq Scan" not in plan
        assert "Sort" not in plan
        # Prepared statements may be planned without regard to what is asked.
        async with database.transaction() as tx:
            await tx.execute(sa.text("SET LOCAL plan_cache_mode = force_generic_plan"))
            for _ in range(20):
                await ask(tx)
            assert await whole_reads(tx) == 0, index


async def whole_reads(tx: Transaction) -> int:
    """How often the transaction read all messages there are."""
    query = "SELECT seq_scan FROM pg_stat_xact_user_tables WHERE relname = 'message'"
    return int((await tx.execute(sa.text(query))).scalar_one())
