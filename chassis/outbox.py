"""Events out: stored with their cause, published after it, lost never.

The events of a transaction are rows of the outbox table, inserted in it. After the
commit they are published from memory at once (`chassis.publisher`), and where
JetStream put them is recorded in batches. A sweeper publishes from the table what
has no position after two seconds: what a crash, a full memory or an unreachable
NATS left behind. Before anything is published on a new connection, the log is
looked at, and written anew where it lost something (`chassis.epoch`).

An event may be published twice; its id tells (`Nats-Msg-Id` within JetStream's
window, the consumers' inbox beyond it).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
import json
import time
from typing import TYPE_CHECKING, Final
from uuid import UUID

from google.protobuf.message import Message
from nats.errors import Error as NatsError
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from chassis import ids
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database, Transaction
from chassis.epoch import EpochKeeper
from chassis.errors import Error
from chassis.publisher import Entry, Publisher
from chassis.schema import OUTBOX
from chassis.subjects import subject_for
from chassis.telemetry import trace_headers

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

_RECORD_SECONDS: Final = 0.1
_RECORDED_AT_ONCE: Final = 1_024
_MAX_UNRECORDED: Final = 65_536
"""Positions in memory; beyond it they are forgotten, and the events published once more."""
_SWEEP_SECONDS: Final = 1.0
_SWEPT_AT_ONCE: Final = 512
_ANSWER_SECONDS: Final = 2.0
_CHECK_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 1.0
_MAX_POSTPONED: Final = 1_000
_FIRST_PAUSE: Final = 2.0
_LONGEST_PAUSE: Final = 60.0
_AWAY: Final = (NatsError, SQLAlchemyError, OSError, TimeoutError, Error)
"""What passes: both sides come back."""

_NOTHING: Final = UUID(int=0)
_SWEEPING: Final = sa.text("SELECT pg_try_advisory_xact_lock(hashtext('creavio outbox sweep'))")
_WAITING: Final = sa.text(
    f"""
    SELECT id, type, subject, body, headers, create_time FROM outbox
    WHERE position IS NULL AND id > :after AND id <> ALL (CAST(:postponed AS uuid[]))
    -- A time to come is of a clock that is wrong: no reason to wait for it.
    AND NOT (create_time BETWEEN now() - CAST(:age AS interval) AND now() + interval '2 s')
    ORDER BY id LIMIT {_SWEPT_AT_ONCE}
    """  # noqa: S608  # a number of ours
).columns(*(OUTBOX.c[n] for n in ("id", "type", "subject", "body", "headers", "create_time")))
RECORDING: Final = """
    UPDATE outbox SET position = CAST(
        (SELECT CAST(:published AS jsonb)) ->> CAST(outbox.id AS text) AS bigint
    )
    WHERE outbox.id = ANY (CAST(:published_ids AS uuid[]))
    -- Lets the planner leave out the days that none of them is of.
    AND outbox.id BETWEEN CAST(:first AS uuid) AND CAST(:last AS uuid)
"""
"""Notes positions in the log, by itself or in a larger statement; `recorded` has its parameters.

