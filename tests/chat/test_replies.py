"""Messages that answer messages."""

from __future__ import annotations

import pytest

from chassis import ids
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import Conflict, FailedPrecondition, Invalid, NotFound
from creavio.chat.v1 import chat_events_pb2, message_pb2
from services.chat.domain import message as domain
from services.chat.domain.message import Reference
from services.chat.store import messages
from services.chat.store.sending import SentBefore, Unanswerable
from tests.chat.making import ADA, NOW, draft, last_number, new_channel, numbers, send, sent
from tests.chat.making import FINGERPRINTS as KEY
from tests.chat.world import MEMBER, World
from tests.chat.writing import writing


def reference(message: message_pb2.Message) -> message_pb2.MessageReference:
    return message_pb2.MessageReference(
        message_id=message.id, author_id=message.author_id, excerpt=message.content[:120]
    )


async def test_an_answer_shows_what_it_answers(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    asked = await ada.send(channel, "Does it fit? " * 30)
    answer = await bob.send(channel, "It does.", "n", reply_to=asked)
    assert answer.reply_to == reference(asked)
    assert len(answer.reply_to.excerpt) == 120
    assert await bob.send(channel, "It does.", "n", reply_to=asked) == answer
    edited = await bob.edit(answer, "It does!")
    pinned = await ada.pin(answer)
    told = [event.message for event in await world.told()]  # type: ignore[attr-defined]
    assert told == [asked, answer, edited, pinned]
    assert {message.reply_to.message_id for message in told[1:]} == {asked.id}
    assert await ada.listed(channel) == [asked, pinned]
    assert (await ada.changes(channel, 1)).messages[0].reply_to == reference(asked)
    assert await ada.pinned(channel) == [pinned]


async def test_of_a_deleted_message_its_answers_show_nothing(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    asked = await ada.send(channel, "a secret")
    answer = await bob.send(channel, "Hush.", "n", reply_to=asked)
    await ada.delete(asked)
    gone = message_pb2.MessageReference(message_id=asked.id)
    assert [message.reply_to for message in await bob.listed(channel)] == [gone]
    assert (await bob.edit(answer, "Hush!")).reply_to == gone
    event = (await world.told())[-1]
    assert isinstance(event, chat_events_pb2.MessageUpdated)
    assert event.message.reply_to == gone
    # Sent again under its nonce it is what it was, though nothing new answers the message.
    assert (await bob.send(channel, "Hush!", "m", reply_to=answer)).reply_to.excerpt == "Hush!"
    assert (await bob.send(channel, "Hush.", "n", reply_to=asked)).id == answer.id
    with pytest.raises(FailedPrecondition) as refused:
        await bob.send(channel, "Hush.", "new", reply_to=asked)
    assert refused.value.reason == "REPLY_NOT_FOUND"
    await bob.delete(answer)
    assert not (await bob.changes(channel)).messages[-1].HasField("reply_to")


async def test_an_answer_is_told_nothing_of_another_channel(world: World) -> None:
    """Whether the message is in a channel one cannot see, in one that one can, or nowhere."""
    community, other = world.found(), world.found()
    channel, beside = world.open_channel(community), world.open_channel(community)
    private = world.open_channel(other)
    ada = world.person(community)
    owner = world.person(other, MEMBER)
    hidden = await owner.send(private, "nobody else's")
    between = await owner.send((await owner.converse(world.person())).id, "between us")
    near = await ada.send(beside, "next door")
    nowhere = message_pb2.Message(id=ids.text(ids.Kind.MESSAGE, ids.new()))
    said = set()
    for foreign in (hidden, between, near, nowhere):
        with pytest.raises(FailedPrecondition) as refused:
            await ada.send(channel, "And?", reply_to=foreign)
        said.add((refused.value.reason, refused.value.message))
    assert len(said) == 1
    with pytest.raises(NotFound):
        await ada.send(private, "And?", reply_to=hidden)
    with pytest.raises(Invalid):
        await ada.send(channel, "And?", reply_to=message_pb2.Message(id=f"msg_{'z' * 26}"))
    assert await ada.listed(channel) == []
    assert (await ada.send(channel, "first")).sequence == 1, "the refused ones took numbers"


async def test_a_nonce_names_what_is_answered_too(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    one, two = await ada.send(channel, "one"), await ada.send(channel, "two")
    await ada.send(channel, "yes", "n", reply_to=one)
    for other in (two, None):
        with pytest.raises(Conflict):
            await ada.send(channel, "yes", "n", reply_to=other)


async def test_one_statement_refuses_what_cannot_be_answered(database: Database) -> None:
    channel, other = await new_channel(database), await new_channel(database)
    here, there = await sent(database, draft(channel), draft(other))
    gone, _ = await sent(database, draft(channel, nonce="gone"), draft(channel))
    async with database.transaction() as tx:
        await messages.save(tx, domain.delete(gone, ADA, moderates=False, now=NOW))

    def answering(message_id: object, nonce: str = "") -> domain.Draft:
        assert isinstance(message_id, type(here.id))
        to = Reference(message_id)
        return domain.draft(channel, ADA, "yes", nonce, NOW, KEY, reply_to=to)

    known = answering(here.id, "known")
    assert await send(database, known) == [5]
    again = answering(ids.new(), "known")
    outcomes = await send(
        database,
        answering(there.id),
        answering(here.id),
        answering(gone.id),
        draft(channel),
        answering(ids.new()),
        again,
    )
    refused = Unanswerable.UNANSWERABLE
    assert outcomes[:5] == [refused, 6, refused, 7, refused]
    assert isinstance(outcomes[5], SentBefore)
    assert outcomes[5].message.reply_to == here.id
    assert await numbers(database, channel) == [1, 2, 3, 5, 6, 7]
    assert await last_number(database, channel) == 7


async def test_a_refused_answer_frees_its_nonce(database: Database, contract: Contract) -> None:
    """Another send under it, that waited for this one, is the first then."""
    channel = await new_channel(database)
    to = Reference(ids.new())
    async with writing(contract, database) as desk:
        refused, kept = await desk.send(
            domain.draft(channel, ADA, "yes", "n", NOW, KEY, reply_to=to),
            draft(channel, "yes", "n"),
        )
    assert isinstance(refused, domain.ReplyNotFound)
    assert isinstance(kept, message_pb2.Message)
    assert kept.sequence == 1
