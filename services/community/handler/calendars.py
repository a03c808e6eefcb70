"""CalendarService."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from chassis import idempotency, ids
from chassis.authz import Authorizer
from chassis.calls import principal
from chassis.database import Database, Transaction
from chassis.tokens import Tokens, page_size
from creavio.community.v1 import calendar_event_pb2, calendar_service_pb2
from creavio.community.v1.calendar_service_pb2_grpc import CalendarServiceServicer
from services.community import convert, domain, events, store
from services.community.convert import calendar
from services.community.domain.audit import Action, Deed, Difference, differences
from services.community.domain.calendar import (
    CalendarEvent,
    CalendarEventNotFound,
    may_have_another_event,
    sound,
    takes_place,
)

_EDITED: Final = ("title", "description", "start_time", "end_time", "time_zone", "location")
_LOOKED_AT: Final = 200


class CalendarHandler(CalendarServiceServicer):
    """Plans, shows, changes and calls off events, and counts who comes."""

    def __init__(self, database: Database, authorizer: Authorizer, tokens: Tokens) -> None:
        self._database = database
        self._authorizer = authorizer
        self._tokens = tokens

    async def CreateCalendarEvent(
        self, request: calendar_service_pb2.CreateCalendarEventRequest, context: object
    ) -> calendar_event_pb2.CalendarEvent:
        made = sound(calendar.planned(request, _caller(), datetime.now(UTC)))
        if not await self._visible([made]):
            raise domain.ChannelNotFound
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, calendar_event_pb2.CalendarEvent)
            if claim.reply is not None:
                return claim.reply
            await store.community_to_change(tx, made.community_id)
            if made.channel_id is not None:
                await store.channel_here(tx, made.community_id, made.channel_id)
            now = made.create_time
            may_have_another_event(await store.still_to_end(tx, made.community_id, now))
            await store.add_calendar_event(tx, made)
            tx.emit(events.calendar_event_saved(made))
            await store.write_down(tx, _deed(made, Action.CALENDAR_EVENT_CREATED))
            return await claim.keep(calendar.event(made))

    async def ListCalendarEvents(
        self, request: calendar_service_pb2.ListCalendarEventsRequest, context: object
    ) -> calendar_service_pb2.ListCalendarEventsResponse:
        community_id, size = (
            convert.community_id(request.community_id),
            page_size(request.page_size),
        )
        span = calendar.span(request)
        purpose = ("calendar", principal().user_id, request.community_id, repr(span))
        after = convert.place(self._tokens.page_start(request.page_token, *purpose))
        shown: list[CalendarEvent] = []
        while len(shown) <= size:
            async with self._database.reading() as tx:
                found = await store.calendar_events(tx, community_id, *span, after, _LOOKED_AT)
            shown += await self._visible(found)
            if len(found) < _LOOKED_AT:
                break
            after = (found[-1].start_time, found[-1].id)
        async with self._database.reading() as tx:
            answers = await store.answers_of(tx, _caller(), [each.id for each in shown[:size]])
        reply = calendar_service_pb2.ListCalendarEventsResponse(
            calendar_events=[calendar.event(each, answers.get(each.id)) for each in shown[:size]]
        )
        if len(shown) > size:
            last = shown[size - 1]
            reply.next_page_token = self._tokens.next_page(
                [last.start_time.isoformat(), str(last.id)], *purpose
            )
        return reply

    async def GetCalendarEvent(
        self, request: calendar_service_pb2.GetCalendarEventRequest, context: object
    ) -> calendar_event_pb2.CalendarEvent:
        found = await self._seen(request.community_id, request.calendar_event_id)
        async with self._database.reading() as tx:
            answers = await store.answers_of(tx, _caller(), [found.id])
        return calendar.event(found, answers.get(found.id))

    async def UpdateCalendarEvent(
        self, request: calendar_service_pb2.UpdateCalendarEventRequest, context: object
    ) -> calendar_event_pb2.CalendarEvent:
        seen = await self._seen(request.community_id, request.calendar_event_id)
        fields = convert.fields_to_change(request, request.update_mask, _EDITED)
        async with self._database.transaction() as tx:
            before = await store.calendar_event_to_change(tx, seen.community_id, seen.id)
            takes_place(before)
            domain.unchanged(request.etag, before.etag, "the event")
            after = sound(calendar.changed(before, request, fields))
            if after != before:
                await _save(tx, after)
                said = differences(before, after, _EDITED)
                await store.write_down(tx, _deed(after, Action.CALENDAR_EVENT_UPDATED, said))
        return calendar.event(after)

    async def CancelCalendarEvent(
        self, request: calendar_service_pb2.CancelCalendarEventRequest, context: object
    ) -> calendar_event_pb2.CalendarEvent:
        seen = await self._seen(request.community_id, request.calendar_event_id)
        async with self._database.transaction() as tx:
            before = await store.calendar_event_to_change(tx, seen.community_id, seen.id)
            after = before
            if before.cancel_time is None:
                after = replace(before, cancel_time=datetime.now(UTC))
                await _save(tx, after)
                await store.write_down(tx, _deed(after, Action.CALENDAR_EVENT_CANCELLED))
        return calendar.event(after)

    async def AnswerCalendarEvent(
        self, request: calendar_service_pb2.AnswerCalendarEventRequest, context: object
    ) -> calendar_event_pb2.CalendarEvent:
        seen = await self._seen(request.community_id, request.calendar_event_id)
        said = calendar.answer(request.answer)
        async with self._database.transaction() as tx:
            # Who leaves takes their answers along: after this, or before, and is told so here.
            await store.require_staying(tx, seen.community_id, _caller())
            takes_place(await store.calendar_event_to_change(tx, seen.community_id, seen.id))
            now = await store.answer(tx, seen.id, _caller(), said)
        return calendar.event(now, said)

    async def _seen(self, community: str, event: str) -> CalendarEvent:
        """An event that the caller may know of. Raises `CalendarEventNotFound`."""
        community_id, event_id = convert.community_id(community), calendar.event_id(event)
        async with self._database.reading() as tx:
            found = await store.calendar_event(tx, community_id, event_id)
        if not await self._visible([found]):
            raise CalendarEventNotFound
        return found

    async def _visible(self, found: Sequence[CalendarEvent]) -> list[CalendarEvent]:
        """Those of a community's events that the caller may know of."""
        channels = {each.channel_id for each in found} - {None}
        if not channels:
            return list(found)
        named = {ids.text(ids.Kind.CHANNEL, channel): channel for channel in channels if channel}
        community = ids.text(ids.Kind.COMMUNITY, found[0].community_id)
        seen = await self._authorizer.visible(principal().user_id, community, list(named))
        there = {named[name] for name in seen} | {None}
        return [each for each in found if each.channel_id in there]


async def _save(tx: Transaction, event: CalendarEvent) -> None:
    await store.save_calendar_event(tx, event)
    tx.emit(events.calendar_event_saved(event))


def _caller() -> UUID:
    return convert.user_id(principal().user_id)


def _deed(event: CalendarEvent, action: Action, said: tuple[Difference, ...] = ()) -> Deed:
    return Deed(
        event.community_id,
        _caller(),
        action,
        calendar.event_text(event.id),
        event.title,
        differences=said,
    )
