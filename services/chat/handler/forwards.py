"""ForwardService."""

from __future__ import annotations

from uuid import UUID

from chassis import idempotency
from chassis.authz import Authorizer
from chassis.calls import principal
from chassis.database import Database
from creavio.chat.v1 import forward_service_pb2, message_pb2
from creavio.chat.v1.forward_service_pb2_grpc import ForwardServiceServicer
from creavio.options.v1 import permission_pb2
from services.chat import convert
from services.chat.domain import message as domain
from services.chat.domain.forward import forward
from services.chat.domain.place import Place
from services.chat.engine.submission import Submission
from services.chat.handler.shown import shown
from services.chat.store import messages


class ForwardHandler(ForwardServiceServicer):
    """Sends messages on that their reader may read, and says to who may know where from."""

    def __init__(self, database: Database, authorizer: Authorizer, submission: Submission) -> None:
        self._database = database
        self._authorizer = authorizer
        self._submission = submission

    async def ForwardMessage(
        self, request: forward_service_pb2.ForwardMessageRequest, context: object
    ) -> message_pb2.Message:
        source_id = convert.message_id(request.source_message_id, "source_message_id")
        try:
            source = await self._readable(
                convert.place(request.source_channel_id, "source_channel_id"), source_id
            )
        except domain.MessageNotFound:
            sent_before = await self._sent_before(request, source_id)
            if sent_before is None:
                raise
            return sent_before
        sent = await self._submission.submit(
            principal().user_id,
            request.channel_id,
            request.content,
            idempotency.current_key(),
            None,
            forward=forward(source),
        )
        return await sent

    async def GetForwardSource(
        self, request: forward_service_pb2.GetForwardSourceRequest, context: object
    ) -> forward_service_pb2.ForwardSource:
        place = convert.place(request.channel_id)
        async with self._database.reading() as tx:
            message = await messages.message(tx, place, convert.message_id(request.message_id))
        brought = message.forward
        if brought is None:
            raise domain.MessageNotFound
        await self._readable(brought.place, brought.message_id)
        return forward_service_pb2.ForwardSource(
            channel_id=convert.place_id(brought.place),
            message_id=convert.named_message(brought.message_id),
        )

    async def _sent_before(
        self, request: forward_service_pb2.ForwardMessageRequest, source_id: UUID
    ) -> message_pb2.Message | None:
        """What the same request sent while its source was there, for who did not hear of it."""
        author_id = convert.user_id(principal().user_id)
        async with self._database.reading() as tx:
            sent = await messages.sent_under(
                tx, convert.place(request.channel_id), author_id, idempotency.current_key()
            )
            if sent is None or sent.forward is None or sent.forward.message_id != source_id:
                return None
            (reply,) = await shown(tx, [sent])
        return reply

    async def _readable(self, place: Place, message_id: UUID) -> domain.Message:
        # Asked before the message: what is not the caller's to read is not even fetched.
        seen = await self._authorizer.allows(
            principal().user_id,
            permission_pb2.PERMISSION_VIEW_CHANNEL,
            permission_pb2.SCOPE_CHANNEL,
            convert.place_id(place),
            reading=True,
        )
        if not seen:
            raise domain.MessageNotFound
        async with self._database.reading() as tx:
            message = await messages.message(tx, place, message_id)
        domain.readable(message)
        return message
