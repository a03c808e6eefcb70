"""The one statement that sends: numbers, messages, events and nonces, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from chassis import ids
from chassis.database import Database
from chassis.schema import OUTBOX
from chassis.testing import plan_of
from creavio.chat.v1 import chat_events_pb2
from services.chat import convert, events
from services.chat.domain import message as domain
from services.chat.domain.message import Draft, Message
from services.chat.domain.place import Place
from services.chat.store import messages, places, reactions, sending
from services.chat.store.sending import SentBefore
from tests.chat.making import (
    ADA,
    BOB,
    COMMUNITY_ID,
    NOW,
    draft,
    entry,
    last_number,
    new_channel,
    numbers,
    send,
    send_in,
    sent,
)


@pytest.fixture
async def channel(database: Database) -> Place:
    return await new_channel(database)


async def test_each_place_counts_in_the_order_of_arrival(
    database: Database, channel: Place
) -> None:
    other = await new_channel(database)
    drafts = [draft((channel, other, channel)[n % 3], f"{n}") for n in range(9)]
    assert await send(database, *drafts) == [1, 1, 2, 3, 2, 4, 5, 3, 6]
    assert await send(database, draft(other), draft(channel)) == [4, 7]
    async with database.reading() as tx:
        listed = await messages.messages_before(tx, channel, None, 100)
    in_channel = [d.content for d in drafts if d.place == channel]
    assert [m.content for m in reversed(listed)] == [*in_channel, "hello"]
    assert [m.revision for m in listed] == [m.sequence for m in listed]


async def test_a_message_is_kept_as_it_was_drafted(database: Database, channel: Place) -> None:
    made = draft(channel, 'a\\"b\n\u202e\ud7ff😀{"c": null}\x7f', "n'\\\"", author=BOB)
    (kept,) = await sent(database, made)
    assert kept == Message(
        made.id,
        channel,
        BOB,
        made.content,
        made.nonce,
        sequence=1,
        revision=1,
        create_time=NOW,
        fingerprint=made.fingerprint,
    )


async def test_a_place_that_is_not_there_takes_nothing(database: Database, channel: Place) -> None:
    nowhere = Place(ids.new())
    outcomes = await send(database, draft(channel), draft(nowhere), draft(channel))
    assert outcomes == [1, None, 2]
    assert await numbers(database, nowhere) == []
    async with database.reading() as tx:
        stored = await tx.execute(sa.select(sa.func.count()).select_from(OUTBOX))
        assert stored.scalar_one() == 2


async def stored_bodies(database: Database, entries: Sequence[Any]) -> list[bytes]:
    async with database.reading() as tx:
        rows = await tx.execute(sa.select(OUTBOX.c.id, OUTBOX.c.body))
        found = {row.id: bytes(row.body) for row in rows}
    return [found[entry.id] for entry in entries]


@pytest.mark.parametrize("before", [0, 126, 127, 16_383, 2**21 - 1, 2**35 - 1, 2**62])
async def test_an_event_says_the_number_its_message_was_given(
    database: Database, channel: Place, before: int
) -> None:
    """The stored bytes are those published, and read as the event Python would have made."""
    async with database.transaction() as tx:
        await tx.execute(sa.text("UPDATE channel SET last_sequence = :n"), {"n": before})
    drafts = [draft(channel, text, nonce) for text, nonce in (("one", "n"), ("two" * 900, ""))]
    entries = [entry(each, {"traceparent": "00-1-2-03"}) for each in drafts]
    async with database.reading() as tx:
        outcomes = await sending.send(tx, drafts, entries)
        kept = [await messages.message(tx, channel, each.id) for each in drafts]
        rows = list(await tx.execute(sa.select(OUTBOX).order_by(OUTBOX.c.id)))
    assert outcomes == [before + 1, before + 2]
    for made, row, message in zip(entries, rows, kept, strict=True):
        assert row.body == made.body + events.numbered(message.sequence)
        expected = chat_events_pb2.MessageCreated(
            message=convert.message(message), community_id=COMMUNITY_ID
        )
        assert chat_events_pb2.MessageCreated.FromString(row.body) == expected
        assert (row.id, row.type, row.subject) == (made.id, made.type, made.subject)
        assert (row.headers, row.position) == ({"traceparent": "00-1-2-03"}, None)
        assert row.create_time == made.create_time


def varint(number: int) -> bytes:
    """As https://protobuf.dev/programming-guides/encoding says."""
    rest = number & (1 << 64) - 1
    written = bytearray()
    while rest > 127:
        written.append(rest & 127 | 128)
        rest >>= 7
    return bytes((*written, rest))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(found=st.data())
