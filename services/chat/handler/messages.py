"""MessageService."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from google.protobuf.empty_pb2 import Empty

from chassis import idempotency, wire
from chassis.calls import principal
from chassis.database import Database
from chassis.errors import Invalid
from chassis.tokens import Tokens, page_size
from creavio.chat.v1 import message_pb2, message_service_pb2
from creavio.chat.v1.message_service_pb2_grpc import MessageServiceServicer
from creavio.options.v1 import permission_pb2
from services.chat import convert, events
from services.chat.domain import message as domain
from services.chat.engine.submission import Submission
from services.chat.handler.browsing import Browser
from services.chat.handler.shown import change_of, shown
from services.chat.handler.stream import Exchange
from services.chat.store import (
    conversations,
    mentioned,
    messages,
    places,
    polls,
    reactions,
    threads,
    versions,
)

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry


class MessageHandler(MessageServiceServicer):
    """Serves the messages of channels and conversations."""

    def __init__(
        self,
        database: Database,
        submission: Submission,
        browser: Browser,
        tokens: Tokens,
        telemetry: Telemetry,
    ) -> None:
        self._database = database
        self._browser = browser
        self._submission = submission
        self._tokens = tokens
        self._telemetry = telemetry
        self._exchanges: set[Exchange] = set()

    async def CreateMessage(
        self, request: message_service_pb2.CreateMessageRequest, context: object
    ) -> message_pb2.Message:
        return await (await self._submit(request, idempotency.current_key()))

    async def SendMessages(
        self,
        request_iterator: AsyncIterator[message_service_pb2.SendMessagesRequest],
        context: object,
    ) -> AsyncIterator[message_service_pb2.SendMessagesResponse]:
        exchange = Exchange(self._submit, self._telemetry)
        self._exchanges.add(exchange)
        try:
            async for answer in exchange.answers(request_iterator):
                yield answer
        finally:
            self._exchanges.discard(exchange)

    def end_all(self) -> None:
        """End every stream of messages, once what was read of it is answered."""
        for exchange in self._exchanges:
            exchange.end()

    async def ListMessages(
        self, request: message_service_pb2.ListMessagesRequest, context: object
    ) -> message_service_pb2.ListMessagesResponse:
        place, size = convert.place(request.channel_id), page_size(request.page_size)
        purpose = ("messages", principal().user_id, request.channel_id)
        before: int | None = self._tokens.page_start(request.page_token, *purpose)
        async with self._database.reading() as tx:
            found = await messages.messages_before(tx, place, before, size + 1)
            page = await shown(tx, found[:size])
        reply = message_service_pb2.ListMessagesResponse(messages=page)
        if len(found) > size:
            reply.next_page_token = self._tokens.next_page(found[size - 1].sequence, *purpose)
        return reply

    async def GetMessage(
        self, request: message_service_pb2.GetMessageRequest, context: object
    ) -> message_pb2.Message:
        place = convert.place(request.channel_id)
        async with self._database.reading() as tx:
            message = await messages.message(tx, place, convert.message_id(request.message_id))
            domain.readable(message)
            (reply,) = await shown(tx, [message])
        return reply

    async def ListMessagesAround(
        self, request: message_service_pb2.ListMessagesAroundRequest, context: object
    ) -> message_service_pb2.ListMessagesAroundResponse:
        return await self._browser.around(request)

    async def ListMessagePreviews(
        self, request: message_service_pb2.ListMessagePreviewsRequest, context: object
    ) -> message_service_pb2.ListMessagePreviewsResponse:
        return await self._browser.previews(request)

    async def ListChanges(
        self, request: message_service_pb2.ListChangesRequest, context: object
    ) -> message_service_pb2.ListChangesResponse:
        place, size = convert.place(request.channel_id), page_size(request.page_size)
        async with self._database.reading() as tx:
            found = await messages.changed_after(tx, place, request.after_revision, size + 1)
            page = await shown(tx, found[:size])
        return message_service_pb2.ListChangesResponse(
            messages=page,
            deleted_ids=[
                message.id
                for message, known in zip(page, found, strict=False)
                if known.delete_time is not None
            ],
            more=len(found) > size,
        )

    async def UpdateMessage(
        self, request: message_service_pb2.UpdateMessageRequest, context: object
    ) -> message_pb2.Message:
        place = convert.place(request.channel_id)
        message_id = convert.message_id(request.message_id)
        editor_id = convert.user_id(principal().user_id)
        changes = wire.changes(request, {"content"})
        if not changes:
            raise Invalid("there is nothing to change", fields=(("content", "must be present"),))
        content = changes["content"] or ""
        # Asked before the transaction: no call leaves from inside one.
        mentions = await self._submission.mentions(principal().user_id, request.channel_id, content)
        async with self._database.transaction() as tx:
            home = await places.lock(tx, place)
            await conversations.reach_in(tx, editor_id, place)
            before = await messages.message(tx, place, message_id)
            message = domain.edit(before, editor_id, content, datetime.now(UTC), mentions)
            if message != before:
                message = await messages.save(tx, message)
                await mentioned.change(tx, before, message)
                await versions.keep(tx, before)
                tx.emit(await change_of(tx, message, home))
            (reply,) = await shown(tx, [message])
        return reply

    async def DeleteMessage(
        self, request: message_service_pb2.DeleteMessageRequest, context: object
    ) -> Empty:
        place = convert.place(request.channel_id)
        message_id = convert.message_id(request.message_id)
        caller = convert.user_id(principal().user_id)
        async with self._database.reading() as tx:
            author = (await messages.message(tx, place, message_id)).author_id
        # Asked before the transaction: no call leaves from inside one.
        moderates = author != caller and await self._moderates(request.channel_id)
        async with self._database.transaction() as tx:
            home = await places.lock(tx, place)
            before = await messages.message(tx, place, message_id)
            message = domain.delete(before, caller, moderates=moderates, now=datetime.now(UTC))
            if message != before:
                message = await messages.save(tx, message)
                await reactions.remove_all(tx, message_id)
                await polls.remove_all(tx, message_id)
                await versions.remove_all(tx, message_id)
                await mentioned.change(tx, before, message)
                await threads.recount(tx, place, -1)
                tx.emit(events.deleted(message, home))
        return Empty()

    async def BulkDeleteMessages(
        self, request: message_service_pb2.BulkDeleteMessagesRequest, context: object
    ) -> Empty:
        place = convert.place(request.channel_id)
        named = [convert.message_id(one, field="message_ids") for one in request.message_ids]
        async with self._database.transaction() as tx:
            home = await places.lock(tx, place)
            removed = await messages.remove_many(tx, place, named, datetime.now(UTC))
            await threads.recount(tx, place, -len(removed))
            for message in removed:
                tx.emit(events.deleted(message, home))
        return Empty()

    async def ListMessageVersions(
        self, request: message_service_pb2.ListMessageVersionsRequest, context: object
    ) -> message_service_pb2.ListMessageVersionsResponse:
        place = convert.place(request.channel_id)
        caller = convert.user_id(principal().user_id)
        async with self._database.reading() as tx:
            message = await messages.message(tx, place, convert.message_id(request.message_id))
        moderates = message.author_id != caller and await self._moderates(request.channel_id)
        domain.look_back(message, caller, moderates=moderates)
        async with self._database.reading() as tx:
            found = await versions.of_message(tx, message.id)
        return message_service_pb2.ListMessageVersionsResponse(
            versions=[convert.version(version) for version in found]
        )

    async def _submit(
        self, request: message_service_pb2.CreateMessageRequest, nonce: str
    ) -> asyncio.Future[message_pb2.Message]:
        answers = request.reply_to_id
        return await self._submission.submit(
            principal().user_id,
            request.channel_id,
            request.content,
            nonce,
            convert.message_id(answers, field="reply_to_id") if answers else None,
            convert.new_poll(request.poll) if request.HasField("poll") else None,
        )

    async def _moderates(self, channel_id: str) -> bool:
        return await self._submission.may(
            principal().user_id, channel_id, permission_pb2.PERMISSION_MANAGE_MESSAGES
        )
