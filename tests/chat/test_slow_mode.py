"""How often people may write in a channel."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
import sqlalchemy as sa

from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import Denied, Exhausted, Invalid, NotFound
from creavio.chat.v1 import chat_events_pb2, message_pb2, slow_mode_service_pb2
from creavio.options.v1 import permission_pb2 as p
from services.chat.domain.place import Place, TooSoon
from services.chat.store import places
from services.chat.store.sending import Early, SentBefore
from services.chat.store.tables import PACE
from tests.chat.making import ADA, BOB, draft, last_number, new_channel, numbers, send
from tests.chat.world import MEMBER, OWNER, World, running_world
from tests.chat.writing import another_pool, writing
from tests.scratch_nats import ScratchNats


async def slowed(database: Database, seconds: int = 60) -> Place:
    channel = await new_channel(database)
    async with database.transaction() as tx:
        assert await places.slow_down(tx, channel, seconds)
    return channel


async def test_who_wrote_a_moment_ago_waits(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    chief = world.person(community, MEMBER | {p.PERMISSION_MANAGE_CHANNELS})
    owner = world.person(community, OWNER)
    with pytest.raises(Denied):
        await ada.slow_down(channel, 30)
    assert (await chief.slow_down(channel, 30)).seconds == 30
    first = await ada.send(channel, "one", "n")
    with pytest.raises(Exhausted) as refused:
        await ada.send(channel, "two")
    assert refused.value.reason == "RATE_LIMITED"
    assert refused.value.retry_after is not None
    assert 20 < refused.value.retry_after <= 30
    # What was sent is sent, and is no second message; others wait for themselves alone.
    assert await ada.send(channel, "one", "n") == first
    await bob.send(channel, "one")
    for n in range(3):
        await owner.send(channel, f"{n}")
    assert (await chief.slow_down(channel, 0)).seconds == 0
    assert (await ada.send(channel, "two")).sequence == 6
    await ada.send(channel, "three")
    told = [e for e in await world.told() if isinstance(e, chat_events_pb2.SlowModeChanged)]
    assert told == [
        chat_events_pb2.SlowModeChanged(channel_id=channel, seconds=seconds, community_id=community)
        for seconds in (30, 0)
    ]


async def test_it_is_read_by_who_sees_the_channel(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community, OWNER | {p.PERMISSION_MANAGE_CHANNELS})
    request = slow_mode_service_pb2.GetSlowModeRequest(channel_id=channel)
    assert (await ada.call(ada.slow_mode.GetSlowMode, request)).seconds == 0
    await ada.slow_down(channel, 21_600)
    assert (await ada.call(ada.slow_mode.GetSlowMode, request)).seconds == 21_600
    for wrong in (-1, 21_601):
        with pytest.raises(Invalid):
            await ada.slow_down(channel, wrong)
    talk = (await ada.converse(world.person())).id
    with pytest.raises((Invalid, NotFound)):
        await ada.slow_down(talk, 5)


async def test_the_first_of_a_batch_is_sent(database: Database) -> None:
    slow, free = await slowed(database), await new_channel(database)
    outcomes = await send(
        database,
        draft(slow, nonce="n"),
        draft(slow),
        draft(free),
        draft(slow, author=BOB),
        replace(draft(slow), paced=False),
        draft(free),
    )
    assert outcomes == [1, Early(60.0), 1, 2, 3, 2]
    again, early = await send(database, draft(slow, nonce="n"), draft(slow, nonce="m"))
    assert isinstance(again, SentBefore)
    assert isinstance(early, Early)
    assert 50 < early.seconds <= 60
    assert await numbers(database, slow) == [1, 2, 3]
    assert await last_number(database, slow) == 3


async def test_waiting_ends(database: Database) -> None:
    channel = await slowed(database)
    assert await send(database, draft(channel)) == [1]
    async with database.transaction() as tx:
        await tx.execute(sa.text("UPDATE pace SET next_time = next_time - interval '1 minute'"))
    assert await send(database, draft(channel)) == [2]
    async with database.transaction() as tx:
        await places.slow_down(tx, channel, 5)
    (early,) = await send(database, draft(channel))
    assert isinstance(early, Early)
    assert early.seconds <= 5, "nobody waits longer than slow mode says now"


async def test_where_there_is_no_slow_mode_nothing_is_written(database: Database) -> None:
    channel = await new_channel(database)
    await send(database, *(draft(channel) for _ in range(5)))
    async with database.reading() as tx:
        assert (await tx.execute(sa.text("SELECT count(*) FROM pace"))).scalar_one() == 0


async def test_of_many_at_once_one_is_sent_whichever_replica_takes_it(
    contract: Contract, database: Database
) -> None:
    """Each writer sees the table as it was before it waited for the channel."""
    for _ in range(5):
        channel = await slowed(database)
        async with AsyncExitStack() as stack:
            pools = [await stack.enter_async_context(another_pool(database)) for _ in range(3)]
            desks = [await stack.enter_async_context(writing(contract, pool)) for pool in pools]
            answers = await asyncio.gather(
                *(desk.send(*(draft(channel, author=ADA) for _ in range(4))) for desk in desks)
            )
        outcomes = [answer for some in answers for answer in some]
        assert sum(isinstance(one, message_pb2.Message) for one in outcomes) == 1
        refused = [one for one in outcomes if isinstance(one, TooSoon)]
        assert len(refused) == len(outcomes) - 1
        assert all(one.retry_after is not None and one.retry_after > 50 for one in refused)


@pytest.fixture
async def two(postgres: str, nats_server: ScratchNats, contract: Contract) -> AsyncIterator[World]:
    async with running_world(postgres, nats_server, contract, replicas=2) as made:
        yield made


async def test_who_moderates_never_waits_at_any_replica(two: World) -> None:
    community = two.found()
    channel = two.open_channel(community)
    owner = two.person(community, OWNER | {p.PERMISSION_MANAGE_CHANNELS})
    ada = two.person(community)
    await owner.slow_down(channel, 60)
    people = [owner, two.at(1, owner.id), ada, two.at(1, ada.id)]
    outcomes = await asyncio.gather(
        *(person.send(channel, f"{n}") for person in people for n in range(5)),
        return_exceptions=True,
    )
    by = [one.author_id for one in outcomes if isinstance(one, message_pb2.Message)]
    assert (by.count(owner.id), by.count(ada.id)) == (10, 1)
    assert all(isinstance(one, message_pb2.Message | Exhausted) for one in outcomes)


async def test_who_may_write_again_is_forgotten(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_FORGOTTEN_AT_ONCE", 2)
    channel, other = await slowed(database), await slowed(database)
    async with database.transaction() as tx:
        for person in (ADA, BOB):
            for place in (channel, other):
                await places.pace(tx, place, person, 60)
        waits = (PACE.c.channel_id == other.id) & (PACE.c.user_id == BOB)
        passed = sa.func.now() - sa.text("interval '1 second'")
        await tx.execute(sa.update(PACE).where(~waits).values(next_time=passed))
    for more in (True, False, False):
        async with database.transaction() as tx:
            assert await places.forget_paces(tx) is more
    async with database.transaction() as tx:
        left = await tx.execute(sa.select(PACE.c.channel_id, PACE.c.user_id))
        assert [tuple(row) for row in left] == [(other.id, BOB)]
        await places.pace(tx, channel, ADA, 60)
        with pytest.raises(TooSoon):
            await places.pace(tx, other, BOB, 60)
