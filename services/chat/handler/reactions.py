"""ReactionService."""

from __future__ import annotations

from chassis.calls import principal
from chassis.database import Database
from creavio.chat.v1 import message_pb2, reaction_service_pb2
from creavio.chat.v1.reaction_service_pb2_grpc import ReactionServiceServicer
from services.chat import convert, events
from services.chat.domain import message as domain
from services.chat.domain.text import emoji
from services.chat.handler.shown import shown
from services.chat.store import conversations, messages, places, reactions


class ReactionHandler(ReactionServiceServicer):
    """Serves what people think of messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def AddReaction(
        self, request: reaction_service_pb2.AddReactionRequest, context: object
    ) -> message_pb2.Message:
        place, caller = convert.place(request.channel_id), principal().user_id
        message_id, user_id = convert.message_id(request.message_id), convert.user_id(caller)
        chosen = emoji(request.emoji)
        async with self._database.transaction() as tx:
            home = await places.lock(tx, place)
            await conversations.reach_in(tx, user_id, place)
            message = await messages.message(tx, place, message_id)
            reacted = domain.react(message, chosen)
            if await reactions.add(tx, message_id, user_id, chosen):
                message = await messages.save(tx, reacted)
                tx.emit(events.reaction_added(message, caller, chosen, home))
            (reply,) = await shown(tx, [message])
        return reply

    async def RemoveReaction(
        self, request: reaction_service_pb2.RemoveReactionRequest, context: object
    ) -> message_pb2.Message:
        place, caller = convert.place(request.channel_id), principal().user_id
        message_id, user_id = convert.message_id(request.message_id), convert.user_id(caller)
        async with self._database.transaction() as tx:
            home = await places.lock(tx, place)
            message = await messages.message(tx, place, message_id)
            less = domain.unreact(message, request.emoji)
            if await reactions.remove(tx, message_id, user_id, request.emoji):
                message = await messages.save(tx, less)
                tx.emit(events.reaction_removed(message, caller, request.emoji, home))
            (reply,) = await shown(tx, [message])
        return reply
