"""The group writer: whoever waits is kept with one statement, and nobody harms another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
import secrets
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, InternalError, OperationalError

from chassis import ids
from chassis.contract import Contract
from chassis.database import Database, Transaction
from chassis.errors import Exhausted, Unavailable
from chassis.schema import OUTBOX
from creavio.chat.v1 import message_pb2
from services.chat.domain.message import NonceReused
from services.chat.domain.place import Place, PlaceNotFound
from services.chat.engine import writer as writers
from services.chat.store import sending
from tests.chassis.outage import cut_connections
from tests.chat.making import BOB, draft, last_number, new_channel, numbers, send_in
from tests.chat.writing import Desk, another_pool, held, refuse, waits_for_a_lock, writing


@pytest.fixture
async def channel(database: Database) -> Place:
    return await new_channel(database)


@pytest.fixture
async def desk(contract: Contract, database: Database) -> AsyncIterator[Desk]:
    async with writing(contract, database) as made:
        yield made


def kept(answers: Sequence[message_pb2.Message | BaseException]) -> list[message_pb2.Message]:
    """The messages; fails the test when one was refused."""
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return [answer for answer in answers if isinstance(answer, message_pb2.Message)]


def said(answers: Sequence[message_pb2.Message | BaseException]) -> list[int | type]:
    """The number of each message, or what was raised instead."""
    return [a.sequence if isinstance(a, message_pb2.Message) else type(a) for a in answers]


async def test_who_waits_while_one_is_kept_is_kept_together(
    database: Database, channel: Place, desk: Desk
) -> None:
    async with held(database, channel):
        first = asyncio.create_task(desk.send(draft(channel, "first")))
        await waits_for_a_lock(database)
        rest = asyncio.create_task(desk.send(*(draft(channel, f"{n}") for n in range(700))))
        await asyncio.sleep(0.05)
    assert said(await first) == [1]
    assert said(await rest) == list(range(2, 702))
    assert desk.batches == 3  # one, 512, the rest


async def test_an_answer_is_the_message_as_it_is_kept(
    database: Database, channel: Place, desk: Desk
) -> None:
    made = draft(channel, "hello", "n")
    (message,) = kept(await desk.send(made))
    assert message.id == ids.text(ids.Kind.MESSAGE, made.id)
    assert (message.content, message.nonce) == ("hello", "n")
    assert message.sequence == message.revision == 1
    (event,) = desk.outbox.published
    async with database.reading() as tx:
        row = (await tx.execute(sa.select(OUTBOX))).one()
    # What is published at once is what the sweeper would publish.
    assert (row.id, row.subject, row.body) == (event.id, event.subject, event.body)
    (again,) = kept(await desk.send(draft(channel, "hello", "n")))
    assert again == message
    assert len(desk.outbox.published) == 1


async def test_beyond_what_can_wait_a_send_is_refused_at_once(
    database: Database, channel: Place, desk: Desk
) -> None:
    async with held(database, channel):
        in_flight = asyncio.create_task(desk.send(draft(channel)))
        await waits_for_a_lock(database)
        waiting = desk.submit(*(draft(channel) for _ in range(writers.MAX_WAITING)))
        with pytest.raises(Exhausted) as refused:
            desk.submit(draft(channel))
        assert refused.value.reason == "RATE_LIMITED"
    assert said(await in_flight) == [1]
    async with asyncio.timeout(30):
        answers = await asyncio.gather(*waiting)
    assert said(answers) == list(range(2, writers.MAX_WAITING + 2))


async def test_what_cannot_be_kept_fails_alone(
    database: Database, channel: Place, desk: Desk
) -> None:
    await refuse(database, "poison")
    drafts = [draft(channel, "poison" if n == 77 else f"{n}") for n in range(512)]
    answers = await desk.send(*drafts)
    assert isinstance(answers.pop(77), IntegrityError)
    assert said(answers) == list(range(1, 512)), "in the order they came, without a hole"
    assert await numbers(database, channel) == list(range(1, 512))
    assert len(desk.outbox.published) == 511
    assert said(await desk.send(draft(channel))) == [512]


async def test_a_value_no_column_takes_fails_alone(
    database: Database, channel: Place, desk: Desk
) -> None:
    """A nonce beyond what an index takes; and a text no text can be."""
    long = secrets.token_hex(20_000)
    drafts = [draft(channel), draft(channel, nonce=long), draft(channel, "a\0b"), draft(channel)]
    first, too_long, no_text, last = await desk.send(*drafts)
    assert said([first, last]) == [1, 2]
    assert isinstance(too_long, sa.exc.DBAPIError)
    assert isinstance(no_text, sa.exc.DBAPIError)


async def test_many_of_them_harm_nobody_else(
    database: Database, channel: Place, desk: Desk
) -> None:
    await refuse(database, "poison")
    drafts = [draft(channel, "poison" if n % 3 == 0 else f"{n}") for n in range(60)]
    answers = await desk.send(*drafts)
    assert [isinstance(a, IntegrityError) for a in answers] == [n % 3 == 0 for n in range(60)]
    assert said([a for n, a in enumerate(answers) if n % 3]) == list(range(1, 41))


async def test_a_nonce_twice_in_one_batch_is_one_message(
    database: Database, channel: Place, desk: Desk
) -> None:
    other = await new_channel(database)
    async with held(database, channel):
        before = asyncio.create_task(desk.send(draft(channel, "before", "b")))
        await waits_for_a_lock(database)
        batch = asyncio.create_task(
            desk.send(
                draft(channel, "once", "n"),
                draft(channel, "between"),
                draft(channel, "once", "n"),
                draft(channel, "another", "n"),
                draft(channel, "another", "n", author=BOB),
                draft(other, "another", "n"),
                draft(channel, "before", "b"),
                draft(channel, "after", "b"),
            )
        )
        await asyncio.sleep(0.05)
    (first,) = kept(await before)
    answers = await batch
    assert said(answers) == [2, 3, 2, NonceReused, 4, 1, 1, NonceReused]
    assert answers[0] == answers[2]
    assert answers[6] == first
    assert desk.batches == 2
    assert len(desk.outbox.published) == 5


async def test_a_nonce_whose_first_message_was_refused_is_free(
    database: Database, channel: Place, desk: Desk
) -> None:
    await refuse(database, "poison")
    answers = await desk.send(
        draft(channel, "poison", "n"), draft(channel, "mended", "n"), draft(channel, "mended", "n")
    )
    assert said(answers) == [IntegrityError, 1, 1]


async def test_a_nonce_that_another_replica_used_meanwhile_is_one_message(
    contract: Contract, database: Database, channel: Place, desk: Desk
) -> None:
    """It was used while this statement waited, which could not see it."""
    theirs = draft(channel, "once", "n")
    async with another_pool(database) as elsewhere:
        async with held(elsewhere, channel) as tx:
            ours = asyncio.create_task(
                desk.send(
                    draft(channel, "first"),
                    draft(channel, "once", "n"),
                    draft(channel, "last"),
                    draft(channel, "another", "n"),
                )
            )
            await waits_for_a_lock(database)
            assert await send_in(tx, [theirs]) == [1]
        answers = await ours
    assert said(answers) == [2, 1, 3, NonceReused]
    assert kept(answers[1:2])[0].id == ids.text(ids.Kind.MESSAGE, theirs.id)
    assert await numbers(database, channel) == [1, 2, 3]
    assert await last_number(database, channel) == 3
    assert len(desk.outbox.published) == 2


async def test_a_place_that_is_gone_is_told(database: Database, channel: Place, desk: Desk) -> None:
    nowhere = Place(ids.new())
    drafts = (draft(channel), draft(nowhere, nonce="n"), draft(nowhere, nonce="n"))
    assert said(await desk.send(*drafts)) == [1, PlaceNotFound, PlaceNotFound]


async def test_without_postgres_everybody_is_told_to_try_again(
    postgres: str, database: Database, channel: Place, desk: Desk
) -> None:
    await desk.send(draft(channel))
    name = database._engine.url.database
    admin = sa.create_engine(postgres, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
        cut_connections(postgres, database)
        for _ in range(3):
            answers = await desk.send(*(draft(channel, f"{n}", f"{n}") for n in range(5)))
            assert said(answers) == [Unavailable] * 5
        assert not desk.running.done()
        connection.execute(sa.text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
    answers = await desk.send(*(draft(channel, f"{n}", f"{n}") for n in range(5)))
    assert said(answers) == [2, 3, 4, 5, 6]
    admin.dispose()


async def test_a_database_that_takes_no_writes_is_away(
    postgres: str, database: Database, channel: Place, desk: Desk
) -> None:
    """A standby after a failover, say: nothing is wrong with what was sent."""
    name = database._engine.url.database
    admin = sa.create_engine(postgres, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        cut_connections(postgres, database)
        await desk.send(draft(channel))
        assert said(await desk.send(*(draft(channel) for _ in range(3)))) == [Unavailable] * 3
        connection.execute(sa.text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
        cut_connections(postgres, database)
    admin.dispose()
    await desk.send(draft(channel, "one", "n"))
    assert said(await desk.send(draft(channel, "one", "n"))) == [1]


async def test_a_connection_that_dies_in_flight_acknowledges_nothing(
    postgres: str, database: Database, channel: Place, desk: Desk
) -> None:
    async with another_pool(database) as elsewhere:
        async with held(elsewhere, channel):
            waiting = asyncio.create_task(desk.send(draft(channel, "once", "n")))
            await waits_for_a_lock(elsewhere)
            (queued,) = desk.submit(draft(channel, "queued", "q"))
            cut_the_waiting(postgres)
            assert said(await waiting) == [Unavailable]
        # Who came after it is not lost with it.
        assert (await queued).sequence == 1
    answers = await desk.send(draft(channel, "once", "n"), draft(channel, "queued", "q"))
    assert said(answers) == [2, 1]
    assert await numbers(database, channel) == [1, 2]


async def test_what_was_committed_unheard_is_answered_when_it_is_sent_again(
    database: Database, channel: Place, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*arguments: Any) -> Any:
        await real(*arguments)
        raise OperationalError("", {}, Exception("gone"), connection_invalidated=True)

    real = sending.send
    monkeypatch.setattr(sending, "send", lost)
    made = draft(channel, "once", "n")
    assert said(await desk.send(made)) == [Unavailable]
    assert desk.outbox.published == []
    monkeypatch.setattr(sending, "send", real)
    (again,) = kept(await desk.send(draft(channel, "once", "n")))
    assert again.id == ids.text(ids.Kind.MESSAGE, made.id)
    assert await numbers(database, channel) == [1]
    # The sweeper tells it: its event stands beside it.
    async with database.reading() as tx:
        assert (await tx.execute(sa.select(OUTBOX.c.position))).scalars().all() == [None]


async def test_a_fault_of_postgresql_is_nobodys_and_may_be_tried_again(
    channel: Place, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> Any:
        raise InternalError("", {}, psycopg.errors.InternalError_("pfree called with"))

    monkeypatch.setattr(sending, "send", broken)
    assert said(await desk.send(draft(channel), draft(channel))) == [Unavailable, Unavailable]


async def test_who_waits_no_more_stops_nobody(
    database: Database, channel: Place, desk: Desk
) -> None:
    async with held(database, channel):
        (in_flight,) = desk.submit(draft(channel, "in flight"))
        await waits_for_a_lock(database)
        queued, last = desk.submit(draft(channel, "queued"), draft(channel, "last"))
        in_flight.cancel()
        queued.cancel()
    # What was in flight is kept; what had not begun is not.
    assert (await last).sequence == 2
    assert await numbers(database, channel) == [1, 2]
    assert said(await desk.send(draft(channel))) == [3]


async def test_a_writer_that_fails_ends_and_leaves_nobody_waiting(
    database: Database, channel: Place, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nonsense(*_: Any) -> Any:
        return []

    monkeypatch.setattr(sending, "send", nonsense)
    async with held(database, channel):
        answers = desk.submit(draft(channel), draft(channel))
    assert said(await asyncio.gather(*answers, return_exceptions=True)) == [Unavailable] * 2
    with pytest.raises(ValueError, match="zip"):
        await desk.running
    with pytest.raises(Unavailable):
        desk.submit(draft(channel))


async def test_a_writer_that_is_stopped_leaves_nobody_waiting(
    database: Database, channel: Place, desk: Desk
) -> None:
    async with held(database, channel):
        in_flight = desk.submit(draft(channel))
        await waits_for_a_lock(database)
        queued = desk.submit(draft(channel))
        desk.running.cancel()
        answers = await asyncio.gather(*in_flight, *queued, return_exceptions=True)
    assert said(answers) == [Unavailable] * 2


async def test_acknowledged_events_are_recorded_with_the_next_batch(
    database: Database, channel: Place, desk: Desk
) -> None:
    await desk.send(draft(channel))
    (event,) = desk.outbox.published
    desk.outbox._acknowledge(event.id, 41)
    await refuse(database, "poison")
    # A statement that is undone gives them back.
    await desk.send(draft(channel, "poison"))
    assert desk.outbox.take_acknowledged(9) == ([event.id], [41])
    desk.outbox.give_back([event.id], [41])
    await desk.send(draft(channel))
    async with database.reading() as tx:
        rows = await tx.execute(sa.select(OUTBOX.c.position).order_by(OUTBOX.c.create_time))
        assert list(rows.scalars()) == [41, None]
    assert desk.outbox.take_acknowledged(9) == ([], [])


async def test_a_deadlock_is_tried_again(database: Database, channel: Place, desk: Desk) -> None:
    """Somebody who records positions in another order, and is in nobody's rule of locks."""
    await desk.send(draft(channel))
    (event,) = desk.outbox.published
    desk.outbox._acknowledge(event.id, 41)
    async with database.transaction() as tx:
        await tx.execute(sa.text("SELECT FROM outbox FOR UPDATE"))
        sending_now = asyncio.create_task(desk.send(draft(channel)))
        await waits_for_a_lock(database)
        await asyncio.wait_for(_lock_all(tx), 5)
        assert not sending_now.done()
    assert said(await sending_now) == [2]


async def _lock_all(tx: Transaction) -> None:
    await tx.execute(sa.text("SET LOCAL deadlock_timeout = '5s'"))
    await tx.execute(sa.text("SELECT FROM channel FOR UPDATE"))


def cut_the_waiting(postgres: str) -> None:
    """End the connections that stand in line for a row."""
    admin = sa.create_engine(postgres, poolclass=sa.NullPool)
    query = (
        "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock'"
    )
    with admin.connect() as connection:
        connection.execute(sa.text(query))
