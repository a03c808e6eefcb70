"""Places in the log of what a service emitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a stream: the number of an event, and the event it was.

    The id tells a log that was cut and written anew from the one that was read.
    """

    number: int
    event_id: str


START: Final = Position(0, "")
"""Before the first event."""
