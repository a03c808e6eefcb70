"""Keeps one part running: starts it, waits until it answers, starts it again.

A part that ends is started again at once; when it keeps ending, after pauses
that double from 0.2 s to 10 s. Half a minute of good health forgets the past.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
import time
from typing import Literal, Protocol

from local.logs import last_line
from local.process import Process, describe_exit

State = Literal["waiting", "starting", "ok", "down", "stopped"]


class StartError(Exception):
    """A part could not be started; the message is one line."""


class Part(Protocol):
    """Something the platform needs running."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def patience(self) -> float:
        """How many seconds it may take until it answers."""
        ...

    @property
    def log(self) -> Path:
        """The file it writes to."""
        ...

    async def spawn(self) -> Process:
        """Start it. Raises `StartError`."""
        ...

    async def ready(self, process: Process) -> None:
        """Return once it answers."""
        ...

    async def stop(self, process: Process) -> None:
        """End it in good order; return when it is gone."""
        ...


@dataclass(slots=True)
class Backoff:
    """The pauses between starts, in seconds."""

    first: float = 0.2
    longest: float = 10.0
    forgiven_after: float = 30.0
    failures: int = 0
    """In a row, since the last half minute of health."""

    def pause(self, healthy_for: float) -> float:
        """The pause before the next start of what was healthy so long."""
        if healthy_for >= self.forgiven_after:
            self.failures = 0
        self.failures += 1
        if self.failures == 1:
            return 0.0
        return float(min(self.longest, self.first * 2 ** min(self.failures - 2, 16)))

    def forgive(self) -> None:
        """Forget the failures: something was changed."""
        self.failures = 0


class Keeper:
    """One part, and how it is: `state`, `detail`, `restarts`, `since`."""

    def __init__(self, part: Part) -> None:
        self.part = part
        self.state: State = "waiting"
        self.detail = ""
        self.said = ""
        """The last words of its log before it went down."""
        self.note = ""
        """What is the matter although it runs: it runs on old code."""
        self.restarts = 0
        self.since: float | None = None
        """When it last became ok, by the monotonic clock."""
        self.process: Process | None = None
        self._starts = 0
        self._backoff = Backoff()
        self._interrupt = asyncio.Event()
        self._changed = asyncio.Condition()
        self._living = False
        self._held = False
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The part's name."""
        return self.part.name

    @property
    def health(self) -> str:
        """`ok`, or what is the matter."""
        if self.state == "ok":
            return f"stale: {self.note}" if self.note else "ok"
        return f"{self.state}: {self.detail}" if self.detail else self.state

    @property
    def story(self) -> str:
        """`health`, with its log's last words: for who may read the logs."""
        return f"{self.health}: {self.said}" if self.said and self.state != "ok" else self.health

    def start(self) -> None:
        """Begin to keep the part running."""
        if self._task is None and not self._stopping:
            self._task = asyncio.create_task(self._run(), name=f"keeper {self.name}")

    async def settled(self, attempts: int = 1) -> bool:
        """Wait until the part is ok (True), or failed `attempts` times in a row (False)."""
        async with self._changed:
            await self._changed.wait_for(
                lambda: (
                    self.state == "ok"
                    or self._stopping
                    or (self.state == "down" and self._backoff.failures >= attempts)
                )
            )
        return self.state == "ok"

    async def hold(self) -> None:
        """Stop the part and keep it stopped until `release`."""
        self._held = True
        self._interrupt.set()
        async with self._changed:
            await self._changed.wait_for(lambda: not self._living)

    def release(self) -> None:
        """Let a held part start again, at once."""
        self._held = False
        self._backoff.forgive()
        self.state = "starting"
        self._interrupt.set()

    async def restart(self) -> bool:
        """Stop the part in good order and start it anew; whether it is ok again."""
        await self.hold()
        self.release()
        return await self.settled()

    async def stop(self) -> None:
        """Stop the part for good."""
        self._stopping = True
        self._interrupt.set()
        if self._task:
            await self._task
        await self._enter("stopped")

    async def _run(self) -> None:
        while not self._stopping:
            if self._held:
                self._interrupt.clear()
                await self._enter("stopped")
                await self._interrupt.wait()
                continue
            self._interrupt.clear()
            failed = await self._live()
            healthy_for = time.monotonic() - (self.since or time.monotonic())
            self.since = None
            if failed and not self._stopping and not self._held:
                pause = self._backoff.pause(healthy_for)
                await self._enter(self.state, self.detail)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._interrupt.wait(), pause)

    async def _live(self) -> bool:
        """One life of the part, from start to end; whether it ended by itself."""
        self._living = True
        try:
            await self._enter("starting", self.detail if self._backoff.failures else "")
            written = _size(self.part.log)
            process = await self._spawn()
            return await self._accompany(process, written) if process else False
        except StartError as error:
            await self._enter("down", str(error))
            return True
        except OSError as error:
            # What a start writes finds no room, for one: there may be some again.
            await self._enter("down", f"{error.strerror}: {error.filename or self.name}")
            return True
        finally:
            self._living = False
            self.process = None
            async with self._changed:
                self._changed.notify_all()

    async def _spawn(self) -> Process | None:
        """Start the part, unless something else is wanted before it is started."""
        spawning = asyncio.create_task(self.part.spawn())
        interrupted = asyncio.create_task(self._interrupt.wait())
        try:
            await asyncio.wait((spawning, interrupted), return_when=asyncio.FIRST_COMPLETED)
            if not spawning.done():
                spawning.cancel()
                await asyncio.wait((spawning,))
            return None if spawning.cancelled() else spawning.result()
        finally:
            interrupted.cancel()

    async def _accompany(self, process: Process, written: int) -> bool:
        self.process = process
        if self._starts:
            self.restarts += 1
        self._starts += 1
        exited = asyncio.create_task(process.wait())
        ready = asyncio.create_task(self.part.ready(process))
        interrupted = asyncio.create_task(self._interrupt.wait())
        try:
            await asyncio.wait(
                (exited, ready, interrupted),
                timeout=self.part.patience,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if ready.done() and not exited.done() and not self._interrupt.is_set():
                ready.result()
                self.since = time.monotonic()
                await self._enter("ok")
                await asyncio.wait((exited, interrupted), return_when=asyncio.FIRST_COMPLETED)
            if exited.done():
                reason = describe_exit(exited.result())
                self.said = last_line(self.part.log, written)
                await self._enter("down", reason)
                return not self._interrupt.is_set()
            if not self._interrupt.is_set():
                await self._enter("down", f"did not answer within {self.part.patience:.0f} s")
            await self.part.stop(process)
            return not self._interrupt.is_set()
        finally:
            for task in (exited, ready, interrupted):
                task.cancel()
            await asyncio.gather(exited, ready, interrupted, return_exceptions=True)

    async def _enter(self, state: State, detail: str = "") -> None:
        self.state, self.detail = state, detail
        async with self._changed:
            self._changed.notify_all()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
