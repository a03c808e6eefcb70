"""The family of errors a service raises, each translated once, on its way out.

An error says what happened in the words of google.rpc.Code, why in a stable
`reason` (the names in `creavio.errors.v1.Reason`), and a sentence for a person.
A service's domain derives its own errors from these and names their reason.
This module knows no transport, so that domains can use it.
"""

from __future__ import annotations

from typing import ClassVar


class Error(Exception):
    """What a caller may be told. Anything else that is raised is INTERNAL."""

    code: ClassVar[int] = 13
    """google.rpc.Code."""
    reason: str = "INTERNAL"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if reason is not None:
            self.reason = reason


class Invalid(Error):
    """The request breaks a rule; `fields` says which field breaks which."""

    code = 3
    reason = "INVALID_FIELD"

    def __init__(
        self,
        message: str,
        *,
        fields: tuple[tuple[str, str], ...] = (),
        reason: str | None = None,
    ) -> None:
        super().__init__(message, reason=reason)
        self.fields = fields


class DeadlineExceeded(Error):
    """The call took longer than it may. What it did is not known."""

    code = 4
    reason = "DEADLINE_EXCEEDED"


class NotFound(Error):
    """The resource does not exist, or the caller may not know of it."""

    code = 5
    reason = "NOT_FOUND"


class AlreadyExists(Error):
    """What was to be created is there already, as somebody else's."""

    code = 6


class Denied(Error):
    """The caller may know of the resource, but not do this to it."""

    code = 7
    reason = "PERMISSION_DENIED"


class Exhausted(Error):
    """Too much was asked for; `retry_after` seconds later it may be granted."""

    code = 8
    reason = "RATE_LIMITED"

    def __init__(
        self, message: str, *, retry_after: float | None = None, reason: str | None = None
    ) -> None:
        super().__init__(message, reason=reason)
        self.retry_after = retry_after


class FailedPrecondition(Error):
    """The state of things does not allow it, and trying again will not help."""

    code = 9


class Conflict(Error):
    """Somebody else was faster, or the request contradicts an earlier one."""

    code = 10
    reason = "CONCURRENT_CHANGE"


class Unavailable(Error):
    """A part of the platform cannot be reached; trying again may help."""

    code = 14
    reason = "UNAVAILABLE"

    def __init__(
        self, message: str, *, retry_after: float | None = 1.0, reason: str | None = None
    ) -> None:
        super().__init__(message, reason=reason)
        self.retry_after = retry_after


class Unauthenticated(Error):
    """The caller did not prove who they are."""

    code = 16
    reason = "UNAUTHENTICATED"
