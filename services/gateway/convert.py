"""Between events as they travel and events as they are told."""

from __future__ import annotations

from typing import Any

from google.protobuf.message import Message

from chassis.events import Received
from chassis.positions import Position
from chassis.wire import timestamp
from creavio.gateway.v1 import gateway_event_pb2
from services.gateway.domain import Positions

_PAYLOADS = {
    field.message_type.full_name: field.name
    for field in gateway_event_pb2.Event.DESCRIPTOR.oneofs_by_name["payload"].fields
    if field.message_type is not None
}


def told(event: Received, body: Message) -> gateway_event_pb2.Event:
    """An event as its person is told."""
    message = gateway_event_pb2.Event(id=event.id, time=timestamp(event.time))
    payload = getattr(message, _PAYLOADS[event.type])
    payload.CopyFrom(body)
    return message


def ready(*, resumed: bool) -> gateway_event_pb2.Event:
    """The stream is open."""
    return gateway_event_pb2.Event(ready=gateway_event_pb2.Ready(resumed=resumed))


def heartbeat() -> gateway_event_pb2.Event:
    """The stream lives."""
    return gateway_event_pb2.Event(heartbeat=gateway_event_pb2.Heartbeat())


def refetch(detail: str) -> gateway_event_pb2.Event:
    """There is a gap that cannot be filled."""
    return gateway_event_pb2.Event(refetch=gateway_event_pb2.Refetch(detail=detail))


def sealable(positions: Positions) -> dict[str, list[int | str]]:
    """Positions as a token carries them."""
    return {service: [at.number, at.event_id] for service, at in positions.items()}


def positions(sealed: dict[str, Any]) -> dict[str, Position]:
    """Positions from a token."""
    return {service: Position(int(at[0]), str(at[1])) for service, at in sealed.items()}
