"""The emoji of a community."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.errors import Conflict, NotFound
from services.community.domain import LimitReached

EMOJI: Final = 250
"""How many a community has at most: they are listed at once."""


class EmojiNotFound(NotFound):
    """There is no such emoji."""

    def __init__(self) -> None:
        super().__init__("there is no such emoji")


class EmojiNameTaken(Conflict):
    """Another emoji of the community has the name."""

    reason = "EMOJI_NAME_TAKEN"

    def __init__(self) -> None:
        super().__init__("another emoji of the community has this name")


@dataclass(frozen=True, slots=True)
class Emoji:
    """A picture that is written by its name."""

    id: UUID
    community_id: UUID
    name: str
    file_id: str
    """As media names it."""
    creator_id: UUID
    create_time: datetime


def may_have_another_emoji(emoji: int) -> None:
    """Return when a community that has so many may have one more. Raises `LimitReached`."""
    if emoji >= EMOJI:
        raise LimitReached(EMOJI, "emoji")
