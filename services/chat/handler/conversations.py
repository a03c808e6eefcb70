"""ConversationService."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from chassis import idempotency
from chassis.calls import principal
from chassis.database import Database, Transaction
from chassis.tokens import Tokens, page_size
from creavio.chat.v1 import conversation_pb2, conversation_service_pb2
from creavio.chat.v1.conversation_service_pb2_grpc import ConversationServiceServicer
from services.chat import convert, events
from services.chat.domain import conversation as domain
from services.chat.domain.conversation import Conversation
from services.chat.domain.place import PlaceNotFound
from services.chat.store import conversations


class ConversationHandler(ConversationServiceServicer):
    """Serves conversations: who is in them, and what there are."""

    def __init__(self, database: Database, tokens: Tokens) -> None:
        self._database = database
        self._tokens = tokens

    async def CreateConversation(
        self, request: conversation_service_pb2.CreateConversationRequest, context: object
    ) -> conversation_pb2.Conversation:
        caller = convert.user_id(principal().user_id)
        others = [convert.user_id(other, field="user_ids") for other in request.user_ids]
        conversation = domain.begin(caller, others, datetime.now(UTC))
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, conversation_pb2.Conversation)
            if claim.reply is not None:
                return claim.reply
            if await conversations.add(tx, conversation):
                tx.emit(events.conversation_created(conversation))
            elif conversation.pair is not None:
                conversation = await _found(tx, conversation.pair)
            return await claim.keep(convert.conversation(conversation))

    async def GetConversation(
        self, request: conversation_service_pb2.GetConversationRequest, context: object
    ) -> conversation_pb2.Conversation:
        return convert.conversation(await self._conversation(request.conversation_id))

    async def ListConversations(
        self, request: conversation_service_pb2.ListConversationsRequest, context: object
    ) -> conversation_service_pb2.ListConversationsResponse:
        caller, size = principal().user_id, page_size(request.page_size)
        purpose = ("conversations", caller)
        token: str | None = self._tokens.page_start(request.page_token, *purpose)
        before = None if token is None else UUID(token)
        async with self._database.reading() as tx:
            found = await conversations.conversations_before(
                tx, convert.user_id(caller), before, size + 1
            )
        reply = conversation_service_pb2.ListConversationsResponse(
            conversations=[convert.conversation(conversation) for conversation in found[:size]]
        )
        if len(found) > size:
            reply.next_page_token = self._tokens.next_page(str(found[size - 1].id), *purpose)
        return reply

    async def ListConversationMembers(
        self, request: conversation_service_pb2.ListConversationMembersRequest, context: object
    ) -> conversation_service_pb2.ListConversationMembersResponse:
        conversation = convert.conversation(await self._conversation(request.conversation_id))
        return conversation_service_pb2.ListConversationMembersResponse(
            member_ids=conversation.member_ids
        )

    async def _conversation(self, identifier: str) -> Conversation:
        place = convert.place(identifier, field="conversation_id")
        async with self._database.reading() as tx:
            conversation = await conversations.conversation(tx, place.id)
        if conversation is None:
            raise PlaceNotFound
        return conversation


async def _found(tx: Transaction, pair: tuple[UUID, UUID]) -> Conversation:
    conversation = await conversations.between(tx, pair)
    assert conversation is not None, "conversations are never deleted"
    return conversation
