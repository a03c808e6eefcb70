"""Tokens that programs call with: a person's own, and those of bots."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.errors import FailedPrecondition

TOKEN_LASTS: Final = timedelta(days=90)
"""Unless whoever makes it says otherwise."""
MOST_TOKENS: Final = 50
"""Of one person."""


class TooManyTokens(FailedPrecondition):
    """Somebody has as many tokens as they may."""

    reason = "LIMIT_REACHED"

    def __init__(self) -> None:
        super().__init__(f"there are {MOST_TOKENS} tokens; revoke one first")


class Scope(StrEnum):
    """What a token may do; the values stand in its claims."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Token:
    """A token that lasts."""

    id: UUID
    """Its session has the same: that is what is revoked."""
    owner_id: UUID
    """Whose it is."""
    user_id: UUID
    """Whom it acts for: its owner, or a bot of theirs."""
    name: str
    scopes: tuple[Scope, ...]
    create_time: datetime
    expire_time: datetime
    last_use_date: date | None = None


def new_token(
    owner_id: UUID,
    user_id: UUID,
    name: str,
    scopes: Collection[Scope],
    now: datetime,
    lifetime: timedelta = TOKEN_LASTS,
) -> Token:
    """A token that is good from now on."""
    return Token(
        ids.new(),
        owner_id,
        user_id,
        name.strip(),
        tuple(scope for scope in Scope if scope in scopes),
        now,
        (now + lifetime).replace(microsecond=0),
    )


def may_have_another(tokens: int) -> None:
    """Return when somebody with so many tokens may make one. Raises `TooManyTokens`."""
    if tokens >= MOST_TOKENS:
        raise TooManyTokens
