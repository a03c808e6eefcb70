"""A NATS server of one test's own, with the platform's streams, users and rights."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
import shutil
import signal
import tempfile

import nats
from nats.aio.client import Client
from pydantic import SecretStr

from chassis import catalog as catalogs
from chassis.bus import Bus
from chassis.config import Config
from chassis.telemetry import Telemetry
from chassis.testing import scratch_config
from local import bus_plan
from local.bus import ADMIN, BusPlan
from local.credentials import Credentials
from local.home import Home
from local.nats_server import NatsPart
from local.process import Process


class ScratchNats:
    """Starts, stops, and is set back to an earlier state."""

    def __init__(self, folder: Path, plan: BusPlan) -> None:
        self._folder = folder
        home = Home(folder / "home")
        for path in (home.root, home.nats, home.secrets, home.logs):
            path.mkdir()
        self._home = home
        self._credentials = Credentials(home.secrets)
        self._part = NatsPart(home, self._credentials)
        self._part.configure(plan)
        self._process: Process | None = None

    async def start(self) -> None:
        """Start it, with what it held when it stopped."""
        self._process = await self._part.spawn()
        await self._part.ready(self._process)
        await self._part.provision()

    async def stop(self) -> None:
        """Stop it, as when a machine goes down."""
        if self._process is not None:
            self._process.signal(signal.SIGKILL)
            await self._process.wait()
            self._process = None

    async def remember(self) -> None:
        """Keep a copy of its log; it restarts meanwhile."""
        await self.stop()
        shutil.copytree(self._home.nats / "jetstream", self._folder / "kept")
        await self.start()

    async def forget_since(self) -> None:
        """Lose what was logged after `remember`: what came later gets its numbers."""
        await self.stop()
        shutil.rmtree(self._home.nats / "jetstream")
        shutil.copytree(self._folder / "kept", self._home.nats / "jetstream")
        await self.start()

    def config(self, service: str, database_url: str | None = None) -> Config:
        """A service's configuration, leading here."""
        return scratch_config(service, database_url).model_copy(
            update={
                "nats_url": self._part.url,
                "nats_password": SecretStr(self._credentials.password(f"nats_{service}")),
            }
        )

    @asynccontextmanager
    async def bus(self, service: str) -> AsyncIterator[Bus]:
        """A service's connection."""
        config = self.config(service)
        bus = Bus(config, Telemetry(config))
        await bus.connect()
        try:
            yield bus
        finally:
            with suppress(OSError):  # the server may be gone
                await bus.client.close()

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[Client]:
        """The supervisor's connection: it may do anything to streams."""
        client = await nats.connect(
            self._part.url,
            user=ADMIN,
            password=self._credentials.password(f"nats_{ADMIN}"),
            inbox_prefix=f"_INBOX_{ADMIN}",
        )
        try:
            yield client
        finally:
            await client.close()


@asynccontextmanager
async def running_nats() -> AsyncIterator[ScratchNats]:
    """A server of its own, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp") as folder:
        server = ScratchNats(Path(folder), bus_plan.load(catalogs.CATALOG_FILE))
        await server.start()
        try:
            yield server
        finally:
            await server.stop()
