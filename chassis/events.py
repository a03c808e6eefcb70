"""Events in: each takes effect once, whatever crashes on the way.

A consumer reads its durable from JetStream. An event's id is recorded in the
transaction of its effect, so an event that comes again changes nothing; it is
acknowledged after the commit. One that cannot be handled after several tries is
set aside in `dead_letter`, so that it blocks nobody; marked there for replay
(`creavio events replay`), it is handled again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from google.protobuf.message import DecodeError, Message
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from opentelemetry import propagate, trace
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import UNREACHABLE, Database, Transaction
from chassis.positions import FIRST_EPOCH
from chassis.schema import DEAD_LETTER, INBOX
from chassis.subjects import LIVE, stream_of, subjects_of

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

_BATCH: Final = 64
_MAX_DELIVERIES: Final = 5
_RETRY_SECONDS: Final = 1.0
_FETCH_SECONDS: Final = 5.0
"""How long one request for events waits; a restart of NATS forgets the request."""
_REPLAY_SECONDS: Final = 1.0
_AWAY: Final = (NatsError, OSError, *UNREACHABLE)
"""What no event is to blame for: it is handled once the other side is back."""


@dataclass(frozen=True, slots=True)
class Received:
    """An event as it arrived."""

    id: str
    type: str
    subject: str
    time: datetime
    position: int
    """Its number in its stream."""
    body: bytes
    epoch: int = FIRST_EPOCH.number
    """The epoch of the stream it was written in."""
    epoch_start: int = FIRST_EPOCH.first
    """The first number of that epoch."""


EPOCH_BEGAN: Final = "creavio.EpochBegan"
"""The type of the marker that begins an epoch (`chassis.epoch`); it tells nothing else."""


class EventError(Exception):
    """A message on the bus is not an event of the contract."""


def received(message: Msg) -> Received:
    """Read an event from NATS (CloudEvents 1.0, binary mode).

    Works for what a durable delivers, what a stream keeps and what it
    republishes. Raises `EventError` when a header is missing, or is not what it should be.
    """
    headers = message.headers or {}
    position = headers.get("Nats-Sequence")
    try:
        return Received(
            id=headers["ce-id"],
            type=headers["ce-type"],
            subject=headers.get("Nats-Subject", message.subject).removeprefix(LIVE),
            time=_moment(headers["ce-time"]),
            position=int(position) if position else message.metadata.sequence.stream,
            body=message.data,
            epoch=int(headers.get("ce-epoch", FIRST_EPOCH.number)),
            epoch_start=int(headers.get("ce-epochstart", FIRST_EPOCH.first)),
        )
    except (KeyError, ValueError, NatsError) as error:
        raise EventError(f"{message.subject}: {error!r}") from error


def _moment(text: str) -> datetime:
    """RFC 3339: a time says from where it counts its hours."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset")
    return moment


_KEPT: Final = sa.text("interval '14 days'")
"""Twice as long as a stream keeps an event, so that none comes again."""


async def forget_old(transaction: Transaction) -> None:
    """Drop the marks of events that cannot come again."""
    old = INBOX.c.create_time < sa.func.now() - _KEPT
    await transaction.execute(sa.delete(INBOX).where(old))


_MARKED: Final = (
    sa.select(DEAD_LETTER).where(DEAD_LETTER.c.replay).order_by(DEAD_LETTER.c.create_time).limit(1)
)


class EventHandler(Protocol):
    """What a service does about events of others."""

    async def handle(self, transaction: Transaction, event: Message) -> None:
        """Take effect, inside the transaction that records the event as handled."""


