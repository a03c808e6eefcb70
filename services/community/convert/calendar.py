"""Calendars, between the contract's messages and the domain."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import ids
from chassis.wire import timestamp
from creavio.community.v1 import calendar_event_pb2, calendar_service_pb2
from services.community.convert import channel_id, community_id, named, typed
from services.community.domain.calendar import Answer, CalendarEvent

_EVENT: Final = "cal"


def event_id(identifier: str) -> UUID:
    """The event a request names."""
    return named(_EVENT, identifier, "calendar_event_id")


def event_text(value: UUID) -> str:
    """An event's identifier on the wire."""
    return typed(_EVENT, value)


def planned(
    request: calendar_service_pb2.CreateCalendarEventRequest, creator_id: UUID, now: datetime
) -> CalendarEvent:
    """The event a request describes."""
    return CalendarEvent(
        ids.new(),
        community_id(request.community_id),
        channel_id(request.channel_id) if request.channel_id else None,
        request.title.strip(),
        request.description,
        request.location,
        request.start_time.ToDatetime(UTC),
        request.end_time.ToDatetime(UTC),
        request.time_zone,
        creator_id,
        now,
    )


def changed(
    before: CalendarEvent,
    request: calendar_service_pb2.UpdateCalendarEventRequest,
    fields: Collection[str],
) -> CalendarEvent:
    """An event as it is to be, in these fields."""
    said: dict[str, Any] = {name: getattr(request, name) for name in fields}
    for name, value in said.items():
        if isinstance(value, Timestamp):
            said[name] = value.ToDatetime(UTC) if request.HasField(name) else None  # type: ignore[arg-type]  # a field of it
    # What a mask names and the request leaves out cannot be cleared: there is always a time.
    kept = {name: value for name, value in said.items() if value is not None}
    if "title" in kept:
        kept["title"] = kept["title"].strip()
    return replace(before, **kept)


def span(
    request: calendar_service_pb2.ListCalendarEventsRequest,
) -> tuple[datetime | None, datetime | None]:
    """The span of time a request asks about, as far as it is bounded."""
    return (
        request.after_time.ToDatetime(UTC) if request.HasField("after_time") else None,
        request.before_time.ToDatetime(UTC) if request.HasField("before_time") else None,
    )


def answer(number: calendar_event_pb2.CalendarAnswer.ValueType) -> Answer | None:
    """What somebody answers; None for nothing any more."""
    return Answer(number) if number else None


def event(value: CalendarEvent, said: Answer | None = None) -> calendar_event_pb2.CalendarEvent:
    """An event as it stands on the wire, for somebody who answered so."""
    return calendar_event_pb2.CalendarEvent(
        id=event_text(value.id),
        community_id=ids.text(ids.Kind.COMMUNITY, value.community_id),
        title=value.title,
        description=value.description,
        start_time=timestamp(value.start_time),
        end_time=timestamp(value.end_time),
        time_zone=value.time_zone,
        channel_id="" if value.channel_id is None else ids.text(ids.Kind.CHANNEL, value.channel_id),
        location=value.location,
        creator_id=ids.text(ids.Kind.USER, value.creator_id),
        create_time=timestamp(value.create_time),
        cancel_time=None if value.cancel_time is None else timestamp(value.cancel_time),
        interested_count=value.interested,
        going_count=value.going,
        answer=calendar_event_pb2.CalendarAnswer.ValueType(said or 0),
        etag=value.etag,
    )
