"""What a JetStream stream keeps, read without a consumer.

Uses JetStream's direct get (ADR-31), batched: one request, many replies. It
needs no right but the one to ask this stream.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
import json
from typing import Any, Final

from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from chassis.bus import Bus
from chassis.errors import Unavailable
from chassis.events import EventError, Received, received
from chassis.subjects import stream_of, subjects_of

_SECONDS: Final = 5.0
_NOT_FOUND: Final = "404"
_END_OF_BATCH: Final = "204"


class History:
    """The events a service emitted, as its stream keeps them."""

    def __init__(self, bus: Bus, service: str) -> None:
        self._bus = bus
        self._stream = stream_of(service)
        self._subject = f"$JS.API.DIRECT.GET.{self._stream}"
        self._all = subjects_of(service)

    async def last(self) -> Received | None:
        """The newest event; None when none is kept."""
        events = await self._get({"last_by_subj": self._all})
        return events[0] if events else None

    async def end(self) -> int:
        """The last number that was given out, whether its event is kept or not.

        Raises `Unavailable` when NATS does not answer.
        """
        try:
            info = await self._bus.jetstream.stream_info(self._stream)
        except (NatsError, OSError, TimeoutError) as error:
            raise Unavailable("the event log cannot be read; try again") from error
        return info.state.last_seq

    async def at(self, number: int) -> Received | None:
        """The event with this number; None when the stream does not keep it."""
        events = await self._get({"seq": number})
        return events[0] if events else None

    async def after(self, number: int, limit: int) -> list[Received]:
        """The events that follow a number, oldest first, `limit` at most."""
        return await self._get({"seq": number + 1, "next_by_subj": self._all, "batch": limit})

    async def _get(self, request: dict[str, Any]) -> list[Received]:
        """Ask, and read replies until the stream says they are all.

        Raises `Unavailable` when NATS does not answer.
        """
        inbox = self._bus.client.new_inbox()
        subscription = await self._bus.client.subscribe(inbox)
        found: list[Received] = []
        try:
            async with asyncio.timeout(_SECONDS):
                await self._bus.client.publish(
                    self._subject, json.dumps(request).encode(), reply=inbox
                )
                async for message in subscription.messages:
                    status = (message.headers or {}).get("Status")
                    if status is not None:
                        _require_known(message, status)
                        break
                    found.append(_kept(message))
                    if "batch" not in request:
                        break
        except TimeoutError as error:
            raise Unavailable("the event log cannot be read; try again") from error
        finally:
            await subscription.unsubscribe()
        return found


def _kept(message: Msg) -> Received:
    """What the stream keeps; one that is no event has no type, but its place."""
    try:
        return received(message)
    except EventError:
        headers = message.headers or {}
        return Received(
            id="",
            type="",
            subject=headers["Nats-Subject"],
            time=datetime.fromtimestamp(0, UTC),
            position=int(headers["Nats-Sequence"]),
            body=message.data,
        )


def _require_known(message: Msg, status: str) -> None:
    if status not in (_NOT_FOUND, _END_OF_BATCH):
        raise Unavailable(f"the event log answered {status}")