class Consumer:
    """Reads one durable of one stream and hands its events to a handler.

    The durable may vanish for a moment: whoever keeps the streams makes it anew
    where the log was cut (`local.streams`).
    """

    def __init__(
        self,
        service: str,
        producer: str,
        contract: Contract,
        database: Database,
        bus: Bus,
        telemetry: Telemetry,
        handler: EventHandler,
    ) -> None:
        self._service = service
        self._stream = stream_of(producer)
        self._subjects = subjects_of(producer)
        self._events = contract.events
        self._database = database
        self._bus = bus
        self._telemetry = telemetry
        self._log = telemetry.log
        self._handler = handler

    async def run(self) -> None:
        """Consume and replay, for as long as the service lives."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._consume())
            group.create_task(self._replay())

    async def _consume(self) -> None:
        while True:
            try:
                subscription = await self._bus.jetstream.pull_subscribe_bind(
                    durable=self._service,
                    stream=self._stream,
                    inbox_prefix=f"_INBOX_{self._service}.".encode(),
                )
                try:
                    while True:
                        await self._handle_all(await _fetch(subscription))
                finally:
                    with suppress(*_AWAY):
                        await subscription.unsubscribe()
            except _AWAY as error:
                self._log.warning("events wait to be consumed", error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)

    async def _handle_all(self, messages: Sequence[Msg]) -> None:
        for index, message in enumerate(messages):
            try:
                await self._handle(message)
            except _AWAY:
                for unhandled in messages[index:]:
                    await unhandled.nak()  # else they come again half a minute later
                raise
            except Exception as error:
                self._log.exception("event not handled", subject=message.subject)
                if message.metadata.num_delivered >= _MAX_DELIVERIES:
                    await self._set_aside(message, error)
                    await message.term()
                else:
                    await message.nak(delay=_RETRY_SECONDS)
            else:
                await message.ack()

    async def _handle(self, message: Msg) -> None:
        event = received(message)
        headers = message.headers or {}
        with self._span(event.id, event.type, headers):
            async with self._database.transaction() as transaction:
                await self._take(transaction, event.id, event.type, event.body)

    def _span(
        self, event_id: str, event_type: str, headers: Mapping[str, str]
    ) -> AbstractContextManager[object]:
        """A span in the trace the event was emitted in; what is emitted within carries it on."""
        return self._telemetry.tracer.start_as_current_span(
            event_type or "event",
            context=propagate.extract(headers),
            kind=trace.SpanKind.CONSUMER,
            attributes={"messaging.system": "nats", "messaging.message.id": event_id},
            record_exception=False,
        )

    async def _take(
        self, transaction: Transaction, event_id: str, event_type: str, body: bytes
    ) -> None:
        """Have an event take effect in a transaction, unless it already did."""
        known = self._events.get(event_type)
        if known is None:
            raise EventError(f"{event_type} is in no contract")
        try:
            event = known.message.FromString(body)
        except DecodeError as error:
            raise EventError(f"{event_type} {event_id} cannot be decoded") from error
        if await transaction.add(insert(INBOX).values(event_id=event_id).on_conflict_do_nothing()):
            await self._handler.handle(transaction, event)

    async def _set_aside(self, message: Msg, error: Exception) -> None:
        headers = message.headers or {}
        tries = message.metadata.num_delivered
        async with self._database.transaction() as transaction:
            await transaction.execute(
                insert(DEAD_LETTER)
                .values(
                    event_id=headers.get(
                        "ce-id", f"{self._stream}:{message.metadata.sequence.stream}"
                    ),
                    type=headers.get("ce-type", ""),
                    subject=message.subject,
                    body=message.data,
                    headers=dict(headers),
                    error=_said(error),
                    tries=tries,
                )
                .on_conflict_do_update(
                    index_elements=[DEAD_LETTER.c.event_id],
                    set_={
                        "create_time": sa.func.now(),
                        "error": _said(error),
                        "tries": DEAD_LETTER.c.tries + tries,
                    },
                )
            )

    async def _replay(self) -> None:
        """Handle the dead letters somebody marked, as if they had just come."""
        while True:
            await asyncio.sleep(_REPLAY_SECONDS)
            try:
                while await self._replay_one():
                    pass
            except _AWAY as error:
                self._log.warning("dead letters wait to be replayed", error=str(error))

    async def _replay_one(self) -> bool:
        """Replay the first marked letter, if there is one."""
        marked = _MARKED.where(DEAD_LETTER.c.subject.like(f"{self._subjects[:-1]}%"))
        async with self._database.reading() as reading:
            letter = (await reading.execute(marked)).one_or_none()
        if letter is None:
            return False
        this = DEAD_LETTER.c.event_id == letter.event_id
        try:
            with self._span(letter.event_id, letter.type, letter.headers):
                async with self._database.transaction() as transaction:
                    # Waits for another replica that is at it.
                    deleted = await transaction.execute(
                        sa.delete(DEAD_LETTER).where(this).returning(sa.literal(1))
                    )
                    if deleted.one_or_none() is not None:
                        await self._take(transaction, letter.event_id, letter.type, letter.body)
        except _AWAY:
            raise
        except Exception as error:
            self._log.exception("dead letter not handled", subject=letter.subject)
            async with self._database.transaction() as transaction:
                await transaction.execute(
                    sa.update(DEAD_LETTER)
                    .where(this)
                    .values(replay=False, error=_said(error), tries=DEAD_LETTER.c.tries + 1)
                )
        return True


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


async def _fetch(subscription: JetStreamContext.PullSubscription) -> Sequence[Msg]:
    try:
        return await subscription.fetch(_BATCH, timeout=_FETCH_SECONDS)
    except TimeoutError:
        return ()
