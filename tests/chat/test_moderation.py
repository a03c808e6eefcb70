"""What messages said before, and the deletion of many."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.errors import Denied, Invalid, NotFound
from creavio.chat.v1 import chat_events_pb2, message_pb2
from tests.chat.test_changes import revision
from tests.chat.world import OWNER, World


async def test_earlier_texts_are_for_the_author_and_for_who_moderates(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    owner = world.person(community, OWNER)
    message = await ada.send(channel, "one")
    assert await ada.versions(message) == []
    await ada.edit(message, "two")
    await ada.edit(message, "two")
    await bob.react(message, "a")
    await ada.edit(message, "three")
    assert await ada.versions(message) == await owner.versions(message) == ["two", "one"]
    with pytest.raises(Denied):
        await bob.versions(message)
    elsewhere = message_pb2.Message(id=message.id, channel_id=world.open_channel(community))
    with pytest.raises(NotFound):
        await owner.versions(elsewhere)
    await ada.delete(message)
    for somebody in (ada, owner):
        with pytest.raises(NotFound):
            await somebody.versions(message)
    async with world.database.reading() as tx:
        kept = await tx.execute(sa.text("SELECT count(*) FROM message_version"))
        assert kept.scalar_one() == 0


async def test_twenty_earlier_texts_are_kept(world: World) -> None:
    community = world.found()
    ada = world.person(community)
    message = await ada.send(world.open_channel(community), "0")
    for number in range(1, 24):
        await ada.edit(message, f"{number}")
    assert await ada.versions(message) == [f"{number}" for number in range(22, 2, -1)]


async def test_many_are_deleted_as_each_would_be(world: World) -> None:
    community = world.found()
    channel, other = world.open_channel(community), world.open_channel(community)
    ada, owner = world.person(community), world.person(community, OWNER)
    sent = [await ada.send(channel, f"{n} <@{owner.id}>", f"n{n}") for n in range(5)]
    foreign = await ada.send(other, "elsewhere")
    await ada.react(sent[0], "a")
    await ada.pin(sent[1])
    await ada.edit(sent[2], f"edited <@{owner.id}>")
    await ada.delete(sent[3])
    before = len(await world.told())
    nowhere = message_pb2.Message(id=ids.text(ids.Kind.MESSAGE, ids.new()))
    named = (sent[2], foreign, sent[0], sent[3], nowhere, sent[1])
    with pytest.raises(Denied):
        await ada.delete_all(channel, *named)
    await owner.delete_all(channel, *named)
    await owner.delete_all(channel, *named)
    events = (await world.told())[before:]
    told = [event for event in events if isinstance(event, chat_events_pb2.MessageDeleted)]
    assert len(told) == len(events)
    assert [(e.message_id, e.revision, e.channel_id, e.community_id) for e in told] == [
        (message.id, 10 + n, channel, community) for n, message in enumerate(sent[:3])
    ]
    assert [message.id for message in await ada.listed(channel)] == [sent[4].id]
    assert [message.id for message in await ada.listed(other)] == [foreign.id]
    assert await ada.pinned(channel) == []
    changes = await ada.changes(channel)
    assert {m.content for m in changes.messages if m.id in changes.deleted_ids} == {""}
    assert len(changes.deleted_ids) == 4
    async with world.database.reading() as tx:
        for table, left in (("reaction", 0), ("message_version", 0), ("mention", 1)):
            counted = await tx.execute(sa.text(f"SELECT count(*) FROM {table}"))  # noqa: S608
            assert counted.scalar_one() == left, table
    with pytest.raises(NotFound):
        await ada.edit(sent[0], "back")
    assert (await ada.send(channel, f"0 <@{owner.id}>", "n0")).id == sent[0].id


async def test_deletions_at_once_take_each_number_once(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    owner = world.person(community, OWNER)
    sent = [await owner.send(channel, f"{n}") for n in range(12)]
    await asyncio.gather(
        owner.delete_all(channel, *sent[:8]),
        owner.delete_all(channel, *sent[4:]),
        *(owner.send(channel, "more") for _ in range(4)),
    )
    assert sorted(map(revision, await world.told())) == list(range(1, 29))


async def test_a_hundred_at_a_time_and_none_twice(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    owner = world.person(community, OWNER)
    named = [message_pb2.Message(id=ids.text(ids.Kind.MESSAGE, ids.new())) for _ in range(101)]
    await owner.delete_all(channel, *named[:100])
    for wrong in (named, [], [named[0], named[0]]):
        with pytest.raises(Invalid):
            await owner.delete_all(channel, *wrong)
    talk = (await owner.converse(world.person())).id
    mine = await owner.send(talk, "between us")
    with pytest.raises(Denied):
        await owner.delete_all(talk, mine)
