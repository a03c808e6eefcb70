"""Services that live in one process: one event loop, and everything else their own.

Each has its configuration, its connections, its socket, its metrics and its log. What
belongs to a process (signals, how it ends) belongs to the host. They stand and fall
together: when one ends that was not told to, the others are drained and the process
ends, so that whoever started it starts all of them anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from chassis.service import GRACE_SECONDS, Chassis, Service, run

_DRAIN_SECONDS: Final = GRACE_SECONDS + 2.0
"""How long the others may take when one ended: their calls', and to close what they opened."""


class FallenError(Exception):
    """A service ended that was not told to; the message is one line that names it."""


@dataclass(frozen=True, slots=True)
class Guest:
    """One service of a process."""

    chassis: Chassis
    build: Callable[[Chassis], Service]
    """Puts it together; called on the loop it will live on."""
    ready: Callable[[], None]
    """Told once it answers calls."""

    @property
    def name(self) -> str:
        """Its name in the catalog."""
        return self.chassis.config.service


async def host(guests: Sequence[Guest], stop: asyncio.Event) -> None:
    """Serve until `stop`, then drain all of them.

    Raises `FallenError` when one ended before that; its own log says why, and the
    others were drained.
    """
    lives = [asyncio.create_task(_live(guest, stop), name=guest.name) for guest in guests]
    try:
        await asyncio.wait(lives, return_when=asyncio.FIRST_EXCEPTION)
        if any(life.done() and not life.cancelled() and life.exception() for life in lives):
            stop.set()
            await asyncio.wait(lives, timeout=_DRAIN_SECONDS)
    finally:
        for life in lives:
            life.cancel()
        ends = await asyncio.gather(*lives, return_exceptions=True)
        for guest in guests:
            guest.chassis.telemetry.close()
    fallen = [end for end in ends if isinstance(end, FallenError)]
    if fallen:
        raise fallen[0]


async def _live(guest: Guest, stop: asyncio.Event) -> None:
    try:
        await run(guest.chassis, guest.build(guest.chassis), stop, guest.ready)
    except Exception as error:
        guest.chassis.telemetry.log.exception("the service ended")
        told = str(error).partition("\n")[0]
        raise FallenError(f"{guest.name} ended: {type(error).__name__}: {told}") from error
