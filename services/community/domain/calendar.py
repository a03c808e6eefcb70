"""The calendar of a community."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chassis.errors import FailedPrecondition, Invalid, NotFound
from services.community.domain import LimitReached
from services.community.domain.naming import etag_of, shown

OPEN: Final = 500
"""How many events of a community are still to end at most."""
LASTS: Final = timedelta(days=31)
"""How long an event is at most: so a span of time leads to all that touch it."""


class CalendarEventNotFound(NotFound):
    """There is no such event, or the caller may not know of it."""

    def __init__(self) -> None:
        super().__init__("there is no such event in the calendar")


class CalledOff(FailedPrecondition):
    """The event does not take place."""

    reason = "CALLED_OFF"

    def __init__(self) -> None:
        super().__init__("this event was called off")


class Answer(IntEnum):
    """Whether somebody comes. The contract's numbers; a test compares."""

    INTERESTED = 1
    GOING = 2


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """Something that members meet for."""

    id: UUID
    community_id: UUID
    channel_id: UUID | None
    title: str
    description: str
    location: str
    start_time: datetime
    end_time: datetime
    time_zone: str
    creator_id: UUID
    create_time: datetime
    cancel_time: datetime | None = None
    interested: int = 0
    going: int = 0

    @property
    def etag(self) -> str:
        """Changes with what people edit."""
        return etag_of(
            self.title,
            self.description,
            self.location,
            self.start_time,
            self.end_time,
            self.time_zone,
            self.cancel_time,
        )


def sound(event: CalendarEvent) -> CalendarEvent:
    """An event as it is kept. Raises `Invalid` for what is none."""
    # A sum could be past the year 9999, which no time is.
    if not timedelta() < event.end_time - event.start_time <= LASTS:
        why = "must be after start_time, and within 31 days of it"
        raise Invalid(f"end_time {why}", fields=(("end_time", why),))
    try:
        ZoneInfo(event.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        why = "must be the IANA name of a time zone"
        raise Invalid(f"time_zone {why}", fields=(("time_zone", why),)) from None
    shown(event.title)
    return event


def takes_place(event: CalendarEvent) -> None:
    """Return when it was not called off. Raises `CalledOff`."""
    if event.cancel_time is not None:
        raise CalledOff


def may_have_another_event(still_to_end: int) -> None:
    """Return when a calendar with so many may have one more. Raises `LimitReached`."""
    if still_to_end >= OPEN:
        raise LimitReached(OPEN, "events that are still to end")
