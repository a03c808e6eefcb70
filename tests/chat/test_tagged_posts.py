"""What the tags of posts say of them, for lists by tag."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa

from chassis import ids
from chassis.database import Database
from services.chat.domain.thread import Thread
from services.chat.store import posts, threads
from tests.chat.making import ADA, COMMUNITY, NOW, new_channel


async def test_tags_say_of_a_post_what_it_is_whatever_happens_at_the_same_time(
    database: Database,
) -> None:
    """A post is tagged while it is archived: the tag comes to know it, whoever is first."""
    forum, first, second, post = await new_channel(database), ids.new(), ids.new(), ids.new()
    thread = Thread(post, forum.id, None, ADA, "talk", datetime.now(UTC))
    async with database.transaction() as tx:
        await threads.add(tx, thread, COMMUNITY)

    async def archive(*, archived: bool) -> None:
        async with database.transaction() as tx:
            await threads.save(tx, replace(thread, archive_time=NOW if archived else None))
            changing.set()
            await asyncio.sleep(0.1)  # the other begins meanwhile, and waits

    async def tag(*tags: UUID) -> None:
        await changing.wait()
        async with database.transaction() as tx:
            await posts.tag(tx, thread, tags)

    async def said() -> set[tuple[UUID, bool]]:
        async with database.reading() as tx:
            rows = await tx.execute(sa.text("SELECT tag_id, archived FROM post_tag"))
            return {(row.tag_id, row.archived) for row in rows}

    changing = asyncio.Event()
    await asyncio.gather(archive(archived=True), tag(first, second))
    assert await said() == {(first, True), (second, True)}
    changing.clear()
    await asyncio.gather(archive(archived=False), tag(second))
    assert await said() == {(second, False)}
