"""PostgreSQL by itself, on a home on which nothing else runs."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from chassis import catalog as catalogs
from local.backup.manifest import BackupError
from local.credentials import Credentials
from local.home import Home
from local.keeper import StartError
from local.postgres import DatabaseGrant, PostgresPart, connection_budget, provision
from local.postgres_binaries import PostgresBinaries
from local.process import Process


@contextmanager
def postgres_alone(home: Home, binaries: PostgresBinaries) -> Iterator[None]:
    """PostgreSQL until the block ends, with a database for each service.

    Makes what is missing of its data folder. The home's lock is to be held. Raises
    `BackupError` when it does not start.
    """
    credentials = Credentials(home.secrets)
    grants = [
        DatabaseGrant(name, entry.database.connections)
        for name, entry in catalogs.load().services.items()
        if entry.database
    ]
    part = PostgresPart(home, credentials, binaries, connection_budget(grants))
    with asyncio.Runner() as runner:
        try:
            process = runner.run(_started(part))
        except StartError as error:
            raise BackupError(f"PostgreSQL does not start: {error}; see {part.log}") from error
        try:
            runner.run(_heeding_interrupts(provision(home, credentials, grants)))
            yield
        except StartError as error:
            raise BackupError(str(error)) from error
        finally:
            runner.run(part.stop(process))


async def _heeding_interrupts(work: Coroutine[Any, Any, None]) -> None:
    """Do the work. An interrupt that came with what was waited for counts, too.

    `asyncio.wait_for`, which psycopg waits with, forgets such a one before Python 3.12.
    """
    await work
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _started(part: PostgresPart) -> Process:
    process = await part.spawn()
    ready = asyncio.ensure_future(part.ready(process))
    ended = asyncio.ensure_future(process.wait())
    try:
        await asyncio.wait(
            (ready, ended), timeout=part.patience, return_when=asyncio.FIRST_COMPLETED
        )
    finally:
        answers = ready.done()
        ready.cancel()
        ended.cancel()
        if not answers:  # Also when it was interrupted.
            await part.stop(process)
    if not answers:
        raise StartError("it does not become ready")
    return process
