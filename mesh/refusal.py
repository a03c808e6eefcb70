"""A refusal that Envoy makes itself, in the one shape that errors have."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2

from creavio.errors.v1 import reason_pb2

DOMAIN = "creavio"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A google.rpc.Status with its reason."""

    code: int
    """google.rpc.Code."""
    reason: reason_pb2.Reason.ValueType
    message: str
    metadata: dict[str, str] = field(default_factory=dict)
    retry_after: int | None = None
    """In seconds; for what may be tried again."""

    def details_header(self) -> str:
        """The value of `grpc-status-details-bin`."""
        status = status_pb2.Status(code=self.code, message=self.message)
        status.details.add().Pack(
            error_details_pb2.ErrorInfo(
                reason=reason_name(self.reason), domain=DOMAIN, metadata=self.metadata
            )
        )
        if self.retry_after is not None:
            delay = duration_pb2.Duration(seconds=self.retry_after)
            status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
        return base64.b64encode(status.SerializeToString(deterministic=True)).rstrip(b"=").decode()


def reason_name(reason: reason_pb2.Reason.ValueType) -> str:
    """A reason as it stands in ErrorInfo: without its prefix."""
    return reason_pb2.Reason.Name(reason).removeprefix("REASON_")
