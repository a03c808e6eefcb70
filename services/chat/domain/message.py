"""Messages, their reactions and pins, and the rules for changing them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
import hashlib
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.errors import Conflict, Denied, FailedPrecondition, NotFound
from services.chat.domain import forward as forwards
from services.chat.domain.forward import Forward
from services.chat.domain.mentions import NONE, Mentions
from services.chat.domain.place import LimitReached, Place
from services.chat.domain.poll import Poll, alike
from services.chat.domain.text import written

MAX_EMOJI: Final = 20
"""Different emoji on a message."""
MAX_PINS: Final = 50
"""Pinned messages in a place."""
MAX_EXCERPT: Final = 120
"""Characters shown of a message that is answered."""
MAX_VERSIONS: Final = 20
"""Earlier texts that are kept of a message."""


class MessageNotFound(NotFound):
    """There is no such message in the place."""

    def __init__(self) -> None:
        super().__init__("there is no such message in this channel")


class NotTheAuthor(Denied):
    """Somebody else wrote the message."""

    def __init__(self, action: str) -> None:
        super().__init__(f"you cannot {action} a message that somebody else wrote")


class ReplyNotFound(FailedPrecondition):
    """The message to be answered is not in the place (any more)."""

    reason = "REPLY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("the message you answer is not in this channel (any more)")


class NonceReused(Conflict):
    """The nonce names another message."""

    reason = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self) -> None:
        super().__init__("this nonce was used for another message")


class Fingerprints:
    """Tells whether a text is the one first sent under a nonce, after that text is gone.

    They are keyed, so that who reads the database cannot guess at what was deleted.
    """

    def __init__(self, secret: str) -> None:
        self._key = hashlib.blake2b(secret.encode(), person=b"chat nonces").digest()

    def of(self, place: Place, author_id: UUID, nonce: str, content: str) -> bytes | None:
        """The fingerprint of a text; None without a nonce, which nobody can send again."""
        if not nonce:
            return None
        mark = hashlib.blake2b(key=self._key, digest_size=16)
        for part in (place.id.bytes, author_id.bytes, nonce.encode(), b"\0", content.encode()):
            mark.update(part)
        return mark.digest()


@dataclass(frozen=True, slots=True)
class Reference:
    """A message that is answered, as much of it as is shown."""

    message_id: UUID
    author_id: UUID | None = None
    """None once it is deleted."""
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """A message, as much of it as is shown where a text points to it."""

    author_id: UUID
    excerpt: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """A message about to be sent."""

    id: UUID
    place: Place
    author_id: UUID
    content: str
    nonce: str
    fingerprint: bytes | None
    create_time: datetime
    mentions: Mentions = NONE
    reply_to: Reference | None = None
    poll: Poll | None = None
    forward: Forward | None = None
    paced: bool = True
    """Whether slow mode concerns its author."""


@dataclass(frozen=True, slots=True)
class Version:
    """What a message said at a time."""

    content: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji, and how many reacted with it."""

    emoji: str
    count: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message in its place."""

    id: UUID
    place: Place
    author_id: UUID
    content: str
    nonce: str
    sequence: int
    """Its place in the order: the number of the change that sent it."""
    revision: int
    """The number of the latest change to it."""
    create_time: datetime
    edit_time: datetime | None = None
    delete_time: datetime | None = None
    pin_time: datetime | None = None
    reactions: tuple[Reaction, ...] = ()
    """In the order in which each emoji came first."""
    fingerprint: bytes | None = field(default=None, repr=False)
    """Of the first text; None without a nonce, and for what is older than fingerprints."""
    reply_to: UUID | None = None
    """The message of the same place that it answers."""
    mentions: Mentions = NONE
    thread_id: UUID | None = None
    """The thread that began at it."""
    poll: Poll | None = None
    forward: Forward | None = None
    """What it brings along from somewhere else."""


def draft(
    place: Place,
    author_id: UUID,
    content: str,
    nonce: str,
    now: datetime,
    fingerprints: Fingerprints,
    *,
    mentions: Mentions = NONE,
    reply_to: Reference | None = None,
    poll: Poll | None = None,
    forward: Forward | None = None,
) -> Draft:
    """A message about to be sent.

    Raises `Invalid` when it would be blank; one that brings another along may say nothing.
    """
    said = content if forward is not None and not content else written(content)
    mark = fingerprints.of(place, author_id, nonce, said)
    return Draft(
        ids.new(), place, author_id, content, nonce, mark, now, mentions, reply_to, poll, forward
    )


def same(sent: Message, draft: Draft) -> None:
    """Return when the message sent before is this one. Raises `NonceReused`."""
    if sent.reply_to != (None if draft.reply_to is None else draft.reply_to.message_id):
        raise NonceReused
    if sent.delete_time is None and not alike(sent.poll, draft.poll):
        raise NonceReused
    if sent.delete_time is None and not forwards.alike(sent.forward, draft.forward):
        raise NonceReused
    if sent.delete_time is None and sent.edit_time is None:
        if sent.content != draft.content:
            raise NonceReused
    elif sent.fingerprint is not None and sent.fingerprint != draft.fingerprint:
        raise NonceReused


def readable(message: Message) -> None:
    """Return when a message is there for its readers. Raises `MessageNotFound`."""
    if message.delete_time is not None:
        raise MessageNotFound


def edit(
    message: Message, editor_id: UUID, content: str, now: datetime, mentions: Mentions = NONE
) -> Message:
    """The message with a new text, and what that mentions.

    Raises `MessageNotFound` for a deleted one, `NotTheAuthor`, and `Invalid`
    when it would be blank.
    """
    readable(message)
    if message.author_id != editor_id:
        raise NotTheAuthor("edit")
    if written(content) == message.content:
        return message
    return replace(message, content=content, edit_time=now, mentions=mentions)


def version(message: Message) -> Version:
    """What a message says now, to be kept when it says something else."""
    return Version(message.content, message.edit_time or message.create_time)


def look_back(message: Message, by: UUID, *, moderates: bool) -> None:
    """Return when somebody may see what a message said before.

    Raises `MessageNotFound` for a deleted one, and `NotTheAuthor` for somebody else's,
    unless the person moderates.
    """
    readable(message)
    if message.author_id != by and not moderates:
        raise NotTheAuthor("see earlier texts of")


def delete(message: Message, by: UUID, *, moderates: bool, now: datetime) -> Message:
    """The message without its text and what it mentions, its reactions, its poll and its pin, and
    without what it brought along.

    A deleted one stays as it is.

    Raises `NotTheAuthor` for somebody else's, unless the person moderates.
    """
    if message.author_id != by and not moderates:
        raise NotTheAuthor("delete")
    if message.delete_time is not None:
        return message
    return replace(
        message,
        content="",
        delete_time=now,
        pin_time=None,
        reactions=(),
        mentions=NONE,
        poll=None,
        forward=None,
    )


def pin(message: Message, pinned: int, now: datetime) -> Message:
    """The message pinned, where so many are. A pinned one stays as it is.

    Raises `MessageNotFound` for a deleted one, and `LimitReached`.
    """
    readable(message)
    if message.pin_time is not None:
        return message
    if pinned >= MAX_PINS:
        raise LimitReached(f"{MAX_PINS} messages are pinned here; unpin one first")
    return replace(message, pin_time=now)


def unpin(message: Message) -> Message:
    """The message, not pinned. Raises `MessageNotFound` for a deleted one."""
    readable(message)
    return replace(message, pin_time=None)


def react(message: Message, emoji: str) -> Message:
    """The message with one more reaction of somebody who had not reacted so.

    Raises `MessageNotFound` for a deleted one, and `LimitReached`.
    """
    readable(message)
    if count_of(message, emoji):
        return _counted(message, emoji, 1)
    if len(message.reactions) >= MAX_EMOJI:
        raise LimitReached(f"a message takes {MAX_EMOJI} different emoji at most")
    return replace(message, reactions=(*message.reactions, Reaction(emoji, 1)))


def unreact(message: Message, emoji: str) -> Message:
    """The message with one reaction less, of somebody who had reacted so.

    Raises `MessageNotFound` for a deleted one.
    """
    readable(message)
    return _counted(message, emoji, -1)


def count_of(message: Message, emoji: str) -> int:
    """How many reacted with an emoji."""
    return next((r.count for r in message.reactions if r.emoji == emoji), 0)


def _counted(message: Message, emoji: str, by: int) -> Message:
    counted = (replace(r, count=r.count + by) if r.emoji == emoji else r for r in message.reactions)
    return replace(message, reactions=tuple(r for r in counted if r.count))
