"""The plan of the message bus: streams, durables, and who may say and hear what.

`local.bus_plan` makes it from catalog and contracts.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
import sys

from pydantic import TypeAdapter

from local.process import clean_environment

ADMIN = "supervisor"
"""The user that makes streams and durables."""
SYSTEM = "system"
"""The user that asks the server how it is; it is in no account with events."""


class PlanError(Exception):
    """Catalog and contracts do not give a plan; the message is one line."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The JetStream stream of one emitting service, republished live."""

    name: str
    subjects: str


@dataclass(frozen=True, slots=True)
class Durable:
    """A consumer: one per consuming service and stream."""

    name: str
    stream: str
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may connect, and the subjects open to them."""

    name: str
    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BusPlan:
    """Streams, durables, users."""

    streams: tuple[Stream, ...]
    durables: tuple[Durable, ...]
    users: tuple[User, ...]


_ADAPTER = TypeAdapter(BusPlan)


def dump(plan: BusPlan) -> bytes:
    """The JSON that `plan_anew` reads."""
    return _ADAPTER.dump_json(plan)


async def plan_anew(catalog_file: Path) -> BusPlan:
    """The plan of a catalog file and the contracts as they are now.

    Made in another process: contracts that were generated anew cannot be loaded
    twice into one. Raises `PlanError` when they contradict each other or do not
    load.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local.bus_plan", str(catalog_file)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=clean_environment(),
    )
    try:
        output, errors = await process.communicate()
    finally:
        if process.returncode is None:  # Whoever wanted the plan is stopped.
            process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = errors.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise PlanError(lines[-1])
    return _ADAPTER.validate_json(output)
