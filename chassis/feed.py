"""Following what a service emits, live and without a gap.

A feed listens to the live subject the service's stream republishes. Live
messages can be lost (a reconnect, a burst), so a feed knows its position, fills
every gap from the stream before it goes on, and looks once a second whether the
stream is ahead of it: a lost last event of a quiet day is found too.

A log that lost its end is another log from there on. Its owner says so by a higher
epoch (`chassis.epoch`); the feed goes back to where the two logs part and reads
on, so that what took the place of the lost is told. Between the loss and the
owner's word the log holds nothing new that could be trusted: the feed waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
import time
from typing import TYPE_CHECKING, Final

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from chassis.bus import Bus
from chassis.errors import Error
from chassis.events import EPOCH_BEGAN, EventError, Received, received
from chassis.history import History
from chassis.positions import FIRST_EPOCH, START, Epoch, Position, common_end
from chassis.subjects import LIVE, subjects_of

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

_CHECK_SECONDS: Final = 1.0
_BATCH: Final = 256
_MAX_LIVE: Final = 8_192
"""Live messages in memory; what is beyond is read from the stream."""
_TURN: Final = 64
"""Events handed on before others get a turn on the event loop."""
_REMEMBERED: Final = 4_096
_PATIENCE_SECONDS: Final = 30.0
"""How long a log may grow that is not ours before its owner must have said so."""


class Feed:
    """One service's events, each handed on in the stream's order.

    `handle` is awaited for one event after another; the position moves with its
    return. An event is handed on once; after an epoch began, those older than the
    last 4,096 may be handed on again. `broken` is told when events were missed and
    cannot be found any more.
    """

    def __init__(
        self,
        service: str,
        bus: Bus,
        handle: Callable[[Received], Awaitable[None]],
        broken: Callable[[str], None],
        telemetry: Telemetry,
    ) -> None:
        self._service = service
        self._bus = bus
        self._history = History(bus, service)
        self._handle = handle
        self._broken = broken
        self._log = telemetry.log
        self._live: asyncio.Queue[Msg] = asyncio.Queue(_MAX_LIVE)
        self._at_once = 0
        self._checked_at = 0.0
        self._interruptions = self._looked_after = 0
        bus.on_disconnect(self._interrupted)
        self._epoch = FIRST_EPOCH
        self._handed_on: deque[str] = deque(maxlen=_REMEMBERED)
        self._known: set[str] = set()
        self._lost_at: int | None = None
        """How far the log went when it was found to be another; None when it is ours."""
        self._grown_at: float | None = None
        self.position = START
        """The last event that was handed on."""
        self.started = asyncio.Event()
        """Set once the feed follows."""

    async def run(self) -> None:
        """Follow, for as long as the service lives."""
        await self._bus.follow(LIVE + subjects_of(self._service), self._heard)
        while True:
            try:
                await self._step()
            except (NatsError, Error, OSError) as error:
                self._log.warning("feed waits", feed=self._service, error=str(error))
                await asyncio.sleep(_CHECK_SECONDS)

    async def since(self, since: Position, until: Position, limit: int) -> list[Received] | None:
        """The events after one position, up to another that this feed had.

        Delivery goes on meanwhile. After an epoch began, events are among them that
        were read before under another number. Empty when `since` is further than
        `until`: another replica told it. None when they are more than `limit`, not
        kept any more, or the position is one of another log.
        """
        if since == until:
            return []
        if (since.epoch, since.number) > (until.epoch, until.number):
            return [] if await self._is_ours(since) else None
        start = since.number
        if since.epoch < until.epoch:
            if until.epoch != self._epoch.number:
                return None
            end = await common_end(self._history.at, since.epoch, self._epoch)
            if end is None:
                return None
            start = min(start, end)
        if until.number - start > limit:
            return None
        if start == since.number and not await self._is_ours(since):
            return None
        return await self._between(start, until)

    async def _between(self, start: int, until: Position) -> list[Received] | None:
        events: list[Received] = []
        at = start
        while at < until.number:
            batch = await self._history.after(at, min(_BATCH, until.number - at))
            if not batch:
                return None
            events += batch
            at = batch[-1].position
        if events and (events[0].position, events[-1].id) != (start + 1, until.event_id):
            return None
        return [event for event in events if event.type != EPOCH_BEGAN]

    async def _is_ours(self, position: Position) -> bool:
        if position.number == 0:
            return True
        kept = await self._history.at(position.number)
        return kept is not None and kept.id == position.event_id

    async def _heard(self, message: Msg) -> None:
        # One without headers is said at once by who keeps a revision; its event follows.
        if message.headers and not self._live.full():
            self._live.put_nowait(message)

    async def _step(self) -> None:
        if not self.started.is_set():
            await self._begin()
        if self._doubtful or time.monotonic() - self._checked_at > _CHECK_SECONDS:
            self._checked_at = time.monotonic()
            await self._check()
        message = await self._next()
        if message is None:
            return
        if self._doubtful:
            return  # Looked into first; what this message said is found in the log then.
        try:
            event = received(message)
        except EventError as error:
            self._log.warning("not an event", error=str(error))
            return
        if event.epoch > self._epoch.number:
            await self._turn(event)
        if self._lost_at is not None:
            return
        if event.position > self.position.number + 1:
            await self._catch_up(event.position - 1)
        if event.position > self.position.number:
            await self._take(event)

    async def _next(self) -> Msg | None:
        """The next live message; None when there was none for a while."""
        if self._live.empty():
            self._at_once = 0
            try:
                async with asyncio.timeout(_CHECK_SECONDS):
                    return await self._live.get()
            except TimeoutError:
                return None
        self._at_once += 1
        if self._at_once % _TURN == 0:
            await asyncio.sleep(0)
        return self._live.get_nowait()

    async def _begin(self) -> None:
        last = await self._history.last()
        if last is not None:
            self._epoch = Epoch(last.epoch, last.epoch_start)
            self.position = Position(last.epoch, last.position, last.id)
        self.started.set()

    def _interrupted(self) -> None:
        self._interruptions += 1

    @property
    def _doubtful(self) -> bool:
        """Whether NATS was away since the last look: it may be back without the log's end."""
        return self._interruptions != self._looked_after

    async def _check(self) -> None:
        interruptions = self._interruptions
        last = await self._history.last()
        if last is not None and last.epoch > self._epoch.number:
            await self._turn(last)
        if await self._stands(last):
            self._lost_at = self._grown_at = None
            if last is not None and last.position > self.position.number:
                await self._catch_up(last.position)
        else:
            self._wait(last)
        self._looked_after = interruptions

    async def _stands(self, last: Received | None) -> bool:
        """Whether the log still holds, at this feed's position, what it held."""
        here = self.position
        if here.number == 0:
            return True
        if last is None or last.position < here.number:
            # Events grow old and go; their numbers stay given.
            return last is None and await self._history.end() >= here.number
        if last.position == here.number:
            return last.id == here.event_id
        if not self._doubtful and self._lost_at is None:
            return True
        # A log that was cut and has grown further looks like any other.
        kept = await self._history.after(here.number - 1, 1)
        return bool(kept) and (kept[0].position > here.number or kept[0].id == here.event_id)

    def _wait(self, last: Received | None) -> None:
        """Tell nothing until the owner has said from where the log is another."""
        end = 0 if last is None else last.position
        now = time.monotonic()
        if self._lost_at is None:
            self._lost_at = end
            self._log.warning("the log was cut; waiting for its owner", feed=self._service, at=end)
        elif end > self._lost_at:
            self._grown_at = self._grown_at or now
            if last is not None and now - self._grown_at > _PATIENCE_SECONDS:
                self._give_up(last, f"the log of {self._service} was cut and goes on as another")

    def _give_up(self, last: Received, detail: str) -> None:
        self.position = Position(self._epoch.number, last.position, last.id)
        self._lost_at = self._grown_at = None
        self._broken(detail)

    async def _turn(self, event: Received) -> None:
        """Go over to the epoch an event is of, back to where the logs part."""
        now = Epoch(event.epoch, event.epoch_start)
        here = self.position
        end: int | None = 0
        if here.number:
            end = await common_end(self._history.at, self._epoch.number, now)
        back = await self._history.at(end) if end else None
        self._log.info("an epoch began", feed=self._service, epoch=now.number, first=now.first)
        self._epoch = now
        self._lost_at = self._grown_at = None
        self._checked_at = 0.0  # what follows is read at the next look
        if end is None:
            self._give_up(event, f"it is not kept where epoch {now.number} of the log parted")
        elif end < here.number:
            self.position = Position(now.number, end, back.id if back else "")
        else:
            self.position = replace(here, epoch=now.number)

    async def _catch_up(self, number: int) -> None:
        while self.position.number < number:
            events = await self._history.after(self.position.number, _BATCH)
            if not events:
                return
            if self.position.number and events[0].position != self.position.number + 1:
                self._broken(f"events of {self._service} are not kept any more")
            for event in events:
                if event.epoch > self._epoch.number:
                    await self._turn(event)
                    return
                await self._take(event)

    async def _take(self, event: Received) -> None:
        if event.type != EPOCH_BEGAN and (not event.id or event.id not in self._known):
            await self._handle(event)
            self._remember(event.id)
        self.position = Position(self._epoch.number, event.position, event.id)

    def _remember(self, event_id: str) -> None:
        if len(self._handed_on) == _REMEMBERED:
            self._known.discard(self._handed_on[0])
        self._handed_on.append(event_id)
        self._known.add(event_id)
