"""When a call is sent again, and when no more is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import random

from creavio_sdk.errors import CallError, RateLimited, Unavailable

LONGEST_WAIT = 30.0
"""Whoever is asked to wait for longer learns it from the error."""


@dataclass(slots=True)
class Retries:
    """How often, how soon, and for how long in bad times calls are sent again.

    Each failure takes a token and each success gives a tenth back; below half of them
    nothing is sent again (as gRPC's own retry throttling, gRFC A6). So a platform in
    trouble hears at most a tenth more calls.
    """

    attempts: int = 4
    first: float = 0.1
    """Seconds before the second attempt, at most; doubled each time."""
    longest: float = 3.0
    budget: float = 10.0
    random: Callable[[], float] = random.random
    _tokens: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._tokens = self.budget

    def succeeded(self) -> None:
        """Note that a call was answered."""
        self._tokens = min(self.budget, self._tokens + 0.1)

    def pause(self, attempt: int, error: CallError) -> float | None:
        """Note that the given attempt (from 1) failed; seconds to wait before the next.

        `None` when there should be none.
        """
        if not isinstance(error, Unavailable | RateLimited):
            return None
        self._tokens = max(0.0, self._tokens - 1)
        if attempt >= self.attempts or self._tokens <= self.budget / 2:
            return None
        if error.retry_after is not None:
            # A little later than asked, so that not all come back at once.
            wait = error.retry_after * (1 + self.random() / 10)
            return wait if wait <= LONGEST_WAIT else None
        return self.random() * self.ceiling(attempt)

    def ceiling(self, attempt: int) -> float:
        """The longest pause after the given attempt, in seconds (full jitter)."""
        return float(min(self.longest, self.first * 2 ** min(attempt - 1, 16)))
