"""The supervisor: starts everything in order, keeps it running, ends it.

Order of start: PostgreSQL, NATS, the warm parent (or the one process of all services)
and Envoy's rendering side by side; then databases and streams; then every service and
Envoy. Order of end: services (they drain), Envoy, NATS, PostgreSQL.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
import os
import shutil
import signal
import time
from typing import Any

from local.control import Control
from local.credentials import Credentials
from local.health import Health
from local.home import HomeLock
from local.http_socket import HttpSocket
from local.keeper import StartError
from local.logs import rotate
from local.parts import Options, Parts, instances_of
from local.process import LINUX
from local.reload import Reloader
from local.status import StatusView

_ATTEMPTS = 3
_ROTATION_SECONDS = 30.0


class Supervisor:
    """One run of the platform on one home."""

    def __init__(self, options: Options, tell: Callable[[str], None]) -> None:
        self._options = options
        self._home = options.home
        self._tell = tell
        self._stop = asyncio.Event()
        self._began = time.monotonic()

    def request_stop(self) -> None:
        """Have `run` end everything and return."""
        self._stop.set()

    def _interrupted(self) -> None:
        if self._stop.is_set() and LINUX:
            # Whoever presses ctrl-C twice does not want to wait; the kernel ends
            # every part with this process.
            os.kill(os.getpid(), signal.SIGKILL)
        self.request_stop()

    async def run(self) -> None:
        """Run until told to stop, by `request_stop` or a signal.

        Raises `AlreadyRunningError`, with nothing touched, when the home is in
        use; and `StartError` or `PlanError` when something essential does not start.
        """
        lock = HomeLock(self._home)
        try:
            self._home.prepare()
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self.request_stop)
            loop.add_signal_handler(signal.SIGINT, self._interrupted)
            parts = Parts(self._options)
            try:
                await self._live(parts)
            finally:
                await _end(parts)
        finally:
            shutil.rmtree(self._home.run, ignore_errors=True)
            lock.release()

    async def _live(self, parts: Parts) -> None:
        health = Health(self._home, parts.keepers)
        status = StatusView(self._options, parts, health, self._began)
        reloader = Reloader(self._options, parts, self._tell)
        control = Control(status, reloader)
        sockets = [
            HttpSocket(self._home.health, health.route),
            HttpSocket(self._home.control, control.route),
        ]
        tasks: list[asyncio.Task[Any]] = [asyncio.create_task(self._rotate())]
        try:
            for listening in sockets:
                await listening.open()
            starting = asyncio.create_task(self._start(parts))
            stopping = asyncio.create_task(self._stop.wait())
            tasks += [starting, stopping]
            await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
            if stopping.done():
                return
            starting.result()
            status.started()
            self._tell_where(parts, status)
            if self._options.reload:
                tasks.append(asyncio.create_task(reloader.watch()))
            await stopping
            self._tell("stopping …")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for listening in sockets:
                await listening.close()

    async def _start(self, parts: Parts) -> None:
        async def databases() -> None:
            await self._essential(parts, "postgres", "PostgreSQL")
            await parts.provision_databases()

        async def streams() -> None:
            await parts.plan_bus()
            await self._essential(parts, "nats", "NATS")
            await parts.nats.provision()

        async def edge() -> None:
            await parts.render()
            await self._essential(parts, "envoy", "Envoy")

        try:
            if parts.host is not None:
                parts.host.warm_up()
            async with asyncio.TaskGroup() as group:
                if parts.warm is not None:
                    group.create_task(self._essential(parts, parts.warm.name, "Python"))
                group.create_task(databases())
                group.create_task(streams())
                group.create_task(edge())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        for keeper in parts.services:
            keeper.start()
        for keeper in parts.services:
            await keeper.settled()

    async def _essential(self, parts: Parts, name: str, label: str) -> None:
        keeper = parts.keepers[name]
        keeper.start()
        if not await keeper.settled(_ATTEMPTS):
            raise StartError(f"{label} does not start: {keeper.story}\n{keeper.part.log}")
        self._tell(f"{label} is ready")

    def _tell_where(self, parts: Parts, status: StatusView) -> None:
        ready = [i.name for k in parts.services if k.state == "ok" for i in instances_of(k)]
        self._tell(f"{', '.join(ready)} answer")
        for keeper in parts.services:
            if keeper.state != "ok":
                self._tell(f"{keeper.name} is {keeper.story}")
        self._tell_claim_code()
        self._tell(f"Creavio is open at {self._options.url} ({status.started_in:.1f} s)")

    def _tell_claim_code(self) -> None:
        """Once in the life of a home, and not before a start that came through."""
        told = self._home.secrets / "claim_code.told"
        if not told.exists():
            code = Credentials(self._home.secrets).password("claim_code")
            self._tell(f"Its first administrator is who signs in and shows the code {code}")
            told.touch(mode=0o600)

    async def _rotate(self) -> None:
        while True:
            await asyncio.sleep(_ROTATION_SECONDS)
            for log in self._home.logs.glob("*.log"):
                with suppress(OSError):
                    await asyncio.to_thread(rotate, log)


async def _end(parts: Parts) -> None:
    await asyncio.gather(*(keeper.stop() for keeper in parts.services))
    if parts.host is not None:
        await parts.host.cool_down()
    for name in ("envoy", "warm", "nats", "postgres"):
        if name in parts.keepers:
            await parts.keepers[name].stop()
