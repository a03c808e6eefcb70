"""Envoy from its wheel: the edge, and every service's way to the others.

Its configuration is rendered by a process of its own (`local.envoy_render`).
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
import signal
import sys

from local.envoy_render import COMMAND, FINGERPRINT, fingerprint
from local.home import Home
from local.http_socket import ask
from local.keeper import StartError
from local.logs import last_line
from local.process import ChildProcess, Process, clean_environment, describe_exit, end, until
from mesh.topology import Topology, dump


class EnvoyPart:
    """Envoy, as a part the supervisor keeps running."""

    name = "envoy"
    patience = 30.0

    def __init__(self, home: Home) -> None:
        self._home = home

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self._home.log(self.name)

    async def render(self, topology: Topology, *, routes_only: bool = False) -> None:
        """Render the configuration from contracts, catalog and topology.

        Nothing is done when nothing changed. A running Envoy takes new routes
        at once. Raises `StartError` with the renderer's last line.
        """
        text = dump(topology)
        wanted = await asyncio.to_thread(fingerprint, text)
        stamp = self._home.envoy / FINGERPRINT
        if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
            return
        stamp.unlink(missing_ok=True)
        file = self._home.envoy / "topology.json"
        file.write_text(text, encoding="utf-8")
        log = self._home.log("render")
        log.unlink(missing_ok=True)
        argv = [sys.executable, "-m", "local.envoy_render", str(file), str(self._home.envoy)]
        if routes_only:
            argv.append("--routes-only")
        process = ChildProcess.start(argv, log=log, env=clean_environment())
        status = await process.wait()
        if status != 0:
            raise StartError(f"rendering {describe_exit(status)}: {last_line(log)}")
        if not routes_only:
            stamp.write_text(wanted, encoding="utf-8")

    async def spawn(self) -> Process:
        """Start Envoy on what was rendered."""
        self._home.envoy_admin.unlink(missing_ok=True)
        argv = json.loads((self._home.envoy / COMMAND).read_text(encoding="utf-8"))
        return ChildProcess.start(argv, log=self.log, env=clean_environment())

    async def ready(self, process: Process) -> None:
        """Return once every listener listens."""
        await until(self.answers)

    async def stop(self, process: Process) -> None:
        """End it; the services have drained before."""
        await end(process, signal.SIGTERM, 5)

    async def answers(self) -> bool:
        """Whether it is initialised and listens."""
        try:
            status, _ = await asyncio.to_thread(ask, self._home.envoy_admin, "GET", "/ready", 2)
        except OSError:
            return False
        return status == 200

    async def admin(self, target: str) -> bytes:
        """What its admin interface answers. Raises `OSError` when it does not."""
        status, body = await asyncio.to_thread(ask, self._home.envoy_admin, "GET", target, 2)
        if status != 200:
            raise OSError(f"{target}: {status}")
        return body
