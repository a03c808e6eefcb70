"""Who may sign up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
import secrets
from typing import Final

from chassis.errors import Denied, FailedPrecondition

CODE_LASTS: Final = timedelta(days=7)
MOST_CODES: Final = 100
"""That work at a time."""
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_LENGTH: Final = 16
"""Of 79 bits: nobody guesses it."""


class RegistrationClosed(Denied):
    """Nobody may sign up."""

    reason = "REGISTRATION_CLOSED"

    def __init__(self) -> None:
        super().__init__("nobody can sign up here at the moment")


class SignUpCodeRefused(Denied):
    """Signing up takes a code, and this is none (any more)."""

    reason = "SIGN_UP_CODE_REFUSED"

    def __init__(self) -> None:
        super().__init__("signing up here takes a sign-up code that works")


class TooManyCodes(FailedPrecondition):
    """There are as many codes as there can be."""

    reason = "LIMIT_REACHED"

    def __init__(self) -> None:
        super().__init__(f"there are {MOST_CODES} sign-up codes already: take one back first")


class Mode(StrEnum):
    """Who may sign up."""

    OPEN = "open"
    INVITE = "invite"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Registration:
    """Who may sign up at the instance."""

    mode: Mode
    require_verified_email: bool = False
    """Whether somebody whose address is not verified may only read and join."""

    def refusal(self) -> Exception:
        """What somebody without a code that works is told."""
        return RegistrationClosed() if self.mode is Mode.CLOSED else SignUpCodeRefused()


@dataclass(frozen=True, slots=True)
class SignUpCode:
    """Lets some people sign up for a while."""

    code: str
    max_uses: int
    uses: int
    create_time: datetime
    expire_time: datetime
    overrules: bool = False
    """Whether it works whatever the mode is: made by whoever runs the machine."""


def new_code(max_uses: int, lasts: timedelta, now: datetime) -> SignUpCode:
    """A code that works from now on."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return SignUpCode(code, max_uses, 0, now, now + lasts)


def may_have_another(working: int) -> None:
    """Return when there may be another code. Raises `TooManyCodes`."""
    if working >= MOST_CODES:
        raise TooManyCodes
