"""Conversations: one for each pair for ever, groups as many as are begun, and nobody listens in."""

from __future__ import annotations

import asyncio

import pytest

from chassis import ids
from chassis.errors import Conflict, Denied, Invalid, NotFound
from creavio.chat.v1 import chat_events_pb2, conversation_pb2
from creavio.chat.v1 import conversation_service_pb2 as service
from creavio.chat.v1.conversation_service_pb2_grpc import ConversationServiceStub
from services.chat import convert
from services.chat.store import conversations
from tests.chat.people import Person
from tests.chat.world import World


async def conversations_of(
    person: Person, size: int = 100, token: str = ""
) -> service.ListConversationsResponse:
    request = service.ListConversationsRequest(page_size=size, page_token=token)
    return await person.call(person.conversations.ListConversations, request)


async def get(person: Person, identifier: str) -> conversation_pb2.Conversation:
    request = service.GetConversationRequest(conversation_id=identifier)
    return await person.call(person.conversations.GetConversation, request)


async def test_two_people_have_one_conversation_whoever_begins_it(world: World) -> None:
    ada, bob, eve = world.person(), world.person(), world.person()
    first = await ada.converse(bob)
    assert first.id.startswith("cnv_")
    assert set(first.member_ids) == {ada.id, bob.id}
    assert await bob.converse(ada) == first
    assert await ada.converse(bob, key="k") == first
    assert (await ada.converse(eve)).id != first.id
    assert await get(bob, first.id) == first
    events = [e for e in await world.told() if isinstance(e, chat_events_pb2.ConversationCreated)]
    assert [event.conversation for event in events][:1] == [first]
    assert len(events) == 2


async def test_both_begin_at_once_and_it_is_one(world: World) -> None:
    for _ in range(5):
        ada, bob = world.person(), world.person()
        begun = await asyncio.gather(
            *(one.converse(other) for one, other in ((ada, bob), (bob, ada)) for _ in range(4))
        )
        assert len({conversation.id for conversation in begun}) == 1
    assert len(await world.told()) == 5


async def test_a_group_is_a_new_one_each_time_unless_it_is_the_same_request(world: World) -> None:
    ada, bob, eve = world.person(), world.person(), world.person()
    first, second = await ada.converse(bob, eve), await ada.converse(bob, eve)
    assert first.id != second.id
    assert set(first.member_ids) == {ada.id, bob.id, eve.id}
    keyed = await ada.converse(bob, eve, key="k")
    assert await ada.converse(bob, eve, key="k") == keyed
    assert (await bob.converse(ada, eve, key="k")).id != keyed.id
    with pytest.raises(Conflict) as refused:
        await ada.converse(bob, key="k")
    assert refused.value.reason == "IDEMPOTENCY_KEY_REUSED"


async def test_who_may_be_named(world: World) -> None:
    ada, *others = (world.person() for _ in range(26))
    assert len((await ada.converse(*others[:24])).member_ids) == 25
    for named in ((), others, (ada,), (others[0], ada), (others[0], others[0])):
        with pytest.raises(Invalid) as refused:
            await ada.converse(*named)
        assert {field for field, _ in refused.value.fields} == {"user_ids"}
    for malformed in ("usr_short", "usr_" + "z" * 26, others[0].id.replace("usr_", "com_")):
        with pytest.raises(Invalid):
            await ada.converse(Person(ada.channel, None, malformed))


async def test_a_list_is_the_callers_own_the_newest_first(world: World) -> None:
    ada, bob, eve = world.person(), world.person(), world.person()
    begun = [await ada.converse(bob, eve) for _ in range(5)]
    with_bob = await ada.converse(bob)
    page = await conversations_of(ada, 4)
    assert list(page.conversations) == [with_bob, *begun[:1:-1]]
    rest = await conversations_of(ada, 4, page.next_page_token)
    assert list(rest.conversations) == begun[1::-1]
    assert rest.next_page_token == ""
    assert list((await conversations_of(eve)).conversations) == begun[::-1]
    assert list((await conversations_of(world.person())).conversations) == []
    with pytest.raises(Invalid) as refused:
        await conversations_of(bob, 4, page.next_page_token)
    assert refused.value.reason == "INVALID_PAGE_TOKEN"


async def test_members_do_in_it_what_members_do_in_a_channel(world: World) -> None:
    ada, bob = world.person(), world.person()
    conversation = (await ada.converse(bob)).id
    one = await ada.send(conversation, "hello", "n")
    assert (one.channel_id, one.sequence) == (conversation, 1)
    assert await ada.send(conversation, "hello", "n") == one
    reacted = await bob.react(one, "a")
    pinned = await bob.pin(one)
    edited = await ada.edit(one, "edited")
    assert (reacted.revision, pinned.revision, edited.revision) == (2, 3, 4)
    assert await bob.pinned(conversation) == await bob.listed(conversation)
    assert (await bob.changes(conversation, 3)).messages[0].revision == 4
    # Nobody moderates here.
    with pytest.raises(Denied):
        await bob.delete(one)
    await ada.delete(one)
    assert await bob.listed(conversation) == []
    events = (await world.told())[1:]
    assert {event.community_id for event in events} == {""}  # type: ignore[attr-defined]
    assert isinstance(events[0], chat_events_pb2.MessageCreated)
    assert events[0].message == one


