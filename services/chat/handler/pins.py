"""PinService."""

from __future__ import annotations

from datetime import UTC, datetime

from chassis.database import Database
from creavio.chat.v1 import message_pb2, pin_service_pb2
from creavio.chat.v1.pin_service_pb2_grpc import PinServiceServicer
from services.chat import convert
from services.chat.domain import message as domain
from services.chat.handler.shown import change_of, shown
from services.chat.store import messages, places


class PinHandler(PinServiceServicer):
    """Serves the messages a channel keeps in sight."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def PinMessage(
        self, request: pin_service_pb2.PinMessageRequest, context: object
    ) -> message_pb2.Message:
        place = convert.place(request.channel_id)
        message_id = convert.message_id(request.message_id)
        async with self._database.transaction() as tx:
            home = await places.lock(tx, place)
            before = await messages.message(tx, place, message_id)
            pinned = await messages.count_pinned(tx, place)
            message = domain.pin(before, pinned, datetime.now(UTC))
            if message != before:
                message = await messages.save(tx, message)
                tx.emit(await change_of(tx, message, home))
            (reply,) = await shown(tx, [message])
        return reply

    async def UnpinMessage(
        self, request: pin_service_pb2.UnpinMessageRequest, context: object
    ) -> message_pb2.Message:
        place = convert.place(request.channel_id)
        message_id = convert.message_id(request.message_id)
        async with self._database.transaction() as tx:
            home = await places.lock(tx, place)
            before = await messages.message(tx, place, message_id)
            message = domain.unpin(before)
            if message != before:
                message = await messages.save(tx, message)
                tx.emit(await change_of(tx, message, home))
            (reply,) = await shown(tx, [message])
        return reply

    async def ListPins(
        self, request: pin_service_pb2.ListPinsRequest, context: object
    ) -> pin_service_pb2.ListPinsResponse:
        async with self._database.reading() as tx:
            found = await messages.pinned(tx, convert.place(request.channel_id))
            page = await shown(tx, found)
        return pin_service_pb2.ListPinsResponse(messages=page)
