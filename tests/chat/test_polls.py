"""Polls: what a message asks its readers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import Conflict, Denied, FailedPrecondition, Invalid, NotFound
from chassis.testing import plan_of
from creavio.chat.v1 import chat_events_pb2, message_pb2, poll_pb2, poll_service_pb2
from services.chat.store import polls
from tests.chat.making import ADA, draft, new_channel, sent
from tests.chat.people import Person
from tests.chat.world import OWNER, World, running_world
from tests.scratch_nats import ScratchNats


def which(*options: str, **how: Any) -> poll_pb2.NewPoll:
    return poll_pb2.NewPoll(question="which?", options=options or ("this", "that"), **how)


async def voters(person: Person, message: message_pb2.Message, option: int) -> list[str]:
    """Who chose something, as the person is told."""
    request = poll_service_pb2.ListVotersRequest(
        channel_id=message.channel_id, message_id=message.id, option=option
    )
    return list((await person.call(person.polls.ListVoters, request)).user_ids)


def counts(message: message_pb2.Message) -> tuple[list[int], int]:
    """How many chose what, and how many chose."""
    return [o.vote_count for o in message.poll.options], message.poll.voter_count


async def test_everybody_chooses_once_and_may_choose_anew(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob, eve = (world.person(community) for _ in range(3))
    asked = await ada.send(channel, "which?", poll=which())
    assert (asked.poll.question, counts(asked)) == ("which?", ([0, 0], 0))
    for _ in range(2):
        assert counts(await bob.vote(asked, 0)) == ([1, 0], 1)
    changed = await bob.vote(asked, 1)
    assert (counts(changed), list(changed.poll.chosen)) == (([0, 1], 1), [1])
    assert counts(await eve.vote(asked, 1)) == ([0, 2], 2)
    (seen,) = await ada.listed(channel)
    assert (counts(seen), list(seen.poll.chosen), seen.revision) == (([0, 2], 2), [], 4)
    assert counts(await bob.vote(asked)) == ([0, 1], 1)
    told = [e for e in await world.told() if isinstance(e, chat_events_pb2.PollUpdated)]
    assert [e.revision for e in told] == [2, 3, 4, 5]
    assert not any(e.poll.chosen for e in told)
    assert await voters(ada, asked, 1) == [eve.id]


async def test_several_are_chosen_where_several_may_be(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    one = await ada.send(channel, "which?", poll=which())
    some = await ada.send(channel, "which?", poll=which("a", "b", "c", multiple=True))
    assert counts(await ada.vote(some, 2, 0)) == ([1, 0, 1], 1)
    for message, options in ((one, (0, 1)), (one, (2,)), (some, (3,)), (some, (0, 0))):
        with pytest.raises(Invalid):
            await ada.vote(message, *options)
    plain = await ada.send(channel, "no question")
    for refused in (ada.vote(plain, 0), ada.close(plain), voters(ada, plain, 0)):
        with pytest.raises(FailedPrecondition) as nothing:
            await refused
        assert nothing.value.reason == "NO_POLL"
    for bad in (which("a"), which("a", "a"), which("a", " "), which(*map(str, range(11)))):
        with pytest.raises(Invalid):
            await ada.send(channel, "which?", poll=bad)


async def test_nobody_is_counted_twice_however_fast_they_are(
    postgres: str, nats_server: ScratchNats, contract: Contract
) -> None:
    async with running_world(postgres, nats_server, contract, replicas=2) as world:
        community = world.found()
        channel = world.open_channel(community)
        people = [world.person(community) for _ in range(4)]
        asked = await people[0].send(channel, "which?", poll=which())
        await asyncio.gather(
            *(world.at(n % 2, p.id).vote(asked, n % 2) for p in people for n in range(6))
        )
        (seen,) = await people[0].listed(channel)
        assert seen.poll.voter_count == 4
        assert sum(counts(seen)[0]) == 4
        for option, count in enumerate(counts(seen)[0]):
            assert len(await voters(people[0], asked, option)) == count


async def test_who_chose_what_in_an_anonymous_poll_is_nobodys_to_know(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, owner = world.person(community), world.person(community, OWNER)
    asked = await ada.send(channel, "which?", poll=which(anonymous=True))
    await owner.vote(asked, 1)
    for person in (ada, owner):
        with pytest.raises(Denied):
            await voters(person, asked, 1)
    assert owner.id not in str([e for e in await world.told() if "poll" in str(e)])


async def test_a_closed_poll_stays_as_it_is(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob, owner = world.person(community), world.person(community), world.person(community)
    world.rbac.people[community][owner.id] = OWNER
    asked = await ada.send(channel, "which?", poll=which())
    await bob.vote(asked, 0)
    with pytest.raises(Denied):
        await bob.close(asked)
    closed = await ada.close(asked)
    assert (await owner.close(asked)).revision == closed.revision
    for options in ((1,), ()):
        with pytest.raises(FailedPrecondition) as refused:
            await bob.vote(asked, *options)
        assert refused.value.reason == "POLL_CLOSED"
    assert counts((await ada.listed(channel))[0]) == ([1, 0], 1)


async def test_a_poll_goes_with_its_message_and_is_no_other_under_its_nonce(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    asked = await ada.send(channel, "which?", "n", poll=which())
    assert await ada.send(channel, "which?", "n", poll=which()) == asked
    for other in (None, which("x", "y")):
        with pytest.raises(Conflict):
            await ada.send(channel, "which?", "n", poll=other)
    await ada.vote(asked, 0)
    assert counts(await ada.edit(asked, "which one?")) == ([1, 0], 1)
    await ada.delete(asked)
    with pytest.raises(NotFound):
        await ada.vote(asked, 1)
    (gone,) = (await ada.changes(channel)).messages
    assert not gone.HasField("poll")
    again = await ada.send(channel, "which?", poll=which())
    await ada.vote(again, 0)
    await world.person(community, OWNER).delete_all(channel, again)
    async with world.database.reading() as tx:
        left = await tx.execute(sa.text("SELECT count(*) FROM poll_vote"))
        assert left.scalar_one() == 0


async def test_voters_are_found_by_an_index(database: Database) -> None:
    channel = await new_channel(database)
    (message,) = await sent(database, draft(channel))
    async with database.transaction() as tx:
        await tx.execute(
            sa.text(
                """INSERT INTO message (id, channel_id, author_id, content, nonce, sequence,
                    revision, create_time)
                SELECT gen_random_uuid(), :channel, :ada, 'text', '', number, number, now()
                FROM generate_series(2, 1000) AS number"""
            ),
            {"channel": channel.id, "ada": ADA},
        )
        await tx.execute(
            sa.text(
                "INSERT INTO poll_vote SELECT id, 0, gen_random_uuid()"
                " FROM message, generate_series(1, 100)"
            )
        )
        await tx.execute(sa.text("ANALYZE"))
    for ask, index in (
        (lambda tx: polls.voters_after(tx, message.id, 0, ids.new(), 51), "poll_vote_pkey"),
        (lambda tx: polls.choose(tx, message.id, ADA, [1]), "poll_vote_"),
        (lambda tx: polls.remove_all(tx, message.id), "poll_vote_"),
    ):
        plan = await plan_of(database, ask)
        assert f" {index}" in plan, plan
        assert "Seq Scan" not in plan, plan


async def test_a_page_of_voters_belongs_to_its_choice(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    people = [world.person(community) for _ in range(3)]
    ada = people[0]
    asked = await ada.send(channel, "which?", poll=which())
    for person in people:
        await person.vote(asked, 0)
    request = poll_service_pb2.ListVotersRequest(
        channel_id=channel, message_id=asked.id, option=0, page_size=2
    )
    page = await ada.call(ada.polls.ListVoters, request)
    request.page_token = page.next_page_token
    rest = await ada.call(ada.polls.ListVoters, request)
    assert sorted([*page.user_ids, *rest.user_ids]) == sorted(p.id for p in people)
    request.option = 1
    with pytest.raises(Invalid):
        await ada.call(ada.polls.ListVoters, request)
