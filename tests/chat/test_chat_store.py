"""A place's numbers are given once each and without a gap; lists come from an index."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.database import Database, Transaction
from chassis.outbox import RECORD, recorded
from chassis.schema import OUTBOX
from chassis.testing import eventually, plan_of
from services.chat.domain import conversation as conversing
from services.chat.domain import message as domain
from services.chat.domain.message import Message, MessageNotFound
from services.chat.domain.place import Home, Place, PlaceNotFound
from services.chat.store import conversations, messages, places, reactions, sending
from tests.chat.making import (
    ADA,
    BOB,
    COMMUNITY,
    NOW,
    draft,
    entry,
    new_channel,
    send,
    send_in,
    sent,
)


@pytest.fixture
async def channel(database: Database) -> Place:
    return await new_channel(database)


async def listed(
    database: Database, place: Place, before: int | None = None, limit: int = 100
) -> Sequence[Message]:
    async with database.reading() as tx:
        return await messages.messages_before(tx, place, before, limit)


async def save(database: Database, message: Message) -> Message:
    async with database.transaction() as tx:
        await places.lock(tx, message.place)
        return await messages.save(tx, message)


async def test_who_changes_a_place_waits_for_who_does(database: Database, channel: Place) -> None:
    async with database.transaction() as tx:
        await places.lock(tx, channel)
        waiting = asyncio.create_task(send(database, draft(channel, "second")))
        await asyncio.sleep(0.2)
        assert not waiting.done(), "two were in the channel at once"
        assert await send_in(tx, [draft(channel, "first")]) == [1]
    assert await waiting == [2]


async def test_channels_count_for_themselves(database: Database, channel: Place) -> None:
    other = await new_channel(database)
    async with database.transaction() as tx:
        await places.lock(tx, channel)
        # Nobody waits for another channel's sender.
        elsewhere = await asyncio.wait_for(send(database, draft(other)), 2)
        here = await send_in(tx, [draft(channel)])
    assert here == elsewhere == [1]


async def test_what_is_undone_leaves_no_gap(database: Database, channel: Place) -> None:
    await send(database, draft(channel, "first"))
    with suppress(RuntimeError):
        async with database.transaction() as tx:
            assert await send_in(tx, [draft(channel, "undone")]) == [2]
            raise RuntimeError
    assert await send(database, draft(channel, "second")) == [2]
    assert [m.content for m in await listed(database, channel)] == ["second", "first"]


async def test_a_channel_that_began_is_not_begun_again(database: Database, channel: Place) -> None:
    await send(database, draft(channel))
    async with database.transaction() as tx:
        await places.add_channel(tx, channel.id, ids.new())
        assert await places.lock(tx, channel) == Home(COMMUNITY)
    assert await send(database, draft(channel)) == [2]


async def test_only_what_there_is_can_be_locked_and_by_its_own_name(
    database: Database, channel: Place
) -> None:
    conversation = conversing.begin(ADA, [BOB], NOW)
    async with database.transaction() as tx:
        await conversations.add(tx, conversation)
    async with database.transaction() as tx:
        assert await places.lock(tx, Place(conversation.id, conversation=True)) == Home()
        assert await places.home_of(tx, conversation.id) is None
        assert await places.home_of(tx, ids.new()) is None
        for nothing in (
            Place(ids.new()),
            Place(ids.new(), conversation=True),
            Place(conversation.id),
            replace(channel, conversation=True),
        ):
            with pytest.raises(PlaceNotFound):
                await places.lock(tx, nothing)


async def test_a_change_takes_the_places_next_number(database: Database, channel: Place) -> None:
    first, second = await sent(database, draft(channel, "first"), draft(channel, "second"))
    edited = await save(database, replace(first, content="edited", edit_time=NOW))
    assert edited.revision == 3
    reacted = await save(database, domain.react(edited, "a"))
    pinned = await save(database, domain.pin(reacted, 0, NOW))
    assert (pinned.sequence, pinned.revision) == (1, 5)
    gone = await save(database, domain.delete(second, ADA, moderates=False, now=NOW))
    assert (gone.sequence, gone.revision) == (2, 6)
    async with database.reading() as tx:
        assert await messages.message(tx, channel, first.id) == pinned
        assert await messages.message(tx, channel, second.id) == gone
    assert await send(database, draft(channel)) == [7]


async def test_a_message_is_found_in_its_channel_only(database: Database, channel: Place) -> None:
    other = await new_channel(database)
    (message,) = await sent(database, draft(channel))
    async with database.reading() as tx:
        assert await messages.message(tx, channel, message.id) == message
        for place, name in ((other, message.id), (channel, ids.new())):
            with pytest.raises(MessageNotFound):
                await messages.message(tx, place, name)


async def test_a_list_goes_back_in_time_and_leaves_out_what_is_gone(
    database: Database, channel: Place
) -> None:
    found = await sent(database, *(draft(channel, f"{number}") for number in range(1, 11)))
    await send(database, draft(await new_channel(database), "elsewhere"))
    for gone in (found[4], found[9]):
        await save(database, domain.delete(gone, ADA, moderates=False, now=NOW))

    async def sequences(before: int | None, limit: int) -> list[int]:
        return [m.sequence for m in await listed(database, channel, before, limit)]

    assert await sequences(None, 100) == [9, 8, 7, 6, 4, 3, 2, 1]
    assert await sequences(None, 3) == [9, 8, 7]
    assert await sequences(7, 3) == [6, 4, 3]
    assert await sequences(3, 100) == [2, 1]
    assert await sequences(1, 100) == []


async def test_changes_are_listed_in_their_order(database: Database, channel: Place) -> None:
    first, second, third = await sent(
        database, *(draft(channel, text) for text in ("one", "two", "three"))
    )
    await send(database, draft(await new_channel(database), "elsewhere"))
    second = await save(database, replace(second, content="edited", edit_time=NOW))
    first = await save(database, domain.delete(first, ADA, moderates=False, now=NOW))

    async def after(revision: int, limit: int = 100) -> list[Message]:
        async with database.reading() as tx:
            return list(await messages.changed_after(tx, channel, revision, limit))

    assert await after(0) == [third, second, first]
    assert await after(0, 1) == [third]
    assert await after(3) == [second, first]
    assert await after(4) == [first]
    assert await after(5) == []


async def test_pins_stand_in_the_order_of_their_numbers(database: Database, channel: Place) -> None:
    """Whatever the clocks of the replicas say."""
    one, two, three = await sent(database, *(draft(channel, text) for text in "123"))
    for message in (two, one, three):
        await save(database, domain.pin(message, 0, NOW))
    async with database.reading() as tx:
        assert [m.id for m in await messages.pinned(tx, channel)] == [three.id, one.id, two.id]
        assert await messages.count_pinned(tx, channel) == 3
        pinned = await messages.message(tx, channel, two.id)
    # A change to a pinned message is not a new pin.
    edited = await save(database, replace(pinned, content="edited"))
    await save(database, domain.unpin(replace(three, pin_time=NOW)))
    async with database.reading() as tx:
        assert [m.id for m in await messages.pinned(tx, channel)] == [one.id, edited.id]
        assert await messages.count_pinned(tx, channel) == 2


async def test_who_reacted_is_known_by_person(database: Database, channel: Place) -> None:
    one, two = await sent(database, draft(channel, "1"), draft(channel, "2"))
    async with database.transaction() as tx:
        assert await reactions.add(tx, one.id, ADA, "a")
        assert not await reactions.add(tx, one.id, ADA, "a")
        assert await reactions.add(tx, one.id, ADA, "b")
        assert await reactions.add(tx, one.id, BOB, "a")
        seen = [domain.react(one, "a"), two]
        assert await reactions.of_person(tx, ADA, seen) == {one.id: {"a", "b"}}
        assert await reactions.of_person(tx, BOB, seen) == {one.id: {"a"}}
        # Nobody is asked about what nobody reacted to.
        assert await reactions.of_person(tx, ADA, [two]) == {}
        assert await reactions.remove(tx, one.id, ADA, "b")
        assert not await reactions.remove(tx, one.id, ADA, "b")
        assert await reactions.of_person(tx, ADA, seen) == {one.id: {"a"}}
        await reactions.remove_all(tx, one.id)
        assert await reactions.of_person(tx, BOB, seen) == {}


async def test_a_pair_has_one_conversation(database: Database) -> None:
    first, again = conversing.begin(ADA, [BOB], NOW), conversing.begin(BOB, [ADA], NOW)

    async def begin(conversation: conversing.Conversation, holding: float) -> bool:
        async with database.transaction() as tx:
            added = await conversations.add(tx, conversation)
            await asyncio.sleep(holding)
            return added

    assert sorted(await asyncio.gather(begin(first, 0.2), begin(again, 0.2))) == [False, True]
    assert not await begin(again, 0)
    async with database.reading() as tx:
        assert first.pair is not None
        kept = await conversations.between(tx, first.pair)
        assert kept in (first, again)
        assert await conversations.conversation(tx, kept.id) == kept
        channels = await tx.execute(sa.text("SELECT count(*) FROM channel"))
        assert channels.scalar_one() == 1, "the loser left something behind"


async def test_groups_are_as_many_as_are_begun(database: Database) -> None:
    eve = ids.new()
    made = [conversing.begin(ADA, [BOB, eve], NOW) for _ in range(3)]
    alone = conversing.begin(BOB, [eve], NOW)
    async with database.transaction() as tx:
        for conversation in (*made, alone):
            assert await conversations.add(tx, conversation)
    async with database.reading() as tx:

        async def of(person: UUID, before: UUID | None = None, limit: int = 100) -> list[UUID]:
            found = await conversations.conversations_before(tx, person, before, limit)
            return [conversation.id for conversation in found]

        newest = [conversation.id for conversation in reversed(made)]
        assert await of(ADA) == newest
        assert await of(BOB) == [alone.id, *newest]
        assert await of(ADA, limit=2) == newest[:2]
        assert await of(ADA, before=newest[1]) == newest[2:]
        assert await of(ids.new()) == []
        assert await conversations.conversation(tx, made[0].id) == made[0]
        assert await conversations.belonging(tx, made[0].id, eve)
        assert not await conversations.belonging(tx, alone.id, ADA)
        assert not await conversations.belonging(tx, ids.new(), ADA)
        assert await conversations.conversation(tx, ids.new()) is None


async def filled(database: Database) -> Place:
    """A channel of five thousand messages among twenty such, busy with everything."""
    channels = [await new_channel(database) for _ in range(20)]
    fill = """
        INSERT INTO message (id, channel_id, author_id, content, nonce, sequence, revision,
            create_time, pin_revision, reactions)
        SELECT gen_random_uuid(), channel.id, :author, 'text', 'n' || number, number, number, now(),
            CASE WHEN number % 500 = 0 THEN number END, '[["a", 1]]'
        FROM channel, generate_series(1, 5000) AS number;
        """
    others = """
        INSERT INTO reaction SELECT id, author_id, 'a' FROM message;
        INSERT INTO channel (id, last_sequence)
            SELECT gen_random_uuid(), 0 FROM generate_series(1, 5000);
        INSERT INTO conversation (id, create_time)
            SELECT id, now() FROM channel WHERE community_id IS NULL;
        INSERT INTO conversation_member SELECT id, gen_random_uuid() FROM conversation;
        INSERT INTO conversation_member
            SELECT id, (SELECT author_id FROM message LIMIT 1) FROM conversation LIMIT 200;
        """
    async with database.transaction() as tx:
        await tx.execute(sa.text(fill), {"author": ADA})
        for statement in others.split(";\n"):
            await tx.execute(sa.text(statement))
        await tx.execute(sa.text("ANALYZE"))
    return channels[7]


async def test_lists_are_read_from_an_index(database: Database) -> None:
    channel = await filled(database)
    page = await listed(database, channel, None, 100)
    asked: list[tuple[Callable[[Transaction], Awaitable[object]], str]] = [
        (lambda tx: messages.messages_before(tx, channel, None, 51), "message_list"),
        (lambda tx: messages.messages_before(tx, channel, 500, 51), "message_list"),
        (lambda tx: messages.changed_after(tx, channel, 900, 51), "message_revision"),
        (lambda tx: messages.pinned(tx, channel), "message_pinned"),
        (lambda tx: messages.count_pinned(tx, channel), "message_pinned"),
        (lambda tx: reactions.of_person(tx, ADA, page), "reaction_"),
        (
            lambda tx: conversations.conversations_before(tx, ADA, None, 51),
            "conversation_member_user",
        ),
        (
            lambda tx: conversations.belonging(tx, channel.id, ADA),
            "conversation_member_",
        ),
        (lambda tx: conversations.between(tx, (ADA, BOB)), "conversation_pair"),
    ]
    for ask, index in asked:
        plan = await plan_of(database, ask)
        assert f" {index}" in plan, plan
        assert "Seq Scan" not in plan, plan
        # Prepared statements may be planned without regard to what is asked.
        async with database.transaction() as tx:
            await tx.execute(sa.text("SET LOCAL plan_cache_mode = force_generic_plan"))
            for _ in range(7):
                await ask(tx)
            assert await whole_reads(tx) == 0, index


async def whole_reads(tx: Transaction) -> int:
    """How often the transaction read all there is of something."""
    query = """
        SELECT sum(seq_scan) FROM pg_stat_xact_user_tables
        WHERE relname IN ('message', 'reaction', 'conversation', 'conversation_member', 'channel')
        """
    return int((await tx.execute(sa.text(query))).scalar_one())


async def test_positions_are_recorded_while_others_write_the_same_rows(
    database: Database, channel: Place
) -> None:
    """PostgreSQL ended with every connection: it pruned days anew, and by what it had pruned,
    for the second row that somebody had changed meanwhile."""
    events = [ids.new() for _ in range(3)]
    rows = [{"id": e, "type": "t", "subject": "s", "body": b"", "headers": {}} for e in events]
    many = sa.text(
        "INSERT INTO outbox SELECT uuidv7(), 't', 's', 'b', '{}', n, now()"
        " FROM generate_series(1, 100000) AS n"
    )
    # The plan there is where a day has far more events than are recorded at once.
    planned = sa.text(
        "SELECT set_config('plan_cache_mode', 'force_generic_plan', false),"
        " set_config('enable_seqscan', 'off', false),"
        " set_config('enable_hashjoin', 'off', false),"
        " set_config('enable_mergejoin', 'off', false),"
        " set_config('enable_material', 'off', false)"
    )
    async with database.transaction() as tx:
        await tx.execute(sa.insert(OUTBOX), rows)
        await tx.execute(many)
        await tx.execute(sa.text("ANALYZE"))

    async def send_and_record() -> object:
        async with database.reading() as tx:
            await tx.execute(planned)
            one = draft(channel, "hello")
            return await sending.send(tx, [one], [entry(one)], (events, [7, 8, 9]))

    async def blocked() -> None:
        async with database.reading() as tx:
            waiting = sa.text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
            assert (await tx.execute(waiting)).scalar_one()

    async with database.transaction() as first:
        await first.execute(sa.text("UPDATE channel SET last_sequence = last_sequence + 1"))
        await first.execute(RECORD, recorded(events[:1], [6]))
        second = asyncio.create_task(send_and_record())
        await eventually(blocked)
    assert await second == [2]
    query = sa.select(OUTBOX.c.position).where(OUTBOX.c.id.in_(events)).order_by(OUTBOX.c.id)
    async with database.reading() as tx:
        assert (await tx.execute(query)).scalars().all() == [7, 8, 9]
