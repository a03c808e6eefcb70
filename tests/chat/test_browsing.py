"""Jumping to messages, and what a text that points to some shows of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.database import Database
from chassis.errors import Invalid, NotFound
from chassis.testing import plan_of
from chassis.wire import timestamp
from creavio.chat.v1 import message_pb2, message_service_pb2
from services.chat.store import messages
from tests.chat.making import ADA, new_channel
from tests.chat.people import Person
from tests.chat.world import World


async def around(
    person: Person, channel: str, **where: Any
) -> message_service_pb2.ListMessagesAroundResponse:
    request = message_service_pb2.ListMessagesAroundRequest(channel_id=channel, **where)
    return await person.call(person.messages.ListMessagesAround, request)


async def previews(person: Person, *references: str) -> dict[str, str]:
    """What the person sees of messages, by reference."""
    request = message_service_pb2.ListMessagePreviewsRequest(references=references)
    reply = await person.call(person.messages.ListMessagePreviews, request)
    return {f"{one.channel_id}/{one.message_id}": one.excerpt for one in reply.previews}


def reference(message: message_pb2.Message) -> str:
    return f"{message.channel_id}/{message.id}"


def texts(page: message_service_pb2.ListMessagesAroundResponse) -> list[str]:
    return [message.content for message in page.messages]


async def test_a_message_stands_in_the_middle(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    sent = [await ada.send(channel, f"{n}") for n in range(9)]
    page = await around(ada, channel, message_id=sent[4].id, page_size=4)
    assert texts(page) == ["5", "4", "3", "2"]
    newer = await around(ada, channel, page_token=page.newer_page_token, page_size=3)
    assert (texts(newer), newer.newer_page_token) == (["8", "7", "6"], "")
    older = await around(ada, channel, page_token=page.older_page_token, page_size=3)
    assert (texts(older), older.older_page_token) == (["1", "0"], "")
    # Near an end, the other side fills the page.
    assert texts(await around(ada, channel, message_id=sent[8].id, page_size=4)) == [*"8765"]
    assert texts(await around(ada, channel, message_id=sent[0].id, page_size=4)) == [*"3210"]
    await ada.delete(sent[4])
    page = await around(ada, channel, message_id=sent[4].id, page_size=4)
    assert texts(page) == ["6", "5", "3", "2"]
    with pytest.raises(NotFound):
        await around(ada, world.open_channel(community), message_id=sent[4].id)


async def test_a_day_is_jumped_to(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    for n in range(12):
        await ada.send(channel, f"{n}")
    base = datetime(2026, 5, 1, tzinfo=UTC)
    async with world.database.transaction() as tx:
        await tx.execute(
            sa.text("UPDATE message SET create_time = :base + sequence * interval '1 day'"),
            {"base": base},
        )
    for day in (-5, 1, 6, 12, 40):
        at = base + timedelta(days=day, hours=-1)
        page = await around(ada, channel, time=timestamp(at), page_size=4)
        newer = [m for m in page.messages if m.create_time.ToDatetime(UTC) >= at]
        expected = [str(n) for n in range(12) if n + 1 >= day][:2]
        assert [m.content for m in reversed(newer)][:2] == expected
        assert len(page.messages) == 4


async def test_one_place_is_named_and_a_page_is_nobody_elses(world: World) -> None:
    community = world.found()
    channel, other = world.open_channel(community), world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    sent = [await ada.send(channel, f"{n}") for n in range(4)]
    token = (await around(ada, channel, message_id=sent[2].id, page_size=2)).older_page_token
    now = timestamp(datetime.now(UTC))
    for where in ({}, {"message_id": sent[0].id, "time": now}, {"page_token": token, "time": now}):
        with pytest.raises(Invalid):
            await around(ada, channel, **where)
    for person, place in ((bob, channel), (ada, other)):
        with pytest.raises(Invalid) as refused:
            await around(person, place, page_token=token)
        assert refused.value.reason == "INVALID_PAGE_TOKEN"
    listed = message_service_pb2.ListMessagesRequest(channel_id=channel, page_token=token)
    with pytest.raises(Invalid):
        await ada.call(ada.messages.ListMessages, listed)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_from_anywhere_everything_is_come_by_once(world: World, data: st.DataObject) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    sent = [await ada.send(channel, f"{n}") for n in range(data.draw(st.integers(1, 9)))]
    gone = data.draw(st.sets(st.sampled_from(range(len(sent)))))
    for index in gone:
        await ada.delete(sent[index])
    anchor = data.draw(st.sampled_from(sent))
    size = data.draw(st.integers(1, 4))
    page = await around(ada, channel, message_id=anchor.id, page_size=size)
    found = texts(page)
    older, newer = page.older_page_token, page.newer_page_token
    while older:
        more = await around(ada, channel, page_token=older, page_size=size)
        found, older = found + texts(more), more.older_page_token
    while newer:
        more = await around(ada, channel, page_token=newer, page_size=size)
        found, newer = texts(more) + found, more.newer_page_token
    assert found == [str(n) for n in reversed(range(len(sent))) if n not in gone]


async def test_a_preview_shows_what_its_reader_may_read(world: World) -> None:
    community, other = world.found(), world.found()
    channel, elsewhere = world.open_channel(community), world.open_channel(other)
    ada, bob, eve = world.person(community), world.person(community), world.person(other)
    open_ = await ada.send(channel, "x" * 200)
    thread = await ada.begin(channel)
    aside, gone = await ada.send(thread.id, "aside"), await ada.send(channel, "gone")
    await ada.delete(gone)
    whisper = await ada.send((await ada.converse(world.person())).id, "between us")
    hers = await eve.send(elsewhere, "over here")
    all_of_them = [reference(m) for m in (open_, aside, gone, whisper, hers)]
    assert await previews(bob, *all_of_them) == {
        reference(open_): "x" * 120,
        reference(aside): "aside",
    }
    assert await previews(eve, *all_of_them) == {reference(hers): "over here"}
    # Through a place of one's own nothing of another is shown, whatever it is called.
    talk = (await bob.converse(eve)).id
    assert await previews(bob, f"{talk}/{whisper.id}", f"{channel}/{hers.id}") == {}
    assert await previews(bob, f"chn_{thread.id[4:]}/{aside.id}") == {}
    nothing = f"{channel}/{ids.text(ids.Kind.MESSAGE, ids.new())}"
    assert await previews(bob, nothing) == {}
    for bad in ([], [nothing, nothing], ["chn_x/msg_y"], all_of_them * 5):
        with pytest.raises(Invalid):
            await previews(bob, *bad)


async def test_what_is_jumped_to_is_found_by_an_index(database: Database) -> None:
    channel = await new_channel(database)
    async with database.transaction() as tx:
        await tx.execute(
            sa.text(
                """INSERT INTO message (id, channel_id, author_id, content, nonce, sequence,
                    revision, create_time)
                SELECT gen_random_uuid(), :channel, :ada, 'text', '', number, number,
                    TIMESTAMPTZ '2026-01-01 00:00+00' + number * interval '1 minute'
                FROM generate_series(1, 100000) AS number"""
            ),
            {"channel": channel.id, "ada": ADA},
        )
        await tx.execute(
            sa.text("UPDATE channel SET last_sequence = 100000 WHERE id = :id"), {"id": channel.id}
        )
        await tx.execute(sa.text("ANALYZE"))
    moment = datetime(2026, 2, 1, tzinfo=UTC)
    async with database.reading() as tx:
        assert await messages.last_before(tx, channel, moment) == 31 * 24 * 60 - 1
        named = [m.id for m in await messages.messages_after(tx, channel, 500, 20)]
    for ask, index in (
        (lambda tx: messages.last_before(tx, channel, moment), "message_list"),
        (lambda tx: messages.messages_after(tx, channel, 500, 51), "message_list"),
        (lambda tx: messages.previews(tx, named), "message_pkey"),
    ):
        plan = await plan_of(database, ask)
        assert f" {index}" in plan, plan
        assert "Seq Scan on message" not in plan, plan
