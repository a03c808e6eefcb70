"""chat alone: its process, its database and its NATS, and everybody else as a stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
import shutil
import tempfile
from urllib.parse import quote

import pytest

from chassis.contract import Contract
from chassis.database import Database
from chassis.testing import scratch_database
from local import postgres_binaries
from local.credentials import Credentials
from local.home import Home
from local.postgres import PostgresPart
from local.process import Process
from tests.chat.world import World, running_world
from tests.scratch_nats import ScratchNats


@contextmanager
def _running_postgres() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="cv-", dir="/tmp"))  # sockets need a short path
    home = Home(folder / "home")
    for path in (home.root, home.secrets, home.logs):
        path.mkdir()
    credentials = Credentials(home.secrets)
    part = PostgresPart(home, credentials, postgres_binaries.find(), budget=100)

    async def start() -> Process:
        process = await part.spawn()
        await part.ready(process)
        return process

    with asyncio.Runner() as runner:
        process = runner.run(start())
        password = quote(credentials.password("postgres"), safe="")
        host = quote(str(home.postgres), safe="")
        try:
            yield f"postgresql+psycopg://postgres:{password}@/postgres?host={host}"
        finally:
            runner.run(part.stop(process))
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A server of these tests' own: SQLAlchemy's URL for its superuser."""
    with _running_postgres() as url:
        yield url


@pytest.fixture
def scratch(postgres: str) -> Callable[[str], AbstractAsyncContextManager[Database]]:
    """Makes a database with a service's schema, for one test."""
    return lambda service: scratch_database(postgres, service)


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    """chat's database, for one test."""
    async with scratch("chat") as made:
        yield made


@pytest.fixture
async def world(
    postgres: str, nats_server: ScratchNats, contract: Contract
) -> AsyncIterator[World]:
    """chat, served: two communities, and people in and out of them."""
    async with running_world(postgres, nats_server, contract) as made:
        yield made
