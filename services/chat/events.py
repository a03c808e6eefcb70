"""What this service tells the others."""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from creavio.chat.v1 import chat_events_pb2
from services.chat import convert
from services.chat.domain import Message


def created(message: Message, community_id: UUID) -> chat_events_pb2.MessageCreated:
    """A message was sent."""
    return chat_events_pb2.MessageCreated(
        message=convert.message(message), community_id=_community(community_id)
    )


def updated(message: Message, community_id: UUID) -> chat_events_pb2.MessageUpdated:
    """A message was edited."""
    return chat_events_pb2.MessageUpdated(
        message=convert.message(message), community_id=_community(community_id)
    )


def deleted(message: Message, community_id: UUID) -> chat_events_pb2.MessageDeleted:
    """A message was deleted."""
    return chat_events_pb2.MessageDeleted(
        channel_id=ids.text(ids.Kind.CHANNEL, message.channel_id),
        message_id=ids.text(ids.Kind.MESSAGE, message.id),
        revision=message.revision,
        community_id=_community(community_id),
    )


def _community(value: UUID) -> str:
    return ids.text(ids.Kind.COMMUNITY, value)
