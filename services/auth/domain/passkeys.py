"""Passkeys and their rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from chassis.errors import FailedPrecondition, NotFound, Unauthenticated

MOST_PASSKEYS: Final = 20
"""Of one person."""
CHALLENGE_LASTS: Final = timedelta(minutes=5)


class TooManyPasskeys(FailedPrecondition):
    """Somebody has as many passkeys as they may."""

    reason = "LIMIT_REACHED"

    def __init__(self) -> None:
        super().__init__(f"there are {MOST_PASSKEYS} passkeys; forget one first")


class PasskeyNotFound(NotFound):
    """The caller has no such passkey."""

    def __init__(self) -> None:
        super().__init__("you have no such passkey")


class InvalidPasskey(Unauthenticated):
    """It is nobody's, or answers another challenge; which of them is not said."""

    reason = "INVALID_PASSKEY"

    def __init__(self) -> None:
        super().__init__("the passkey was not accepted: try again")


@dataclass(frozen=True, slots=True)
class Passkey:
    """A key that a device of somebody's keeps."""

    id: UUID
    account_id: UUID
    name: str
    credential_id: bytes
    public_key: bytes
    """As the device gave it (COSE, RFC 9052)."""
    sign_count: int
    """How often it was used, as the device says; 0 when it does not count."""
    synced: bool
    create_time: datetime
    last_use_time: datetime | None = None


def may_have(passkeys: int) -> None:
    """Return when somebody may have so many passkeys. Raises `TooManyPasskeys`."""
    if passkeys > MOST_PASSKEYS:
        raise TooManyPasskeys
