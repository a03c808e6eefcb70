"""Between the contract's messages and the domain."""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from chassis.wire import timestamp
from creavio.chat.v1 import message_pb2
from services.chat.domain import Message


def channel_id(identifier: str) -> UUID:
    """The channel a request names."""
    return ids.parse(ids.Kind.CHANNEL, identifier, field="channel_id")


def message_id(identifier: str) -> UUID:
    """The message a request names."""
    return ids.parse(ids.Kind.MESSAGE, identifier, field="message_id")


def user_id(identifier: str) -> UUID:
    """The person who calls."""
    return ids.parse(ids.Kind.USER, identifier, field="user_id")


def message(value: Message) -> message_pb2.Message:
    """A message as it stands on the wire."""
    return message_pb2.Message(
        id=ids.text(ids.Kind.MESSAGE, value.id),
        channel_id=ids.text(ids.Kind.CHANNEL, value.channel_id),
        author_id=ids.text(ids.Kind.USER, value.author_id),
        content=value.content,
        sequence=value.sequence,
        nonce=value.nonce,
        create_time=timestamp(value.create_time),
        edit_time=None if value.edit_time is None else timestamp(value.edit_time),
        revision=value.revision,
    )
