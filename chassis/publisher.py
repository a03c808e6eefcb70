"""Telling JetStream, without waiting for it.

Every message carries a reply subject of its own; all answers come in on one
subscription. Published so, a message costs a fraction of what waiting for each
answer costs (docs/adr/0020-publish-after-commit.md). What cannot be published is
forgotten here: it stands in the outbox's table, and the sweeper finds it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import itertools
import json
import secrets
import time
from typing import TYPE_CHECKING, Final
from uuid import UUID

from nats.aio.msg import Msg

from chassis import ids
from chassis.bus import Bus
from chassis.positions import Epoch, packed

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

MAX_PENDING: Final = 8_192
"""Events in memory: to be published, or published and not answered."""
_ANSWER_SECONDS: Final = 5.0
_TURN: Final = 64
"""Messages published before others get a turn on the event loop."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it stands in the outbox and is published."""

    id: UUID
    type: str
    subject: str
    body: bytes
    headers: Mapping[str, str]
    """The W3C trace context it was emitted in."""
    create_time: datetime


class NotPublishedError(Exception):
    """JetStream did not take an event, or did not say so in time."""


@dataclass(frozen=True, slots=True)
class _Sent:
    id: UUID
    epoch: int
    until: float
    waiting: asyncio.Future[int] | None


class Publisher:
    """Publishes what one service emits.

    Closed until `open`, and again when the connection is lost: nobody publishes
    before the log was looked at. `acknowledged` is called with each event's id and
    position (`positions.packed`), in any order.
    """

    def __init__(
        self,
        service: str,
        bus: Bus,
        acknowledged: Callable[[UUID, int], None],
        telemetry: Telemetry,
    ) -> None:
        self._source = f"/creavio/{service}"
        self._bus = bus
        self._acknowledged = acknowledged
        self._log = telemetry.log
        # Replicas share the inbox's prefix: each hears its own answers alone.
        self._inbox = f"_INBOX_{service}.ack.{secrets.token_hex(8)}."
        self._tokens = itertools.count()
        self._queue: deque[tuple[Entry, asyncio.Future[int] | None]] = deque()
        self._sent: dict[int, _Sent] = {}
        self._wake = asyncio.Event()
        self._epoch: Epoch | None = None
        self._common = ""
        """The headers that all events of an epoch have."""
        bus.on_disconnect(self.close)

    @property
    def epoch(self) -> Epoch | None:
        """The epoch events are published in; None while closed."""
        return self._epoch

    @property
    def pending(self) -> int:
        """Events in memory."""
        return len(self._queue) + len(self._sent)

    def open(self, epoch: Epoch) -> None:
        """Publish from now on, in this epoch."""
        self._epoch = epoch
        self._common = (
            "NATS/1.0\r\ncontent-type: application/protobuf\r\nce-specversion: 1.0\r\n"
            f"ce-source: {self._source}\r\n"
            f"ce-epoch: {epoch.number}\r\nce-epochstart: {epoch.first}\r\n"
        )

    def close(self) -> None:
        """Publish nothing, and forget what is in memory: the table has it."""
        self._epoch = None
        waiting = [entry[1] for entry in self._queue] + [s.waiting for s in self._sent.values()]
        self._queue.clear()
        self._sent.clear()
        for future in waiting:
            _fail(future, "the connection was lost")

    def publish(self, entries: Iterable[Entry]) -> None:
        """Publish soon, in this order; never blocks or raises.

        While closed, and beyond `MAX_PENDING`, an event is forgotten.
        """
        if self._epoch is None:
            return
        for entry in entries:
            if self.pending >= MAX_PENDING:
                break
            self._queue.append((entry, None))
        self._wake.set()

    async def publish_and_wait(
        self, entries: Sequence[Entry], seconds: float
    ) -> list[int | Exception]:
        """Publish, and return for each its position or why it has none, after `seconds` at most.

        Memory is the caller's to bound.
        """
        loop = asyncio.get_running_loop()
        futures: list[asyncio.Future[int]] = [loop.create_future() for _ in entries]
        if futures and self._epoch is not None:
            self._queue.extend(zip(entries, futures, strict=True))
            self._wake.set()
            await asyncio.wait(futures, timeout=seconds)
        for future in futures:
            _fail(future, f"no answer within {seconds} s")
        return [future.exception() or future.result() for future in futures]  # type: ignore[misc]  # only Exceptions are set

    async def run(self) -> None:
        """Publish what is given, for as long as the service lives."""
        await self._bus.follow(f"{self._inbox}*", self._answered)
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._forget_unanswered()
            while self._queue:
                for _ in range(min(_TURN, len(self._queue))):
                    await self._publish(*self._queue.popleft())
                await asyncio.sleep(0)

    async def _publish(self, entry: Entry, waiting: asyncio.Future[int] | None) -> None:
        epoch, client = self._epoch, self._bus.client
        # What is given to a client that is not connected is sent when it is again,
        # before anybody could look at the log.
        if epoch is None or not client.is_connected:
            _fail(waiting, "the connection was lost")
            return
        token = next(self._tokens)
        until = time.monotonic() + _ANSWER_SECONDS
        self._sent[token] = _Sent(entry.id, epoch.number, until, waiting)
        try:
            head = self._head(entry)
            await self._bus.send(entry.subject, f"{self._inbox}{token}", head, entry.body)
        except Exception as error:  # whatever is wrong with one event, the others go out
            self._sent.pop(token, None)
            self._log.warning("event not published", id=str(entry.id), error=_said(error))
            _fail(waiting, _said(error))

    def _head(self, entry: Entry) -> bytes:
        """CloudEvents 1.0, binary mode."""
        event_id = ids.text(ids.Kind.EVENT, entry.id)
        trace = "".join(f"{name}: {value}\r\n" for name, value in entry.headers.items())
        if trace.count("\n") != len(entry.headers):
            raise ValueError("a header has more than one line")
        return (
            f"{self._common}Nats-Msg-Id: {event_id}\r\nce-id: {event_id}\r\n"
            f"ce-type: {entry.type}\r\n"
            f"ce-time: {entry.create_time.astimezone(UTC).isoformat()}\r\n{trace}\r\n"
        ).encode()

    async def _answered(self, message: Msg) -> None:
        sent = self._sent.pop(int(message.subject.rpartition(".")[2]), None)
        if sent is None:
            return
        try:
            position = packed(sent.epoch, _number(message))
        except NotPublishedError as error:
            self._log.warning("event not kept", id=str(sent.id), error=str(error))
            _fail(sent.waiting, str(error))
            return
        if sent.waiting is None:
            self._acknowledged(sent.id, position)
        elif not sent.waiting.done():
            sent.waiting.set_result(position)

    def _forget_unanswered(self) -> None:
        now = time.monotonic()
        old = list(itertools.takewhile(lambda item: item[1].until < now, self._sent.items()))
        for token, sent in old:
            del self._sent[token]
            _fail(sent.waiting, "no answer")
        if old:
            self._log.warning("events without an answer", count=len(old))


def _number(answer: Msg) -> int:
    """The number an event got, from JetStream's PubAck."""
    if not answer.data:
        raise NotPublishedError((answer.headers or {}).get("Status", "an empty answer"))
    said = json.loads(answer.data)
    if "error" in said:
        raise NotPublishedError(said["error"].get("description", "refused"))
    return int(said["seq"])


def _fail(waiting: asyncio.Future[int] | None, reason: str) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_exception(NotPublishedError(reason))


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
