"""The supervisor's side of the warm parent."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
import json
from pathlib import Path
import signal
import socket
import sys
import time
from typing import Any

from local.home import Home
from local.keeper import StartError
from local.process import ChildProcess, Process, clean_environment, end

FORKS = sys.platform == "linux"
"""macOS' frameworks do not survive a fork: services are spawned there."""


FRUGAL = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "1048576"}
"""For glibc: few arenas, and what is large (a password hash works in 19 MiB) is
given back when it is freed."""


class ForkedProcess:
    """A service that a warm parent forked."""

    def __init__(self, parent: _Parent, pid: int) -> None:
        self._parent = parent
        self._pid = pid
        self.exited: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._pid

    async def wait(self) -> int:
        """Its exit status; negative for the signal that ended it."""
        return await asyncio.shield(self.exited)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal through the parent, which knows whether it still lives."""
        if not self.exited.done():
            self._parent.tell(signal=int(number), pid=self._pid)


class _Parent:
    """One warm parent process and the conversation with it."""

    def __init__(self, process: ChildProcess, writer: asyncio.StreamWriter) -> None:
        self.process = process
        self.warm = asyncio.Event()
        self.alive = True
        self._writer = writer
        self._listening: asyncio.Task[None] | None = None
        self._children: dict[int, ForkedProcess] = {}
        self._forking: dict[str, asyncio.Future[ForkedProcess]] = {}

    @classmethod
    async def start(cls, home: Home, arguments: Sequence[str], log: Path) -> _Parent:
        ours, theirs = socket.socketpair()
        with theirs:
            process = ChildProcess.start(
                [sys.executable, "-m", "local.warm", str(theirs.fileno()), *arguments],
                log=log,
                env=clean_environment() | FRUGAL,
                cwd=home.run,
                pass_fds=(theirs.fileno(),),
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        parent = cls(process, writer)
        parent._listening = asyncio.create_task(parent._listen(reader), name="warm parent")
        return parent

    def tell(self, **command: object) -> None:
        """Send one command."""
        if not self._writer.is_closing():
            self._writer.write(json.dumps(command).encode() + b"\n")

    async def fork(self, name: str, env_file: Path, log: Path) -> ForkedProcess:
        """Fork a service. Raises `StartError` when the parent ends meanwhile."""
        forked: asyncio.Future[ForkedProcess] = asyncio.get_running_loop().create_future()
        self._forking[name] = forked
        self.tell(fork=name, env_file=str(env_file), log=str(log))
        return await forked

    def close(self) -> None:
        """Let the process and its children end."""
        self._writer.close()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while line := await reader.readline():
                self._heard(json.loads(line))
        self.alive = False
        self._writer.close()
        for child in self._children.values():
            child.exited.set_result(-int(signal.SIGKILL))
        for forked in self._forking.values():
            if not forked.done():
                forked.set_exception(StartError("the warm parent ended"))
        self._children.clear()
        self._forking.clear()

    def _heard(self, report: dict[str, Any]) -> None:
        if "warm" in report:
            self.warm.set()
        elif "forked" in report:
            child = ForkedProcess(self, report["pid"])
            self._children[child.pid] = child
            forked = self._forking.pop(report["forked"])
            if forked.done():  # Nobody wants it any more.
                child.signal(signal.SIGKILL)
            else:
                forked.set_result(child)
        elif "exited" in report:
            self._children.pop(report["exited"]).exited.set_result(report["status"])


class WarmParentPart:
    """The warm parent, as a part the supervisor keeps running.

    When it ends, the kernel ends every service it forked; they are forked anew
    as soon as its successor is warm.
    """

    name = "warm"
    patience = 60.0

    def __init__(self, home: Home, serve: str, *, holds_code: bool) -> None:
        self.holds_code = holds_code
        """Whether the next one imports the chassis and the services, too: its
        forks are smaller and start sooner, but run the code as it was then."""
        self.began = 0.0
        """When the latest began to import, by `time.time`."""
        self._home = home
        self._serve = serve
        self._current: _Parent | None = None
        self._next: _Parent | None = None
        self._warm = asyncio.Event()

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self._home.log(self.name)

    async def prepare(self) -> None:
        """Warm up a successor for the next `spawn`, while the current one works.

        Raises `StartError` when the successor ends before it is warm.
        """
        successor = await self._start()
        exited = asyncio.create_task(successor.process.wait())
        warm = asyncio.create_task(successor.warm.wait())
        await asyncio.wait((exited, warm), return_when=asyncio.FIRST_COMPLETED)
        warm.cancel()
        if exited.done():
            raise StartError("the new warm parent ended before it was warm")
        exited.cancel()
        self._next = successor

    async def _start(self) -> _Parent:
        arguments = [self._serve, *(("code",) if self.holds_code else ())]
        if not (self._home.postgres / "PG_VERSION").exists():
            arguments.append("migrations")
        self.began = time.time()
        return await _Parent.start(self._home, arguments, self.log)

    async def spawn(self) -> Process:
        """Start a warm parent, or take the prepared one."""
        self._warm.clear()
        self._current, self._next = self._next, None
        if self._current is None:
            self._current = await self._start()
        return self._current.process

    async def ready(self, process: Process) -> None:
        """Return once it can fork."""
        assert self._current is not None
        await self._current.warm.wait()
        self._warm.set()

    async def stop(self, process: Process) -> None:
        """End it; nothing of what it forked may be needed any more."""
        self._warm.clear()
        if self._current:
            self._current.close()
        await end(process, signal.SIGTERM, 5)

    async def fork(self, name: str, env_file: Path, log: Path) -> Process:
        """Run a service, as soon as there is a warm parent.

        Raises `StartError` when it ends while it forks.
        """
        while self._current is None or not self._current.alive or not self._warm.is_set():
            self._warm.clear()
            await self._warm.wait()
        return await self._current.fork(name, env_file, log)
