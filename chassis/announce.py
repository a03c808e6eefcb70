"""Telling at once what the outbox tells surely.

Who follows a revision (`chassis.knowledge`, `chassis.sessions`) is to know of a
change before whoever made it is answered. So it is said on the live subject of
its event as soon as it is committed; the outbox says it once more, and keeps it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from google.protobuf.message import Message

from chassis.bus import Bus
from chassis.contract import Contract
from chassis.subjects import LIVE, subject_for

Tell: TypeAlias = Callable[[Sequence[Message]], Awaitable[None]]
"""Says events that are committed to whoever follows, and returns once NATS has them."""


class Announcer:
    """Says things on live subjects; while NATS is away, they are not said."""

    def __init__(self, contract: Contract, bus: Bus) -> None:
        self._events = contract.events
        self._bus = bus

    async def tell(self, events: Sequence[Message]) -> None:
        """Say events, and return once NATS has them."""
        for event in events:
            subject = LIVE + subject_for(self._events[event.DESCRIPTOR.full_name], event)
            await self._bus.publish(subject, event.SerializeToString())
        if events:
            await self._bus.flush()

    async def beat(self, subject: str, heartbeat: Message) -> None:
        """Say that the service lives."""
        await self._bus.publish(subject, heartbeat.SerializeToString())
