"""Edits, deletions, reactions and pins: each takes the channel's next number, and is told."""

from __future__ import annotations

import asyncio

from google.protobuf.message import Message
import pytest
import sqlalchemy as sa

from chassis.errors import FailedPrecondition, Invalid, NotFound
from creavio.chat.v1 import chat_events_pb2, message_pb2
from tests.chat.world import World

THUMB, HEART = "\U0001f44d", "\u2764\ufe0f"


def counts(message: message_pb2.Message) -> list[tuple[str, int, bool]]:
    return [(r.emoji, r.count, r.reacted) for r in message.reactions]


def revision(event: Message) -> int:
    if isinstance(event, chat_events_pb2.MessageCreated | chat_events_pb2.MessageUpdated):
        return event.message.revision
    assert isinstance(
        event,
        chat_events_pb2.MessageDeleted
        | chat_events_pb2.ReactionAdded
        | chat_events_pb2.ReactionRemoved,
    )
    return event.revision


async def test_everything_visible_takes_the_next_number_and_is_told(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    one = await ada.send(channel, "one")
    two = await bob.send(channel, "two")
    edited = await ada.edit(one, "one!")
    reacted = await bob.react(one, THUMB)
    pinned = await bob.pin(one)
    less = await bob.unreact(one, THUMB)
    unpinned = await ada.unpin(one)
    await bob.delete(two)
    seen = [one, two, edited, reacted, pinned, less, unpinned]
    assert [message.revision for message in seen] == list(range(1, 8))
    assert {message.sequence for message in seen if message.id == one.id} == {1}
    assert pinned.HasField("pin_time")
    assert not unpinned.HasField("pin_time")
    events = await world.told()
    assert [revision(event) for event in events] == list(range(1, 9))
    assert [type(event).DESCRIPTOR.name for event in events] == [
        "MessageCreated",
        "MessageCreated",
        "MessageUpdated",
        "ReactionAdded",
        "MessageUpdated",
        "ReactionRemoved",
        "MessageUpdated",
        "MessageDeleted",
    ]
    assert all(event.community_id == community for event in events)  # type: ignore[attr-defined]
    assert events[3] == chat_events_pb2.ReactionAdded(
        channel_id=channel,
        message_id=one.id,
        user_id=bob.id,
        emoji=THUMB,
        count=1,
        revision=4,
        community_id=community,
    )
    assert isinstance(events[4], chat_events_pb2.MessageUpdated)
    # Who reacted is for each to see of themselves, and for nobody in an event.
    assert counts(events[4].message) == [(THUMB, 1, False)]
    assert events[4].message.pin_time == pinned.pin_time
    assert isinstance(events[5], chat_events_pb2.ReactionRemoved)
    assert events[5].count == 0
    assert await ada.listed(channel) == [unpinned]


async def test_what_is_so_already_takes_no_number(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    message = await ada.send(channel, "one")
    assert await ada.unreact(message, THUMB) == message
    assert await ada.unpin(message) == message
    reacted = await ada.react(message, THUMB)
    assert await ada.react(message, THUMB) == reacted
    pinned = await ada.pin(message)
    assert await ada.pin(message) == pinned
    assert pinned.revision == 3
    assert len(await world.told()) == 3


async def test_reactions_stand_in_the_order_in_which_they_came_first(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob, eve = (world.person(community) for _ in range(3))
    message = await ada.send(channel, "one")
    await ada.react(message, THUMB)
    await ada.react(message, HEART)
    assert counts(await bob.react(message, HEART)) == [(THUMB, 1, False), (HEART, 2, True)]
    assert counts(await bob.react(message, THUMB)) == [(THUMB, 2, True), (HEART, 2, True)]
    # Who began it leaves; it stays where it is.
    assert counts(await ada.unreact(message, THUMB)) == [(THUMB, 1, False), (HEART, 2, True)]
    for person, expected in (
        (ada, [(THUMB, 1, False), (HEART, 2, True)]),
        (bob, [(THUMB, 1, True), (HEART, 2, True)]),
        (eve, [(THUMB, 1, False), (HEART, 2, False)]),
    ):
        (listed,) = await person.listed(channel)
        assert counts(listed) == expected
        (changed,) = (await person.changes(channel)).messages
        assert changed == listed
    # An edit and a message sent again are answered with them too.
    assert counts(await ada.edit(message, "edited")) == [(THUMB, 1, False), (HEART, 2, True)]
    again = await ada.send(channel, "again", "n")
    await ada.react(again, HEART)
    assert counts(await ada.send(channel, "again", "n")) == [(HEART, 1, True)]


async def test_everybody_at_once_is_counted(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    crowd = [world.person(community) for _ in range(12)]
    message = await crowd[0].send(channel, "one")
    await asyncio.gather(*(person.react(message, THUMB) for person in crowd for _ in range(2)))
    (listed,) = await crowd[3].listed(channel)
    assert counts(listed) == [(THUMB, 12, True)]
    assert listed.revision == 13
    await asyncio.gather(*(person.unreact(message, THUMB) for person in crowd for _ in range(2)))
    (listed,) = await crowd[3].listed(channel)
    assert (counts(listed), listed.revision) == ([], 25)


async def test_a_message_takes_twenty_different_emoji(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    message = await ada.send(channel, "one")
    for number in range(20):
        message = await ada.react(message, chr(0x1F600 + number))
    with pytest.raises(FailedPrecondition) as refused:
        await bob.react(message, THUMB)
    assert refused.value.reason == "LIMIT_REACHED"
    # What failed left nothing: no reaction, no number.
    (listed,) = await bob.listed(channel)
    assert listed.revision == 21
    assert counts(await bob.react(message, chr(0x1F600)))[0] == (chr(0x1F600), 2, True)


@pytest.mark.parametrize("emoji", ["a b", "\u202e", "\u200b", "no", "\x07", "a" * 33, ""])
async def test_what_is_no_emoji_is_refused(world: World, emoji: str) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    message = await ada.send(channel, "one")
    with pytest.raises(Invalid) as refused:
        await ada.react(message, emoji)
    assert [field for field, _ in refused.value.fields] == ["emoji"]


async def test_a_channel_keeps_fifty_pins_the_latest_first(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    messages = [await ada.send(channel, f"{number}") for number in range(51)]
    pinned = [await ada.pin(message) for message in messages[:50]]
    with pytest.raises(FailedPrecondition) as refused:
        await ada.pin(messages[50])
    assert refused.value.reason == "LIMIT_REACHED"
    assert await ada.pin(messages[0]) == pinned[0]
    assert await ada.pinned(channel) == pinned[::-1]
    await ada.unpin(messages[3])
    latest = await ada.pin(messages[50])
    assert (await ada.pinned(channel))[0] == latest
    assert await ada.pinned(world.open_channel(community)) == []


async def test_a_deleted_message_loses_its_reactions_and_its_pin(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    message = await ada.send(channel, "one", "n")
    await ada.react(message, THUMB)
    await ada.pin(message)
    await ada.delete(message)
    assert await ada.pinned(channel) == []
    async with world.database.reading() as tx:
        assert (await tx.execute(sa.text("SELECT count(*) FROM reaction"))).scalar_one() == 0
    reply = await ada.changes(channel)
    (gone,) = reply.messages
    assert list(reply.deleted_ids) == [message.id]
    assert (gone.content, counts(gone), gone.HasField("pin_time")) == ("", [], False)
    for change in (
        ada.react(message, THUMB),
        ada.unreact(message, THUMB),
        ada.pin(message),
        ada.unpin(message),
        ada.edit(message, "back"),
    ):
        with pytest.raises(NotFound):
            await change
    # The nonce still names it: the same is answered, another text is not.
    assert (await ada.send(channel, "one", "n")).id == message.id
    with pytest.raises(Exception, match="nonce") as refused:
        await ada.send(channel, "another", "n")
    assert getattr(refused.value, "reason", "") == "IDEMPOTENCY_KEY_REUSED"


async def test_a_message_is_changed_in_its_channel_only(world: World) -> None:
    community = world.found()
    channel, other = world.open_channel(community), world.open_channel(community)
    ada = world.person(community)
    message = await ada.send(channel, "one")
    await ada.send(other, "elsewhere")
    message.channel_id = other
    for change in (ada.react(message, THUMB), ada.unreact(message, THUMB), ada.pin(message)):
        with pytest.raises(NotFound):
            await change


async def test_who_saw_a_gap_fetches_exactly_what_changed(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    messages = [await ada.send(channel, f"{number}") for number in range(6)]
    await ada.edit(messages[1], "edited")  # 7
    await ada.delete(messages[4])  # 8
    await ada.react(messages[0], THUMB)  # 9

    async def since(after: int, size: int = 100) -> tuple[list[int], list[str], bool]:
        reply = await ada.changes(channel, after, size)
        return [m.revision for m in reply.messages], list(reply.deleted_ids), reply.more

    assert await since(0) == ([3, 4, 6, 7, 8, 9], [messages[4].id], False)
    assert await since(6) == ([7, 8, 9], [messages[4].id], False)
    assert await since(6, 1) == ([7], [], True)
    assert await since(7, 1) == ([8], [messages[4].id], True)
    assert await since(8, 1) == ([9], [], False)
    assert await since(9) == ([], [], False)
    assert await since(2**63 - 1) == ([], [], False)
    with pytest.raises(Invalid):
        await since(-1)
