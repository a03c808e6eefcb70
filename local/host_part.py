"""The one process of all services, as a part the supervisor keeps running."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
import json
from pathlib import Path
import signal
import socket
import sys

from local.home import Home
from local.instance import ServiceInstance
from local.process import ChildProcess, Process, clean_environment, end
from local.warm_parent import FRUGAL

_SECONDS_TO_DRAIN = 8


class HostPart:
    """Runs every service in one process, and waits until each says that it answers.

    When one of them ends the process does, and is started again with all of them.
    """

    name = "services"
    patience = 45.0

    def __init__(self, home: Home, instances: Sequence[ServiceInstance], serve: str) -> None:
        self.instances = tuple(instances)
        """Who lives in its process."""
        self._home = home
        self._serve = serve
        self._next: _Host | None = None

    @property
    def log(self) -> Path:
        """What is written by the process itself; each service has a log of its own."""
        return self._home.log(self.name)

    def warm_up(self) -> None:
        """Have a process import everything for the next `spawn`, meanwhile."""
        if self._next is None:
            self._next = _Host.start(self._home, self._serve, self.log)

    async def spawn(self) -> Process:
        """Start the process, or take the one that is warm. Raises `StartError`."""
        env_files = [instance.prepare() for instance in self.instances]
        self.warm_up()
        host, self._next = self._next, None
        assert host is not None
        host.begin(env_files)
        return host.process

    async def ready(self, process: Process) -> None:
        """Return once each service says that it answers."""
        await asyncio.gather(*(instance.answered() for instance in self.instances))

    async def stop(self, process: Process) -> None:
        """Let the services finish what they are doing, then end it."""
        await end(process, signal.SIGTERM, _SECONDS_TO_DRAIN)

    async def cool_down(self) -> None:
        """End a process that was warm and is not needed any more."""
        host, self._next = self._next, None
        if host is not None:
            await host.give_up()


class _Host:
    """A process that is warm, or becomes so, and what it is told through."""

    def __init__(self, process: ChildProcess, control: socket.socket) -> None:
        self.process = process
        self._control = control

    @classmethod
    def start(cls, home: Home, serve: str, log: Path) -> _Host:
        ours, theirs = socket.socketpair()
        with theirs:
            process = ChildProcess.start(
                [sys.executable, "-m", "local.host", str(theirs.fileno()), serve],
                log=log,
                env=clean_environment() | FRUGAL,
                cwd=home.run,
                pass_fds=(theirs.fileno(),),
            )
        return cls(process, ours)

    def begin(self, env_files: Sequence[Path]) -> None:
        """Tell it whom to run. That it is gone already, whoever waits for it sees."""
        with self._control, suppress(OSError):
            self._control.sendall(json.dumps([str(file) for file in env_files]).encode() + b"\n")

    async def give_up(self) -> None:
        """Let it end without having served."""
        self._control.close()
        await end(self.process, signal.SIGTERM, 5)
