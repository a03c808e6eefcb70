"""What a call fails with: one class for each thing a caller may do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from betterproto2 import Message
import grpclib
from grpclib.const import Status as Code
from grpclib.encoding.base import StatusDetailsCodecBase
from grpclib.encoding.proto import ProtoCodec
from grpclib.exceptions import GRPCError

from creavio_sdk.contracts.google.rpc import (
    BadRequest,
    BadRequestFieldViolation,
    ErrorInfo,
    RetryInfo,
    Status,
)

_TYPES: Mapping[str, type[Message]] = {
    "ErrorInfo": ErrorInfo,
    "BadRequest": BadRequest,
    "RetryInfo": RetryInfo,
}


class CallError(Exception):
    """A call was refused, or its answer never came."""

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        code: Code = Code.UNKNOWN,
        fields: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{reason}: {message}" if reason else message)
        self.message = message
        """A sentence for a person."""
        self.reason = reason
        """A name of `creavio.errors.v1.Reason` without its prefix; empty when there is none."""
        self.code = code
        self.fields = dict(fields or {})
        """What is wrong with which field of the request."""
        self.retry_after = retry_after
        """Seconds after which it may be tried again, where the platform says so."""


class Invalid(CallError):
    """The request breaks a rule; `fields` says where."""


class NotSignedIn(CallError):
    """There is no token, or it is over."""


class Denied(CallError):
    """The caller may not do this."""


class NotFound(CallError):
    """There is no such thing, or the caller may not know of it."""


class Conflict(CallError):
    """What is there already stands against it."""


class RateLimited(CallError):
    """Too many calls; `retry_after` says when to come back."""


class Unavailable(CallError):
    """No answer came. Whether the call took effect is not known."""


_CLASSES: Mapping[Code, type[CallError]] = {
    Code.INVALID_ARGUMENT: Invalid,
    Code.UNAUTHENTICATED: NotSignedIn,
    Code.PERMISSION_DENIED: Denied,
    Code.NOT_FOUND: NotFound,
    Code.ALREADY_EXISTS: Conflict,
    Code.FAILED_PRECONDITION: Conflict,
    Code.ABORTED: Conflict,
    Code.RESOURCE_EXHAUSTED: RateLimited,
    Code.UNAVAILABLE: Unavailable,
    Code.DEADLINE_EXCEEDED: Unavailable,
}


class Details(StatusDetailsCodecBase):
    """Reads the details of an error with the SDK's own messages."""

    def encode(self, status: Code, message: str | None, details: Sequence[object]) -> bytes:
        """Clients send none."""
        raise NotImplementedError

    def decode(self, status: Code, message: str | None, data: bytes) -> list[object]:
        """The details that this SDK knows."""
        found: list[object] = []
        for detail in Status.FromString(data).details:
            kind = _TYPES.get(detail.type_url.rpartition(".")[2])
            if kind is not None:
                found.append(kind.FromString(detail.value))
        return found


class UnsentError(Exception):
    """A request that is none, which is no matter of the platform's; `cause` says why."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(cause)
        self.cause = cause


class Requests(ProtoCodec):
    """Tells what is wrong with a request from what is wrong with an answer."""

    def encode(self, message: Any, message_type: Any) -> bytes:
        """The request on the wire. Raises `UnsentError`."""
        try:
            return super().encode(message, message_type)
        except Exception as error:
            raise UnsentError(error) from error


def translated(error: Exception) -> Exception:
    """What went wrong with a call, in the words above; of a request that is none, what it was.

    An answer that cannot be read makes betterproto, grpclib and what they stand on raise nearly
    anything, KeyError among them: whatever is not known is that.
    """
    if isinstance(error, CallError):
        return error
    if isinstance(error, UnsentError):
        return error.cause
    if isinstance(error, GRPCError):
        return _refused(error)
    if isinstance(error, OSError | grpclib.exceptions.StreamTerminatedError):
        # TimeoutError is one of them: grpclib raises it when the deadline is over.
        said = str(error) or type(error).__name__
        return Unavailable(said, reason="UNAVAILABLE", code=Code.UNAVAILABLE)
    said = f"the answer cannot be read: {type(error).__name__} {error}".rstrip()
    return CallError(said, code=Code.INTERNAL)


def _refused(error: GRPCError) -> CallError:
    reason, fields, retry_after = "", {}, None
    details = error.details if isinstance(error.details, list) else []
    for detail in details:
        # Of a field that came as another kind betterproto makes what came.
        if isinstance(detail, ErrorInfo):
            reason = str(detail.reason)
        elif isinstance(detail, BadRequest):
            fields = {
                str(each.field): str(each.description)
                for each in detail.field_violations
                if isinstance(each, BadRequestFieldViolation)
            }
        elif isinstance(detail, RetryInfo) and isinstance(detail.retry_delay, timedelta):
            retry_after = max(0.0, detail.retry_delay.total_seconds())
    return _CLASSES.get(error.status, CallError)(
        error.message or error.status.name,
        reason=reason,
        code=error.status,
        fields=fields,
        retry_after=retry_after,
    )
