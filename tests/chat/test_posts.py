"""Posts: the threads of forums, each with a title, a first message and tags."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.database import Database, Transaction
from chassis.errors import Conflict, Denied, Error, Exhausted, FailedPrecondition, Invalid, NotFound
from chassis.testing import eventually, plan_of
from creavio.chat.v1 import (
    chat_events_pb2,
    poll_pb2,
    post_service_pb2,
    thread_service_pb2,
)
from creavio.community.v1 import channel_pb2, community_events_pb2, forum_pb2
from creavio.options.v1 import permission_pb2 as p
from services.chat.domain.place import Place
from services.chat.domain.post import Sort
from services.chat.store import posts
from tests.chat.making import ADA, COMMUNITY, new_channel
from tests.chat.test_stream import Talk
from tests.chat.world import OWNER, READER, World
from tests.live import Live, refusal

TOLD = 20.0
"""Within how many seconds what happens is told."""


def names(page: post_service_pb2.ListPostsResponse) -> list[str]:
    return [post.name for post in page.posts]


async def refused(asked: Awaitable[object]) -> str:
    """Why something is refused."""
    with pytest.raises(Error) as error:
        await asked
    return error.value.reason


async def test_a_post_is_a_thread_with_its_first_message_and_its_tags(world: World) -> None:
    community = world.found()
    forum = world.open_forum(community, ["help", "idea"])
    ada, bob = world.person(community), world.person(community)
    help_ = world.tags(forum)["help"]
    poll = poll_pb2.NewPoll(question="which?", options=("this", "that"))
    post = await ada.post(forum, "How?", help_, content=f"<@{bob.id}>?", poll=poll, key="k")
    assert await ada.post(forum, "How?", help_, content=f"<@{bob.id}>?", poll=poll, key="k") == post
    assert (post.channel_id, post.creator_id, post.name) == (forum, ada.id, "How?")
    assert (list(post.post.tag_ids), post.post.pinned) == ([help_], False)
    assert (post.reply_count, post.following) == (1, True)
    (message,) = await bob.listed(post.id)
    assert (message.author_id, message.sequence) == (ada.id, 1)
    assert message.poll.question == "which?"
    await bob.send(post.id, "so")
    assert [m.sequence for m in await bob.listed(post.id)] == [1, 2]
    # New is counted as in every thread: for who follows it, and was meant in it.
    assert await bob.news_of_threads(community) == {post.id: (1, 1)}
    told = await world.told()
    (created,) = [e for e in told if isinstance(e, chat_events_pb2.ThreadCreated)]
    assert (list(created.thread.post.tag_ids), created.community_id) == ([help_], community)
    first, _ = [e for e in told if isinstance(e, chat_events_pb2.MessageCreated)]
    assert (first.message.id, first.message.sequence) == (message.id, 1)
    assert (first.parent_channel_id, first.community_id) == (forum, community)
    assert not (await ada.begin(world.open_channel(community))).HasField("post")


async def test_of_a_post_that_fails_nothing_is_left(world: World) -> None:
    community = world.found()
    forum = world.open_forum(community)
    ada = world.person(community)
    for said in ({"content": " \u200b"}, {"content": "x" * 4001}, {"name": " "}, {"name": ""}):
        with pytest.raises(Invalid):
            await ada.post(forum, **{"name": "post", **said})
    await ada.post(forum, "one", key="k")
    with pytest.raises(Conflict):
        await ada.post(forum, "another", key="k")
    assert names(await ada.posts_of(forum)) == ["one"]
    assert len(await world.told()) == 2


async def test_nothing_stands_in_a_forum_but_posts(world: World) -> None:
    """By whichever way; and from the very first call after the forum was opened."""
    community = world.found()
    owner = world.person(community, OWNER)

    def forum() -> str:
        return world.open_forum(community)

    poll = poll_pb2.NewPoll(question="which?", options=("this", "that"))
    soon = datetime.now(UTC) + timedelta(hours=1)
    for straight in (
        owner.send(forum(), "text"),
        owner.send(forum(), "text", poll=poll),
        owner.schedule(forum(), "text", soon),
        owner.begin(forum()),
    ):
        assert await refused(straight) == "POSTS_ONLY"
    here = forum()
    talk = Talk(owner)
    await talk.say(here, "text", "n")
    assert "POSTS_ONLY" in str((await talk.answer()).error)
    await talk.rest()
    post = await owner.post(here)
    assert await owner.listed(here) == []
    await owner.send(post.id, "in it")


async def test_what_waits_for_a_channel_that_was_none_is_not_sent_into_a_forum(
    world: World,
) -> None:
    """Chat learnt of the channel before it could tell forums."""
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    await ada.schedule(channel, "text", datetime.now(UTC) + timedelta(seconds=61))
    world.community.forums[channel] = forum_pb2.Forum()
    async with world.database.transaction() as tx:
        await tx.execute(sa.text("UPDATE channel SET forum = NULL"))

    async def known() -> None:
        with suppress(FailedPrecondition):
            await ada.send(channel, "text")
            raise AssertionError

    await eventually(known, TOLD)
    async with world.database.transaction() as tx:
        await tx.execute(sa.text("UPDATE scheduled_message SET send_time = now()"))

    async def failed() -> None:
        assert [message.failure_reason for message in await ada.waiting()] == ["POSTS_ONLY"]

    await eventually(failed, TOLD)
    assert names(await ada.posts_of(channel)) == []


async def test_only_a_forum_has_posts(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    owner = world.person(community, OWNER)
    thread = await owner.begin(channel)
    for asked in (
        owner.post(channel),
        owner.posts_of(channel),
        owner.tag(thread),
        owner.pin_post(thread),
    ):
        assert await refused(asked) == "NOT_A_FORUM"


async def test_tags_are_those_of_the_forum_and_moderated_ones_take_a_moderator(
    world: World,
) -> None:
    community = world.found()
    forum = world.open_forum(community, ["help", "solved"], tag_required=True)
    other = world.open_forum(community, ["help"])
    ada, bob = world.person(community), world.person(community)
    owner = world.person(community, OWNER)
    help_, solved = world.tags(forum).values()
    world.community.forums[forum].tags[1].moderated = True
    assert await refused(ada.post(forum)) == "TAG_REQUIRED"
    assert await refused(ada.post(forum, "x", solved)) == "PERMISSION_DENIED"
    for tags in ([world.tags(other)["help"]], [help_, help_], ["tag_x"], [help_] * 6):
        with pytest.raises(Invalid):
            await ada.post(forum, "x", *tags)
    post = await ada.post(forum, "x", help_)
    assert await refused(ada.tag(post)) == "TAG_REQUIRED"
    assert await refused(ada.tag(post, help_, solved)) == "PERMISSION_DENIED"
    assert await refused(bob.tag(post, help_)) == "PERMISSION_DENIED"
    assert {*(await owner.tag(post, solved, help_)).post.tag_ids} == {help_, solved}
    assert await refused(ada.tag(post, help_)) == "PERMISSION_DENIED", "nor taken off"
    assert list((await ada.tag(post, solved)).post.tag_ids) == [solved]
    assert (await ada.change(post, name="y")).post.tag_ids == [solved]
    await owner.change(post, locked=True)
    assert await refused(ada.tag(post, help_, solved)) == "PERMISSION_DENIED"
    assert list((await owner.post(forum, "z", solved)).post.tag_ids) == [solved]


async def test_posts_are_listed_by_activity_or_age_and_by_tag(world: World) -> None:
    community = world.found()
    forum = world.open_forum(community, ["a", "b"])
    ada = world.person(community)
    a, b = world.tags(forum).values()
    one, two, three = [await ada.post(forum, n, *t) for n, t in (("1", [a]), ("2", [b]), ("3", []))]
    await ada.send(one.id, "up")
    assert names(await ada.posts_of(forum)) == ["1", "3", "2"]
    newest = forum_pb2.FORUM_SORT_NEWEST
    assert names(await ada.posts_of(forum, sort=newest)) == ["3", "2", "1"]
    world.community.forums[forum].default_sort = newest
    assert names(await ada.posts_of(forum)) == ["3", "2", "1"]
    activity = forum_pb2.FORUM_SORT_ACTIVITY
    assert names(await ada.posts_of(forum, a, sort=activity)) == ["1"]
    assert names(await ada.posts_of(forum, a, b, sort=activity)) == ["1", "2"]
    await ada.change(three, archived=True)
    assert names(await ada.posts_of(forum)) == ["2", "1"]
    assert names(await ada.posts_of(forum, archived=True)) == ["3"]
    owner = world.person(community, OWNER)
    gone = thread_service_pb2.DeleteThreadRequest(thread_id=two.id)
    await owner.call(owner.threads.DeleteThread, gone)
    assert names(await ada.posts_of(forum)) == ["1"]


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("sort", ["ACTIVITY", "NEWEST"])
async def test_pages_hold_every_post_once_the_pinned_one_first(
    world: World, size: int, sort: str
) -> None:
    community = world.found()
    forum = world.open_forum(community)
    ada, owner = world.person(community), world.person(community, OWNER)
    begun = [await ada.post(forum, f"{n}") for n in range(5)]
    await owner.pin_post(begun[2])
    asked: dict[str, Any] = {"sort": forum_pb2.ForumSort.Value(f"FORUM_SORT_{sort}")}
    page = await ada.posts_of(forum, page_size=size, **asked)
    found, first = names(page), page.next_page_token
    while page.next_page_token:
        asked["page_token"] = page.next_page_token
        page = await ada.posts_of(forum, page_size=size, **asked)
        found += names(page)
    assert found == ["2", "4", "3", "1", "0"]
    # A page belongs to its list, and to who asked for it.
    other = {"channel_id": world.open_forum(community)}
    tag = {"tag_ids": [ids.text(ids.Kind.TAG, ids.new())]}
    for change in ({"archived": True}, {"sort": 0}, other, tag):
        request = post_service_pb2.ListPostsRequest(
            **{"channel_id": forum, **asked, "page_token": first, **change}
        )
        assert await refused(ada.call(ada.posts.ListPosts, request)) == "INVALID_PAGE_TOKEN"
    asked["page_token"] = first
    assert await refused(owner.posts_of(forum, **asked)) == "INVALID_PAGE_TOKEN"


async def test_one_post_is_pinned_and_moderators_say_which(world: World) -> None:
    community = world.found()
    forum = world.open_forum(community)
    ada, owner = world.person(community), world.person(community, OWNER)
    begun = [await ada.post(forum, f"{n}") for n in range(4)]
    with pytest.raises(Denied):
        await ada.pin_post(begun[0])
    pinned = await asyncio.gather(*(owner.pin_post(post) for post in begun))
    assert all(post.post.pinned for post in pinned)
    shown = (await ada.posts_of(forum)).posts
    assert [post.post.pinned for post in shown] == [True, False, False, False]
    top = shown[0]
    told = [e.thread for e in await world.told() if isinstance(e, chat_events_pb2.ThreadUpdated)]
    latest = {thread.id: thread.post.pinned for thread in told}
    assert [name for name, on_top in latest.items() if on_top] == [top.id]
    gone = thread_service_pb2.DeleteThreadRequest(thread_id=top.id)
    await owner.call(owner.threads.DeleteThread, gone)
    (rest,) = [post for post in begun if post.id not in {top.id, shown[1].id, shown[2].id}]
    await owner.pin_post(rest)
    assert (await ada.posts_of(forum)).posts[0].id == rest.id
    request = post_service_pb2.UnpinPostRequest(thread_id=rest.id)
    for _ in range(2):
        assert not (await owner.call(owner.posts.UnpinPost, request)).post.pinned


async def test_slow_mode_of_a_forum_spaces_posts(world: World) -> None:
    community = world.found()
    forum = world.open_forum(community)
    ada = world.person(community)
    owner = world.person(community, OWNER | {p.PERMISSION_MANAGE_CHANNELS})
    await ada.post(forum)
    await owner.slow_down(forum, 60)
    first = await ada.post(forum, "one", key="k")
    with pytest.raises(Exhausted) as soon:
        await ada.post(forum, "two")
    assert soon.value.reason == "RATE_LIMITED"
    assert await ada.post(forum, "one", key="k") == first, "what is begun is begun"
    await ada.send(first.id, "answers are not held")
    for _ in range(2):
        await owner.post(forum)


async def test_a_tag_that_the_forum_has_no_more_is_taken_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posts, "_SWEEP_SECONDS", 0.0)
    community = world.found()
    forum = world.open_forum(community, ["a", "b"])
    ada, owner = world.person(community), world.person(community, OWNER)
    a, b = world.tags(forum).values()
    both, only, other, deleted = [
        await ada.post(forum, "x", *tags) for tags in ([a, b], [a], [b], [a])
    ]
    gone = thread_service_pb2.DeleteThreadRequest(thread_id=deleted.id)
    await owner.call(owner.threads.DeleteThread, gone)
    before = len(await world.told())
    del world.community.forums[forum].tags[0]
    channel = channel_pb2.Channel(
        id=forum,
        community_id=community,
        type=channel_pb2.CHANNEL_TYPE_FORUM,
        forum=world.community.forums[forum],
    )
    await world.happens(community_events_pb2.ChannelUpdated(channel=channel), community, forum)

    async def untagged() -> None:
        assert [list((await ada.thread(post)).post.tag_ids) for post in (both, only, other)] == [
            [b],
            [],
            [b],
        ]
        async with world.database.reading() as tx:
            assert await posts.to_sweep(tx) is None
            left = await tx.execute(sa.text("SELECT count(*) FROM post_tag"))
            assert left.scalar_one() == 2

    await eventually(untagged, TOLD)
    told = [
        e for e in (await world.told())[before:] if isinstance(e, chat_events_pb2.ThreadUpdated)
    ]
    assert {e.thread.id for e in told} == {both.id, only.id}
    assert await refused(ada.post(forum, "late", a)) == "INVALID_FIELD"


def test_a_forum_is_one_from_the_first_call_and_its_posts_are_told_live(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    community = ada.found()["id"]
    bob.accept(ada.invite(community))
    tags = [{"name": "Help", "emoji": "🛟"}, {"name": "Solved", "moderated": True}]
    forum = ada.do(
        "POST",
        f"/v1/communities/{community}/channels",
        json={"name": "questions", "type": "CHANNEL_TYPE_FORUM", "forum": {"tags": tags}},
    )
    help_, solved = (tag["id"] for tag in forum["forum"]["tags"])
    here = f"/v1/channels/{forum['id']}"
    straight = bob.ask("POST", f"{here}/messages", json={"content": "hi"})
    assert refusal(straight) == (400, "POSTS_ONLY")
    body = {"name": "How?", "content": "hi", "tag_ids": [help_]}
    with ada.listening() as stream:
        made = bob.do("POST", f"{here}/posts", json=body, headers={"Idempotency-Key": "k"})
        assert stream.until("thread_created")["thread"]["post"]["tag_ids"] == [help_]
        assert stream.until("message_created")["message"]["content"] == "hi"
        post = f"/v1/threads/{made['id']}"
        both = {"tag_ids": [help_, solved]}
        assert refusal(bob.ask("PUT", f"{post}/tags", json=both)) == (403, "PERMISSION_DENIED")
        assert ada.do("PUT", f"{post}/tags", json=both)["post"]["tag_ids"] == [help_, solved]
        assert stream.until("thread_updated")["thread"]["post"]["tag_ids"] == [help_, solved]
        # The forum has it no more, and so the post does not.
        path = f"/v1/communities/{community}/channels/{forum['id']}"
        ada.do("PATCH", path, json={"forum": {"tags": [{"id": solved, "name": "Solved"}]}})
        told = stream.until("thread_updated", within=30)
        assert told["thread"]["post"]["tag_ids"] == [solved]
    assert refusal(bob.ask("POST", f"{post}:pin", json={})) == (403, "PERMISSION_DENIED")
    assert ada.do("POST", f"{post}:pin", json={})["post"]["pinned"]
    asked = {"tag_ids": solved, "sort": "FORUM_SORT_NEWEST"}
    (listed,) = bob.do("GET", f"{here}/posts", params=asked)["posts"]
    assert (listed["id"], listed["post"]["pinned"]) == (made["id"], True)


async def test_whoever_does_not_see_a_forum_learns_of_no_post(world: World) -> None:
    community = world.found()
    forum = world.open_forum(community)
    ada, mole = world.person(community), world.person(community, frozenset())
    reader = world.person(community, READER)
    post = await ada.post(forum)
    stranger = world.person(world.found(), OWNER)
    for outsider in (mole, stranger):
        for asked in (
            outsider.posts_of(forum),
            outsider.post(forum),
            outsider.tag(post),
            outsider.pin_post(post),
        ):
            with pytest.raises(NotFound):
                await asked
    assert names(await reader.posts_of(forum)) == ["post"]
    for asked in (reader.post(forum), reader.tag(post), reader.pin_post(post)):
        with pytest.raises(Denied):
            await asked


async def test_nothing_is_left_of_the_tags_of_a_deleted_forum(world: World) -> None:
    community = world.found()
    forum = world.open_forum(community, ["a"])
    ada = world.person(community)
    await ada.post(forum, "p", *world.tags(forum).values())
    del world.community.channels[forum]
    event = community_events_pb2.ChannelDeleted(channel_id=forum, community_id=community)
    await world.happens(event, community, forum)

    async def erased() -> None:
        async with world.database.reading() as tx:
            for table in ("post_tag", "thread"):
                left = await tx.execute(sa.text(f"SELECT count(*) FROM {table}"))  # noqa: S608  # of constants
                assert left.scalar_one() == 0

    await eventually(erased, 30.0)


def test_orders_are_numbered_as_communitys() -> None:
    theirs = {n.removeprefix("FORUM_SORT_"): v for n, v in forum_pb2.ForumSort.items() if v}
    assert {sort.name: sort.value for sort in Sort} == theirs


async def many(database: Database) -> tuple[Place, list[Any]]:
    """A forum of twenty thousand posts among others, a tag of many of them and one of few."""
    forum, other = await new_channel(database), await new_channel(database)
    tags = [ids.new(), ids.new()]
    async with database.transaction() as tx:
        for statement in (
            """UPDATE channel SET forum = true""",
            """INSERT INTO channel (id, community_id, last_sequence, parent_id)
            SELECT gen_random_uuid(), :community, 0,
                CASE WHEN number % 2 = 0 THEN :forum ELSE :other END
            FROM generate_series(1, 40000) AS number""",
            """INSERT INTO thread (id, channel_id, creator_id, name, create_time,
                archive_hours, archive_time, review_time)
            SELECT id, parent_id, :ada, 'talk', now() - random() * interval '90 days', 72,
                CASE WHEN random() < 0.5 THEN now() END, now() + interval '1 hour'
            FROM channel WHERE parent_id IS NOT NULL""",
            """INSERT INTO post_tag (thread_id, tag_id, channel_id)
            SELECT id, CASE WHEN random() < 0.001 THEN :few ELSE :many END, channel_id
            FROM thread""",
        ):
            known = {
                "community": COMMUNITY,
                "forum": forum.id,
                "other": other.id,
                "ada": ADA,
                "many": tags[0],
                "few": tags[1],
            }
            query = sa.text(statement)
            asked = {n: v for n, v in known.items() if f":{n}" in statement}
            await tx.execute(query, asked)
        await tx.execute(sa.text("ANALYZE"))
    return forum, tags


async def test_posts_are_read_from_an_index(database: Database) -> None:
    forum, tags = await many(database)
    last = (datetime.now(UTC), ids.new())
    page = posts.page

    def asking(*tags: Any, sort: Sort = Sort.ACTIVITY, archived: bool = False) -> Any:
        return lambda tx: page(tx, forum, last, 51, sort=sort, tags=tags, archived=archived)

    asked: list[tuple[Callable[[Transaction], Awaitable[object]], str]] = [
        (asking(), "thread_lively"),
        (asking(archived=True), "thread_lively_archived"),
        (asking(sort=Sort.NEWEST), "thread_active"),
        (asking(sort=Sort.NEWEST, archived=True), "thread_archived"),
        *(
            (asking(tag, archived=away), "post_tag_lively")
            for tag in tags
            for away in (False, True)
        ),
        (asking(*tags), "post_tag_lively"),
        (asking(*tags, sort=Sort.NEWEST), "post_tag_newest"),
        (lambda tx: posts.pinned(tx, forum, archived=False), "thread_pinned"),
        (posts.to_sweep, "channel_sweep"),
        (lambda tx: posts.with_other_tags(tx, forum.id, [tags[0]], 100), "post_tag_"),
    ]
    for ask, index in asked:
        plan = await plan_of(database, ask)
        assert f" {index}" in plan, plan
        assert "Seq Scan" not in plan, plan
