"""Errors on the wire: google.rpc.Status with ErrorInfo, BadRequest and RetryInfo.

The one place that translates the family in `chassis.errors`, in both directions
(AIP-193).
"""

from __future__ import annotations

from typing import Final

from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
import grpc
from grpc_status import rpc_status

from chassis import errors

DOMAIN: Final = "creavio"

_BY_CODE: Final[dict[int, type[errors.Error]]] = {
    kind.code: kind
    for kind in (
        errors.Invalid,
        errors.DeadlineExceeded,
        errors.NotFound,
        errors.AlreadyExists,
        errors.Denied,
        errors.Exhausted,
        errors.FailedPrecondition,
        errors.Conflict,
        errors.Unavailable,
        errors.Unauthenticated,
    )
}
CODES: Final[dict[int, grpc.StatusCode]] = {code.value[0]: code for code in grpc.StatusCode}


def to_status(error: errors.Error) -> status_pb2.Status:
    """The status that tells a caller about an error."""
    status = status_pb2.Status(code=error.code, message=error.message)
    _attach(status, error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN))
    if isinstance(error, errors.Invalid) and error.fields:
        bad = error_details_pb2.BadRequest()
        for field, description in error.fields:
            bad.field_violations.add(field=field, description=description)
        _attach(status, bad)
    if isinstance(error, errors.Exhausted | errors.Unavailable) and error.retry_after is not None:
        delay = Duration()
        delay.FromMilliseconds(int(error.retry_after * 1000))
        _attach(status, error_details_pb2.RetryInfo(retry_delay=delay))
    return status


def _attach(
    status: status_pb2.Status,
    detail: error_details_pb2.ErrorInfo
    | error_details_pb2.BadRequest
    | error_details_pb2.RetryInfo,
) -> None:
    packed = AnyMessage()
    packed.Pack(detail)
    status.details.append(packed)


def from_call(error: grpc.aio.AioRpcError) -> errors.Error:
    """The error behind a failed call to another service, reason kept.

    A code outside the family is INTERNAL: its text was not meant for callers.
    """
    kind = _BY_CODE.get(error.code().value[0])
    message = error.details() or "the call failed"
    if kind is None:
        return errors.Error("something went wrong")
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # reads what both kinds have
    if status is None:
        return kind(message)
    return _told(kind, message, status)


def from_status(status: status_pb2.Status) -> errors.Error:
    """The error a status in a reply tells of, reason kept."""
    return _told(_BY_CODE.get(status.code, errors.Error), status.message, status)


def _told(kind: type[errors.Error], message: str, status: status_pb2.Status) -> errors.Error:
    reason = None
    fields: tuple[tuple[str, str], ...] = ()
    retry_after = None
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        bad = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            reason = info.reason
        elif detail.Unpack(bad):
            fields = tuple((v.field, v.description) for v in bad.field_violations)
        elif detail.Unpack(retry):
            retry_after = retry.retry_delay.ToTimedelta().total_seconds()
    if issubclass(kind, errors.Invalid):
        return kind(message, fields=fields, reason=reason)
    if issubclass(kind, errors.Exhausted | errors.Unavailable):
        return kind(message, retry_after=retry_after, reason=reason)
    return kind(message, reason=reason)
