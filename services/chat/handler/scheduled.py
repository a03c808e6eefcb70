"""ScheduledMessageService."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.empty_pb2 import Empty

from chassis import idempotency, wire
from chassis.calls import principal
from chassis.database import Database
from chassis.errors import Invalid
from creavio.chat.v1 import scheduled_message_pb2, scheduled_message_service_pb2
from creavio.chat.v1.scheduled_message_service_pb2_grpc import ScheduledMessageServiceServicer
from services.chat import convert, events
from services.chat.domain import kept as domain
from services.chat.engine.places import Places
from services.chat.store import scheduled

_EDITABLE = frozenset({"content", "send_time"})


class ScheduledMessageHandler(ScheduledMessageServiceServicer):
    """Serves the messages that wait for their time."""

    def __init__(self, database: Database, known_places: Places) -> None:
        self._database = database
        self._places = known_places

    async def ScheduleMessage(
        self, request: scheduled_message_service_pb2.ScheduleMessageRequest, context: object
    ) -> scheduled_message_pb2.ScheduledMessage:
        caller, answers = convert.user_id(principal().user_id), request.reply_to_id
        message = domain.schedule(
            caller,
            convert.place(request.channel_id),
            request.content,
            convert.message_id(answers, "reply_to_id") if answers else None,
            request.send_time.ToDatetime(UTC),
            datetime.now(UTC),
        )
        await self._places.writable(request.channel_id)
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, scheduled_message_pb2.ScheduledMessage)
            if claim.reply is not None:
                return claim.reply
            there = await scheduled.count(tx, caller)
            domain.room(there, domain.MAX_SCHEDULED, "messages that wait")
            await scheduled.add(tx, message)
            tx.emit(events.scheduled_changed(message))
            return await claim.keep(convert.scheduled(message))

    async def ListScheduledMessages(
        self, request: scheduled_message_service_pb2.ListScheduledMessagesRequest, context: object
    ) -> scheduled_message_service_pb2.ListScheduledMessagesResponse:
        caller = convert.user_id(principal().user_id)
        async with self._database.reading() as tx:
            # Those sent at once may make a few too many.
            found = await scheduled.of_person(tx, caller, 2 * domain.MAX_SCHEDULED)
        return scheduled_message_service_pb2.ListScheduledMessagesResponse(
            scheduled_messages=[convert.scheduled(message) for message in found]
        )

    async def UpdateScheduledMessage(
        self, request: scheduled_message_service_pb2.UpdateScheduledMessageRequest, context: object
    ) -> scheduled_message_pb2.ScheduledMessage:
        caller = convert.user_id(principal().user_id)
        message_id = convert.scheduled_message_id(request.scheduled_message_id)
        changes = wire.changes(request, _EDITABLE)
        if not changes or None in changes.values():
            raise Invalid("there is nothing to change", fields=(("content", "must be present"),))
        at = changes.get("send_time")
        send_time = None if at is None else at.ToDatetime(UTC)
        async with self._database.transaction() as tx:
            before = await scheduled.lock(tx, caller, message_id)
            message = domain.reschedule(
                before, changes.get("content"), send_time, datetime.now(UTC)
            )
            await scheduled.save(tx, message)
            tx.emit(events.scheduled_changed(message))
        return convert.scheduled(message)

    async def CancelScheduledMessage(
        self, request: scheduled_message_service_pb2.CancelScheduledMessageRequest, context: object
    ) -> Empty:
        caller = principal().user_id
        message_id = convert.scheduled_message_id(request.scheduled_message_id)
        async with self._database.transaction() as tx:
            if await scheduled.cancel(tx, convert.user_id(caller), message_id):
                tx.emit(events.scheduled_removed(caller, message_id))
        return Empty()
