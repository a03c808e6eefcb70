"""A PostgreSQL server for tests that need no more of the platform than a database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import shutil
import tempfile
from urllib.parse import quote

from local import postgres_binaries
from local.credentials import Credentials
from local.home import Home
from local.postgres import PostgresPart
from local.process import Process

_CONNECTIONS = 100
_PATIENCE = 60.0


@contextmanager
def running_postgres() -> Iterator[str]:
    """SQLAlchemy's URL of a server's superuser; nothing of it is left afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="cv-", dir="/tmp"))  # sockets need a short path
    home = Home(folder / "home")
    for path in (home.root, home.secrets, home.logs):
        path.mkdir()
    credentials = Credentials(home.secrets)
    part = PostgresPart(home, credentials, postgres_binaries.find(), _CONNECTIONS)

    async def start() -> Process:
        process = await part.spawn()
        try:
            await asyncio.wait_for(part.ready(process), _PATIENCE)
        except TimeoutError:
            await part.stop(process)
            raise AssertionError(f"PostgreSQL did not start:\n{part.log.read_text()}") from None
        return process

    try:
        process = asyncio.run(start())
        try:
            password = quote(credentials.password("postgres"), safe="")
            host = quote(str(home.postgres), safe="")
            yield f"postgresql+psycopg://postgres:{password}@/postgres?host={host}"
        finally:
            asyncio.run(part.stop(process))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
