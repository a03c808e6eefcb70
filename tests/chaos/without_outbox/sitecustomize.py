"""A platform that forgets what it could not publish at once: for a test of the tests."""

from __future__ import annotations

import asyncio

from chassis.outbox import Outbox


async def _never(self: Outbox) -> None:
    await asyncio.Event().wait()


Outbox._sweep = _never  # type: ignore[method-assign]  # that is the point
