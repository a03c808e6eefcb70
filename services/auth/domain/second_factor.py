"""Second factors: codes that an app makes of a secret and the time (RFC 6238)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
import hmac
import secrets
from typing import Final
from uuid import UUID

import pyotp

from chassis.errors import FailedPrecondition, NotFound, Unauthenticated

CHALLENGE_LASTS: Final = timedelta(minutes=5)
"""For so long whoever proved the first factor may show the second."""
RECOVERY_CODES: Final = 10
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that are told apart when they are written by hand."""
_GROUPS: Final = 3
_GROUP: Final = 4
_STEP_SECONDS: Final = 30
_DIGITS: Final = 6


class WrongCode(Unauthenticated):
    """The code is wrong, was used before, or its time is over; which is not said."""

    reason = "WRONG_CODE"

    def __init__(self) -> None:
        super().__init__("the code is wrong, or was used before")


class InvalidChallenge(Unauthenticated):
    """What was to be completed is not ours, is over, or is void."""

    reason = "INVALID_CHALLENGE"

    def __init__(self) -> None:
        super().__init__("this sign-in is not valid any more: begin again")


class SecondFactorEnabled(FailedPrecondition):
    """There is a second factor already."""

    reason = "SECOND_FACTOR_ENABLED"

    def __init__(self) -> None:
        super().__init__("there is a second factor already: give it up first")


class NoSecondFactor(NotFound):
    """There is no second factor, or none was begun."""

    def __init__(self) -> None:
        super().__init__("there is no second factor")


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """The secret an account shares with an app."""

    account_id: UUID
    sealed_secret: str
    """The secret, encrypted."""
    used_step: int = 0
    """The latest time step whose code was used: that one and those before are spent."""
    enable_time: datetime | None = None
    """When a code of it was shown; until then nothing asks for it."""


def new_secret() -> str:
    """A secret of 160 bits (RFC 4226, 4), in base32."""
    return pyotp.random_base32()


def uri(secret: str, handle: str, issuer: str) -> str:
    """The address that an app reads a secret from."""
    return pyotp.TOTP(secret).provisioning_uri(name=handle, issuer_name=issuer)


def is_totp(code: str) -> bool:
    """Whether a code is one of an app's; otherwise it may be a recovery code."""
    return len(code) == _DIGITS and code.isascii() and code.isdigit()


def step_of(secret: str, code: str, now: datetime, used_step: int) -> int | None:
    """The time step that a code belongs to: the one now, before or after, and not used yet."""
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // _STEP_SECONDS
    # Each is looked at, so that time tells nothing.
    matching = [
        step
        for step in (current - 1, current, current + 1)
        if hmac.compare_digest(totp.generate_otp(step), code) and step > used_step
    ]
    return matching[0] if matching else None


def new_recovery_codes() -> list[str]:
    """Ten codes of 59 bits each."""
    return [
        "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
        for _ in range(RECOVERY_CODES)
    ]


def typed(code: str) -> str:
    """A code as it was meant, however it was typed."""
    return "".join(code.split()).replace("-", "").lower()
