"""PostgreSQL alone, and rbac as it is put together, without the rest of the platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
import tempfile
from urllib.parse import quote

import pytest

from chassis.contract import Contract
from chassis.database import Database
from chassis.testing import scratch_database
from local.credentials import Credentials
from local.home import Home
from local.postgres import PostgresPart
from local.postgres_binaries import find
from tests.rbac.world import Rbac, served


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """SQLAlchemy's URL of a server of this worker's own."""
    with tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp") as folder:
        home = Home(Path(folder) / "home")
        home.root.mkdir(mode=0o711)
        for path in (home.secrets, home.logs):
            path.mkdir()
        credentials = Credentials(home.secrets)
        part = PostgresPart(home, credentials, find(), budget=60)
        process = asyncio.run(part.spawn())
        try:
            asyncio.run(part.ready(process))
            password, host = credentials.password("postgres"), quote(str(home.postgres), safe="")
            yield f"postgresql+psycopg://postgres:{quote(password, safe='')}@/postgres?host={host}"
        finally:
            asyncio.run(part.stop(process))


@pytest.fixture
def scratch(postgres: str) -> Callable[[str], AbstractAsyncContextManager[Database]]:
    """Makes a database with a service's schema, for one test."""
    return lambda service: scratch_database(postgres, service)


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    """A database with rbac's schema."""
    async with scratch("rbac") as made:
        yield made


@pytest.fixture
async def rbac(database: Database, contract: Contract) -> AsyncIterator[Rbac]:
    """rbac, serving over gRPC from a database of its own."""
    async with served(database, contract) as running:
        yield running
