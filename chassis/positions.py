"""Places in the log of what a service emitted, and its epochs.

NATS acknowledges before it syncs. A log that lost its end gives the same numbers
out again, to other events; one that was deleted begins at 1 again. The owner of
the log notices it and raises its **epoch** (`chassis.epoch`). From an epoch's
first number on, the log is another than the one of the epochs before; below that
number it is the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

_NUMBER_BITS: Final = 40
_NUMBERS: Final = (1 << _NUMBER_BITS) - 1


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a stream: epoch and number of an event, and the event it was.

    The id tells a log that was cut and written anew from the one that was read.
    """

    epoch: int
    number: int
    event_id: str


START: Final = Position(0, 0, "")
"""Before the first event."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch of a log, and the first number that belongs to it alone.

    The first one is 0 and begins at 1. Events that name no epoch are of it.
    """

    number: int
    first: int


FIRST_EPOCH: Final = Epoch(0, 1)


class Dated(Protocol):
    """An event that says in which epoch it was written."""

    @property
    def epoch(self) -> int:
        """The number of the epoch."""
        ...

    @property
    def epoch_start(self) -> int:
        """The first number of that epoch."""
        ...


def packed(epoch: int, number: int) -> int:
    """Epoch and number as the one integer the outbox records.

    It says itself in which log it was given: what is recorded late, after the
    log was cut, is known by it. They sort by epoch first. Numbers stay below 2**40
    (35 years at a thousand events a second).
    """
    return epoch << _NUMBER_BITS | number


def number_of(position: int) -> int:
    """The number in what `packed` returned."""
    return position & _NUMBERS


async def common_end(
    at: Callable[[int], Awaitable[Dated | None]], known: int, now: Epoch
) -> int | None:
    """The last number up to which a log is still the one it was in the epoch `known`.

    An epoch between the two may have begun earlier than the newest; the last event
    before the newest's first tells (`at` reads an event of the log). None when that
    event is not kept any more, so that it cannot be known.
    """
    end = now.first - 1
    epoch = now.number
    while epoch > known + 1 and end > 0:
        before = await at(end)
        if before is None:
            return None
        if before.epoch <= known:
            break
        epoch = before.epoch
        end = min(end, before.epoch_start - 1)
    return end
