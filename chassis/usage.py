"""Which tokens of programs are in use, so that their owners see those that are not.

Each service tells auth of a token at most once a day. What is said while NATS is away
is lost; the next service that sees the token says it, too.
"""

from __future__ import annotations

import time
from typing import Final

from cachetools import LRUCache
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.bus import Bus
from chassis.calls import Principal
from chassis.subjects import LIVE, subject_root
from creavio.auth.v1 import auth_events_pb2

USED_SUBJECT: Final = LIVE + subject_root(auth_events_pb2.TokenUsed.DESCRIPTOR.full_name)
_DAY: Final = 86_400


class Usage:
    """Tells auth which tokens are used."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._told: LRUCache[str, int] = LRUCache(10_000)

    async def note(self, principal: Principal) -> None:
        """Tell of a token of a program, unless that was done today."""
        if principal.scopes is None:
            return
        now = int(time.time())
        if self._told.get(principal.session_id) == now // _DAY:
            return
        self._told[principal.session_id] = now // _DAY
        used = auth_events_pb2.TokenUsed(
            session_id=principal.session_id, use_time=Timestamp(seconds=now)
        )
        await self._bus.publish(USED_SUBJECT, used.SerializeToString())
