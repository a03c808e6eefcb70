"""Two replicas on one database: one order, whoever writes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
import random

import pytest
import sqlalchemy as sa

from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import Error
from services.chat.domain.place import Place
from services.chat.engine import writer as writers
from services.chat.engine.failures import Failure, failure_of
from tests.chat.making import ADA, draft, last_number, new_channel, numbers
from tests.chat.test_changes import revision
from tests.chat.world import World, running_world
from tests.chat.writing import Desk, another_pool, writing
from tests.scratch_nats import ScratchNats


@pytest.fixture
async def two(postgres: str, nats_server: ScratchNats, contract: Contract) -> AsyncIterator[World]:
    async with running_world(postgres, nats_server, contract, replicas=2) as made:
        yield made


async def test_writers_give_each_number_once(
    contract: Contract, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of many sends goes to channels in an order of its own; nobody deadlocks."""
    failures: list[Exception] = []

    def noted(error: Exception) -> Failure:
        failures.append(error)
        return failure_of(error)

    monkeypatch.setattr(writers, "failure_of", noted)
    places = [await new_channel(database) for _ in range(6)]
    dice = random.Random(7)  # noqa: S311  # dice
    async with AsyncExitStack() as stack:
        pools = [await stack.enter_async_context(another_pool(database)) for _ in range(3)]
        desks = [await stack.enter_async_context(writing(contract, pool)) for pool in pools]

        async def some(desk: Desk, writer: int) -> list[tuple[Place, int]]:
            found = []
            for run in range(25):
                drafts = [
                    draft(dice.choice(places), nonce=f"{writer}/{run}/{n}") for n in range(20)
                ]
                answers = await desk.send(*drafts)
                for made, answer in zip(drafts, answers, strict=True):
                    assert not isinstance(answer, BaseException), answer
                    found.append((made.place, answer.sequence))
            return found

        given = await asyncio.gather(*(some(desk, n) for n, desk in enumerate(desks)))
        every = [number for found in given for number in found]
        for found in given:
            last: dict[Place, int] = {}
            for place, number in found:
                assert number > last.get(place, 0), "a later send of one writer came earlier"
                last[place] = number
    assert max(Counter(every).values()) == 1
    for place in places:
        expected = list(range(1, 1 + sum(1 for where, _ in every if where == place)))
        assert await numbers(database, place) == expected
        assert await last_number(database, place) == len(expected)
    assert len(every) == 1_500
    assert failures == [], "a deadlock: retried, nobody would notice it"


async def test_one_nonce_at_every_writer_is_one_message(
    contract: Contract, database: Database
) -> None:
    place = await new_channel(database)
    async with AsyncExitStack() as stack:
        pools = [await stack.enter_async_context(another_pool(database)) for _ in range(3)]
        desks = [await stack.enter_async_context(writing(contract, pool)) for pool in pools]
        for run in range(20):
            drafts = [draft(place, nonce=f"{run}/{n}", author=ADA) for n in range(10)]
            answers = await asyncio.gather(*(desk.send(*drafts) for desk in desks))
            for per_draft in zip(*answers, strict=True):
                assert not any(isinstance(answer, BaseException) for answer in per_draft)
                assert len({answer.id for answer in per_draft}) == 1
        published = [event for desk in desks for event in desk.outbox.published]
    assert await numbers(database, place) == list(range(1, 201))
    assert len(published) == 200


async def test_everything_at_once_at_two_replicas_is_one_history(two: World) -> None:
    community = two.found()
    channels = [two.open_channel(community) for _ in range(3)]
    people = [two.person(community).id for _ in range(6)]
    first = [await two.at(0, people[0]).send(channel, "first") for channel in channels]
    dice = random.Random(11)  # noqa: S311  # dice
    refused: list[Error] = []

    async def live(user_id: str, replica: int) -> None:
        me = two.at(replica, user_id)
        for run in range(12):
            channel = dice.choice(channels)
            message = first[channels.index(channel)]
            mine = await me.send(channel, "text", f"{replica}/{run}")
            for change in (
                me.react(message, dice.choice("abc")),
                me.pin(mine),
                me.edit(mine, "edited"),
                me.unreact(message, dice.choice("abc")),
                me.unpin(mine) if run % 2 else me.delete(mine),
            ):
                try:
                    await change
                except Error as error:
                    refused.append(error)

    await asyncio.gather(*(live(user, n % 2) for n, user in enumerate(people)))
    assert [error.reason for error in refused if error.reason != "LIMIT_REACHED"] == []
    events = await two.told()
    for channel in channels:
        here = [e for e in events if _channel(e) == channel]
        revisions = sorted(revision(event) for event in here)
        assert revisions == list(range(1, len(revisions) + 1)), "a hole, or a number twice"
        # What is listed as changed is what the last event of each message said.
        latest = {}
        for event in sorted(here, key=revision):
            latest[_message(event)] = revision(event)
        me = two.at(1, people[0])
        listed: dict[str, int] = {}
        more, after = True, 0
        while more:
            reply = await me.changes(channel, after)
            listed |= {m.id: m.revision for m in reply.messages}
            more, after = reply.more, max(listed.values())
        assert listed == latest
    await _counts_are_right(two.database)


async def test_a_nonce_at_two_replicas_at_once_is_one_message(two: World) -> None:
    community = two.found()
    channel = two.open_channel(community)
    user = two.person(community).id
    for run in range(15):
        answers = await asyncio.gather(
            *(two.at(n % 2, user).send(channel, "once", f"{run}") for n in range(6))
        )
        assert len({answer.id for answer in answers}) == 1
    listed = await two.at(1, user).listed(channel)
    assert [message.sequence for message in listed] == list(range(1, 16))


async def _counts_are_right(database: Database) -> None:
    """What is kept on messages is what is counted from who reacted."""
    query = """
        SELECT count(*) FROM message
        CROSS JOIN LATERAL jsonb_array_elements(reactions) AS kept
        WHERE (kept->>1)::int <> (
            SELECT count(*) FROM reaction
            WHERE message_id = message.id AND emoji = kept->>0
        )
        """
    all_of_them = """
        SELECT (SELECT count(*) FROM (SELECT DISTINCT message_id, emoji FROM reaction) AS known)
            - (SELECT coalesce(sum(jsonb_array_length(reactions)), 0) FROM message)
        """
    async with database.reading() as tx:
        assert (await tx.execute(sa.text(query))).scalar_one() == 0
        assert (await tx.execute(sa.text(all_of_them))).scalar_one() == 0


def _channel(event: object) -> str:
    message = getattr(event, "message", None)
    return str(getattr(event, "channel_id", "") if message is None else message.channel_id)


def _message(event: object) -> str:
    message = getattr(event, "message", None)
    return str(getattr(event, "message_id", "") if message is None else message.id)
