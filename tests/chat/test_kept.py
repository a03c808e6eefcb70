"""Drafts and bookmarks: what is nobody's but the caller's."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.database import Database
from chassis.errors import Conflict, FailedPrecondition, Invalid, NotFound
from chassis.testing import plan_of
from creavio.chat.v1 import bookmark_service_pb2, chat_events_pb2, draft_service_pb2
from services.chat.domain import kept as domain
from services.chat.domain.kept import Begun
from services.chat.store import kept, scheduled
from tests.chat.making import ADA, draft, new_channel, send
from tests.chat.world import World


async def test_a_draft_is_the_same_on_all_devices_and_nobody_elses(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    talk = (await ada.converse(bob)).id
    first = await ada.save(channel, "I think")
    await ada.save(talk, "psst")
    thread = (await ada.begin(channel)).id
    await ada.save(thread, "aside")
    second = await ada.save(channel, "I thought")
    assert second.revision > first.revision
    assert await ada.saved() == {channel: "I thought", talk: "psst", thread: "aside"}
    assert await bob.saved() == {}
    told = [e for e in await world.told() if isinstance(e, chat_events_pb2.DraftSaved)]
    assert {e.user_id for e in told} == {ada.id}
    assert told[-1].draft == second
    for gone in (channel, channel, talk):
        request = draft_service_pb2.DeleteDraftRequest(channel_id=gone)
        await ada.call(ada.drafts.DeleteDraft, request)
        await bob.call(bob.drafts.DeleteDraft, request)
    assert await ada.saved() == {thread: "aside"}
    deleted = [e for e in await world.told() if isinstance(e, chat_events_pb2.DraftDeleted)]
    assert [(e.user_id, e.channel_id) for e in deleted] == [(ada.id, channel), (ada.id, talk)]


async def test_a_draft_is_saved_over_the_version_it_was_written_upon(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada = world.person(community)
    with pytest.raises(Conflict):
        await ada.save(channel, "upon nothing", after=1)
    seen = await ada.save(channel, "one")
    await ada.save(channel, "two", after=seen.revision)
    with pytest.raises(Conflict) as refused:
        await ada.save(channel, "three", after=seen.revision)
    assert refused.value.reason == "CONCURRENT_CHANGE"
    saved = await asyncio.gather(*(ada.save(channel, f"{n}") for n in range(8)))
    latest = max(saved, key=lambda one: one.revision)
    assert await ada.saved() == {channel: latest.content}, "the last that was written stays"
    with pytest.raises(Invalid):
        await ada.save(channel, " \u200b")
    with pytest.raises(NotFound):
        await world.person().save(channel, "text")


async def test_there_are_only_so_many_drafts_and_bookmarks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain, "MAX_DRAFTS", 1)
    monkeypatch.setattr(domain, "MAX_BOOKMARKS", 1)
    community = world.found()
    one, two = world.open_channel(community), world.open_channel(community)
    ada = world.person(community)
    await ada.save(one, "a")
    await ada.save(one, "b")
    sent = [await ada.send(one, "text") for _ in range(2)]
    await ada.bookmark(sent[0])
    await ada.bookmark(sent[0])
    for refused in (ada.save(two, "c"), ada.bookmark(sent[1])):
        with pytest.raises(FailedPrecondition) as full:
            await refused
        assert full.value.reason == "LIMIT_REACHED"


async def test_a_bookmark_shows_what_its_owner_may_read_now(world: World) -> None:
    community, other = world.found(), world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    group = (await bob.converse(ada, group=True)).id
    kept_, gone, private = (
        await bob.send(channel, "kept"),
        await bob.send(channel, "gone"),
        await bob.send(group, "private"),
    )
    thread = (await bob.begin(channel)).id
    aside = await bob.send(thread, "aside")
    for message in (kept_, gone, private, aside):
        assert (await ada.bookmark(message)).message == message
    await bob.delete(gone)
    await bob.edit(kept_, "edited")
    await bob.take_out(group, ada)
    found = await ada.bookmarked()
    assert [(b.message_id, b.message.content) for b in found] == [
        (aside.id, "aside"),
        (private.id, ""),
        (gone.id, ""),
        (kept_.id, "edited"),
    ]
    assert not found[1].HasField("message")
    assert await bob.bookmarked() == []
    with pytest.raises(NotFound):
        await world.person(other).bookmark(kept_)
    with pytest.raises(NotFound):
        await ada.bookmark(gone)
    for _ in range(2):
        request = bookmark_service_pb2.RemoveBookmarkRequest(message_id=private.id)
        await ada.call(ada.bookmarks.RemoveBookmark, request)
    assert private.id not in [b.message_id for b in await ada.bookmarked()]
    told = [e for e in await world.told() if isinstance(e, chat_events_pb2.BookmarkAdded)]
    assert {e.user_id for e in told} == {ada.id}
    assert not any(e.bookmark.HasField("message") for e in told)


async def test_pages_are_the_callers_own(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person(community)
    sent = [await ada.send(channel, f"{n}") for n in range(3)]
    for message in sent:
        await ada.bookmark(message)
    request = bookmark_service_pb2.ListBookmarksRequest(page_size=2)
    page = await ada.call(ada.bookmarks.ListBookmarks, request)
    request.page_token = page.next_page_token
    rest = await ada.call(ada.bookmarks.ListBookmarks, request)
    listed = [b.message_id for b in (*page.bookmarks, *rest.bookmarks)]
    assert listed == [message.id for message in reversed(sent)]
    assert not rest.next_page_token
    with pytest.raises(Invalid):
        await bob.call(bob.bookmarks.ListBookmarks, request)
    with pytest.raises(Invalid):
        await ada.call(
            ada.drafts.ListDrafts,
            draft_service_pb2.ListDraftsRequest(page_token=page.next_page_token),
        )


async def test_what_is_kept_is_found_by_an_index(database: Database) -> None:
    channel = await new_channel(database)
    await send(database, draft(channel))
    async with database.transaction() as tx:
        for statement in (
            """INSERT INTO channel (id, community_id, last_sequence)
            SELECT gen_random_uuid(), gen_random_uuid(), 0 FROM generate_series(1, 1000)""",
            """INSERT INTO message (id, channel_id, author_id, content, nonce, sequence, revision,
                create_time)
            SELECT gen_random_uuid(), :channel, :ada, 'text', '', number, number, now()
            FROM generate_series(2, 100000) AS number""",
            """INSERT INTO bookmark (user_id, message_id, id, create_time)
            SELECT CASE WHEN random() < 0.005 THEN :ada ELSE gen_random_uuid() END,
                id, gen_random_uuid(), now() FROM message""",
            """INSERT INTO draft (user_id, channel_id, content, update_time, revision)
            SELECT person, id, 'text', now(), 1
            FROM channel, (SELECT gen_random_uuid() AS person FROM generate_series(1, 100)) AS p""",
            """INSERT INTO scheduled_message (id, user_id, channel_id, content, send_time)
            SELECT gen_random_uuid(), gen_random_uuid(), :channel, 'text', now() + interval '1 day'
            FROM generate_series(1, 100000)""",
        ):
            await tx.execute(
                sa.text(statement).bindparams(sa.bindparam("ada", type_=sa.Uuid))
                if ":ada" in statement
                else sa.text(statement),
                {"channel": channel.id, "ada": ADA},
            )
        await tx.execute(sa.text("ANALYZE"))
    begun = Begun(channel, "text", None, datetime.now(UTC))
    for ask, index in (
        (lambda tx: kept.bookmarks_before(tx, ADA, ids.new(), 51), "bookmark_list"),
        (lambda tx: kept.bookmark(tx, ADA, ids.new()), "bookmark_"),
        (lambda tx: kept.count_bookmarks(tx, ADA), "bookmark_"),
        (lambda tx: kept.drafts_after(tx, ADA, ids.new(), 51), "draft_pkey"),
        (lambda tx: kept.save_draft(tx, ADA, begun, 1), "draft_pkey"),
        (lambda tx: scheduled.of_person(tx, ADA, 200), "scheduled_message_list"),
        (lambda tx: scheduled.claim(tx, 50, 60), "scheduled_message_due"),
        (lambda tx: scheduled.count(tx, ADA), "scheduled_message_list"),
    ):
        plan = await plan_of(database, ask)
        assert f" {index}" in plan, plan
        assert "Seq Scan" not in plan, plan
