"""Events out: stored with their cause, published after it, lost never.

`store` puts the events of a transaction into the outbox table inside that
transaction. The relay publishes what has no position yet to JetStream and
records the position each event got there. It is woken by commits, and looks
every second besides, so that what a crash or an unreachable NATS left behind
goes out. An event may be published twice; its id tells (`Nats-Msg-Id` within
JetStream's window, the consumers' inbox beyond it).
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from google.protobuf.message import Message
from nats.errors import Error as NatsError
import sqlalchemy as sa
from sqlalchemy import Row
from sqlalchemy.exc import SQLAlchemyError

from chassis import ids
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database, Transaction
from chassis.schema import OUTBOX
from chassis.subjects import stream_of, subject_for
from chassis.telemetry import trace_headers

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

_BATCH: Final = 256
_SWEEP_SECONDS: Final = 1.0

_WAITING: Final = (
    sa.select(
        OUTBOX.c.id,
        OUTBOX.c.type,
        OUTBOX.c.subject,
        OUTBOX.c.body,
        OUTBOX.c.headers,
        OUTBOX.c.create_time,
    )
    .where(OUTBOX.c.position.is_(None))
    .order_by(OUTBOX.c.id)
    .limit(_BATCH)
    # Another replica's relay takes the rows that are left.
    .with_for_update(skip_locked=True)
)
_PUBLISHED: Final = sa.text(
    """
    UPDATE outbox SET position = published.position
    FROM unnest(CAST(:ids AS uuid[]), CAST(:positions AS bigint[])) AS published (id, position)
    WHERE outbox.id = published.id
    """
)


_KEPT: Final = sa.text("interval '7 days'")
"""As long as JetStream keeps them."""


async def forget_old(transaction: Transaction) -> None:
    """Drop the events that were published long ago."""
    old = OUTBOX.c.create_time < sa.func.now() - _KEPT
    await transaction.execute(sa.delete(OUTBOX).where(old, OUTBOX.c.position.is_not(None)))


class Outbox:
    """The outbox of one service, and the relay that empties it."""

    def __init__(
        self,
        service: str,
        contract: Contract,
        database: Database,
        bus: Bus,
        telemetry: Telemetry,
    ) -> None:
        self._service = service
        self._events = contract.events
        self._database = database
        self._bus = bus
        self._log = telemetry.log
        self._wake = asyncio.Event()
        database.attach_outbox(self._store, self._wake.set)
        bus.on_reconnect(self._wake.set)

    async def _store(self, transaction: Transaction) -> None:
        headers = trace_headers()
        await transaction.execute(
            sa.insert(OUTBOX), [self._row(body, headers) for body in transaction.events]
        )

    def _row(self, body: Message, headers: dict[str, str]) -> dict[str, object]:
        event = self._events[body.DESCRIPTOR.full_name]
        if event.service != self._service:
            raise RuntimeError(f"{event.type} is {event.service}'s to emit")
        return {
            "id": ids.new(),
            "type": event.type,
            "subject": subject_for(event, body),
            "body": body.SerializeToString(),
            "headers": headers,
        }

    async def run(self) -> None:
        """Publish, for as long as the service lives."""
        pause = _SWEEP_SECONDS
        while True:
            try:
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                while await self._publish_batch() == _BATCH:
                    pass
                pause = _SWEEP_SECONDS
            except (NatsError, SQLAlchemyError, OSError, TimeoutError) as error:
                # The rows stay; they go out when both sides are back.
                self._log.warning("events wait to be published", error=str(error))
                pause = min(pause * 2, 8.0)

    async def _publish_batch(self) -> int:
        async with self._database.transaction() as transaction:
            rows = (await transaction.execute(_WAITING)).all()
            if rows:
                positions = await asyncio.gather(*(self._publish(row) for row in rows))
                await transaction.execute(
                    _PUBLISHED, {"ids": [row.id for row in rows], "positions": positions}
                )
        return len(rows)

    async def _publish(
        self, row: Row[tuple[UUID, str, str, bytes, dict[str, str], datetime]]
    ) -> int:
        event_id = ids.text(ids.Kind.EVENT, row.id)
        headers = {
            **row.headers,
            "Nats-Msg-Id": event_id,
            "content-type": "application/protobuf",
            "ce-specversion": "1.0",
            "ce-id": event_id,
            "ce-type": row.type,
            "ce-source": f"/creavio/{self._service}",
            "ce-time": row.create_time.astimezone(UTC).isoformat(),
        }
        acknowledged = await self._bus.jetstream.publish(
            row.subject, row.body, headers=headers, stream=stream_of(self._service)
        )
        return acknowledged.seq
