"""Following what a service emits, live and without a gap.

A feed listens to the live subject the service's stream republishes. Live
messages can be lost (a reconnect, a burst), so a feed knows its position, fills
every gap from the stream before it goes on, and looks once a second whether the
stream is ahead of it: a lost last event of a quiet day is found too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
import time
from typing import TYPE_CHECKING, Final

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from chassis.bus import Bus
from chassis.errors import Error
from chassis.events import EventError, Received, received
from chassis.history import History
from chassis.positions import START, Position
from chassis.subjects import LIVE, subjects_of

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

_CHECK_SECONDS: Final = 1.0
_BATCH: Final = 256


class Feed:
    """One service's events, each handed on once, in the stream's order.

    `turn` is held while an event is handed on, and its position moves with it.
    `broken` is told when the log is not the one that was followed: it was cut or
    made anew, and what was in between cannot be known.
    """

    def __init__(
        self,
        service: str,
        bus: Bus,
        turn: asyncio.Lock,
        handle: Callable[[Received], Awaitable[None]],
        broken: Callable[[str], None],
        telemetry: Telemetry,
    ) -> None:
        self._service = service
        self._bus = bus
        self._history = History(bus, service)
        self._turn = turn
        self._handle = handle
        self._broken = broken
        self._log = telemetry.log
        self._live: asyncio.Queue[Msg] = asyncio.Queue()
        self._checked_at = 0.0
        self._interruptions = self._looked_after = 0
        bus.on_disconnect(self._interrupted)
        self.position = START
        """The last event that was handed on."""
        self.started = asyncio.Event()
        """Set once the feed follows."""

    async def run(self) -> None:
        """Follow, for as long as the service lives."""
        await self._bus.follow(LIVE + subjects_of(self._service), self._live.put)
        while True:
            try:
                await self._step()
            except (NatsError, Error, OSError) as error:
                self._log.warning("feed waits", feed=self._service, error=str(error))
                await asyncio.sleep(_CHECK_SECONDS)

    async def since(self, since: Position, limit: int) -> list[Received] | None:
        """The events after a position, up to this feed's own; call it holding the turn.

        None when they are more than `limit`, not kept any more, or the position
        is one of another log.
        """
        here = self.position
        if since == here:
            return []
        if not 0 < here.number - since.number <= limit or not await self._is_ours(since):
            return None
        events: list[Received] = []
        while not events or events[-1].position < here.number:
            batch = await self._history.after(
                events[-1].position if events else since.number, _BATCH
            )
            if not batch:
                break
            events += batch
        if events and since == START and events[0].position != START.number + 1:
            return None
        return [event for event in events if event.position <= here.number]

    async def _is_ours(self, position: Position) -> bool:
        if position == START:
            return True
        kept = await self._history.at(position.number)
        return kept is not None and kept.id == position.event_id

    async def _step(self) -> None:
        if not self.started.is_set():
            self.position = await self._history.last()
            self.started.set()
        if self._doubtful or time.monotonic() - self._checked_at > _CHECK_SECONDS:
            await self._check()
            self._checked_at = time.monotonic()
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                message = await self._live.get()
        except TimeoutError:
            return
        if self._doubtful:
            return  # Looked into first; what this message said is found in the log then.
        try:
            event = received(message)
        except EventError as error:
            self._log.warning("not an event", error=str(error))
            return
        if event.position > self.position.number + 1:
            await self._catch_up(event.position - 1)
        if event.position > self.position.number:
            await self._take(event)

    def _interrupted(self) -> None:
        self._interruptions += 1

    @property
    def _doubtful(self) -> bool:
        """Whether NATS was away since the last look: it may be back without the log's end."""
        return self._interruptions != self._looked_after

    async def _check(self) -> None:
        interruptions, doubtful = self._interruptions, self._doubtful
        last, here = await self._history.last(), self.position
        # A log that was cut and has grown further looks like any other.
        lost = doubtful and not await self._is_ours(here)
        if lost or last.number < here.number or (last.number == here.number and last != here):
            self.position = last
            self._broken(f"the log of {self._service} was cut at {last.number}")
        elif last.number > here.number:
            await self._catch_up(last.number)
        self._looked_after = interruptions

    async def _catch_up(self, number: int) -> None:
        while self.position.number < number:
            events = await self._history.after(self.position.number, _BATCH)
            if not events:
                return
            for event in events:
                await self._take(event)

    async def _take(self, event: Received) -> None:
        async with self._turn:
            await self._handle(event)
            self.position = Position(event.position, event.id)
