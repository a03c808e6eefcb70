"""How far people have read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.chat.domain.place import Place

MOST_COUNTED: Final = 99
"""New messages that are counted; beyond it, that there are more is all that is said."""
MOST_LOOKED_AT: Final = 1_000
"""The latest messages of a place that are looked at to count what is new."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Messages, counted so far as anybody wants to know."""

    count: int
    more: bool = False


def tally(found: int) -> Tally:
    """What is said of so many, of which one more than `MOST_COUNTED` were looked for."""
    return Tally(min(found, MOST_COUNTED), found > MOST_COUNTED)


@dataclass(frozen=True, slots=True)
class ReadState:
    """How far somebody has read a place, and what is new to them there."""

    place: Place
    sequence: int
    unread: Tally
    mentions: Tally

    def __bool__(self) -> bool:
        """Whether anything is new."""
        return bool(self.unread.count or self.mentions.count)


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads, as they are counted for."""

    user_id: UUID
    roles: tuple[UUID, ...] = ()
    """Their roles in the community: who mentions one of them mentions the person."""
