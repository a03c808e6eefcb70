"""Messages and their rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from chassis import ids
from chassis.errors import Conflict, Denied, Invalid, NotFound


class ChannelNotFound(NotFound):
    """There is no such channel."""

    def __init__(self) -> None:
        super().__init__("there is no such channel")


class MessageNotFound(NotFound):
    """There is no such message in the channel."""

    def __init__(self) -> None:
        super().__init__("there is no such message in this channel")


class NotTheAuthor(Denied):
    """Somebody else wrote the message."""

    def __init__(self, action: str) -> None:
        super().__init__(f"you cannot {action} a message that somebody else wrote")


class NonceReused(Conflict):
    """The nonce names another message."""

    reason = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self) -> None:
        super().__init__("this nonce was used for another message")


@dataclass(frozen=True, slots=True)
class Draft:
    """A message about to be sent."""

    id: UUID
    channel_id: UUID
    author_id: UUID
    content: str
    nonce: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """A message in its channel."""

    id: UUID
    channel_id: UUID
    author_id: UUID
    content: str
    nonce: str
    sequence: int
    """Its place: the number of the channel's change that sent it."""
    revision: int
    """The number of the channel's latest change to it."""
    create_time: datetime
    edit_time: datetime | None = None
    delete_time: datetime | None = None


def draft(channel_id: UUID, author_id: UUID, content: str, nonce: str, now: datetime) -> Draft:
    """A message about to be sent. Raises `Invalid` when it would be blank."""
    return Draft(ids.new(), channel_id, author_id, _written(content), nonce, now)


def same(sent: Message, draft: Draft) -> None:
    """Return when the message sent before is this one. Raises `NonceReused`."""
    if sent.delete_time is None and sent.edit_time is None and sent.content != draft.content:
        raise NonceReused


def edit(message: Message, editor_id: UUID, content: str, now: datetime) -> Message:
    """The message with a new text.

    Raises `MessageNotFound` for a deleted one, `NotTheAuthor`, and `Invalid`
    when it would be blank.
    """
    if message.delete_time is not None:
        raise MessageNotFound
    if message.author_id != editor_id:
        raise NotTheAuthor("edit")
    content = _written(content)
    if content == message.content:
        return message
    return replace(message, content=content, edit_time=now)


def delete(message: Message, by: UUID, *, moderates: bool, now: datetime) -> Message:
    """The message without its text. A deleted one stays as it is.

    Raises `NotTheAuthor` for somebody else's, unless the person moderates.
    """
    if message.author_id != by and not moderates:
        raise NotTheAuthor("delete")
    if message.delete_time is not None:
        return message
    return replace(message, content="", delete_time=now)


def _written(content: str) -> str:
    if not content.strip():
        raise Invalid("content must not be blank", fields=(("content", "must not be blank"),))
    return content
