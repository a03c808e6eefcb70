"""PostService."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chassis import idempotency, ids
from chassis.calls import principal
from chassis.database import Database, Transaction
from chassis.tokens import Tokens, page_size
from creavio.chat.v1 import post_service_pb2, thread_pb2
from creavio.chat.v1.post_service_pb2_grpc import PostServiceServicer
from creavio.options.v1 import permission_pb2
from services.chat import convert, events
from services.chat.domain import post as domain
from services.chat.domain import thread as threads_domain
from services.chat.domain.place import Home, PlaceNotFound
from services.chat.domain.post import NotAForum, Sort
from services.chat.domain.thread import Thread
from services.chat.engine.places import Places
from services.chat.engine.posts import Forums, Poster
from services.chat.engine.submission import Submission
from services.chat.store import places, posts, threads


class PostHandler(PostServiceServicer):
    """Serves the posts of forums."""

    def __init__(
        self,
        database: Database,
        known_places: Places,
        submission: Submission,
        forums: Forums,
        poster: Poster,
        tokens: Tokens,
    ) -> None:
        self._database = database
        self._places = known_places
        self._submission = submission
        self._forums = forums
        self._poster = poster
        self._tokens = tokens

    async def CreatePost(
        self, request: post_service_pb2.CreatePostRequest, context: object
    ) -> thread_pb2.Thread:
        place, caller = convert.place(request.channel_id), principal().user_id
        author, hours = convert.user_id(caller), request.archive_after_hours
        begun = threads_domain.begin(place.id, None, author, request.name, hours, datetime.now(UTC))
        # All of it is asked before the transaction: no call leaves from inside one.
        forum = await self._forums.forum(request.channel_id)
        wanted = [convert.tag_id(tag) for tag in request.tag_ids]
        async with self._database.reading() as tx:
            seconds = await places.slow_seconds(tx, place)
        moderates = (
            seconds > 0 or domain.takes_moderator(forum, (), wanted)
        ) and await self._moderates(request.channel_id)
        message = await self._submission.first(
            caller,
            request.channel_id,
            begun.id,
            request.content,
            convert.new_poll(request.poll) if request.HasField("poll") else None,
        )
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, thread_pb2.Thread)
            if claim.reply is not None:
                return claim.reply
            tags = domain.tagged(forum, (), wanted, moderates=moderates)
            home = await places.lock(tx, place)
            if seconds and not moderates:
                await places.pace(tx, place, author, seconds)
            post, entry = await self._poster.begin(tx, replace(begun, tags=tags), message, home)
            reply = await claim.keep(convert.thread(post, following=True))
        self._poster.tell(entry)
        return reply

    async def ListPosts(
        self, request: post_service_pb2.ListPostsRequest, context: object
    ) -> post_service_pb2.ListPostsResponse:
        place, size = convert.place(request.channel_id), page_size(request.page_size)
        caller, archived = principal().user_id, request.archived
        tags = [convert.tag_id(tag) for tag in request.tag_ids]
        purpose = ("posts", caller, request.channel_id, str(archived), *sorted(request.tag_ids))
        purpose = (*purpose, str(request.sort))
        home = await self._places.scope_of(request.channel_id)
        if home.community_id is None or not home.forum:
            raise NotAForum
        start: list[Any] | None = self._tokens.page_start(request.page_token, *purpose)
        if start is not None:
            sort = Sort(start[0])
        elif request.sort:
            sort = Sort(request.sort)
        else:
            sort = (await self._forums.forum(request.channel_id)).sort
        async with self._database.reading() as tx:
            top = None
            if start is None:
                top = await posts.pinned(tx, place, tags=tags, archived=archived)
            found = [] if top is None else [top]
            found += await posts.page(
                tx,
                place,
                _position(start),
                size + 1 - len(found),
                sort=sort,
                tags=tags,
                archived=archived,
            )
            following = await threads.followed(
                tx, convert.user_id(caller), home.community_id, [post.id for post in found]
            )
        reply = post_service_pb2.ListPostsResponse(
            posts=[convert.thread(post, following=post.id in following) for post in found[:size]]
        )
        if len(found) > size:
            last = found[size - 1]
            # Behind the pinned one everything else begins.
            at = () if last is top else (posts.activity(last).isoformat(), str(last.id))
            reply.next_page_token = self._tokens.next_page([int(sort), *at], *purpose)
        return reply

    async def SetPostTags(
        self, request: post_service_pb2.SetPostTagsRequest, context: object
    ) -> thread_pb2.Thread:
        thread_id, caller = await self._named(request.thread_id), principal().user_id
        wanted = [convert.tag_id(tag) for tag in request.tag_ids]
        # All of it is asked before the transaction: no call leaves from inside one.
        async with self._database.reading() as tx:
            known = await threads.thread(tx, thread_id)
        forum = await self._forums.forum(ids.text(ids.Kind.CHANNEL, known.channel_id))
        moderates = await self._moderates(request.thread_id)
        async with self._database.transaction() as tx:
            before, home = await threads.lock(tx, thread_id)
            had = domain.tags_of(before)
            domain.editable(before, convert.user_id(caller), moderates=moderates)
            post = replace(before, tags=domain.tagged(forum, had, wanted, moderates=moderates))
            if post != before:
                await posts.tag(tx, post, post.tags or ())
                tx.emit(events.thread_updated(post, await threads.number(tx, post), home))
            return await _shown(tx, post, home)

    async def PinPost(
        self, request: post_service_pb2.PinPostRequest, context: object
    ) -> thread_pb2.Thread:
        return await self._pin(request.thread_id, pinned=True)

    async def UnpinPost(
        self, request: post_service_pb2.UnpinPostRequest, context: object
    ) -> thread_pb2.Thread:
        return await self._pin(request.thread_id, pinned=False)

    async def _pin(self, identifier: str, *, pinned: bool) -> thread_pb2.Thread:
        thread_id = await self._named(identifier)
        async with self._database.transaction() as tx:
            before, home = await threads.lock(tx, thread_id)
            domain.tags_of(before)
            post = replace(before, pinned=pinned)
            if post != before:
                for each in await posts.pin(tx, post):
                    tx.emit(events.thread_updated(each, await threads.number(tx, each), home))
            return await _shown(tx, post, home)

    async def _moderates(self, place_id: str) -> bool:
        return await self._submission.may(
            principal().user_id, place_id, permission_pb2.PERMISSION_MANAGE_MESSAGES
        )

    async def _named(self, identifier: str) -> UUID:
        """The thread a request names."""
        if (await self._places.scope_of(identifier)).community_id is None:
            raise PlaceNotFound
        return convert.place(identifier).id


async def _shown(tx: Transaction, post: Thread, home: Home) -> thread_pb2.Thread:
    assert home.community_id is not None, "a forum is in a community"
    caller = convert.user_id(principal().user_id)
    following = await threads.followed(tx, caller, home.community_id, [post.id])
    return convert.thread(post, following=bool(following))


def _position(start: list[Any] | None) -> tuple[datetime, UUID] | None:
    """Where a page begins; None for the first, and behind the pinned post."""
    if not start or len(start) == 1:
        return None
    _, moment, post = start
    return datetime.fromisoformat(moment), UUID(post)
