"""What people keep for themselves: drafts, bookmarks, messages to be sent later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.errors import Conflict, Invalid, NotFound
from services.chat.domain.message import Message
from services.chat.domain.place import LimitReached, Place
from services.chat.domain.text import written

MAX_DRAFTS: Final = 1_000
"""Places somebody may have begun to write in."""
MAX_BOOKMARKS: Final = 1_000
"""Messages somebody may have bookmarked."""
MAX_SCHEDULED: Final = 100
"""Messages somebody may have wait."""
_FURTHEST: Final = timedelta(days=366)


class Overwritten(Conflict):
    """The draft is another by now."""

    def __init__(self) -> None:
        super().__init__("the draft was changed meanwhile; read it again")


class NotWaiting(NotFound):
    """No such message waits."""

    def __init__(self) -> None:
        super().__init__("no such message waits to be sent")


class BeingSent(Conflict):
    """The message is just being sent."""

    def __init__(self) -> None:
        super().__init__("the message is being sent")


@dataclass(frozen=True, slots=True)
class Begun:
    """What somebody began to write in a place."""

    place: Place
    content: str
    reply_to: UUID | None
    update_time: datetime
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A message somebody wants to find again."""

    id: UUID
    place: Place
    message_id: UUID
    create_time: datetime
    message: Message | None = None
    """As it is now; None when it is deleted."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A message that is to be sent later."""

    id: UUID
    user_id: UUID
    place: Place
    content: str
    reply_to: UUID | None
    send_time: datetime
    failure: str = ""
    """Why it could not be sent; empty while it waits."""


def schedule(
    user_id: UUID,
    place: Place,
    content: str,
    reply_to: UUID | None,
    send_time: datetime,
    now: datetime,
) -> Scheduled:
    """A message about to wait. Raises `Invalid` when it would be blank, or its time is none."""
    at = _ahead(send_time, now)
    return Scheduled(ids.new(), user_id, place, written(content), reply_to, at)


def reschedule(
    message: Scheduled, content: str | None, send_time: datetime | None, now: datetime
) -> Scheduled:
    """The message, to be sent with another text or at another time; it waits again."""
    return replace(
        message,
        content=message.content if content is None else written(content),
        send_time=message.send_time if send_time is None else _ahead(send_time, now),
        failure="",
    )


def room(there: int, most: int, what: str) -> None:
    """Return when there is room for one more. Raises `LimitReached`."""
    if there >= most:
        raise LimitReached(f"you have {most} {what}; remove one first")


def _ahead(send_time: datetime, now: datetime) -> datetime:
    if not now < send_time <= now + _FURTHEST:
        why = "must be ahead, and within a year"
        raise Invalid(f"send_time {why}", fields=(("send_time", why),))
    return send_time
