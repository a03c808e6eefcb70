"""A message is sent on by who may read it, as it was then, and says nothing of where from."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from google.protobuf.message import Message
import pytest
import sqlalchemy as sa

from chassis.errors import Conflict, Denied, Error, Invalid, NotFound
from creavio.chat.v1 import chat_events_pb2, message_pb2
from creavio.options.v1 import permission_pb2 as p
from services.chat.store.tables import MESSAGE
from tests.chat.people import Person
from tests.chat.test_blocks import block
from tests.chat.test_polls import which
from tests.chat.world import MEMBER, OWNER, READER, World
from tests.live import Live, refusal


async def refused(ask: Awaitable[Any], kind: type[Error] = NotFound) -> Error:
    with pytest.raises(kind) as error:
        await ask
    return error.value


async def last(world: World, kind: type[Message] = chat_events_pb2.MessageCreated) -> Any:
    """The latest event of a kind."""
    return [event for event in await world.told() if isinstance(event, kind)][-1]


async def kept(world: World, message: message_pb2.Message) -> Any:
    """What stands in the table of what a message brings along."""
    async with world.database.reading() as tx:
        query = sa.select(MESSAGE.c.forward, MESSAGE.c.sequence).where(
            MESSAGE.c.sequence == message.sequence, MESSAGE.c.delete_time.is_not(None)
        )
        return [row.forward for row in await tx.execute(query)]


async def test_it_comes_along_as_it_was_written_and_stays_so(world: World) -> None:
    community = world.found()
    here, there = world.open_channel(community), world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    source = await ada.send(here, "as *written*")
    sent = await bob.forward(source, there, "look")
    assert (sent.content, sent.author_id, sent.channel_id) == ("look", bob.id, there)
    assert (sent.forward.content, sent.forward.create_time) == (
        "as *written*",
        source.create_time,
    )
    assert (await last(world)).message == sent
    await ada.edit(source, "another")
    edited = await bob.edit(sent, "look here")
    assert (edited.content, edited.forward) == ("look here", sent.forward)
    assert (await last(world, chat_events_pb2.MessageUpdated)).message.forward == sent.forward
    await ada.delete(source)
    for shown in (*await ada.listed(there), *(await ada.changes(there)).messages):
        assert shown.forward == sent.forward
    await refused(ada.source(sent))
    await refused(bob.forward(source, there))


async def test_nothing_of_it_is_left_once_it_is_deleted(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community, OWNER)
    source = await ada.send(channel, "text")
    one, other = await ada.forward(source, channel), await ada.forward(source, channel)
    await ada.delete(one)
    await ada.delete_all(channel, other)
    assert [message.id for message in await ada.listed(channel)] == [source.id]
    assert not any(m.HasField("forward") for m in (await ada.changes(channel)).messages)
    assert await kept(world, one) == await kept(world, other) == [None]
    await refused(ada.source(one))


async def test_nobody_is_told_again_and_only_the_text_comes_along(world: World) -> None:
    community = world.found()
    here, there = world.open_channel(community), world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    await bob.mark(there, 0)
    source = await ada.send(here, f"<@{bob.id}>", poll=which())
    await bob.react(source, "a")
    sent = await ada.forward(source, there)
    assert sent.forward.content == f"<@{bob.id}>"
    for field in ("mentions", "poll", "reply_to", "thread"):
        assert not sent.HasField(field)
    assert not sent.reactions
    assert (await bob.news(community))[there] == (1, 0)
    await ada.forward(source, there, f"<@{bob.id}> look")
    assert (await bob.news(community))[there] == (2, 1)
    # Who answers a bare one answers what it brought along.
    assert (await bob.send(there, "I see", reply_to=sent)).reply_to.excerpt == f"<@{bob.id}>"


async def test_it_takes_both_to_read_it_and_to_write_there(world: World) -> None:
    secret, community = world.found(), world.found()
    hidden, channel = world.open_channel(secret), world.open_channel(community)
    ada, eve = world.person(secret, MEMBER), world.person(community)
    world.rbac.people[community][ada.id] = READER
    source = await ada.send(hidden, "between us")
    await refused(ada.forward(source, channel), Denied)
    unknown = await refused(eve.forward(source, channel))
    elsewhere = message_pb2.Message(id=source.id, channel_id=channel)
    nothing = message_pb2.Message(id=f"{source.id[:-4]}0000", channel_id=hidden)
    for named in (elsewhere, nothing):
        error = await refused(eve.forward(named, channel))
        assert (error.reason, error.message) == (unknown.reason, unknown.message)
    assert await eve.listed(channel) == []


async def test_where_from_those_learn_who_may_read_it_there(world: World) -> None:
    secret, community = world.found(), world.found()
    hidden, channel = world.open_channel(secret), world.open_channel(community)
    ada, bob = world.person(secret, MEMBER), world.person(community)
    world.rbac.people[community][ada.id] = MEMBER
    source = await ada.send(hidden, "between us")
    plain = await ada.send(channel, "text")
    sent = await ada.forward(source, channel)
    assert await ada.source(sent) == (hidden, source.id)
    unseen, none = await refused(bob.source(sent)), await refused(bob.source(plain))
    assert unseen.message == none.message, "that there is something is not said either"
    told = (await last(world)).SerializeToString()
    for shown in (sent, *await bob.listed(channel)):
        told += shown.SerializeToString()
    for named in (hidden, source.id):
        assert named.encode() not in told


@pytest.mark.parametrize("kind", ["a conversation", "a thread"])
async def test_from_wherever_one_reads(world: World, kind: str) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob, eve = (world.person(community) for _ in range(3))
    place = (await ada.converse(bob)).id
    if kind == "a thread":
        place = (await ada.begin(channel)).id
    source = await ada.send(place, "text")
    sent = await ada.forward(source, channel)
    assert await bob.source(sent) == (place, source.id)
    if kind == "a conversation":
        await refused(eve.source(sent))
        await refused(eve.forward(source, channel))
    back = await bob.forward(sent, (await bob.converse(eve)).id)
    # What was sent on before leads to the first, for who may read that.
    assert back.forward == sent.forward
    assert await bob.source(back) == (place, source.id)


async def test_sent_again_it_is_there_once(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    source, other = await ada.send(channel, "text"), await ada.send(channel, "text")
    sent = await ada.forward(source, channel, "look", "n")
    await ada.edit(source, "another")
    assert await ada.forward(source, channel, "look", "n") == sent
    for again in (
        ada.forward(other, channel, "look", "n"),
        ada.forward(source, channel, "see", "n"),
        ada.send(channel, "look", "n"),
    ):
        assert (await refused(again, Conflict)).reason == "IDEMPOTENCY_KEY_REUSED"
    assert len(await ada.listed(channel)) == 3
    # Who did not hear that it was sent is told so, also when its source is gone since.
    await ada.delete(source)
    assert await ada.forward(source, channel, "look", "n") == sent
    for never in (ada.forward(source, channel, "look"), ada.forward(source, channel, "look", "m")):
        await refused(never)
    eve = world.person(community)
    await refused(eve.forward(source, channel, "look", "n"))


async def test_what_holds_of_sending_holds_of_sending_on(world: World) -> None:
    community = world.found()
    channel, forum = world.open_channel(community), world.open_forum(community)
    ada, bob = world.person(community), world.person(community)
    two = (await ada.converse(bob)).id
    source = await bob.send(channel, "text")
    await block(world, ada, bob)
    assert (await refused(bob.forward(source, two), Denied)).reason == "NOT_REACHABLE"
    assert (await refused(bob.forward(source, forum), Error)).reason == "POSTS_ONLY"
    await refused(bob.forward(source, channel, "  "), Invalid)
    manager = {p.PERMISSION_MANAGE_CHANNELS}
    owner: Person = world.person(community, OWNER | manager)
    await owner.slow_down(channel, 60)
    await bob.forward(source, channel)
    assert (await refused(bob.forward(source, channel), Error)).reason == "RATE_LIMITED"


def test_over_rest_as_people_meet_it(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    here = ada.open_channel(ada.found()["id"])["id"]
    source = ada.send(here, "text")
    two = ada.do("POST", "/v1/conversations", json={"user_ids": [bob.id]})["id"]
    path, body = (
        f"/v1/channels/{two}/messages:forward",
        {"source_channel_id": here, "source_message_id": source["id"]},
    )
    with bob.listening() as stream:
        sent = ada.do("POST", path, json=body, headers={"Idempotency-Key": "n"})
        assert stream.until("message_created")["message"]["forward"] == sent["forward"]
    assert ada.do("POST", path, json=body, headers={"Idempotency-Key": "n"})["id"] == sent["id"]
    assert sent["forward"] == {"content": "text", "create_time": source["create_time"]}
    asked = f"/v1/channels/{two}/messages/{sent['id']}/source"
    assert ada.do("GET", asked) == {"channel_id": here, "message_id": source["id"]}
    assert refusal(bob.ask("GET", asked)) == (404, "NOT_FOUND")
    assert refusal(bob.ask("POST", path, json=body)) == (404, "NOT_FOUND")
