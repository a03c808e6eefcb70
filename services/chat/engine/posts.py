"""Posts: what forums they stand in, how they begin, and what a forum has no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.clients import Clients
from chassis.database import Database, Transaction
from chassis.errors import NotFound
from chassis.outbox import Outbox
from chassis.publisher import Entry
from creavio.community.v1 import channel_service_pb2
from creavio.community.v1.channel_service_pb2_grpc import ChannelServiceStub
from services.chat import convert, events
from services.chat.domain.message import Draft
from services.chat.domain.place import Home, PlaceNotFound
from services.chat.domain.post import Forum
from services.chat.domain.thread import Thread
from services.chat.store import posts, sending, threads

_AT_ONCE: Final = 100


class Forums:
    """Knows what holds for the posts of a channel: community does, and is asked each time."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._community = ChannelServiceStub(clients.channel)

    async def forum(self, channel_id: str) -> Forum:
        """A forum. Raises `NotAForum`, and `Unavailable` when community cannot be asked."""
        request = channel_service_pb2.GetChannelRequest(channel_id=channel_id)
        return convert.forum(await self._clients.call(self._community.GetChannel, request))


class Poster:
    """Begins posts, each with its first message or not at all."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def begin(
        self, tx: Transaction, post: Thread, message: Draft, home: Home
    ) -> tuple[Thread, Entry]:
        """Keep a post of a locked forum; it as it is then, and what is to be told at once.

        Who calls tells it with `tell`, once this is committed.
        """
        assert home.community_id is not None, "a forum is in a community"
        await threads.add(tx, post, home.community_id)
        await posts.tag(tx, post, post.tags or ())
        inside = Home(home.community_id, post.channel_id)
        entry = self._outbox.entry(events.drafted(convert.draft(message), inside))
        (number,) = await sending.send(tx, [message], [entry])
        assert isinstance(number, int), "nothing is in the way of the first message"
        await threads.freshen(tx, post.id)
        post = await threads.thread(tx, post.id)
        tx.emit(events.thread_created(post, await threads.number(tx, post), home))
        return post, replace(entry, body=entry.body + events.numbered(number))

    def tell(self, entry: Entry) -> None:
        """Tell of the first message of a post that is committed."""
        self._outbox.publish([entry])


class TagSweeper:
    """Takes the tags off posts that their forum has no more; any number of replicas may."""

    def __init__(self, database: Database, forums: Forums) -> None:
        self._database = database
        self._forums = forums

    async def sweep(self) -> bool:
        """Look through some posts of a forum; whether there may be more to do."""
        async with self._database.reading() as tx:
            due = await posts.to_sweep(tx)
        if due is None:
            return False
        channel_id, since = due
        try:
            forum = await self._forums.forum(ids.text(ids.Kind.CHANNEL, channel_id))
        except NotFound:  # deleted, and everything in it
            forum = Forum({})
        tags = frozenset(forum.tags)
        async with self._database.reading() as tx:
            found = await posts.with_other_tags(tx, channel_id, tags, _AT_ONCE)
        for thread_id in found:
            await self._untag(thread_id, tags)
        if not found:
            async with self._database.transaction() as tx:
                await posts.swept(tx, channel_id, since)
        return True

    async def _untag(self, thread_id: UUID, tags: frozenset[UUID]) -> None:
        async with self._database.transaction() as tx:
            try:
                before, home = await threads.lock(tx, thread_id)
            except PlaceNotFound:  # deleted
                await posts.untag(tx, thread_id)
                return
            left = (before.tags or frozenset()) & tags
            await posts.tag(tx, before, left)
            post = replace(before, tags=left)
            tx.emit(events.thread_updated(post, await threads.number(tx, post), home))