No join: by a join the days are left out row by row, too, and PostgreSQL 18.4 then takes a part
of its plan for another when it looks again at two rows that others changed meanwhile. It ends
the server's process, and with it every connection (`ExecInitPartitionExecPruning` in
`EvalPlanQual`)."""
RECORD: Final = sa.text(RECORDING)


class Outbox:
    """The outbox of one service: stores its events, and tells them."""

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
        self._publisher = Publisher(service, bus, self._acknowledge, telemetry)
        self._epochs = EpochKeeper(service, database, bus, telemetry)
        self._acknowledged: deque[tuple[UUID, int]] = deque()
        self._reconnected = asyncio.Event()
        self._opened = asyncio.Event()
        self._postponed: dict[UUID, tuple[float, float]] = {}
        database.attach_outbox(self._store, self.publish)
        bus.on_reconnect(self._reconnected.set)

    def entry(self, event: Message, identifier: UUID | None = None) -> Entry:
        """What is to be stored and published for an event, for who stores rows himself.

        Raises KeyError for what is no event, RuntimeError for another service's.
        """
        known = self._events[event.DESCRIPTOR.full_name]
        if known.service != self._service:
            raise RuntimeError(f"{known.type} is {known.service}'s to emit")
        return Entry(
            id=identifier or ids.new(),
            type=known.type,
            subject=subject_for(known, event),
            body=event.SerializeToString(),
            headers=trace_headers(),
            create_time=datetime.now(UTC),
        )

    def publish(self, entries: Sequence[Entry]) -> None:
        """Publish rows that are committed; never blocks or raises.

        What cannot be published now is found by the sweeper.
        """
        self._publisher.publish(entries)

    def take_acknowledged(self, limit: int) -> tuple[list[UUID], list[int]]:
        """Claim positions for recording: ids, and what their rows' `position` becomes.

        They are the caller's to record, or to `give_back`. In the order of ids, in
        which everybody locks rows.
        """
        taken = [self._acknowledged.popleft() for _ in range(min(limit, len(self._acknowledged)))]
        taken.sort()
        return [identifier for identifier, _ in taken], [position for _, position in taken]

    def give_back(self, ids: Sequence[UUID], positions: Sequence[int]) -> None:
        """Return what was claimed and could not be recorded."""
        self._acknowledged.extendleft(reversed(list(zip(ids, positions, strict=True))))

    async def run(self) -> None:
        """Publish, for as long as the service lives."""
        async with asyncio.TaskGroup() as group:
            for work in (self._publisher.run, self._guard, self._record, self._sweep):
                group.create_task(work())

    async def _store(self, transaction: Transaction) -> list[Entry]:
        entries = [self.entry(body) for body in transaction.events]
        await transaction.execute(sa.insert(OUTBOX), [_row(entry) for entry in entries])
        return entries

    def _acknowledge(self, identifier: UUID, position: int) -> None:
        if len(self._acknowledged) < _MAX_UNRECORDED:
            self._acknowledged.append((identifier, position))

    async def _guard(self) -> None:
        """Have the log looked at on every connection before it is written, and now and then."""
        while True:
            self._reconnected.clear()
            pause = _CHECK_SECONDS
            try:
                await self._check()
            except _AWAY as error:
                self._log.warning("the log cannot be looked at", error=str(error))
                pause = _RETRY_SECONDS
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._reconnected.wait()

    async def _check(self) -> None:
        connection = self._bus.connections
        epoch = await self._epochs.confirm(self._publisher.close)
        if self._bus.connections != connection or not self._bus.client.is_connected:
            return  # Lost meanwhile: what was seen says nothing about what is there next.
        was_closed = self._publisher.epoch is None
        self._publisher.open(epoch)
        if was_closed:
            self._opened.set()

    async def _record(self) -> None:
        while True:
            await asyncio.sleep(_RECORD_SECONDS)
            while self._acknowledged:
                taken = self.take_acknowledged(_RECORDED_AT_ONCE)
                try:
                    async with self._database.transaction() as transaction:
                        await transaction.execute(RECORD, recorded(*taken))
                except _AWAY as error:
                    self.give_back(*taken)
                    self._log.warning("positions wait to be recorded", error=str(error))
                    await asyncio.sleep(_RETRY_SECONDS)

    async def _sweep(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_SWEEP_SECONDS):
                    await self._opened.wait()
            # What this process had in memory is gone with the connection: nothing
            # is on its way, so nothing has to be given time.
            age = "0 s" if self._opened.is_set() else "2 s"
            if self._opened.is_set():
                self._postponed.clear()  # Who refused them may take them now.
            self._opened.clear()
            if self._publisher.epoch is None:
                continue
            try:
                after: UUID | None = _NOTHING
                while after is not None:
                    after = await self._sweep_batch(after, age)
            except _AWAY as error:
                self._log.warning("events wait to be published", error=str(error))

    async def _sweep_batch(self, after: UUID, age: str) -> UUID | None:
        """Publish some rows that have no position; the last one's id if there may be more.

        One replica at a time sweeps. The rows are not locked meanwhile: who records
        the position of one must not wait for NATS to answer about another.
        """
        async with self._database.transaction() as transaction:
            if not (await transaction.execute(_SWEEPING)).scalar_one():
                return None
            found = await transaction.execute(
                _WAITING, {"after": after, "age": age, "postponed": self._not_yet()}
            )
            entries = [
                Entry(r.id, r.type, r.subject, r.body, r.headers, r.create_time) for r in found
            ]
            answers = await self._publisher.publish_and_wait(entries, _ANSWER_SECONDS)
            kept = [(e.id, a) for e, a in zip(entries, answers, strict=True) if isinstance(a, int)]
            if kept:
                identifiers, positions = zip(*kept, strict=True)
                await transaction.execute(RECORD, recorded(identifiers, positions))
        if self._publisher.epoch is None:
            return None  # The connection was lost: no event is to blame.
        for entry, answer in zip(entries, answers, strict=True):
            if isinstance(answer, int):
                self._postponed.pop(entry.id, None)
            else:
                self._postpone(entry.id)
        return entries[-1].id if len(entries) == _SWEPT_AT_ONCE else None

    def _postpone(self, identifier: UUID) -> None:
        """Try an event that failed again later, and each time later than the time before."""
        if len(self._postponed) >= _MAX_POSTPONED:
            self._postponed.clear()
        _, before = self._postponed.get(identifier, (0.0, _FIRST_PAUSE / 2))
        pause = min(before * 2, _LONGEST_PAUSE)
        self._postponed[identifier] = (time.monotonic() + pause, pause)

    def _not_yet(self) -> list[UUID]:
        now = time.monotonic()
        return [identifier for identifier, (until, _) in self._postponed.items() if until > now]


def recorded(ids: Sequence[UUID], positions: Sequence[int]) -> dict[str, object]:
    """The parameters of `RECORDING`."""
    return {
        "published": json.dumps(dict(zip(map(str, ids), positions, strict=True))),
        "published_ids": list(ids),
        "first": min(ids, default=None),
        "last": max(ids, default=None),
    }


def _row(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.id,
        "type": entry.type,
        "subject": entry.subject,
        "body": entry.body,
        "headers": entry.headers,
        "create_time": entry.create_time,
    }
