"""Who blocked somebody hears nothing of them in what is between the two."""

from __future__ import annotations

import pytest

from chassis.errors import Denied
from chassis.testing import eventually
from creavio.user.v1 import user_events_pb2
from services.chat import convert
from services.chat.store import blocks
from tests.chat.people import Person
from tests.chat.world import World

WITHIN = 10.0


async def block(world: World, blocker: Person, blocked: Person) -> None:
    """Have somebody block somebody, and chat know it."""
    event = user_events_pb2.UserBlocked(user_id=blocker.id, blocked_id=blocked.id)
    world.users.refusing.add((blocker.id, blocked.id))
    await world.happens(event, blocker.id)

    async def known() -> None:
        ids = convert.user_id(blocked.id), convert.user_id(blocker.id)
        async with world.database.reading() as tx:
            assert await blocks.is_blocked(tx, *ids)

    await eventually(known, WITHIN)


async def test_who_is_blocked_begins_no_conversation(world: World) -> None:
    ada, bob, eve = (world.person() for _ in range(3))
    await block(world, ada, bob)
    for others in ((ada,), (eve, ada)):
        with pytest.raises(Denied):
            await bob.converse(*others)
    await ada.converse(bob)  # Who blocked may, and is answered by nobody.
    group = (await bob.converse(eve, group=True)).id
    with pytest.raises(Denied):
        await bob.take_in(group, ada)
    assert ada.id not in (await bob.conversation(group)).member_ids
    await eve.take_in(group, ada)


async def test_who_is_blocked_writes_edits_and_reacts_no_more(world: World) -> None:
    ada, bob = world.person(), world.person()
    two = (await ada.converse(bob)).id
    before = await bob.send(two, "hello", "n")
    await block(world, ada, bob)
    for ask in (
        bob.send(two, "again"),
        bob.send(two, "again", reply_to=before),
        bob.edit(before, "again"),
        bob.react(before, "a"),
    ):
        with pytest.raises(Denied) as denied:
            await ask
        assert denied.value.reason == "NOT_REACHABLE"
    assert await bob.send(two, "hello", "n") == before, "what is sent is sent"
    assert (await bob.converse(ada)).id == two, "and stays to be read"
    assert [m.content for m in await bob.listed(two)] == ["hello"]
    await bob.delete(before)
    event = user_events_pb2.UserUnblocked(user_id=ada.id, blocked_id=bob.id)
    await world.happens(event, ada.id)

    async def again() -> None:
        try:
            await bob.send(two, "again")
        except Denied as error:
            raise AssertionError from error

    await eventually(again, WITHIN)


async def test_who_is_blocked_mentions_in_vain(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    first = await bob.send(channel, f"<@{ada.id}>")
    await ada.mark(channel, 0)
    assert await ada.news(community) == {channel: (1, 1)}
    thread = await bob.begin(channel)
    await block(world, ada, bob)
    await bob.send(channel, f"<@{ada.id}>!")
    assert await ada.news(community) == {channel: (2, 0)}, "also what was before"
    await bob.send(thread.id, f"<@{ada.id}>")
    assert not (await ada.thread(thread)).following
    assert first.mentions.user_ids == [ada.id]
