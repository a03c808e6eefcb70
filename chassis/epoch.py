"""Noticing that the log lost events, before anything is written to it.

NATS acknowledges before it syncs. A log that lost its end gives the same numbers
out again, and nothing but the ids of the events shows it. The owner of the log is
the one who knows what was in it: the outbox.

When can a log lose something?

- NATS ended without syncing (power loss, a restored copy of its folder). Every
  connection is cut then, and the server that is there afterwards says another
  `server_id`. So on each new connection, before the first event is published, the
  event at the highest recorded position is compared with the outbox's. Events
  that were on their way when the server went have no position: if there are any
  under another server, they may have been logged, read by somebody, and lost, and
  that counts as a cut, because nobody can know better. It costs little: readers
  look again at what follows the last recorded position.
- A stream was deleted, or the store emptied, and the stream made anew: then it
  says another time of creation. That can happen while we stay connected, which is
  why the same look is taken every ten seconds.
- In a cluster, a leader may lose what it had acknowledged without our server being
  restarted. Of recorded events the look every ten seconds finds that; events that
  had no position yet are not distinguished there from those that were never sent.

When something was lost, the epoch is raised in one transaction: its first number
follows the last event that is proved to be there, and the outbox rows from there
on lose their position, so that the sweeper publishes them again. Every event says
its epoch, and the first thing in the log of a new one is a marker that says it,
so that readers learn of it when there is nothing to publish again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

import sqlalchemy as sa

from chassis import ids
from chassis.bus import Bus
from chassis.database import Database
from chassis.events import EPOCH_BEGAN
from chassis.history import History
from chassis.positions import Epoch, number_of
from chassis.schema import EPOCH
from chassis.subjects import epoch_subject, stream_of

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

_REMEMBERED: Final = 16
"""Epochs whose late recordings are still looked for."""
_NEWEST: Final = sa.select(EPOCH).order_by(EPOCH.c.number.desc()).limit(1)
_LOCK: Final = sa.text("SELECT pg_advisory_xact_lock(hashtext('creavio epoch'))")
_GONE: Final = f"""
    FROM (
        SELECT number, min(first) OVER (
            ORDER BY number ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
        ) AS cut
        FROM epoch ORDER BY number DESC LIMIT {_REMEMBERED}
    ) AS past
    WHERE past.cut IS NOT NULL
    AND outbox.position >= (past.number << 40) + past.cut
    AND outbox.position < (past.number + 1) << 40
    """  # noqa: S608  # a number of ours
"""Which rows were recorded in a part of the log that is gone."""
_HEAL: Final = sa.text(f"UPDATE outbox SET position = NULL {_GONE}")  # noqa: S608  # constants of ours
_HIGHEST: Final = sa.text("SELECT coalesce(max(position), 0) FROM outbox")
_RECORDED: Final = sa.text(
    f"SELECT id, position FROM outbox WHERE position <= :highest AND NOT EXISTS (SELECT {_GONE})"  # noqa: S608  # constants of ours
    " ORDER BY position DESC OFFSET :back LIMIT 1"
)
"""Of the rows that were recorded before the log was looked at: the others lie beyond its end."""
_UNRECORDED: Final = sa.text("SELECT EXISTS (SELECT FROM outbox WHERE position IS NULL)")


@dataclass(frozen=True, slots=True)
class _Log:
    """What the stream is now."""

    made: str
    server: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Known:
    """The newest epoch, and where it was confirmed."""

    epoch: Epoch
    log: str | None
    server: str | None
    highest: int
    """The highest position that was recorded then."""


class EpochKeeper:
    """Looks after the epoch of one service's log."""

    def __init__(self, service: str, database: Database, bus: Bus, telemetry: Telemetry) -> None:
        self._service = service
        self._database = database
        self._bus = bus
        self._history = History(bus, service)
        self._log = telemetry.log
        self._server = ""
        """The server this process confirmed the log on; another process may be on another."""

    async def confirm(self, lost: Callable[[], None]) -> Epoch:
        """The epoch of the log as it is now, raised first where the log lost something.

        `lost` is called before that. Replicas may do this at the same time: one
        raises, the others find it done. Raises when NATS or PostgreSQL is away.
        """
        while True:
            known = await self._known()
            log = await self._look()
            first = await self._first_lost(known, log)
            if first is None:
                break
            lost()
            await self._raise(known, first, log)
        if known.log != log.made or log.server not in (known.server, self._server):
            await self._note(known, log)
        self._server = log.server
        await self._announce(known.epoch)
        return known.epoch

    async def _known(self) -> _Known:
        async with self._database.transaction() as transaction:
            # A replica that recorded late, after the epoch was raised.
            await transaction.execute(_HEAL)
            row = (await transaction.execute(_NEWEST)).one()
            highest = (await transaction.execute(_HIGHEST)).scalar_one()
        return _Known(Epoch(row.number, row.first), row.log, row.server, highest)

    async def _look(self) -> _Log:
        while True:
            server = self._bus.server
            info = await self._bus.jetstream.stream_info(stream_of(self._service))
            if self._bus.server == server:  # else another one answered than was asked
                break
        assert info.created is not None
        state = info.state
        return _Log(info.created.isoformat(), server, state.first_seq, state.last_seq)

    async def _first_lost(self, known: _Known, log: _Log) -> int | None:
        """The first number that is not proved to hold what it held; None when all are."""
        if known.log is not None and log.made != known.log:
            return 1
        back = await self._steps_to_proved(known, log)
        row = await self._recorded(known, back)
        # Below what is kept there is nothing that anybody could read otherwise.
        proved = max(log.first - 1, 0 if row is None else number_of(row[1]))
        restarted = known.server is not None and log.server not in (known.server, self._server)
        if back > 0 or (restarted and await self._unrecorded()):
            return proved + 1
        return None

    async def _steps_to_proved(self, known: _Known, log: _Log) -> int:
        """How many recorded rows, from the newest on, are not where they were recorded."""
        lost, back = -1, 0
        while not await self._stands(known, back, log):
            lost, back = back, back * 2 + 1
        while back - lost > 1:
            middle = (back + lost) // 2
            if await self._stands(known, middle, log):
                back = middle
            else:
                lost = middle
        return back

    async def _stands(self, known: _Known, back: int, log: _Log) -> bool:
        row = await self._recorded(known, back)
        if row is None:
            return True
        number = number_of(row[1])
        if number > log.last:
            return False
        if number < log.first:
            return True  # as old as the log forgets
        event = await self._history.at(number)
        return event is not None and event.id == ids.text(ids.Kind.EVENT, row[0])

    async def _recorded(self, known: _Known, back: int) -> tuple[UUID, int] | None:
        of = {"highest": known.highest, "back": back}
        async with self._database.reading() as transaction:
            row = (await transaction.execute(_RECORDED, of)).one_or_none()
        return None if row is None else (row.id, row.position)

    async def _unrecorded(self) -> bool:
        async with self._database.reading() as transaction:
            return bool((await transaction.execute(_UNRECORDED)).scalar_one())

    async def _raise(self, known: _Known, first: int, log: _Log) -> None:
        async with self._database.transaction() as transaction:
            await transaction.execute(_LOCK)
            newest = (await transaction.execute(_NEWEST)).one()
            if newest.number != known.epoch.number:
                return  # another replica was here
            number = known.epoch.number + 1
            await transaction.execute(
                sa.insert(EPOCH).values(number=number, first=first, log=log.made, server=log.server)
            )
            # What is recorded from `first` on is of an epoch that ended before it.
            await transaction.execute(_HEAL)
        self._log.warning("the log lost events; they go out again", epoch=number, first=first)

    async def _note(self, known: _Known, log: _Log) -> None:
        async with self._database.transaction() as transaction:
            await transaction.execute(
                sa.update(EPOCH)
                .where(EPOCH.c.number == known.epoch.number)
                .values(log=log.made, server=log.server)
            )

    async def _announce(self, epoch: Epoch) -> None:
        """Have the log itself say which epoch it is in."""
        if epoch.number == 0:
            return
        last = await self._history.last()
        if last is not None and last.epoch >= epoch.number:
            return
        headers = {
            "ce-specversion": "1.0",
            "ce-id": ids.text(ids.Kind.EVENT, ids.new()),
            "ce-type": EPOCH_BEGAN,
            "ce-source": f"/creavio/{self._service}",
            "ce-time": datetime.now(UTC).isoformat(),
            "ce-epoch": str(epoch.number),
            "ce-epochstart": str(epoch.first),
        }
        await self._bus.jetstream.publish(
            epoch_subject(self._service), b"", headers=headers, stream=stream_of(self._service)
        )
