"""Events in: each takes effect once, whatever crashes on the way.

A consumer reads its durable from JetStream. An event's id is recorded in the
transaction of its effect, so an event that comes again changes nothing; it is
acknowledged after the commit. One that cannot be handled after several tries is
set aside in `dead_letter`, so that it blocks nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from google.protobuf.message import DecodeError, Message
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import UNREACHABLE, Database, Transaction
from chassis.schema import DEAD_LETTER, INBOX
from chassis.subjects import LIVE, stream_of

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

_BATCH: Final = 64
_MAX_DELIVERIES: Final = 5
_RETRY_SECONDS: Final = 1.0
_FETCH_SECONDS: Final = 5.0
"""How long one request for events waits; a restart of NATS forgets the request."""
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


class EventError(Exception):
    """A message on the bus is not an event of the contract."""


def received(message: Msg) -> Received:
    """Read an event from NATS (CloudEvents 1.0, binary mode).

    Works for what a durable delivers, what a stream keeps and what it
    republishes. Raises `EventError` when a header is missing.
    """
    headers = message.headers or {}
    position = headers.get("Nats-Sequence")
    try:
        return Received(
            id=headers["ce-id"],
            type=headers["ce-type"],
            subject=headers.get("Nats-Subject", message.subject).removeprefix(LIVE),
            time=datetime.fromisoformat(headers["ce-time"]),
            position=int(position) if position else message.metadata.sequence.stream,
            body=message.data,
        )
    except (KeyError, ValueError, NatsError) as error:
        raise EventError(f"{message.subject}: {error!r}") from error


_KEPT: Final = sa.text("interval '14 days'")
"""Twice as long as a stream keeps an event, so that none comes again."""


async def forget_old(transaction: Transaction) -> None:
    """Drop the marks of events that cannot come again."""
    old = INBOX.c.create_time < sa.func.now() - _KEPT
    await transaction.execute(sa.delete(INBOX).where(old))


class EventHandler(Protocol):
    """What a service does about events of others."""

    async def handle(self, transaction: Transaction, event: Message) -> None:
        """Take effect, inside the transaction that records the event as handled."""


class Consumer:
    """Reads one durable of one stream and hands its events to a handler."""

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
        self._events = contract.events
        self._database = database
        self._bus = bus
        self._log = telemetry.log
        self._handler = handler

    async def run(self) -> None:
        """Consume, for as long as the service lives."""
        while True:
            try:
                subscription = await self._bus.jetstream.pull_subscribe_bind(
                    durable=self._service,
                    stream=self._stream,
                    inbox_prefix=f"_INBOX_{self._service}.".encode(),
                )
                while True:
                    await self._handle_all(await _fetch(subscription))
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
        known = self._events.get(event.type)
        if known is None:
            raise EventError(f"{event.type} is in no contract")
        try:
            body = known.message.FromString(event.body)
        except DecodeError as error:
            raise EventError(f"{event.type} {event.id} cannot be decoded") from error
        async with self._database.transaction() as transaction:
            if await transaction.add(
                insert(INBOX).values(event_id=event.id).on_conflict_do_nothing()
            ):
                await self._handler.handle(transaction, body)

    async def _set_aside(self, message: Msg, error: Exception) -> None:
        headers = message.headers or {}
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
                    error=f"{type(error).__name__}: {error}",
                )
                .on_conflict_do_update(
                    index_elements=[DEAD_LETTER.c.event_id], set_={"create_time": sa.func.now()}
                )
            )


async def _fetch(subscription: object) -> Sequence[Msg]:
    from nats.js.client import JetStreamContext

    assert isinstance(subscription, JetStreamContext.PullSubscription)
    try:
        return await subscription.fetch(_BATCH, timeout=_FETCH_SECONDS)
    except TimeoutError:
        return ()
