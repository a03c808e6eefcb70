"""DraftService and BookmarkService: what is nobody's but the caller's."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from chassis import ids
from chassis.authz import Authorizer
from chassis.calls import principal
from chassis.database import Database
from chassis.tokens import Tokens, page_size
from creavio.chat.v1 import bookmark_pb2, bookmark_service_pb2, draft_pb2, draft_service_pb2
from creavio.chat.v1.bookmark_service_pb2_grpc import BookmarkServiceServicer
from creavio.chat.v1.draft_service_pb2_grpc import DraftServiceServicer
from creavio.options.v1 import permission_pb2
from services.chat import convert, events
from services.chat.domain import kept as domain
from services.chat.domain.kept import Begun, Bookmark
from services.chat.domain.message import Message, readable
from services.chat.domain.place import Place
from services.chat.domain.text import written
from services.chat.handler.shown import shown
from services.chat.store import kept, messages


class DraftHandler(DraftServiceServicer):
    """Serves what people began to write."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database = database
        self._tokens = tokens

    async def SaveDraft(
        self, request: draft_service_pb2.SaveDraftRequest, context: object
    ) -> draft_pb2.Draft:
        caller = principal().user_id
        user_id, place = convert.user_id(caller), convert.place(request.channel_id)
        answers = request.reply_to_id
        begun = Begun(
            place,
            written(request.content),
            convert.message_id(answers, "reply_to_id") if answers else None,
            datetime.now(UTC),
        )
        async with self._database.transaction() as tx:
            there = await kept.count_drafts(tx, user_id, place)
            domain.room(there, domain.MAX_DRAFTS, "drafts")
            revision = await kept.save_draft(tx, user_id, begun, request.after_revision)
            if revision is None:
                raise domain.Overwritten
            saved = convert.begun(begun, revision)
            tx.emit(events.draft_saved(caller, saved))
        return saved

    async def DeleteDraft(
        self, request: draft_service_pb2.DeleteDraftRequest, context: object
    ) -> Empty:
        caller, place = principal().user_id, convert.place(request.channel_id)
        async with self._database.transaction() as tx:
            revision = await kept.remove_draft(tx, convert.user_id(caller), place)
            if revision is not None:
                tx.emit(events.draft_deleted(caller, place, revision))
        return Empty()

    async def ListDrafts(
        self, request: draft_service_pb2.ListDraftsRequest, context: object
    ) -> draft_service_pb2.ListDraftsResponse:
        caller, size = principal().user_id, page_size(request.page_size)
        purpose = ("drafts", caller)
        start: str | None = self._tokens.page_start(request.page_token, *purpose)
        after = None if start is None else UUID(start)
        async with self._database.reading() as tx:
            found = await kept.drafts_after(tx, convert.user_id(caller), after, size + 1)
        reply = draft_service_pb2.ListDraftsResponse(
            drafts=[convert.begun(begun, begun.revision) for begun in found[:size]]
        )
        if len(found) > size:
            reply.next_page_token = self._tokens.next_page(str(found[size - 1].place.id), *purpose)
        return reply


class BookmarkHandler(BookmarkServiceServicer):
    """Serves the messages people want to find again."""

    def __init__(self, database: Database, authorizer: Authorizer, tokens: Tokens) -> None:
        self._database = database
        self._authorizer = authorizer
        self._tokens = tokens

    async def AddBookmark(
        self, request: bookmark_service_pb2.AddBookmarkRequest, context: object
    ) -> bookmark_pb2.Bookmark:
        caller, place = principal().user_id, convert.place(request.channel_id)
        user_id, message_id = convert.user_id(caller), convert.message_id(request.message_id)
        async with self._database.transaction() as tx:
            message = await messages.message(tx, place, message_id)
            readable(message)
            bookmark = await kept.bookmark(tx, user_id, message_id)
            if bookmark is None:
                there = await kept.count_bookmarks(tx, user_id)
                domain.room(there, domain.MAX_BOOKMARKS, "bookmarks")
                bookmark = Bookmark(ids.new(), place, message_id, datetime.now(UTC))
                if await kept.add_bookmark(tx, user_id, bookmark):
                    tx.emit(events.bookmark_added(caller, bookmark))
            (told,) = await shown(tx, [message])
        return convert.bookmark(bookmark, told)

    async def RemoveBookmark(
        self, request: bookmark_service_pb2.RemoveBookmarkRequest, context: object
    ) -> Empty:
        caller, message_id = principal().user_id, convert.message_id(request.message_id)
        async with self._database.transaction() as tx:
            if await kept.remove_bookmark(tx, convert.user_id(caller), message_id):
                tx.emit(events.bookmark_removed(caller, message_id))
        return Empty()

    async def ListBookmarks(
        self, request: bookmark_service_pb2.ListBookmarksRequest, context: object
    ) -> bookmark_service_pb2.ListBookmarksResponse:
        caller, size = principal().user_id, page_size(request.page_size)
        purpose = ("bookmarks", caller)
        start: str | None = self._tokens.page_start(request.page_token, *purpose)
        before = None if start is None else UUID(start)
        async with self._database.reading() as tx:
            found = await kept.bookmarks_before(tx, convert.user_id(caller), before, size + 1)
        page = found[:size]
        # Asked between the questions to the database: no call leaves while one is held.
        seen = {place for place in {b.place for b in page} if await self._sees(caller, place)}
        by_place: dict[Place, list[Message]] = {}
        for bookmark in page:
            if bookmark.message is not None and bookmark.place in seen:
                by_place.setdefault(bookmark.place, []).append(bookmark.message)
        told = {}
        async with self._database.reading() as tx:
            for there in by_place.values():
                told.update({message.id: message for message in await shown(tx, there)})
        reply = bookmark_service_pb2.ListBookmarksResponse(
            bookmarks=[
                convert.bookmark(one, told.get(ids.text(ids.Kind.MESSAGE, one.message_id)))
                for one in page
            ]
        )
        if len(found) > size:
            reply.next_page_token = self._tokens.next_page(str(page[-1].id), *purpose)
        return reply

    async def _sees(self, user_id: str, place: Place) -> bool:
        return await self._authorizer.allows(
            user_id,
            permission_pb2.PERMISSION_VIEW_CHANNEL,
            permission_pb2.SCOPE_CHANNEL,
            convert.place_id(place),
            reading=True,
        )
