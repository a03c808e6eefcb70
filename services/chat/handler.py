"""MessageService."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.empty_pb2 import Empty

from chassis import idempotency, wire
from chassis.authz import Authorizer
from chassis.calls import principal
from chassis.database import Database
from chassis.errors import Invalid
from chassis.tokens import Tokens, page_size
from creavio.chat.v1 import message_pb2, message_service_pb2
from creavio.chat.v1.message_service_pb2_grpc import MessageServiceServicer
from creavio.options.v1 import permission_pb2
from services.chat import convert, domain, events, store


class MessageHandler(MessageServiceServicer):
    """Serves the messages of channels."""

    def __init__(self, database: Database, authorizer: Authorizer, tokens: Tokens) -> None:
        self._database = database
        self._authorizer = authorizer
        self._tokens = tokens

    async def CreateMessage(
        self, request: message_service_pb2.CreateMessageRequest, context: object
    ) -> message_pb2.Message:
        draft = domain.draft(
            convert.channel_id(request.channel_id),
            convert.user_id(principal().user_id),
            request.content,
            idempotency.current_key(),
            datetime.now(UTC),
        )
        async with self._database.transaction() as tx:
            community_id = await store.lock(tx, draft.channel_id)
            message = await store.sent_before(tx, draft)
            if message is not None:
                domain.same(message, draft)
            else:
                message = await store.send(tx, draft)
                tx.emit(events.created(message, community_id))
        return convert.message(message)

    async def ListMessages(
        self, request: message_service_pb2.ListMessagesRequest, context: object
    ) -> message_service_pb2.ListMessagesResponse:
        channel_id, size = convert.channel_id(request.channel_id), page_size(request.page_size)
        purpose = ("messages", principal().user_id, request.channel_id)
        before: int | None = self._tokens.page_start(request.page_token, *purpose)
        async with self._database.reading() as tx:
            messages = await store.messages_before(tx, channel_id, before, size + 1)
        reply = message_service_pb2.ListMessagesResponse(
            messages=[convert.message(message) for message in messages[:size]]
        )
        if len(messages) > size:
            reply.next_page_token = self._tokens.next_page(messages[size - 1].sequence, *purpose)
        return reply

    async def UpdateMessage(
        self, request: message_service_pb2.UpdateMessageRequest, context: object
    ) -> message_pb2.Message:
        channel_id = convert.channel_id(request.channel_id)
        message_id = convert.message_id(request.message_id)
        editor_id = convert.user_id(principal().user_id)
        changes = wire.changes(request, {"content"})
        if not changes:
            raise Invalid("there is nothing to change", fields=(("content", "must be present"),))
        async with self._database.transaction() as tx:
            community_id = await store.lock(tx, channel_id)
            before = await store.message(tx, channel_id, message_id)
            message = domain.edit(before, editor_id, changes["content"] or "", datetime.now(UTC))
            if message != before:
                message = await store.save(tx, message)
                tx.emit(events.updated(message, community_id))
        return convert.message(message)

    async def DeleteMessage(
        self, request: message_service_pb2.DeleteMessageRequest, context: object
    ) -> Empty:
        channel_id = convert.channel_id(request.channel_id)
        message_id = convert.message_id(request.message_id)
        caller = convert.user_id(principal().user_id)
        async with self._database.reading() as tx:
            author = (await store.message(tx, channel_id, message_id)).author_id
        # Asked before the transaction: no call leaves from inside one.
        moderates = author != caller and await self._moderates(request.channel_id)
        async with self._database.transaction() as tx:
            community_id = await store.lock(tx, channel_id)
            before = await store.message(tx, channel_id, message_id)
            message = domain.delete(before, caller, moderates=moderates, now=datetime.now(UTC))
            if message != before:
                message = await store.save(tx, message)
                tx.emit(events.deleted(message, community_id))
        return Empty()

    async def _moderates(self, channel_id: str) -> bool:
        return await self._authorizer.allows(
            principal().user_id,
            permission_pb2.PERMISSION_MANAGE_MESSAGES,
            permission_pb2.SCOPE_CHANNEL,
            channel_id,
        )
