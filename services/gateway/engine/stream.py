"""What one reader is still to be told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
import random
from typing import TYPE_CHECKING, Final

from chassis.errors import Error
from services.gateway import convert
from services.gateway.domain import (
    BURST,
    COALESCE_SECONDS,
    HEARTBEAT_SECONDS,
    MAX_QUEUED,
    MAX_QUEUED_BYTES,
    MAX_WRITTEN_BYTES,
    WRITES_PER_SECOND,
    ReadsTooSlowly,
)

if TYPE_CHECKING:
    from services.gateway.engine.community import Person

_HEARTBEAT: Final = convert.heartbeat()
_QUIET: Final = (HEARTBEAT_SECONDS * 0.6, HEARTBEAT_SECONDS * 0.9)
"""Silence after which a heartbeat is due; each stream has its own, so that they do not come
all at once."""


class Stream:
    """Encoded events for one reader, up to a bound; written joined, as fast as it reads.

    `seal` gives the bytes of the resume token of everything told up to now;
    `ended` is told, once, when the stream takes no more, and `closed` at its close.
    """

    __slots__ = (
        "_bytes",
        "_closed",
        "_credit",
        "_ended",
        "_failure",
        "_loop",
        "_queue",
        "_quiet",
        "_seal",
        "_told",
        "_waiter",
        "_written_at",
        "beat_at",
        "person",
    )

    def __init__(
        self,
        person: Person,
        seal: Callable[[Person], bytes],
        ended: Callable[[Stream, Error], None],
        closed: Callable[[Stream], None],
    ) -> None:
        self.person = person
        self._seal = seal
        self._ended = ended
        self._closed = closed
        self._loop = asyncio.get_running_loop()
        self._queue: list[bytes] = []
        self._bytes = 0
        self._waiter: asyncio.Future[None] | None = None
        self._failure: Error | None = None
        self._told = False
        self._credit = BURST
        self._written_at = self._loop.time()
        self._quiet = random.uniform(*_QUIET)  # noqa: S311  # only spreads
        self.beat_at = self._written_at + self._quiet
        """When a heartbeat is due, should nothing be written until then."""

    def push(self, told: bytes) -> None:
        """Queue an encoded event; a reader too far behind is ended instead."""
        if self._failure is not None:
            return
        self._queue.append(told)
        self._bytes += len(told)
        if self._bytes > MAX_QUEUED_BYTES or len(self._queue) > MAX_QUEUED:
            self.end(ReadsTooSlowly())
            return
        if self._waiter is not None:
            self._wake()

    def begin(self, first: Sequence[bytes]) -> None:
        """Have this told before what was queued while it was found out."""
        self._queue[:0] = first
        self._bytes += sum(map(len, first))
        self._wake()

    def beat(self) -> None:
        """Say that the stream lives, unless there is something to say anyway."""
        if not self._queue:
            self.push(_HEARTBEAT)

    def end(self, failure: Error) -> None:
        """End the stream: what is queued is not told any more, but why it ends.

        A reader that does not read is told when it does; nothing is kept for it.
        """
        if self._failure is not None:
            return
        self._failure = failure
        self._queue.clear()
        self._bytes = 0
        self._wake()
        self._ended(self, failure)

    def close(self) -> None:
        """Have nothing kept of it: its reader left."""
        self._closed(self)

    @property
    def over(self) -> bool:
        """Whether the stream takes no more."""
        return self._failure is not None

    @property
    def queued(self) -> int:
        """How many events wait to be written."""
        return len(self._queue)

    async def next(self) -> bytes:
        """What to write next: what is queued, joined, and the token it stands for.

        When the stream was ended, `ended` first; after it, raises what ended it.
        """
        paced = False
        while self._failure is None:
            if not self._queue:
                await self._wait()
            elif paced or self._may_write():
                return self._take()
            else:
                await asyncio.sleep(COALESCE_SECONDS)
                self._credit = 0.0
                paced = True
        if not self._told:
            self._told = True
            # Without a token: what was queued comes again with the latest there was.
            return convert.ended(self._failure)
        raise self._failure

    def _may_write(self) -> bool:
        """Whether to write at once: few writes came shortly before."""
        now = self._loop.time()
        credit = min(BURST, self._credit + (now - self._written_at) * WRITES_PER_SECOND)
        if credit < 1:
            return False
        self._credit = credit - 1
        return True

    def _take(self) -> bytes:
        queue = self._queue
        self._written_at = self._loop.time()
        self.beat_at = self._written_at + self._quiet
        if self._bytes <= MAX_WRITTEN_BYTES:
            # Everything the token stands for was queued before now, and goes with it.
            queue.append(self._seal(self.person))
            told = b"".join(queue)
            queue.clear()
            self._bytes = 0
            return told
        size = count = 0
        while count == 0 or size + len(queue[count]) <= MAX_WRITTEN_BYTES:
            size += len(queue[count])
            count += 1
        told = b"".join(queue[:count])
        del queue[:count]
        self._bytes -= size
        return told

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
