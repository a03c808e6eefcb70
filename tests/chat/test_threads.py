"""Threads: talk beside a channel's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.contract import Contract
from chassis.database import Database, Transaction
from chassis.errors import AlreadyExists, Conflict, Denied, Error, Invalid, NotFound
from chassis.testing import eventually, plan_of
from creavio.chat.v1 import chat_events_pb2, message_pb2, thread_service_pb2
from creavio.community.v1 import community_events_pb2
from creavio.options.v1 import permission_pb2 as p
from services.chat.domain.place import Place
from services.chat.domain.thread import begin
from services.chat.store import reading, threads
from tests.chat.making import ADA, COMMUNITY, draft, new_channel, send
from tests.chat.world import OWNER, READER, World, running_world
from tests.chat.writing import another_pool
from tests.scratch_nats import ScratchNats

TOLD = 10.0
"""Within how many seconds what happens in a thread is told."""


async def test_a_thread_begins_at_a_message_and_is_a_place_of_its_own(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    about = await ada.send(channel, "shall we?")
    thread = await bob.begin(channel, about, "whether", key="k")
    assert await bob.begin(channel, about, "whether", key="k") == thread
    assert (thread.channel_id, thread.message_id, thread.creator_id) == (channel, about.id, bob.id)
    replies = [await bob.send(thread.id, text) for text in ("yes", "no")]
    assert [reply.sequence for reply in replies] == [1, 2]
    assert [m.content for m in await ada.listed(thread.id)] == ["yes", "no"]
    assert [m.content for m in await ada.listed(channel)] == ["shall we?"]
    assert await ada.threads_of(channel) == [thread.id]

    async def shown() -> message_pb2.Message:
        (message,) = await ada.listed(channel)
        assert message.thread.reply_count == 2
        return message

    message = await eventually(shown, TOLD)
    assert (message.thread.thread_id, message.thread.last_reply_time.seconds > 0) == (
        thread.id,
        True,
    )
    await bob.delete(replies[0])

    async def fewer() -> None:
        found = (await ada.changes(channel, message.revision)).messages
        assert [changed.thread.reply_count for changed in found] == [1]

    await eventually(fewer, TOLD)


async def test_every_change_of_a_thread_takes_the_next_number_of_its_channel(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    about = await ada.send(channel, "text")
    thread = await ada.begin(channel, about)
    await ada.change(thread, name="other")
    await ada.send(thread.id, "text")

    async def told() -> list[tuple[int, str, int]]:
        events = [
            (e.revision, e.thread.name, e.thread.reply_count)
            for e in await world.told()
            if isinstance(e, chat_events_pb2.ThreadCreated | chat_events_pb2.ThreadUpdated)
        ]
        assert len(events) == 3
        return events

    assert await eventually(told, TOLD) == [(2, "talk", 0), (3, "other", 0), (4, "other", 1)]
    assert [m.revision for m in (await ada.changes(channel, 3)).messages] == [4]
    (sent,) = [
        e
        for e in await world.told()
        if isinstance(e, chat_events_pb2.MessageCreated) and e.parent_channel_id
    ]
    assert (sent.message.channel_id, sent.parent_channel_id) == (thread.id, channel)
    assert sent.community_id == community


async def test_a_message_begins_one_thread_whoever_is_first(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    people = [world.person(community) for _ in range(5)]
    about = await people[0].send(channel, "text")
    begun = await asyncio.gather(
        *(person.begin(channel, about) for person in people), return_exceptions=True
    )
    assert sum(not isinstance(one, BaseException) for one in begun) == 1
    refused = [one for one in begun if isinstance(one, AlreadyExists)]
    assert {error.reason for error in refused} == {"THREAD_EXISTS"}
    assert len(refused) == 4
    await people[0].begin(channel, name="a", key="k")
    with pytest.raises(Conflict):
        await people[0].begin(channel, name="b", key="k")
    await people[0].delete(about)
    with pytest.raises(NotFound):
        await people[0].begin(channel, about)
    with pytest.raises(Invalid):
        await people[0].begin(channel, name=" \u200b")


async def test_a_thread_outlives_the_message_it_began_at(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    about = await ada.send(channel, "text")
    thread = await bob.begin(channel, about)
    await bob.send(thread.id, "mine")
    await ada.delete(about)
    assert [m.content for m in await bob.listed(thread.id)] == ["mine"]
    assert not (await ada.changes(channel)).messages[0].HasField("thread")


async def test_a_thread_by_another_name_is_no_way_around_its_channel(world: World) -> None:
    """By a channel's prefix nothing would be overridden, and a private channel be read."""
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    about = await ada.send(channel, "text")
    thread = await ada.begin(channel, about)
    await ada.send(thread.id, "among us")
    bare = thread.id.removeprefix("thr_")
    world.community.channels[f"chn_{bare}"] = community  # even if community said so
    for prefix in ("chn", "cnv"):
        with pytest.raises(NotFound):
            await ada.listed(f"{prefix}_{bare}")
        with pytest.raises(NotFound):
            await ada.send(f"{prefix}_{bare}", "text")
    for name in (f"thr_{channel.removeprefix('chn_')}", ids.text(ids.Kind.THREAD, ids.new())):
        with pytest.raises(NotFound):
            await ada.listed(name)
        with pytest.raises(NotFound):
            await ada.send(name, "text")
    # Nor is a message of one place there in the other.
    with pytest.raises(Error) as refused:
        await ada.send(thread.id, "text", reply_to=about)
    assert refused.value.reason == "REPLY_NOT_FOUND"


