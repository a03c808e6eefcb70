"""The group writer: whatever is waiting to be sent is sent with one statement.

While one batch is being committed the next one gathers; there is no timer. How
long a send takes is so one commit and a half, however many send at once, and what
a commit costs is shared by all of them (docs/adr/0022-group-writer.md).

A send is answered once it is committed, and never before. What cannot be kept
fails alone. When PostgreSQL is lost, everybody who waits is told to try again:
what became of a statement in flight is not known, and the nonce tells it to who
asks again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias
from uuid import UUID

from prometheus_client import Gauge, Histogram
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from chassis.database import UNREACHABLE, Database, Transaction
from chassis.errors import Error, Exhausted, Unavailable
from chassis.outbox import Outbox
from chassis.publisher import Entry
from creavio.chat.v1 import message_pb2
from services.chat import convert, events
from services.chat.domain import message as domain
from services.chat.domain.conversation import AccountDeactivated, AccountDeleted, NotReachable
from services.chat.domain.message import Draft
from services.chat.domain.place import Home, PlaceNotFound, TooSoon
from services.chat.domain.thread import ThreadLocked
from services.chat.engine.failures import Failure, failure_of
from services.chat.store import sending

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

MAX_WAITING: Final = 4_096
"""Sends in memory; beyond it, one is refused at once."""
MAX_BATCH: Final = 512
_MAX_BATCH_BYTES: Final = 1 << 20
"""What is encoded at a time: nothing else runs meanwhile."""
_MAX_TRIES: Final = 5
_STATEMENT_SECONDS: Final = 10.0
_FEW: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)

# For this connection alone. The statement is planned once, not each time: that took
# longer than running it. The plan is kept, so a table that is small when it is made is
# read through an index all the same.
_PREPARE: Final = sa.text(
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', false),"
    " set_config('enable_seqscan', 'off', false)"
)
_RESTORE: Final = sa.text("RESET ALL")


_UNREACHED: Final[Mapping[sending.Refused, Callable[[], Error]]] = {
    sending.Refused.BARRED: NotReachable,
    sending.Refused.GONE: AccountDeleted,
    sending.Refused.AWAY: AccountDeactivated,
}

Excused: TypeAlias = Callable[[], Awaitable[bool]]
"""Asks whether slow mode does not concern an author; asked of who would have to wait."""


@dataclass(slots=True, eq=False)
class _Send:
    draft: Draft
    wire: message_pb2.Message
    entry: Entry
    answer: asyncio.Future[message_pb2.Message]
    excused: Excused | None
    """Also asked where only moderators write: they are who does not wait either."""
    repeats: list[_Send] = field(default_factory=list)
    """The same author's sends under the same nonce: answered by what becomes of this one."""

    def refuse(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def accept(self, message: message_pb2.Message) -> None:
        if not self.answer.done():
            self.answer.set_result(message)


class Writer:
    """Keeps the messages that are sent through this process."""

    def __init__(self, database: Database, outbox: Outbox, telemetry: Telemetry) -> None:
        self._database = database
        self._outbox = outbox
        self._log = telemetry.log
        self._waiting: deque[_Send] = deque()
        self._wake = asyncio.Event()
        self._ended = False
        self._asking: set[asyncio.Task[None]] = set()
        self._batches = Histogram(
            "chat_batch_messages",
            "Messages kept by one statement.",
            buckets=_FEW,
            registry=telemetry.registry,
        )
        Gauge(
            "chat_waiting_messages", "Messages waiting to be kept.", registry=telemetry.registry
        ).set_function(lambda: len(self._waiting))

    def submit(
        self, draft: Draft, home: Home, excused: Excused | None = None
    ) -> asyncio.Future[message_pb2.Message]:
        """Have a message kept, after those submitted before; never blocks.

        The future is the message, or the one its author sent before under the same
        nonce, or why it is not kept: `NonceReused`, `PlaceNotFound`,
        `ReplyNotFound`, `TooSoon`, `ThreadLocked`, `NotReachable`, `AccountDeleted`,
        `AccountDeactivated`, `Unavailable`.
        Cancelled before its turn the message is not kept, later it may be.

        Raises `Exhausted` when too many wait, `Unavailable` when the service stops.
        """
        if self._ended:
            raise Unavailable("the service stops; try again")
        if len(self._waiting) >= MAX_WAITING:
            raise Exhausted("too many messages are waiting to be sent", retry_after=1.0)
        wire = convert.draft(draft)
        entry = self._outbox.entry(events.drafted(wire, home))
        send = _Send(draft, wire, entry, asyncio.get_running_loop().create_future(), excused)
        self._waiting.append(send)
        self._wake.set()
        return send.answer

    async def run(self) -> None:
        """Keep what is submitted, for as long as the service lives."""
        try:
            while True:
                await self._wake.wait()
                try:
                    async with self._connection() as tx:
                        while await self._keep(tx, await self._next()):
                            pass
                except UNREACHABLE as error:
                    self._log.warning("messages cannot be kept", error=str(error))
                    self._refuse_waiting()
        finally:
            self._ended = True
            self._refuse_waiting()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Transaction]:
        """A connection of its own: sends do not stand in line with reads."""
        async with self._database.reading() as tx:
            await tx.execute(_PREPARE)
            try:
                yield tx
            finally:
                with suppress(SQLAlchemyError):
                    await tx.execute(_RESTORE)

    async def _next(self) -> list[_Send]:
        """Those whose turn it is, repeats behind the first of their nonce."""
        while not self._waiting:
            self._wake.clear()
            await self._wake.wait()
        batch: list[_Send] = []
        firsts: dict[tuple[UUID, UUID, str], _Send] = {}
        size = 0
        while self._waiting and len(batch) < MAX_BATCH and size < _MAX_BATCH_BYTES:
            send = self._waiting.popleft()
            if send.answer.done():
                continue  # Nobody waits for it any more.
            draft = send.draft
            if draft.nonce:
                name = (draft.place.id, draft.author_id, draft.nonce)
                first = firsts.setdefault(name, send)
                if first is not send:
                    first.repeats.append(send)
                    continue
            size += len(send.entry.body)
            batch.append(send)
        return batch

    async def _keep(self, tx: Transaction, batch: list[_Send]) -> bool:
        """Keep a batch, and answer it; False when the connection was lost.

        What a statement refuses is split in two until what is to blame is alone; the
        order stays.
        """
        groups: list[tuple[list[_Send], int]] = [(batch, 1)] if batch else []
        try:
            while groups:
                group, tries = groups[-1]
                try:
                    outcomes = await self._write(tx, group)
                except Exception as error:  # judged, and never lost
                    failure = failure_of(error)
                    if failure is Failure.LOST:
                        self._log.warning("messages cannot be kept", error=str(error))
                        return False
                    groups.pop()
                    if failure is Failure.PASSING and tries < _MAX_TRIES:
                        groups.append((group, tries + 1))
                    elif len(group) > 1:
                        half = len(group) // 2
                        groups += ((group[half:], 1), (group[:half], 1))
                    else:
                        self._refuse(group[0], _why(failure, error))
                else:
                    self._answer(group, outcomes)
                    groups.pop()
        finally:
            for group, _ in groups:
                _refuse_all(group)
        return True

    async def _write(self, tx: Transaction, group: Sequence[_Send]) -> list[sending.Outcome]:
        acknowledged = self._outbox.take_acknowledged(MAX_BATCH)
        try:
            async with asyncio.timeout(_STATEMENT_SECONDS):
                return await sending.send(
                    tx,
                    [send.draft for send in group],
                    [send.entry for send in group],
                    acknowledged,
                )
        except BaseException:
            self._outbox.give_back(*acknowledged)
            raise

    def _answer(self, group: Sequence[_Send], outcomes: Sequence[sending.Outcome]) -> None:
        self._batches.observe(len(group))
        told = []
        for send, outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, int):
                send.wire.sequence = send.wire.revision = outcome
                send.accept(send.wire)
                _answer_alike(send.repeats, _as_sent(send.draft, outcome), send.wire)
                whole = send.entry.body + events.numbered(outcome)
                told.append(replace(send.entry, body=whole))
            elif outcome is None:
                _refuse_all([send], PlaceNotFound())
            elif isinstance(outcome, sending.Unanswerable):
                self._refuse(send, domain.ReplyNotFound())
            elif isinstance(outcome, sending.Early):
                self._hold(send, TooSoon(outcome.seconds))
            elif outcome is sending.Refused.FROZEN:
                self._hold(send, ThreadLocked())
            elif isinstance(outcome, sending.Refused):
                self._refuse(send, _UNREACHED[outcome]())
            else:
                # What it answers is what is answered now: `same` says so.
                answered = send.draft.reply_to
                before = convert.message(outcome.message, outcome.reacted, answered)
                _answer_alike([send, *send.repeats], outcome.message, before)
        self._outbox.publish(told)

    def _hold(self, send: _Send, error: TooSoon | ThreadLocked) -> None:
        """Refuse a send that its author has to be excused for, unless they are: then it is sent."""
        self._waiting.extendleft(reversed(send.repeats))
        send.repeats.clear()
        asking = asyncio.create_task(self._ask(send, error))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        self._wake.set()

    async def _ask(self, send: _Send, error: TooSoon | ThreadLocked) -> None:
        try:
            excused = send.excused is not None and await send.excused()
        except Exception as failure:  # told to who waits for it
            send.refuse(failure)
            return
        if not excused:
            send.refuse(error)
        elif self._ended:
            _refuse_all([send])
        else:
            send.draft = replace(send.draft, paced=False)
            self._waiting.append(send)
            self._wake.set()

    def _refuse(self, send: _Send, error: Exception) -> None:
        send.refuse(error)
        # The nonce was not used: the next who uses it is the first.
        self._waiting.extendleft(reversed(send.repeats))
        self._wake.set()

    def _refuse_waiting(self) -> None:
        _refuse_all(list(self._waiting))
        self._waiting.clear()
        self._wake.clear()


def _why(failure: Failure, error: Exception) -> Exception:
    if failure is Failure.PASSING:
        return Unavailable("too many change the same at once; try again")
    return error


def _as_sent(draft: Draft, number: int) -> domain.Message:
    return domain.Message(
        draft.id,
        draft.place,
        draft.author_id,
        draft.content,
        draft.nonce,
        sequence=number,
        revision=number,
        create_time=draft.create_time,
        fingerprint=draft.fingerprint,
        reply_to=None if draft.reply_to is None else draft.reply_to.message_id,
        poll=draft.poll,
        forward=draft.forward,
    )


def _answer_alike(
    sends: Sequence[_Send], message: domain.Message, wire: message_pb2.Message
) -> None:
    """Answer those who sent a message that is there already."""
    for send in sends:
        try:
            domain.same(message, send.draft)
        except domain.NonceReused as error:
            send.refuse(error)
        else:
            send.accept(wire)


def _refuse_all(sends: Sequence[_Send], error: Error | None = None) -> None:
    for send in sends:
        for one in (send, *send.repeats):
            one.refuse(error or Unavailable("the database cannot be reached; try again"))
