"""Between events as they travel and events as they are told.

What is told is encoded once, as a `SubscribeResponse` of one event. Several of
these joined byte by byte are a response with all their events, and the bytes of
one that holds a resume token alone complete it (protobuf: the fields of joined
messages are merged).
"""

from __future__ import annotations

from typing import Final

from google.protobuf.message import Message

from chassis.errors import Error
from chassis.events import Received
from chassis.wire import timestamp
from creavio.gateway.v1 import gateway_event_pb2 as g
from creavio.gateway.v1 import gateway_service_pb2, presence_pb2

_PAYLOADS: Final = {
    field.message_type.full_name: field.name
    for field in g.Event.DESCRIPTOR.oneofs_by_name["payload"].fields
    if field.message_type is not None
}


def told(event: Received, body: Message) -> bytes:
    """An event as its people are told. Raises `KeyError` for one the contract has no room for."""
    message = g.Event(id=event.id, time=timestamp(event.time))
    getattr(message, _PAYLOADS[event.type]).CopyFrom(body)
    return _encoded(message)


def ready(*, resumed: bool) -> bytes:
    """The stream is open."""
    return _encoded(g.Event(ready=g.Ready(resumed=resumed)))


def heartbeat() -> bytes:
    """The stream lives."""
    return _encoded(g.Event(heartbeat=g.Heartbeat()))


def refetch(detail: str) -> bytes:
    """There is a gap that cannot be filled."""
    return _encoded(g.Event(refetch=g.Refetch(detail=detail)))


def ended(failure: Error) -> bytes:
    """The stream ends, and why."""
    return _encoded(g.Event(ended=g.Ended(reason=failure.reason, detail=failure.message)))


def access_changed(community_id: str) -> bytes:
    """What the person may see in a community is another."""
    return _encoded(g.Event(access_changed=g.AccessChanged(community_id=community_id)))


def typing(channel_id: str, user_id: str) -> bytes:
    """Somebody writes."""
    return _encoded(g.Event(typing=g.Typing(channel_id=channel_id, user_id=user_id)))


def presence(user_id: str, status: presence_pb2.PresenceStatus.ValueType) -> bytes:
    """Somebody is there in this way now."""
    return _encoded(g.Event(presence=presence_pb2.Presence(user_id=user_id, status=status)))


def resume_token(token: str) -> bytes:
    """What is written after the events it stands for."""
    response = gateway_service_pb2.SubscribeResponse(resume_token=token)
    return response.SerializeToString()


def _encoded(event: g.Event) -> bytes:
    return gateway_service_pb2.SubscribeResponse(events=[event]).SerializeToString()
