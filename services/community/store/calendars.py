"""Where calendars are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from services.community.domain import Standing
from services.community.domain.calendar import LASTS, Answer, CalendarEvent, CalendarEventNotFound
from services.community.store.tables import CALENDAR_ANSWER, CALENDAR_EVENT, CHANNEL

_COUNTED: Final = {
    Answer.INTERESTED: CALENDAR_EVENT.c.interested,
    Answer.GOING: CALENDAR_EVENT.c.going,
}
# In the order of their ids: two who leave at once do not wait for each other.
_FORGET: Final = sa.text(
    """
    WITH answered AS MATERIALIZED (
        SELECT event_id FROM calendar_answer AS answer CROSS JOIN LATERAL (
            SELECT community_id FROM calendar_event WHERE id = answer.event_id LIMIT 1
        ) AS event
        WHERE answer.user_id = :user_id AND event.community_id = :community_id
    ), locked AS (
        SELECT id FROM calendar_event WHERE id = ANY (ARRAY (SELECT event_id FROM answered))
        ORDER BY id FOR UPDATE
    ), gone AS (
        DELETE FROM calendar_answer USING locked
        WHERE calendar_answer.event_id = locked.id AND calendar_answer.user_id = :user_id
        RETURNING calendar_answer.event_id, calendar_answer.answer
    )
    UPDATE calendar_event SET interested = interested - (gone.answer = 1)::integer,
        going = going - (gone.answer = 2)::integer
    FROM gone WHERE calendar_event.id = gone.event_id
    """
)


async def still_to_end(tx: Transaction, community_id: UUID, now: datetime) -> int:
    """How many events of a community are still to end."""
    count = sa.select(sa.func.count()).where(
        CALENDAR_EVENT.c.community_id == community_id,
        CALENDAR_EVENT.c.end_time > now,
        CALENDAR_EVENT.c.cancel_time.is_(None),
    )
    return int((await tx.execute(count)).scalar_one())


async def add_calendar_event(tx: Transaction, event: CalendarEvent) -> None:
    """Keep a new event."""
    await tx.execute(
        sa.insert(CALENDAR_EVENT).values(
            id=event.id,
            community_id=event.community_id,
            channel_id=event.channel_id,
            creator_id=event.creator_id,
            create_time=event.create_time,
            **_edited(event),
        )
    )


async def calendar_event(tx: Transaction, community_id: UUID, event_id: UUID) -> CalendarEvent:
    """An event of this community. Raises `CalendarEventNotFound`."""
    return await _one(tx, sa.select(CALENDAR_EVENT), community_id, event_id)


async def calendar_event_to_change(
    tx: Transaction, community_id: UUID, event_id: UUID
) -> CalendarEvent:
    """As `calendar_event`, while nobody else changes or answers it."""
    query = sa.select(CALENDAR_EVENT).with_for_update(key_share=True)
    return await _one(tx, query, community_id, event_id)


async def calendar_events(
    tx: Transaction,
    community_id: UUID,
    after_time: datetime | None,
    before_time: datetime | None,
    after: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[CalendarEvent]:
    """The events of a community that touch a span of time, in the order they begin."""
    event = CALENDAR_EVENT.c
    query = (
        sa.select(CALENDAR_EVENT)
        .where(event.community_id == community_id, _there(community_id))
        .order_by(event.start_time, event.id)
        .limit(limit)
    )
    if after_time is not None:
        query = query.where(event.end_time > after_time, event.start_time > after_time - LASTS)
    if before_time is not None:
        query = query.where(event.start_time < before_time)
    if after is not None:
        query = query.where(sa.tuple_(event.start_time, event.id) > sa.tuple_(*after))
    return [_event(row) for row in await tx.execute(query)]


async def save_calendar_event(tx: Transaction, event: CalendarEvent) -> None:
    """Keep what people edited."""
    await tx.execute(
        sa.update(CALENDAR_EVENT)
        .where(CALENDAR_EVENT.c.id == event.id)
        .values(cancel_time=event.cancel_time, **_edited(event))
    )


async def answers_of(
    tx: Transaction, user_id: UUID, events: Sequence[UUID]
) -> Mapping[UUID, Answer]:
    """What somebody answered to these events."""
    rows = await tx.execute(
        sa.select(CALENDAR_ANSWER.c.event_id, CALENDAR_ANSWER.c.answer).where(
            CALENDAR_ANSWER.c.user_id == user_id, CALENDAR_ANSWER.c.event_id.in_(events)
        )
    )
    return {row.event_id: Answer(row.answer) for row in rows}


async def answer(
    tx: Transaction, event_id: UUID, user_id: UUID, said: Answer | None
) -> CalendarEvent:
    """Keep an answer, or that it was taken back; the caller holds the event's lock."""
    before = (await answers_of(tx, user_id, [event_id])).get(event_id)
    key = (CALENDAR_ANSWER.c.event_id == event_id, CALENDAR_ANSWER.c.user_id == user_id)
    if said is None:
        await tx.execute(sa.delete(CALENDAR_ANSWER).where(*key))
    else:
        await tx.execute(
            insert(CALENDAR_ANSWER)
            .values(event_id=event_id, user_id=user_id, answer=int(said))
            .on_conflict_do_update(
                index_elements=[CALENDAR_ANSWER.c.event_id, CALENDAR_ANSWER.c.user_id],
                set_={"answer": int(said)},
            )
        )
    counts = {
        column.name: column + int(said == kind) - int(before == kind)
        for kind, column in _COUNTED.items()
    }
    row = await tx.execute(
        sa.update(CALENDAR_EVENT)
        .where(CALENDAR_EVENT.c.id == event_id)
        .values(**counts)
        .returning(CALENDAR_EVENT)
    )
    return _event(row.one())


async def forget_answers(tx: Transaction, community_id: UUID, user_id: UUID) -> None:
    """Forget what somebody answered to events of a community."""
    await tx.execute(_FORGET, {"community_id": community_id, "user_id": user_id})


def _there(community_id: UUID) -> sa.ColumnElement[bool]:
    """A channel that was deleted takes what was to happen there along."""
    return sa.or_(
        CALENDAR_EVENT.c.channel_id.is_(None),
        sa.exists().where(
            CHANNEL.c.id == CALENDAR_EVENT.c.channel_id,
            # Said of the community, not of the event: where all channels are looked at
            # first, they are those of the community.
            CHANNEL.c.community_id == community_id,
            CHANNEL.c.standing == Standing.SETTLED,
        ),
    )


async def _one(
    tx: Transaction, query: sa.Select[Any], community_id: UUID, event_id: UUID
) -> CalendarEvent:
    row = (
        await tx.execute(
            query.where(
                CALENDAR_EVENT.c.id == event_id,
                CALENDAR_EVENT.c.community_id == community_id,
                _there(community_id),
            )
        )
    ).one_or_none()
    if row is None:
        raise CalendarEventNotFound
    return _event(row)


def _edited(event: CalendarEvent) -> dict[str, object]:
    return {
        "title": event.title,
        "description": event.description,
        "location": event.location,
        "start_time": event.start_time,
        "end_time": event.end_time,
        "time_zone": event.time_zone,
    }


def _event(row: Row[Any]) -> CalendarEvent:
    return CalendarEvent(
        row.id,
        row.community_id,
        row.channel_id,
        row.title,
        row.description,
        row.location,
        row.start_time,
        row.end_time,
        row.time_zone,
        row.creator_id,
        row.create_time,
        row.cancel_time,
        row.interested,
        row.going,
    )
