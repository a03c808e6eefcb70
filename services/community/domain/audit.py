"""What is written down of what people do by the power of their roles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final
from uuid import UUID

from chassis import ids

KEPT: Final = timedelta(days=90)


class Action(IntEnum):
    """What can be done. The contract's numbers; a test compares."""

    MEMBER_REMOVED = 1
    BAN_CREATED = 2
    BAN_DELETED = 3
    CHANNEL_CREATED = 4
    CHANNEL_UPDATED = 5
    CHANNEL_DELETED = 6
    CATEGORY_CREATED = 7
    CATEGORY_UPDATED = 8
    CATEGORY_DELETED = 9
    COMMUNITY_UPDATED = 10
    OWNERSHIP_TRANSFERRED = 11
    INVITE_REVOKED = 12
    MEMBER_TIMED_OUT = 13
    TIMEOUT_ENDED = 14
    EMOJI_CREATED = 15
    EMOJI_UPDATED = 16
    EMOJI_DELETED = 17
    CALENDAR_EVENT_CREATED = 18
    CALENDAR_EVENT_UPDATED = 19
    CALENDAR_EVENT_CANCELLED = 20
    TEMPLATE_CREATED = 21
    ONBOARDING_UPDATED = 22
    ROLE_CREATED = 23
    ROLE_UPDATED = 24
    ROLE_DELETED = 25
    ROLES_REORDERED = 26
    ROLE_GRANTED = 27
    ROLE_REVOKED = 28
    OVERRIDE_CHANGED = 29
    BOT_ADDED = 30


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that was changed."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did."""

    community_id: UUID
    actor_id: UUID
    action: Action
    target_id: str
    """As it stands on the wire: its prefix says what it is."""
    target_name: str = ""
    reason: str = ""
    differences: tuple[Difference, ...] = ()
    id: UUID = field(default_factory=ids.new)
    create_time: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of which deeds a log is read; None leaves open."""

    actor_id: UUID | None = None
    action: Action | None = None
    target_id: str | None = None
    after: datetime | None = None
    """Not earlier."""
    before: datetime | None = None
    """Earlier."""


def differences(before: object, after: object, names: Sequence[str]) -> tuple[Difference, ...]:
    """What differs between two versions of something, of these fields."""
    found = ((name, getattr(before, name), getattr(after, name)) for name in names)
    return tuple(Difference(name, str(was), str(now)) for name, was, now in found if was != now)
