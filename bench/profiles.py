"""The two profiles side by side: how soon each is open, what it takes idle, what it sends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
import time
from typing import Final

from bench import people, send
from bench.measure import Result, Usage, timed
from local.home import Home
from tests.live import Live, Person
from tests.local.commands import started
from tests.local.running import temporary_home

QUIET: Final = 20.0
"""Seconds without a call before memory is read."""
PROFILES: Final = {"usual": False, "compact": True}


def profiles(seconds: float, loads: tuple[int, ...], rate: str) -> Iterator[Result]:
    """Both profiles, one after the other, each on a home of its own."""
    for name, compact in PROFILES.items():
        with temporary_home() as home:
            with _start(f"{name}, first", home, rate, compact=compact) as (live, row):
                yield row
            with _start(f"{name}, again", home, rate, compact=compact) as (live, row):
                yield row
                yield _memory(name, "idle", live)
                place = people.found(live)
                senders = people.members(live, place, max(loads))
                for load in loads:
                    yield asyncio.run(_sent(name, live, place, senders[:load], seconds))
                yield _memory(name, "idle, after that", live)


@contextmanager
def _start(load: str, home: Home, rate: str, *, compact: bool) -> Iterator[tuple[Live, Result]]:
    """A platform that is well, and how long that took from the command on."""
    with timed() as took, ExitStack() as stack:
        live = stack.enter_context(started(home, compact=compact, CREAVIO_REQUESTS_PER_SECOND=rate))
        kept = stack.pop_all()
    with kept:
        # What it took of the processor is the same on a busy machine, too.
        cpu = Usage({"all": live.process.pid}).now()["all"]
        extra = {"seconds": took[0], "cpu_seconds": cpu}
        yield live, Result("start", load, 1, took[0], extra=extra)


def _memory(profile: str, when: str, live: Live) -> Result:
    """PSS by process, in MiB, when nothing was asked for a while.

    The load generator maps the same libraries, so that a little less is counted of them
    than when the platform is alone.
    """
    time.sleep(QUIET)
    state = live.status()
    by_part = {part["name"]: part["memory"] for part in state["parts"] if part["memory"]}
    sizes = {"all": state["memory"], "supervisor": state["supervisor_memory"], **by_part}
    megabytes = {name: size / 2**20 for name, size in sizes.items()}
    return Result(f"memory, {when}", profile, 1, QUIET, extra=megabytes)


async def _sent(
    profile: str, live: Live, place: people.Place, senders: list[Person], seconds: float
) -> Result:
    row = await send.sends(live, place, senders, seconds, bidi=True)
    return replace(row, load=f"{profile}, {row.load}")