def test_varints_are_protobufs(varints: sa.Connection, found: st.DataObject) -> None:
    edges = [1 << shift for shift in range(63)]
    number = found.draw(
        st.integers(-(2**63), 2**63 - 1)
        | st.sampled_from([0, -1, *edges, *(edge - 1 for edge in edges)])
    )
    written = varints.execute(sa.text("SELECT protobuf_varint(:n)"), {"n": number}).scalar_one()
    assert bytes(written) == varint(number)


@pytest.fixture
def varints(database: Database) -> Any:
    url = database._engine.url.render_as_string(hide_password=False)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection


async def test_a_nonce_names_one_message_of_its_author_in_its_place(
    database: Database, channel: Place
) -> None:
    other = await new_channel(database)
    first = draft(channel, nonce="n")
    outcomes = await send(
        database,
        first,
        draft(channel, nonce="n", author=BOB),
        draft(other, nonce="n"),
        draft(channel, nonce=""),
        draft(channel, nonce=""),
        draft(channel, nonce="N"),
    )
    assert outcomes == [1, 2, 1, 3, 4, 5]
    again, fresh = await send(database, draft(channel, nonce="n"), draft(channel, nonce="m"))
    assert isinstance(again, SentBefore)
    assert (again.message.id, again.message.sequence, fresh) == (first.id, 1, 6)
    assert await numbers(database, channel) == list(range(1, 7))
    with pytest.raises(IntegrityError):
        await send(database, draft(channel, nonce="twice"), draft(channel, nonce="twice"))
    assert await send(database, draft(channel)) == [7], "the refused ones took numbers"


async def test_what_was_sent_before_is_told_as_it_is_now(
    database: Database, channel: Place
) -> None:
    edited, gone = await sent(database, draft(channel, nonce="e"), draft(channel, nonce="d"))
    async with database.transaction() as tx:
        edited = replace(edited, content="edited", edit_time=datetime.now(UTC))
        edited = domain.pin(domain.react(domain.react(edited, "😀"), "b"), 0, datetime.now(UTC))
        edited = await messages.save(tx, edited)
        await reactions.add(tx, edited.id, ADA, "😀")
        await reactions.add(tx, edited.id, BOB, "b")
        gone = await messages.save(tx, domain.delete(gone, ADA, moderates=False, now=NOW))
    assert await send(database, draft(channel, nonce="e"), draft(channel, nonce="d")) == [
        SentBefore(edited, frozenset({"😀"})),
        SentBefore(gone, frozenset()),
    ]
    assert await last_number(database, channel) == 4 == gone.revision


async def test_positions_are_recorded_on_the_way(database: Database, channel: Place) -> None:
    drafts = [draft(channel, f"{number}") for number in range(3)]
    entries = [entry(each) for each in drafts]
    async with database.reading() as tx:
        await sending.send(tx, drafts, entries)
        acknowledged = ([entries[2].id, entries[0].id], [7, 2**41 + 5])
        last = draft(channel)
        await sending.send(tx, [last], [entry(last)], acknowledged)
        rows = await tx.execute(sa.select(OUTBOX.c.position).order_by(OUTBOX.c.id))
        assert list(rows.scalars()) == [2**41 + 5, None, 7, None]


