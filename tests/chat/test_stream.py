"""SendMessages: one stream, each message judged, kept and answered by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from google.rpc import error_details_pb2
import grpc
import pytest
import sqlalchemy as sa

from chassis import ids, status
from chassis.errors import Unauthenticated
from chassis.service import GRACE_SECONDS
from chassis.subjects import LIVE, subject_root
from chassis.testing import eventually
from creavio.auth.v1 import auth_events_pb2
from creavio.chat.v1 import message_service_pb2
from services.chat import convert
from services.chat.engine.writer import Writer
from services.chat.handler.stream import IN_FLIGHT
from tests.chassis.outage import cut_connections
from tests.chat.people import Person
from tests.chat.world import READER, World
from tests.chat.writing import held, refuse, waits_for_a_lock

Answer: TypeAlias = message_service_pb2.SendMessagesResponse


class Talk:
    """An open stream of one person."""

    def __init__(self, person: Person) -> None:
        self.call: Any = person.messages.SendMessages(metadata=person.metadata())

    async def say(self, channel: str, content: str, nonce: str) -> None:
        message = message_service_pb2.CreateMessageRequest(
            channel_id=channel, content=content, nonce=nonce
        )
        await self.call.write(message_service_pb2.SendMessagesRequest(message=message))

    async def answer(self) -> Answer:
        async with asyncio.timeout(15):
            answer = await self.call.read()
        assert answer is not grpc.aio.EOF, "the stream ended"
        assert isinstance(answer, message_service_pb2.SendMessagesResponse)
        return answer

    async def answers(self, count: int) -> dict[str, Answer]:
        """So many answers, by nonce."""
        found = [await self.answer() for _ in range(count)]
        assert len({answer.nonce for answer in found}) == count
        return {answer.nonce: answer for answer in found}

    async def rest(self) -> list[Answer]:
        """Say no more, and hear what is still to be heard."""
        await self.call.done_writing()
        found: list[Answer] = []
        while (answer := await self.call.read()) is not grpc.aio.EOF:
            found.append(answer)
        return found


@asynccontextmanager
async def talking(person: Person) -> AsyncIterator[Talk]:
    talk = Talk(person)
    try:
        yield talk
    finally:
        talk.call.cancel()


def reason(answer: Answer) -> str:
    """Why a message was refused."""
    assert answer.WhichOneof("outcome") == "error", answer
    info = error_details_pb2.ErrorInfo()
    assert answer.error.details[0].Unpack(info)
    return str(info.reason)


def fields(answer: Answer) -> list[str]:
    """The fields an answer complains about."""
    bad = error_details_pb2.BadRequest()
    assert answer.error.details[1].Unpack(bad)
    return [violation.field for violation in bad.field_violations]


async def test_messages_are_kept_in_the_order_they_were_said(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    async with talking(ada) as talk:
        for number in range(600):
            await talk.say(channel, f"{number}", f"n{number}")
            if number % 100 == 99:
                await asyncio.sleep(0.01)
        answers = await talk.answers(600)
        assert await talk.rest() == []
    assert [answers[f"n{n}"].message.sequence for n in range(600)] == list(range(1, 601))
    assert await ada.listed(channel) == [answers[f"n{n}"].message for n in range(500, 600)]


async def test_whoever_says_no_more_hears_every_answer(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    async with talking(ada) as talk:
        for number in range(300):
            await talk.say(channel, f"{number}", f"{number}")
        assert {answer.nonce for answer in await talk.rest()} == {f"{n}" for n in range(300)}
        assert await talk.call.code() == grpc.StatusCode.OK


async def test_a_refused_message_harms_no_other(world: World) -> None:
    community, elsewhere = world.found(), world.found()
    channel, private = world.open_channel(community), world.open_channel(elsewhere)
    ada = world.person(community)
    mute = world.open_channel(elsewhere)
    world.rbac.people[elsewhere][ada.id] = READER
    unseen = world.open_channel(world.found())
    nowhere = ids.text(ids.Kind.CHANNEL, ids.new())
    async with talking(ada) as talk:
        await talk.say(channel, "first", "first")
        await talk.say(channel, "x" * 4001, "long")
        await talk.say(channel, " \u200b", "blank")
        await talk.say(channel, "a\0b", "nul")
        await talk.say(channel, "unnamed", "")
        await talk.say("chn_short", "text", "malformed")
        await talk.say(nowhere, "text", "nowhere")
        await talk.say(unseen, "text", "unseen")
        await talk.say(mute, "text", "mute")
        await talk.say(private, "text", "private")
        await talk.say(channel, "another", "first")
        await talk.say(channel, "last", "last")
        answers = [await talk.answer() for _ in range(12)]
    first = [a for a in answers if a.nonce == "first"]
    assert [a.WhichOneof("outcome") for a in first] == ["message", "error"]
    assert reason(first[1]) == "IDEMPOTENCY_KEY_REUSED"
    by_nonce = {answer.nonce: answer for answer in answers if answer.nonce != "first"}
    assert by_nonce["last"].message.sequence == 2
    for nonce, field in (
        ("long", "message.content"),
        ("nul", "message.content"),
        ("blank", "content"),
        ("", "message.nonce"),
        ("malformed", "message.channel_id"),
    ):
        assert reason(by_nonce[nonce]) == "INVALID_FIELD", nonce
        assert fields(by_nonce[nonce]) == [field]
    for nonce in ("nowhere", "unseen"):
        assert reason(by_nonce[nonce]) == "NOT_FOUND"
    for nonce in ("mute", "private"):
        assert reason(by_nonce[nonce]) == "PERMISSION_DENIED"
    assert [m.content for m in await ada.listed(channel)] == ["first", "last"]


async def test_a_message_said_again_is_the_same(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    sent = await ada.send(channel, "once", "n")
    async with talking(ada) as talk:
        for _ in range(3):
            await talk.say(channel, "once", "n")
        assert [(await talk.answer()).message for _ in range(3)] == [sent] * 3


async def waiting(world: World) -> int:
    """How many messages wait to be kept."""
    registry = world.chassis[0].telemetry.registry
    return int(registry.get_sample_value("chat_waiting_messages") or 0)


async def test_no_more_is_read_than_is_answered_soon(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    await ada.send(channel, "first")

    async def say_all(talk: Talk) -> None:
        for number in range(2_000):
            await talk.say(channel, "x" * 100, f"{number}")

    async with talking(ada) as talk:
        async with held(world.database, convert.place(channel)):
            saying = asyncio.create_task(say_all(talk))
            await asyncio.sleep(0.7)
            assert 0 < await waiting(world) <= IN_FLIGHT
            # Somebody else is not held up by it.
            other = world.person(community)
            sending = asyncio.create_task(other.send(channel, "other"))
            await asyncio.sleep(0.1)
            assert await waiting(world) <= IN_FLIGHT + 1
        await talk.answers(2_000)
        await saying
        assert (await sending).sequence < 2_002


async def test_what_was_said_is_kept_when_its_client_leaves(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    await ada.send(channel, "first")
    async with held(world.database, convert.place(channel)):
        async with talking(ada) as talk:
            for number in range(20):
                await talk.say(channel, f"{number}", f"{number}")

            async def taken() -> None:
                assert await waiting(world) == 19

            await eventually(taken)
        await asyncio.sleep(0.2)

    async def kept() -> None:
        contents = [message.content for message in await ada.listed(channel)]
        assert contents == ["first", *(f"{number}" for number in range(20))]

    await eventually(kept)


async def test_each_message_has_a_deadline_of_its_own(world: World) -> None:
    community = world.found()
    channel, other = world.open_channel(community), world.open_channel(community)
    ada = world.person(community)
    await ada.send(channel, "first")
    async with talking(ada) as talk:
        async with held(world.database, convert.place(channel)):
            await talk.say(channel, "late", "late")
            await waits_for_a_lock(world.database)
            await talk.say(other, "behind", "behind")
            answers = await talk.answers(2)
        assert {reason(answer) for answer in answers.values()} == {"DEADLINE_EXCEEDED"}
        await talk.say(channel, "late", "late")
        again = await talk.answer()
    # What it did was not known; now it is, and it was done once.
    assert again.message.sequence == 2
    assert [m.content for m in await ada.listed(channel)] == ["first", "late"]
    assert await ada.listed(other) == []


async def test_what_breaks_on_our_side_is_told_to_its_sender_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    await refuse(world.database, "poison")

    def submit(self: Writer, draft: Any, *more: Any, **named: Any) -> Any:
        if draft.content == "broken":
            raise RuntimeError("broken")
        return real(self, draft, *more, **named)

    real = Writer.submit
    monkeypatch.setattr(Writer, "submit", submit)
    async with talking(ada) as talk:
        for content in ("one", "broken", "poison", "two"):
            await talk.say(channel, content, content)
        answers = await talk.answers(4)
    assert [answers[n].message.sequence for n in ("one", "two")] == [1, 2]
    for nonce in ("broken", "poison"):
        assert reason(answers[nonce]) == "INTERNAL"
        assert "SQL" not in answers[nonce].error.message
        assert nonce not in answers[nonce].error.message


async def test_without_postgres_each_message_is_told_to_come_again(
    world: World, postgres: str
) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    async with talking(ada) as talk:
        await talk.say(channel, "first", "first")
        await talk.answer()
        name = world.database._engine.url.database
        admin = sa.create_engine(postgres, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with admin.connect() as connection:
            connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
            cut_connections(postgres, world.database)
            for nonce in ("a", "b"):
                await talk.say(channel, nonce, nonce)
            answers = await talk.answers(2)
            assert {reason(answer) for answer in answers.values()} == {"UNAVAILABLE"}
            connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
        admin.dispose()
        await talk.say(channel, "b", "b")
        assert (await talk.answer()).message.sequence == 2


async def test_the_stream_ends_with_its_session(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    async with talking(ada) as talk, talking(bob) as other:
        for each in (talk, other):
            await each.say(channel, "first", "first")
            await each.answer()
        event = world.auth.revoke(world.sessions[ada.id])
        subject = LIVE + subject_root(auth_events_pb2.SessionRevoked.DESCRIPTOR.full_name)
        async with world.nats.bus("auth") as bus:
            await bus.publish(f"{subject}.{event.session_id}", event.SerializeToString())
            await bus.flush()
        assert reason_of(await ended(talk.call)) == "SESSION_REVOKED"
        await other.say(channel, "still here", "still")
        assert (await other.answer()).message.sequence == 3


async def test_who_stops_answers_what_was_said_and_ends_the_stream(world: World) -> None:
    """It does not wait for streams that would go on: those who speak come back elsewhere."""
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    replica = world.running[0]
    async with talking(ada) as talk, talking(bob) as silent:
        await talk.say(channel, "first", "first")
        await talk.answer()
        async with held(world.database, convert.place(channel)):
            await talk.say(channel, "second", "second")
            await waits_for_a_lock(world.database)
            replica.stop.set()
            assert reason_of(await ended(silent.call)) == "UNAVAILABLE"
        assert (await talk.answer()).message.sequence == 2
        assert reason_of(await ended(talk.call)) == "UNAVAILABLE"
        async with asyncio.timeout(GRACE_SECONDS / 2):
            await replica.done


async def test_nobody_speaks_without_a_token(world: World) -> None:
    async with talking(world.nobody()) as talk:
        assert isinstance(await ended(talk.call), Unauthenticated)


async def ended(call: Any) -> BaseException:
    """The error a stream ended with."""
    async with asyncio.timeout(5):
        try:
            while await call.read() is not grpc.aio.EOF:
                pass
        except grpc.aio.AioRpcError as error:
            return status.from_call(error)
    raise AssertionError("the stream ended well")


def reason_of(error: BaseException) -> str:
    return str(getattr(error, "reason", ""))
