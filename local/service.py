"""One process of a service, as a part the supervisor keeps running."""

from __future__ import annotations

from pathlib import Path
import signal
import sys

from local.home import Home
from local.instance import ServiceInstance
from local.process import ChildProcess, Process, clean_environment, end
from local.warm_parent import FORKS, WarmParentPart


class ServicePart:
    """Runs one instance of a service and waits until it says that it answers."""

    patience = 30.0

    def __init__(
        self, home: Home, instance: ServiceInstance, warm: WarmParentPart, serve: str
    ) -> None:
        self.instances = (instance,)
        """Who lives in its process."""
        self._home = home
        self._instance = instance
        self._warm = warm
        self._serve = serve

    @property
    def name(self) -> str:
        """The instance's name."""
        return self._instance.name

    @property
    def log(self) -> Path:
        """Where it writes."""
        return self._instance.log

    async def spawn(self) -> Process:
        """Start the process. Raises `StartError`."""
        env_file = self._instance.prepare()
        if FORKS:
            return await self._warm.fork(self.name, env_file, self.log)
        return ChildProcess.start(
            [sys.executable, "-m", "local.spawn", self._serve, str(env_file)],
            log=self.log,
            env=clean_environment(),
        )

    async def ready(self, process: Process) -> None:
        """Return once it says that it answers."""
        await self._instance.answered()

    async def stop(self, process: Process) -> None:
        """Let it finish what it is doing, then end it."""
        await end(process, signal.SIGTERM, 8)
