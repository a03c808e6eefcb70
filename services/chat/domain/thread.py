"""Threads: talk beside a channel's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.errors import AlreadyExists, Denied, Invalid
from services.chat.domain.text import shows

ARCHIVE_HOURS: Final = 72
"""After how many hours without a message a thread is archived, unless somebody says."""


class ThreadExists(AlreadyExists):
    """A thread began at the message already."""

    reason = "THREAD_EXISTS"

    def __init__(self) -> None:
        super().__init__("a thread began at this message already")


class ThreadLocked(Denied):
    """Only moderators write in the thread."""

    reason = "THREAD_LOCKED"

    def __init__(self) -> None:
        super().__init__("this thread is locked: only who may manage messages writes in it")


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread. Its messages are those of the place of the same id."""

    id: UUID
    channel_id: UUID
    message_id: UUID | None
    """The message it began at."""
    creator_id: UUID
    name: str
    create_time: datetime
    archive_hours: int = ARCHIVE_HOURS
    archive_time: datetime | None = None
    locked: bool = False
    reply_count: int = 0
    last_reply_time: datetime | None = None
    tags: frozenset[UUID] | None = None
    """Of a post of a forum; None for other threads."""
    pinned: bool = False
    """Whether it is the post on top of its forum."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be changed in a thread; None leaves it as it is."""

    name: str | None = None
    archived: bool | None = None
    locked: bool | None = None
    archive_hours: int | None = None


def begin(
    channel_id: UUID,
    message_id: UUID | None,
    creator_id: UUID,
    name: str,
    archive_hours: int,
    now: datetime,
) -> Thread:
    """A thread about to begin. Raises `Invalid` when its name is blank."""
    hours = archive_hours or ARCHIVE_HOURS
    return Thread(ids.new(), channel_id, message_id, creator_id, _named(name), now, hours)


def change(thread: Thread, by: UUID, asked: Change, *, moderates: bool, now: datetime) -> Thread:
    """The thread, changed. Raises `Denied`, and `Invalid` when its name would be blank."""
    if not moderates and (asked.locked is not None or thread.locked or by != thread.creator_id):
        raise Denied("this needs the permission MANAGE_MESSAGES, which you do not have here")
    archive_time = thread.archive_time
    if asked.archived is not None:
        archive_time = (archive_time or now) if asked.archived else None
    return replace(
        thread,
        name=thread.name if asked.name is None else _named(asked.name),
        archive_time=archive_time,
        locked=thread.locked if asked.locked is None else asked.locked,
        archive_hours=asked.archive_hours or thread.archive_hours,
    )


def _named(name: str) -> str:
    if not shows(name):
        raise Invalid("name must not be blank", fields=(("name", "must not be blank"),))
    return name
