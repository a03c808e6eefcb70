"""ConversationService."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from google.protobuf.empty_pb2 import Empty

from chassis import idempotency, ids, wire
from chassis.calls import principal
from chassis.database import Database, Transaction
from chassis.errors import Invalid
from chassis.tokens import Tokens, page_size
from creavio.chat.v1 import conversation_pb2, conversation_service_pb2
from creavio.chat.v1.conversation_service_pb2_grpc import ConversationServiceServicer
from services.chat import convert, events
from services.chat.domain import conversation as domain
from services.chat.domain.conversation import Conversation
from services.chat.domain.place import Place, PlaceNotFound
from services.chat.engine.reach import Reach
from services.chat.store import conversations, places

_EDITABLE = frozenset({"name", "icon_id"})


class ConversationHandler(ConversationServiceServicer):
    """Serves conversations: who is in them, and what there are."""

    def __init__(self, database: Database, reach: Reach, tokens: Tokens) -> None:
        self._database = database
        self._reach = reach
        self._tokens = tokens

    async def CreateConversation(
        self, request: conversation_service_pb2.CreateConversationRequest, context: object
    ) -> conversation_pb2.Conversation:
        caller = convert.user_id(principal().user_id)
        others = [convert.user_id(other, field="user_ids") for other in request.user_ids]
        conversation = domain.begin(
            caller,
            others,
            datetime.now(UTC),
            group=request.group,
            name=request.name,
            icon_id=request.icon_id,
        )
        # Asked before the transaction: no call leaves from inside one.
        reached = await self._reach.of(caller, others)
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, conversation_pb2.Conversation)
            if claim.reply is not None:
                return claim.reply
            # Also of one who blocked the caller since: what was said stays to be read.
            known = conversation.pair and await conversations.between(tx, conversation.pair)
            if known:
                return await claim.keep(convert.conversation(known))
            reached.require(others)
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

    async def UpdateConversation(
        self, request: conversation_service_pb2.UpdateConversationRequest, context: object
    ) -> conversation_pb2.Conversation:
        place = convert.place(request.conversation_id, field="conversation_id")
        changes = wire.changes(request, _EDITABLE)
        if not changes:
            raise Invalid("there is nothing to change", fields=(("name", "must be present"),))
        async with self._database.transaction() as tx:
            before = await _locked(tx, place)
            group = replace(
                before,
                name=changes.get("name", before.name) or "",
                icon_id=changes.get("icon_id", before.icon_id) or "",
            )
            if group != before:
                group = await _changed(tx, place, group)
                tx.emit(events.conversation_updated(group))
        return convert.conversation(group)

    async def AddConversationMembers(
        self, request: conversation_service_pb2.AddConversationMembersRequest, context: object
    ) -> conversation_pb2.Conversation:
        place = convert.place(request.conversation_id, field="conversation_id")
        named = {convert.user_id(other, field="user_ids") for other in request.user_ids}
        reached = await self._reach.of(convert.user_id(principal().user_id), named)
        async with self._database.transaction() as tx:
            before = await _locked(tx, place)
            new = named.difference(before.member_ids)
            reached.require(new)
            group = domain.take_in(before, new)
            if group != before:
                group = await _changed(tx, place, group)
                await conversations.add_members(tx, group, new)
                tx.emit(events.conversation_updated(group))
        return convert.conversation(group)

    async def RemoveConversationMember(
        self, request: conversation_service_pb2.RemoveConversationMemberRequest, context: object
    ) -> Empty:
        place = convert.place(request.conversation_id, field="conversation_id")
        user_id, caller = convert.user_id(request.user_id), convert.user_id(principal().user_id)
        async with self._database.transaction() as tx:
            before = await _locked(tx, place)
            heirs = await conversations.by_seniority(tx, place.id)
            group = domain.take_out(before, user_id, caller, heirs)
            if group != before:
                group = await _changed(tx, place, group)
                await conversations.remove_member(tx, place.id, user_id)
                if not group.member_ids:
                    await places.close(tx, place)
                tx.emit(events.conversation_member_removed(group, request.user_id))
        return Empty()

    async def HandOverConversation(
        self, request: conversation_service_pb2.HandOverConversationRequest, context: object
    ) -> conversation_pb2.Conversation:
        place = convert.place(request.conversation_id, field="conversation_id")
        caller = convert.user_id(principal().user_id)
        async with self._database.transaction() as tx:
            before = await _locked(tx, place)
            group = domain.hand_over(before, convert.user_id(request.user_id), caller)
            if group != before:
                group = await _changed(tx, place, group)
                tx.emit(events.conversation_updated(group))
        return convert.conversation(group)

    async def ListConversationMembers(
        self, request: conversation_service_pb2.ListConversationMembersRequest, context: object
    ) -> conversation_service_pb2.ListConversationMembersResponse:
        conversation = convert.conversation(await self._conversation(request.conversation_id))
        return conversation_service_pb2.ListConversationMembersResponse(
            member_ids=conversation.member_ids, revision=conversation.revision
        )

    async def ListTalkers(
        self, request: conversation_service_pb2.ListTalkersRequest, context: object
    ) -> conversation_service_pb2.ListTalkersResponse:
        async with self._database.reading() as tx:
            found = await conversations.talkers(
                tx, convert.user_id(request.user_id), domain.MAX_TALKED_IN
            )
        return conversation_service_pb2.ListTalkersResponse(
            user_ids=[ids.text(ids.Kind.USER, one) for one in found]
        )

    async def _conversation(self, identifier: str) -> Conversation:
        place = convert.place(identifier, field="conversation_id")
        async with self._database.reading() as tx:
            conversation = await conversations.conversation(tx, place.id)
        if conversation is None:
            raise PlaceNotFound
        return conversation


async def _locked(tx: Transaction, place: Place) -> Conversation:
    """A group of the caller's, that nobody else changes until the transaction ends."""
    await places.lock(tx, place)
    found = await conversations.conversation(tx, place.id)
    return domain.member_of(found, convert.user_id(principal().user_id))


async def _changed(tx: Transaction, place: Place, group: Conversation) -> Conversation:
    """The group, kept under its place's next number."""
    numbered = replace(group, revision=await places.next_number(tx, place))
    await conversations.save(tx, numbered)
    return numbered


async def _found(tx: Transaction, pair: tuple[UUID, UUID]) -> Conversation:
    conversation = await conversations.between(tx, pair)
    assert conversation is not None, "conversations of two are never deleted"
    return conversation