async def test_it_is_all_or_nothing(database: Database, channel: Place) -> None:
    await send(database, draft(channel))
    twice = draft(channel)
    with pytest.raises(IntegrityError):
        await send(database, draft(channel), twice, twice)
    assert await numbers(database, channel) == [1]
    assert await last_number(database, channel) == 1
    async with database.reading() as tx:
        stored = await tx.execute(sa.select(sa.func.count()).select_from(OUTBOX))
        assert stored.scalar_one() == 1


async def test_rows_from_before_are_lists_like_any(database: Database, channel: Place) -> None:
    """A row as the first schema had it: no fingerprint, no reactions, no pin."""
    old = ids.new()
    async with database.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO message (id, channel_id, author_id, content, nonce, sequence,"
                " revision, create_time) VALUES (:id, :channel, :author, 'old', 'n', 1, 1, :now)"
            ),
            {"id": old, "channel": channel.id, "author": ADA, "now": NOW},
        )
        await tx.execute(sa.text("UPDATE channel SET last_sequence = 1"))
        (before,) = await send_in(tx, [draft(channel, "old", "n")])
        assert before == SentBefore(await messages.message(tx, channel, old), frozenset())


async def test_what_it_looks_up_it_looks_up_in_an_index(database: Database) -> None:
    """Also planned for good when there was nothing: nobody plans it again."""
    channels = [await new_channel(database) for _ in range(3)]

    async def again(tx: Any) -> None:
        drafts = [draft(place, nonce="n1") for place in channels]
        entries = [entry(each) for each in drafts]
        published = ([entry.id for entry in entries], [1, 2, 3])
        await sending.send(tx, drafts, entries, published)

    async with database.transaction() as tx:
        await tx.execute(sa.text("SELECT set_config('enable_seqscan', 'off', true)"))
        await tx.execute(sa.text("SET LOCAL plan_cache_mode = force_generic_plan"))
        for _ in range(8):
            await again(tx)
        query = sa.text("SELECT relname, seq_scan FROM pg_stat_xact_user_tables")
        scans = {row.relname: row.seq_scan for row in await tx.execute(query)}
        assert scans["message"] == scans["channel"] == 0
        assert not any(n for name, n in scans.items() if name.startswith("outbox")), scans
    plan = await plan_of(database, again)
    assert "message_nonce" in plan
    assert plan.index("LockRows") < plan.index("Sort Key: channel")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(found=st.data())
async def test_any_run_of_batches_is_one_history(database: Database, found: st.DataObject) -> None:
    """Against a plain rule: each place counts on, and a nonce known is no new message."""
    places_here = [await new_channel(database) for _ in range(3)]
    counted = dict.fromkeys(places_here, 0)
    known: dict[tuple[Place, Any, str], int] = {}
    one = st.tuples(
        st.sampled_from(places_here), st.sampled_from([ADA, BOB]), st.sampled_from("abcdefgh")
    )
    for batch in found.draw(st.lists(st.lists(one, min_size=1, max_size=12, unique=True))):
        drafts: list[Draft] = [draft(place, nonce=n, author=who) for place, who, n in batch]
        expected = []
        for name in batch:
            if name not in known:
                counted[name[0]] += 1
                known[name] = counted[name[0]]
                expected.append(known[name])
            else:
                expected.append(known[name])
        outcomes = await send(database, *drafts)
        given = [o.message.sequence if isinstance(o, SentBefore) else o for o in outcomes]
        assert given == expected
    for place, count in counted.items():
        assert await numbers(database, place) == list(range(1, count + 1))
        assert await last_number(database, place) == count


async def test_a_lock_and_a_send_take_the_same_rows(database: Database, channel: Place) -> None:
    """Numbers taken by changes in between are not given to messages."""
    (message,) = await sent(database, draft(channel))
    async with database.transaction() as tx:
        await places.lock(tx, channel)
        await messages.save(tx, replace(message, content="edited", edit_time=NOW))
    assert await send(database, draft(channel)) == [3]
