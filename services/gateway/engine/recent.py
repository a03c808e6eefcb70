"""The last events of a log, read and encoded: what most who come back have missed.

A crowd that comes back at once reads the log once, and shares the bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from chassis.positions import Position
from services.gateway.domain import MAX_REPLAYED
from services.gateway.engine.reading import Entry

MAX_BYTES: Final = 16 * 1024 * 1024
_SLACK: Final = 256
_number = attrgetter("number")


class Recent:
    """A stretch of a log without a gap, up to the event that was delivered last."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._bytes = 0
        self._floor: Position | None = None

    def begin(self, position: Position) -> None:
        """Keep what follows a position, and nothing else."""
        self._entries.clear()
        self._bytes = 0
        self._floor = position

    def add(self, entry: Entry) -> None:
        """Keep the event that was delivered next; one that is not the next begins anew."""
        last = self._last()
        if last is None or last != (entry.epoch, entry.number - 1):
            self.begin(Position(entry.epoch, entry.number, entry.id))
            return
        self._entries.append(entry)
        self._bytes += len(entry.told)
        if len(self._entries) > MAX_REPLAYED + _SLACK or self._bytes > MAX_BYTES:
            self._drop(_SLACK)

    def since(self, position: Position) -> list[Entry] | None:
        """The events after a position; None when it is not within what is kept."""
        if position == self._floor:
            return list(self._entries)
        at = bisect_right(self._entries, position.number, key=_number)
        if at == 0:
            return None
        before = self._entries[at - 1]
        if (before.epoch, before.number, before.id) != (
            position.epoch,
            position.number,
            position.event_id,
        ):
            return None
        return self._entries[at:]

    def extend_back(self, since: Position, entries: Sequence[Entry]) -> None:
        """Keep events that were read from the log too, if what is kept follows on them."""
        floor = self._floor
        at = bisect_right(entries, floor.number, key=_number) if floor is not None else 0
        if floor is None or at == 0 or since.epoch != floor.epoch:
            return
        joint = entries[at - 1]
        size = sum(len(entry.told) for entry in entries[:at])
        if (joint.epoch, joint.number, joint.id) != (floor.epoch, floor.number, floor.event_id):
            return
        if at + len(self._entries) > MAX_REPLAYED or size + self._bytes > MAX_BYTES:
            return
        self._entries[:0] = entries[:at]
        self._bytes += size
        self._floor = since

    def _last(self) -> tuple[int, int] | None:
        if self._entries:
            return self._entries[-1].epoch, self._entries[-1].number
        return None if self._floor is None else (self._floor.epoch, self._floor.number)

    def _drop(self, count: int) -> None:
        gone = self._entries[:count]
        del self._entries[:count]
        self._bytes -= sum(len(entry.told) for entry in gone)
        if gone:
            self._floor = Position(gone[-1].epoch, gone[-1].number, gone[-1].id)
