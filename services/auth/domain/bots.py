"""Bots: programs that take part under a name of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.errors import FailedPrecondition, NotFound
from services.auth.domain import Standing

BOT_TOKEN_LASTS: Final = timedelta(days=366)
"""Unless its owner says otherwise."""
MOST_BOTS: Final = 25
"""Of one person."""


class TooManyBots(FailedPrecondition):
    """Somebody has as many bots as they may."""

    reason = "LIMIT_REACHED"

    def __init__(self) -> None:
        super().__init__(f"there are {MOST_BOTS} bots; delete one first")


class BotNotFound(NotFound):
    """The caller has no such bot."""

    def __init__(self) -> None:
        super().__init__("you have no such bot")


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot, without its profile."""

    id: UUID
    owner_id: UUID
    handle: str
    display_name: str
    """What it was called when it was made; its profile says what it is called now."""
    standing: Standing
    create_time: datetime


def new_bot(owner_id: UUID, handle: str, display_name: str, now: datetime) -> Bot:
    """A bot about to be made."""
    name = display_name.strip() or handle
    return Bot(ids.new(), owner_id, handle.lower(), name, Standing.COMING, now)


def may_have(bots: int) -> None:
    """Return when somebody may have so many bots. Raises `TooManyBots`."""
    if bots > MOST_BOTS:
        raise TooManyBots
