"""What a failed statement says about the next one."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

import psycopg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from services.chat.store.sending import NONCE_INDEX


class Failure(Enum):
    """Why a statement failed, as far as it matters for trying again."""

    LOST = auto()
    """PostgreSQL cannot be reached, or takes no writes. What became of it may not be known."""
    PASSING = auto()
    """Others were in the way, and it was undone: the same again will do."""
    DATA = auto()
    """Something in it cannot be kept."""


# Classes of SQLSTATE (https://www.postgresql.org/docs/18/errcodes-appendix.html).
_LOST: Final = ("08", "25", "53", "57", "58", "XX")
"""Connection, read-only transaction, resources, shutdown and cancellation, system,
PostgreSQL's own fault."""
_PASSING: Final = ("40", "55")
"""Deadlock, lock not available."""


def failure_of(error: Exception) -> Failure:
    """Judge what a statement raised."""
    if isinstance(error, TimeoutError):
        return Failure.LOST
    if not isinstance(error, DBAPIError):
        return Failure.DATA
    cause = error.orig
    state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
    if error.connection_invalidated:
        return Failure.LOST
    if state is None:
        unreachable = isinstance(error, OperationalError | InterfaceError)
        return Failure.LOST if unreachable else Failure.DATA
    if state.startswith(_LOST):
        return Failure.LOST
    if state.startswith(_PASSING) or _same_nonce(cause):
        return Failure.PASSING
    return Failure.DATA


def _same_nonce(cause: BaseException | None) -> bool:
    """Whether another transaction used a nonce while this one waited."""
    return (
        isinstance(cause, psycopg.errors.UniqueViolation)
        and cause.diag.constraint_name == NONCE_INDEX
    )
