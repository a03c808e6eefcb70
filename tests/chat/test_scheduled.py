"""Messages that are sent later: at their time, once, if their author may."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import Conflict, Denied, FailedPrecondition, Invalid, NotFound
from chassis.testing import eventually
from chassis.wire import timestamp
from creavio.chat.v1 import chat_events_pb2, scheduled_message_pb2, scheduled_message_service_pb2
from services.chat.domain import kept as domain
from services.chat.engine.clock import CLAIM_SECONDS
from services.chat.store import scheduled
from tests.chat.making import ADA, new_channel
from tests.chat.people import Person
from tests.chat.world import READER, World, running_world
from tests.scratch_nats import ScratchNats

WITHIN = 20.0


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1)


def later(days: int = 1) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


async def come(database: Database, *, claimed: bool = False) -> None:
    """Let the time of everything that waits have come."""
    async with database.transaction() as tx:
        await tx.execute(
            sa.text(
                "UPDATE scheduled_message SET send_time = now() - interval '1 second', claim_time ="
                " CASE WHEN :claimed THEN now() END"
            ),
            {"claimed": claimed},
        )


async def change(
    person: Person, message: scheduled_message_pb2.ScheduledMessage, **changes: object
) -> scheduled_message_pb2.ScheduledMessage:
    request = scheduled_message_service_pb2.UpdateScheduledMessageRequest(
        scheduled_message_id=message.id,
        **changes,  # type: ignore[arg-type]  # as the tests name them
    )
    return await person.call(person.scheduled.UpdateScheduledMessage, request)


async def cancel(person: Person, message: scheduled_message_pb2.ScheduledMessage) -> None:
    request = scheduled_message_service_pb2.CancelScheduledMessageRequest(
        scheduled_message_id=message.id
    )
    await person.call(person.scheduled.CancelScheduledMessage, request)


async def test_a_message_is_sent_once_at_its_time_however_many_replicas(
    postgres: str, nats_server: ScratchNats, contract: Contract
) -> None:
    async with running_world(postgres, nats_server, contract, replicas=3) as world:
        community = world.found()
        channel = world.open_channel(community)
        ada, bob = world.person(community), world.person(community)
        waits = await ada.schedule(channel, f"happy birthday <@{bob.id}>", soon(), key="k")
        assert await ada.schedule(channel, f"happy birthday <@{bob.id}>", soon(), key="") != waits
        await ada.schedule(channel, "much later", later())

        async def sent() -> None:
            assert len(await bob.listed(channel)) == 2

        await eventually(sent, WITHIN)
        first, _ = await bob.listed(channel)
        assert (first.author_id, list(first.mentions.user_ids)) == (ada.id, [bob.id])
        assert (await bob.news(community))[channel] == (2, 2)

        async def told() -> None:
            events = [
                e
                for e in await world.told()
                if isinstance(e, chat_events_pb2.ScheduledMessageRemoved)
            ]
            assert waits.id in {e.scheduled_message_id for e in events}
            assert first.id in {e.message_id for e in events}
            assert {e.user_id for e in events} == {ada.id}

        await eventually(told, WITHIN)
        assert [m.content for m in await ada.waiting()] == ["much later"]


async def test_what_a_crash_left_half_done_is_sent_once(world: World) -> None:
    """It was sent, and who sent it died before it could say so."""
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    waits = await ada.schedule(channel, "once", later())
    await ada.send(channel, "once", waits.id)
    await come(world.database, claimed=True)
    for refused in (change(ada, waits, content="twice"), cancel(ada, waits)):
        with pytest.raises(Conflict) as error:
            await refused
        assert error.value.reason == "CONCURRENT_CHANGE"
    async with world.database.transaction() as tx:
        await tx.execute(
            sa.text("UPDATE scheduled_message SET claim_time = now() - :s * interval '1 second'"),
            {"s": 2 * CLAIM_SECONDS},
        )

    async def done() -> None:
        assert await ada.waiting() == []

    await eventually(done, WITHIN)
    assert [m.content for m in await ada.listed(channel)] == ["once"]


async def test_two_never_take_the_same(database: Database) -> None:
    channel = await new_channel(database)
    async with database.transaction() as tx:
        for _ in range(20):
            at = datetime.now(UTC) + timedelta(hours=1)
            message = domain.schedule(ADA, channel, "text", None, at, datetime.now(UTC))
            await scheduled.add(tx, message)
    await come(database)

    async def take() -> list[object]:
        async with database.transaction() as tx:
            return [message.id for message in await scheduled.claim(tx, 7, 60)]

    taken = [one for some in await asyncio.gather(*(take() for _ in range(4))) for one in some]
    taken += await take()
    assert len(taken) == len(set(taken)) == 20


async def test_whether_its_author_may_write_is_asked_when_it_is_sent(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob, eve = world.person(), world.person(), world.person(community, READER)
    group = (await ada.converse(bob, group=True)).id
    with pytest.raises(Denied):
        await eve.schedule(channel, "text", later())
    waits = await bob.schedule(group, "hello", later())
    await ada.take_out(group, bob)
    await come(world.database)

    async def failed() -> None:
        (message,) = await bob.waiting()
        assert message.failure_reason == "PERMISSION_DENIED"

    await eventually(failed, WITHIN)
    assert await ada.listed(group) == []
    told = [e for e in await world.told() if isinstance(e, chat_events_pb2.ScheduledMessageChanged)]
    assert told[-1].scheduled_message.failure_reason == "PERMISSION_DENIED"
    # Let in again, they have it sent after all.
    await ada.take_in(group, bob)
    await change(bob, waits, send_time=timestamp(soon()))

    async def sent() -> None:
        assert [m.content for m in await ada.listed(group)] == ["hello"]

    await eventually(sent, WITHIN)


async def test_what_waits_is_changed_and_cancelled_by_its_author_alone(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    waits = await ada.schedule(channel, "draft", later())
    assert (await change(ada, waits, content="better")).content == "better"
    assert await bob.waiting() == []
    with pytest.raises(NotFound):
        await change(bob, waits, content="mine")
    await cancel(bob, waits)
    assert [m.content for m in await ada.waiting()] == ["better"]
    for _ in range(2):
        await cancel(ada, waits)
    assert await ada.waiting() == []
    for at in (datetime.now(UTC) - timedelta(seconds=1), later(400)):
        with pytest.raises(Invalid) as refused:
            await ada.schedule(channel, "text", at)
        assert [field for field, _ in refused.value.fields] == ["send_time"]
    with pytest.raises(Invalid):
        await ada.schedule(channel, " ", later())
    nothing = scheduled_message_pb2.ScheduledMessage(
        id=ids.text(ids.Kind.SCHEDULED_MESSAGE, ids.new())
    )
    with pytest.raises(NotFound):
        await change(ada, nothing, content="text")


async def test_only_so_many_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "MAX_SCHEDULED", 1)
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    await ada.schedule(channel, "text", later())
    with pytest.raises(FailedPrecondition) as full:
        await ada.schedule(channel, "text", later())
    assert full.value.reason == "LIMIT_REACHED"
