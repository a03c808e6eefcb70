"""A NATS server of one test's own, with the platform's streams, users and rights."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
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

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """Start it, with what it held when it stopped."""
        self._process = await self._part.spawn()
        await self._part.ready(self._process)
        await self._part.provision()

    async def answers(self) -> bool:
        """Whether the platform takes it to be well."""
        return await self._part.answers()

    async def ended(self) -> int:
        """Return once it ends without having been stopped: its status."""
        assert self._process is not None
        return await self._process.wait()

    async def stop(self) -> None:
        """Stop it, as when a machine goes down."""
        if self._process is not None:
            self._process.signal(signal.SIGKILL)
            await self._process.wait()
            self._process = None

    async def close(self) -> None:
        """Stop it for good."""
        await self.leave_streams_alone()
        await self.stop()

    async def leave_streams_alone(self) -> None:
        """Look after its streams no more, until it is started again."""
        await self._part.leave_alone()

    async def remember(self) -> None:
        """Keep a copy of its log; it restarts meanwhile."""
        await self.stop()
        shutil.copytree(self._home.nats / "jetstream", self._folder / "kept")
        await self.start()

    async def forget_since(self, *, keep_durables: bool = False) -> None:
        """Lose what was logged after `remember`: what came later gets its numbers.

        What durables remember is set back too, if it is not to be kept.
        """
        await self.stop()
        lost = self._folder / "lost"
        (self._home.nats / "jetstream").replace(lost)
        shutil.copytree(self._folder / "kept", self._home.nats / "jetstream")
        if keep_durables:
            for durables in lost.rglob("obs"):
                place = self._home.nats / "jetstream" / durables.relative_to(lost)
                shutil.rmtree(place, ignore_errors=True)
                shutil.copytree(durables, place)
        shutil.rmtree(lost)
        await self.start()

    async def lose_everything(self) -> None:
        """Start anew with an empty store."""
        await self.stop()
        shutil.rmtree(self._home.nats / "jetstream")
        await self.start()

    @contextmanager
    def silenced(self) -> Iterator[None]:
        """Keep it from answering, until the block ends; connections stay."""
        assert self._process is not None
        self._process.signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.signal(signal.SIGCONT)

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
                await bus.close()

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
            await server.close()
