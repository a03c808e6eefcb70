"""The keys that access tokens are signed with, and when each one's time is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

PUBLISHED_BEFORE: Final = timedelta(minutes=1)
"""For so long a key is published before it signs: twice as long as whoever verifies may
go without asking."""
SIGNS_FOR: Final = timedelta(days=90)
"""After so long another key takes over by itself."""
SKEW: Final = timedelta(minutes=1)
"""By how much clocks may differ, generously."""


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A key as it is kept."""

    id: str
    """Its thumbprint (RFC 7638)."""
    sealed: str
    """The private key, encrypted."""
    sign_time: datetime
    """From when it signs, until the next one does."""
    withdraw_time: datetime | None = None
    """From when nothing that it signed is accepted any more, if that was decided."""

    def published(self, now: datetime) -> bool:
        """Whether what it signed is accepted."""
        return self.withdraw_time is None or self.withdraw_time > now


def signing(keys: Iterable[KeptKey], now: datetime) -> KeptKey | None:
    """The key that signs: the latest one whose time has come."""
    return max(
        (one for one in keys if one.sign_time <= now),
        key=lambda one: one.sign_time,
        default=None,
    )


def is_waiting(keys: Iterable[KeptKey], now: datetime) -> bool:
    """Whether another key is about to take over already."""
    return any(one.sign_time > now for one in keys)
