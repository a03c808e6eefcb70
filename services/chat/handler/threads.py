"""ThreadService."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from chassis import idempotency, wire
from chassis.authz import Authorizer
from chassis.calls import principal
from chassis.database import Database
from chassis.errors import Invalid
from chassis.tokens import Tokens, page_size
from creavio.chat.v1 import thread_pb2, thread_service_pb2
from creavio.chat.v1.thread_service_pb2_grpc import ThreadServiceServicer
from creavio.options.v1 import permission_pb2
from services.chat import convert, events
from services.chat.domain import message as messages_domain
from services.chat.domain import thread as domain
from services.chat.domain.place import Place, PlaceNotFound, PostsOnly
from services.chat.domain.thread import ThreadExists
from services.chat.engine.places import Places
from services.chat.store import messages, places, threads

_EDITABLE = frozenset({"name", "archived", "locked", "archive_after_hours"})


class ThreadHandler(ThreadServiceServicer):
    """Serves the threads of channels."""

    def __init__(
        self, database: Database, known_places: Places, authorizer: Authorizer, tokens: Tokens
    ) -> None:
        self._database = database
        self._places = known_places
        self._authorizer = authorizer
        self._tokens = tokens

    async def CreateThread(
        self, request: thread_service_pb2.CreateThreadRequest, context: object
    ) -> thread_pb2.Thread:
        place, caller = convert.place(request.channel_id), convert.user_id(principal().user_id)
        message_id = convert.message_id(request.message_id) if request.message_id else None
        thread = domain.begin(
            place.id,
            message_id,
            caller,
            request.name,
            request.archive_after_hours,
            datetime.now(UTC),
        )
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, thread_pb2.Thread)
            if claim.reply is not None:
                return claim.reply
            home = await places.lock(tx, place)
            assert home.community_id is not None, "a channel has a community"
            if home.forum:
                raise PostsOnly
            followers = {caller}
            if message_id is not None:
                message = await messages.message(tx, place, message_id)
                messages_domain.readable(message)
                followers.add(message.author_id)
            if not await threads.add(tx, thread, home.community_id):
                raise ThreadExists
            tx.emit(events.thread_created(thread, await threads.number(tx, thread), home))
            for follower in followers:
                await threads.follow(tx, follower, home.community_id, thread.id)
            return await claim.keep(convert.thread(thread, following=True))

    async def GetThread(
        self, request: thread_service_pb2.GetThreadRequest, context: object
    ) -> thread_pb2.Thread:
        thread_id, community_id = await self._named(request.thread_id)
        caller = convert.user_id(principal().user_id)
        async with self._database.reading() as tx:
            thread = await threads.thread(tx, thread_id)
            following = await threads.followed(tx, caller, community_id, [thread_id])
        return convert.thread(thread, following=bool(following))

    async def ListThreads(
        self, request: thread_service_pb2.ListThreadsRequest, context: object
    ) -> thread_service_pb2.ListThreadsResponse:
        place, size = convert.place(request.channel_id), page_size(request.page_size)
        caller = principal().user_id
        purpose = ("threads", caller, request.channel_id, str(request.archived))
        start: str | None = self._tokens.page_start(request.page_token, *purpose)
        before = None if start is None else UUID(start)
        home = await self._places.scope_of(request.channel_id)
        assert home.community_id is not None, "a channel has a community"
        async with self._database.reading() as tx:
            found = await threads.threads_before(
                tx, place, before, size + 1, archived=request.archived
            )
            following = await threads.followed(
                tx, convert.user_id(caller), home.community_id, [thread.id for thread in found]
            )
        reply = thread_service_pb2.ListThreadsResponse(
            threads=[
                convert.thread(thread, following=thread.id in following) for thread in found[:size]
            ]
        )
        if len(found) > size:
            reply.next_page_token = self._tokens.next_page(str(found[size - 1].id), *purpose)
        return reply

    async def UpdateThread(
        self, request: thread_service_pb2.UpdateThreadRequest, context: object
    ) -> thread_pb2.Thread:
        thread_id, community_id = await self._named(request.thread_id)
        caller = convert.user_id(principal().user_id)
        changes = wire.changes(request, _EDITABLE)
        if not changes:
            raise Invalid("there is nothing to change", fields=(("name", "must be present"),))
        # Asked before the transaction: no call leaves from inside one.
        moderates = await self._authorizer.allows(
            principal().user_id,
            permission_pb2.PERMISSION_MANAGE_MESSAGES,
            permission_pb2.SCOPE_CHANNEL,
            request.thread_id,
        )
        asked, now = convert.thread_change(changes), datetime.now(UTC)
        async with self._database.transaction() as tx:
            before, home = await threads.lock(tx, thread_id)
            thread = domain.change(before, caller, asked, moderates=moderates, now=now)
            if thread != before:
                await threads.save(tx, thread)
                tx.emit(events.thread_updated(thread, await threads.number(tx, thread), home))
            following = await threads.followed(tx, caller, community_id, [thread_id])
        return convert.thread(thread, following=bool(following))

    async def DeleteThread(
        self, request: thread_service_pb2.DeleteThreadRequest, context: object
    ) -> Empty:
        thread_id, _ = await self._named(request.thread_id)
        async with self._database.transaction() as tx:
            thread, home = await threads.lock(tx, thread_id)
            await places.close(tx, Place(thread_id, thread=True))
            await threads.unfollow_all(tx, thread_id)
            tx.emit(events.thread_deleted(thread, await threads.number(tx, thread), home))
        self._places.gone(request.thread_id)
        return Empty()

    async def FollowThread(
        self, request: thread_service_pb2.FollowThreadRequest, context: object
    ) -> thread_pb2.Thread:
        return await self._follow(request.thread_id, following=True)

    async def UnfollowThread(
        self, request: thread_service_pb2.UnfollowThreadRequest, context: object
    ) -> thread_pb2.Thread:
        return await self._follow(request.thread_id, following=False)

    async def _follow(self, identifier: str, *, following: bool) -> thread_pb2.Thread:
        thread_id, community_id = await self._named(identifier)
        caller = principal().user_id
        change = threads.follow if following else threads.unfollow
        async with self._database.transaction() as tx:
            thread = await threads.thread(tx, thread_id)
            if await change(tx, convert.user_id(caller), community_id, thread_id):
                tx.emit(events.thread_followed(caller, thread_id, following=following))
        return convert.thread(thread, following=following)

    async def _named(self, identifier: str) -> tuple[UUID, UUID]:
        """The thread a request names, and the community it is in."""
        home = await self._places.scope_of(identifier)
        if home.community_id is None:
            raise PlaceNotFound
        return convert.place(identifier, field="thread_id").id, home.community_id
