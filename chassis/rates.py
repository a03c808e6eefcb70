"""How often somebody may do something over a stream, which the edge cannot count."""

from __future__ import annotations

import time
from typing import Final

from cachetools import LRUCache

from chassis.errors import Exhausted

_BURST_SECONDS: Final = 2.0
"""What was not spent can be saved up for so long."""
_PEOPLE: Final = 20_000


class Budget:
    """So many requests a second for each person (a token bucket)."""

    def __init__(self, per_second: float) -> None:
        self._rate = per_second
        self._most = per_second * _BURST_SECONDS
        self._left: LRUCache[str, tuple[float, float]] = LRUCache(_PEOPLE)

    def spend(self, user_id: str) -> None:
        """Count a request. Raises `Exhausted` when there were too many."""
        now = time.monotonic()
        left, at = self._left.get(user_id, (self._most, now))
        left = min(self._most, left + (now - at) * self._rate)
        if left < 1:
            raise Exhausted(
                f"more than {self._rate:g} requests a second; slow down",
                retry_after=(1 - left) / self._rate,
            )
        self._left[user_id] = (left - 1, now)