async def test_nobody_else_knows_of_it(world: World) -> None:
    community = world.found()
    ada, bob = world.person(community), world.person(community)
    outsider = world.person(community)
    conversation = (await ada.converse(bob)).id
    message = await ada.send(conversation, "between us")
    for attempt in (
        get(outsider, conversation),
        outsider.listed(conversation),
        outsider.changes(conversation),
        outsider.pinned(conversation),
        outsider.send(conversation, "hello"),
        outsider.edit(message, "mine"),
        outsider.delete(message),
        outsider.react(message, "a"),
        outsider.unreact(message, "a"),
        outsider.pin(message),
        outsider.unpin(message),
    ):
        with pytest.raises(NotFound):
            await attempt
    # Once they belong to another, they still do not belong to this one.
    await outsider.converse(ada)
    with pytest.raises(NotFound):
        await outsider.listed(conversation)


async def test_a_conversation_is_no_channel_and_a_channel_no_conversation(world: World) -> None:
    """Whoever changes the name does not change what it is."""
    community = world.found()
    ada, bob = world.person(community), world.person(community)
    conversation = (await ada.converse(bob)).id
    channel = world.open_channel(community)
    message = await ada.send(conversation, "between us")
    await ada.send(channel, "in public")
    as_channel = conversation.replace("cnv_", "chn_")
    as_conversation = channel.replace("chn_", "cnv_")
    for disguised in (as_channel, as_conversation):
        message.channel_id = disguised
        for attempt in (
            ada.listed(disguised),
            ada.send(disguised, "hello"),
            ada.changes(disguised),
            ada.pinned(disguised),
            ada.edit(message, "other"),
            ada.delete(message),
            ada.react(message, "a"),
            ada.pin(message),
        ):
            with pytest.raises(NotFound):
                await attempt
    with pytest.raises(NotFound):
        await get(ada, as_conversation)
    assert len(await ada.listed(conversation)) == len(await ada.listed(channel)) == 1


async def test_a_channel_that_claims_a_conversations_id_gets_none_of_it(world: World) -> None:
    """Even if community came to have a channel with the same number."""
    community = world.found()
    ada, bob = world.person(community), world.person(community)
    conversation = (await ada.converse(bob)).id
    await ada.send(conversation, "between us")
    claimed = conversation.replace("cnv_", "chn_")
    world.community.channels[claimed] = community
    eve = world.person(community)
    for attempt in (eve.listed(claimed), eve.changes(claimed), eve.send(claimed, "hello")):
        with pytest.raises(NotFound):
            await attempt
    assert [m.content for m in await bob.listed(conversation)] == ["between us"]


async def test_the_gateway_learns_the_members_and_nobody_else_does(world: World) -> None:
    ada, bob, eve = world.person(), world.person(), world.person()
    conversation = await ada.converse(bob, eve)
    stub = ConversationServiceStub(world.replicas[0])
    request = service.ListConversationMembersRequest(conversation_id=conversation.id)
    gateway = world.gateway()
    reply = await gateway.call(stub.ListConversationMembers, request)
    assert set(reply.member_ids) == {ada.id, bob.id, eve.id}
    nothing = service.ListConversationMembersRequest(
        conversation_id=ids.text(ids.Kind.CONVERSATION, ids.new())
    )
    with pytest.raises(NotFound):
        await gateway.call(stub.ListConversationMembers, nothing)
    for other in (world.another_service(), ada, world.nobody()):
        with pytest.raises(Denied) as refused:
            await other.call(stub.ListConversationMembers, request)
        assert refused.value.reason == "CALLER_NOT_ALLOWED"


async def test_the_gateway_learns_who_talks_to_whom_and_nobody_else_does(world: World) -> None:
    ada, bob, eve, cleo = (world.person() for _ in range(4))
    await ada.converse(bob)
    await ada.converse(bob, eve)
    await cleo.converse(eve)
    stub = ConversationServiceStub(world.replicas[0])
    request, gateway = service.ListTalkersRequest(user_id=ada.id), world.gateway()
    reply = await gateway.call(stub.ListTalkers, request)
    assert list(reply.user_ids) == sorted((bob.id, eve.id))
    # Of the latest conversations alone, so that it never is too much.
    async with world.database.reading() as tx:
        latest = await conversations.talkers(tx, convert.user_id(eve.id), 1)
    assert latest == [convert.user_id(cleo.id)]
    for other in (world.another_service(), ada, world.nobody()):
        with pytest.raises(Denied) as refused:
            await other.call(stub.ListTalkers, request)
        assert refused.value.reason == "CALLER_NOT_ALLOWED"