async def test_who_writes_or_is_mentioned_follows(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob, eve = (world.person(community) for _ in range(3))
    about = await ada.send(channel, "text")
    thread = await bob.begin(channel, about)
    assert thread.following
    assert (await ada.thread(thread)).following, "who wrote the message"
    assert not (await eve.thread(thread)).following
    await bob.send(thread.id, f"and <@{eve.id}>?")
    assert await eve.news_of_threads(community) == {thread.id: (1, 1)}
    assert await ada.news_of_threads(community) == {thread.id: (1, 0)}
    assert thread.id not in await eve.news(community), "threads are listed by themselves"
    await eve.mark(thread.id, 1)
    assert await eve.news_of_threads(community) == {}
    request = thread_service_pb2.UnfollowThreadRequest(thread_id=thread.id)
    for _ in range(2):
        assert not (await eve.call(eve.threads.UnfollowThread, request)).following
    await bob.send(thread.id, "and more")
    assert await eve.news_of_threads(community) == {}
    again = thread_service_pb2.FollowThreadRequest(thread_id=thread.id)
    assert (await eve.call(eve.threads.FollowThread, again)).following
    assert await eve.news_of_threads(community) == {thread.id: (1, 0)}
    told = [e for e in await world.told() if isinstance(e, chat_events_pb2.ThreadFollowChanged)]
    assert [(e.user_id, e.following) for e in told] == [(eve.id, False), (eve.id, True)]
    # Who does not see the channel is told of no news there, whoever names them.
    mole = world.person(community, READER - {p.PERMISSION_VIEW_CHANNEL})
    await bob.send(thread.id, f"<@{mole.id}>")
    assert await mole.news_of_threads(community) == {}


async def test_only_moderators_write_in_a_locked_thread(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, owner = world.person(community), world.person(community, OWNER)
    thread = await ada.begin(channel)
    first = await ada.send(thread.id, "one", "n")
    with pytest.raises(Denied):
        await ada.change(thread, locked=True)
    assert (await owner.change(thread, locked=True)).locked
    with pytest.raises(Denied) as refused:
        await ada.send(thread.id, "two")
    assert refused.value.reason == "THREAD_LOCKED"
    assert await ada.send(thread.id, "one", "n") == first, "what is sent is sent"
    await owner.send(thread.id, "three")
    with pytest.raises(Denied):
        await ada.change(thread, name="mine again")
    await owner.change(thread, locked=False)
    await ada.send(thread.id, "four")


async def test_a_thread_is_renamed_by_who_began_it_and_by_moderators(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob, owner = world.person(community), world.person(community), world.person(community)
    world.rbac.people[community][owner.id] = OWNER
    thread = await ada.begin(channel)
    assert (await ada.change(thread, name="one")).name == "one"
    assert (await owner.change(thread, name="two", archive_after_hours=1)).archive_after_hours == 1
    with pytest.raises(Denied):
        await bob.change(thread, name="three")
    for bad in ({"name": " "}, {"name": "x" * 101}, {"archive_after_hours": 721}, {}):
        with pytest.raises(Invalid):
            await ada.change(thread, **bad)


async def test_an_archived_thread_comes_back_when_somebody_writes(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    thread = await ada.begin(channel)
    assert (await ada.change(thread, archived=True)).HasField("archive_time")
    assert await ada.threads_of(channel) == []
    assert await ada.threads_of(channel, archived=True) == [thread.id]
    await ada.send(thread.id, "text")
    assert await ada.threads_of(channel) == [thread.id]
    assert not (await ada.thread(thread)).HasField("archive_time")


async def test_what_nobody_writes_in_is_archived_by_itself(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    quiet, lively = await ada.begin(channel), await ada.begin(channel)
    async with world.database.transaction() as tx:
        # A hundred hours ago; in one of them somebody wrote since.
        await tx.execute(
            sa.text(
                "UPDATE thread SET create_time = create_time - interval '100 hours',"
                " review_time = now() - interval '28 hours'"
            )
        )
        await tx.execute(
            sa.text("UPDATE thread SET last_reply_time = now() WHERE id = :id"),
            {"id": ids.parse(ids.Kind.THREAD, lively.id, field="id")},
        )

    async def archived() -> None:
        assert await ada.threads_of(channel, archived=True) == [quiet.id]

    await eventually(archived, TOLD)
    assert await ada.threads_of(channel) == [lively.id]

    async def told() -> None:
        events = [e for e in await world.told() if isinstance(e, chat_events_pb2.ThreadUpdated)]
        assert [(e.thread.id, e.thread.HasField("archive_time")) for e in events] == [
            (quiet.id, True)
        ]

    await eventually(told, TOLD)


async def test_a_deleted_thread_is_gone_with_all_that_stands_in_it(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, owner = world.person(community), world.person(community, OWNER)
    about = await ada.send(channel, "text")
    thread = await ada.begin(channel, about)
    await ada.send(thread.id, "mine")
    request = thread_service_pb2.DeleteThreadRequest(thread_id=thread.id)
    with pytest.raises(Denied):
        await ada.call(ada.threads.DeleteThread, request)
    await owner.call(owner.threads.DeleteThread, request)
    for refused in (
        ada.listed(thread.id),
        ada.send(thread.id, "text"),
        ada.thread(thread),
        owner.call(owner.threads.DeleteThread, request),
    ):
        with pytest.raises(NotFound):
            await refused
    (message,) = await ada.listed(channel)
    assert not message.HasField("thread")
    assert await ada.news_of_threads(community) == {}
    told = [e for e in await world.told() if isinstance(e, chat_events_pb2.ThreadDeleted)]
    assert [(e.channel_id, e.thread_id, e.message_id) for e in told] == [
        (channel, thread.id, about.id)
    ]


async def test_a_thread_goes_with_its_channel(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    thread = await ada.begin(channel)
    await ada.send(thread.id, "text")
    event = community_events_pb2.ChannelDeleted(channel_id=channel, community_id=community)
    del world.community.channels[channel]
    await world.happens(event, community, channel)

    async def gone() -> None:
        for ask in (ada.listed, partial(ada.send, content="text")):
            try:
                await ask(thread.id)
            except NotFound:
                continue
            raise AssertionError

    await eventually(gone, 20.0)


async def test_a_page_belongs_to_its_list(world: World) -> None:
    community = world.found()
    channel, other = world.open_channel(community), world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    begun = [(await ada.begin(channel)).id for _ in range(3)]
    request = thread_service_pb2.ListThreadsRequest(channel_id=channel, page_size=2)
    page = await ada.call(ada.threads.ListThreads, request)
    assert [thread.id for thread in page.threads] == begun[:0:-1]
    request.page_token = page.next_page_token
    assert [t.id for t in (await ada.call(ada.threads.ListThreads, request)).threads] == begun[:1]
    for field, value in (("channel_id", other), ("archived", True)):
        changed = thread_service_pb2.ListThreadsRequest()
        changed.CopyFrom(request)
        setattr(changed, field, value)
        with pytest.raises(Invalid) as refused:
            await ada.call(ada.threads.ListThreads, changed)
        assert refused.value.reason == "INVALID_PAGE_TOKEN"
    with pytest.raises(Invalid):
        await bob.call(bob.threads.ListThreads, request)


async def test_no_message_is_lost_from_the_count_however_many_replicas(
    postgres: str, nats_server: ScratchNats, contract: Contract
) -> None:
    async with running_world(postgres, nats_server, contract, replicas=2) as world:
        community = world.found()
        channel = world.open_channel(community)
        ada = world.person(community)
        about = await ada.send(channel, "text")
        thread = await ada.begin(channel, about)
        writers = [world.at(n % 2, ada.id) for n in range(4)]
        for round_ in range(5):
            # In the channel too: its row and its thread's are taken by both.
            await asyncio.gather(
                *(w.send(thread.id, f"{round_}") for w in writers),
                *(w.send(channel, f"{round_}") for w in writers),
            )

        async def counted() -> None:
            changed = (await ada.changes(channel)).messages
            (message,) = [m for m in changed if m.id == about.id]
            assert message.thread.reply_count == 20

        await eventually(counted, TOLD)
        revisions = [
            e.revision
            for e in await world.told()
            if isinstance(e, chat_events_pb2.ThreadCreated | chat_events_pb2.ThreadUpdated)
        ]
        assert len(set(revisions)) == len(revisions)
        assert sorted(revisions) == revisions


async def many(database: Database) -> tuple[Place, Place]:
    """A channel of a thousand threads among a hundred thousand, and one of its threads."""
    channel = await new_channel(database)
    thread = begin(channel.id, None, ADA, "talk", 0, datetime.now(UTC))
    async with database.transaction() as tx:
        await threads.add(tx, thread, COMMUNITY)
        for statement in (
            """INSERT INTO channel (id, community_id, last_sequence, parent_id)
            SELECT gen_random_uuid(), :community, 0,
                CASE WHEN number % 100 = 0 THEN :channel ELSE :other END
            FROM generate_series(1, 100000) AS number""",
            """INSERT INTO thread (id, channel_id, message_id, creator_id, name, create_time,
                archive_hours, archive_time, review_time)
            SELECT id, parent_id, gen_random_uuid(), :ada, 'talk', now(), 72,
                CASE WHEN random() < 0.5 THEN now() END, now() + interval '1 hour'
            FROM channel WHERE parent_id IS NOT NULL AND id <> :thread""",
            """INSERT INTO post_tag (thread_id, tag_id, channel_id)
            SELECT id, gen_random_uuid(), channel_id FROM thread""",
            """INSERT INTO thread_follower (user_id, community_id, thread_id)
            SELECT CASE WHEN random() < 0.01 THEN CAST(:ada AS uuid) ELSE gen_random_uuid() END,
                :community, id FROM thread""",
        ):
            await tx.execute(
                sa.text(statement),
                {
                    "community": COMMUNITY,
                    "channel": channel.id,
                    "other": (await _other(tx)),
                    "ada": ADA,
                    "thread": thread.id,
                },
            )
        await tx.execute(
            sa.text(
                "INSERT INTO read_state (user_id, channel_id, sequence, behind)"
                " SELECT gen_random_uuid(), id, 1, false FROM channel"
            )
        )
        await tx.execute(sa.text("ANALYZE"))
    return channel, Place(thread.id, thread=True)


async def _other(tx: Transaction) -> object:
    found = await tx.execute(sa.text("SELECT id FROM channel WHERE parent_id IS NULL LIMIT 1"))
    return found.scalar_one()


async def test_lists_of_threads_are_read_from_an_index(database: Database) -> None:
    await new_channel(database)
    channel, thread = await many(database)
    await send(database, draft(thread))
    asked: list[tuple[Callable[[Transaction], Awaitable[object]], str]] = [
        (
            lambda tx: threads.threads_before(tx, channel, None, 51, archived=False),
            "thread_active",
        ),
        (
            lambda tx: threads.threads_before(tx, channel, thread.id, 51, archived=True),
            "thread_archived",
        ),
        (lambda tx: reading.lively_threads(tx, ADA, COMMUNITY, None, 51), "thread_follower_pkey"),
        (lambda tx: threads.stale(tx, 100), "thread_stale"),
        (lambda tx: threads.review(tx, 100), "thread_review"),
        (lambda tx: threads.followed(tx, ADA, COMMUNITY, [thread.id]), "thread_follower_"),
    ]
    for ask, index in asked:
        plan = await plan_of(database, ask)
        assert f" {index}" in plan, plan
        assert "Seq Scan" not in plan, plan


async def test_a_count_taken_while_a_message_comes_is_not_the_last(database: Database) -> None:
    """What is told was noted after it: the next look tells it again."""
    channel = await new_channel(database)
    thread = begin(channel.id, None, ADA, "talk", 0, datetime.now(UTC))
    place = Place(thread.id, thread=True)
    async with database.transaction() as tx:
        await threads.add(tx, thread, COMMUNITY)
    await send(database, draft(place))
    async with another_pool(database) as other:
        async with database.transaction() as tx:
            await threads.lock(tx, thread.id)
            assert await threads.freshen(tx, thread.id)
            sending = asyncio.create_task(send(other, draft(place)))
            await asyncio.sleep(0.1)
            assert not sending.done()
        await sending
    async with database.reading() as tx:
        assert await threads.stale(tx, 10) == [thread.id]
        assert (await threads.thread(tx, thread.id)).reply_count == 2
