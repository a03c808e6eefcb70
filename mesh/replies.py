"""One error shape: what Envoy answers by itself, as the services would have said it.

A caller over gRPC or gRPC-Web gets a status with its reason in
`grpc-status-details-bin`, whoever refused it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from envoy_data_plane.envoy.config.accesslog.v3 import (
    AccessLogFilter,
    AndFilter,
    ComparisonFilter,
    ComparisonFilterOp,
    ExtensionFilter,
    HeaderFilter,
    StatusCodeFilter,
)
from envoy_data_plane.envoy.config.core.v3 import DataSource, HeaderValueOption, RuntimeUInt32
from envoy_data_plane.envoy.config.route.v3 import HeaderMatcher
from envoy_data_plane.envoy.extensions.access_loggers.filters.cel.v3 import ExpressionFilter
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    ResponseMapper,
)
from google.rpc import code_pb2

from creavio.errors.v1 import reason_pb2
from mesh.refusal import Refusal
from mesh.wire import header, packed

UNKNOWN = Refusal(
    code_pb2.UNIMPLEMENTED, reason_pb2.REASON_METHOD_NOT_FOUND, "no such path, verb or method"
)
UNAVAILABLE = Refusal(
    code_pb2.UNAVAILABLE,
    reason_pb2.REASON_UNAVAILABLE,
    "a part of the platform cannot be reached; try again",
    retry_after=1,
)
LATE = Refusal(
    code_pb2.DEADLINE_EXCEEDED,
    reason_pb2.REASON_DEADLINE_EXCEEDED,
    "the call took longer than it may",
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of Envoy's, and what it means."""

    refusal: Refusal
    status: int
    """The HTTP status Envoy gave it."""
    up_to: int | None = None
    """The last status that this stands for, when it is several."""
    because: str = ""
    """What Envoy's details of the response contain, where the status alone does not say."""

    def filters(self) -> list[AccessLogFilter]:
        """What tells this answer from others."""
        if self.up_to is None:
            filters = [status_is(self.status)]
        else:
            filters = [
                status_is(self.status, ComparisonFilterOp.GE),
                status_is(self.up_to, ComparisonFilterOp.LE),
            ]
        if self.because:
            filters.append(_details_contain(self.because))
        return filters


MESH_REPLIES = (
    Reply(UNKNOWN, status=404),
    Reply(LATE, status=408),
    Reply(UNAVAILABLE, status=502, up_to=503),
    Reply(LATE, status=504),
)
"""What can befall a call between services, besides a refusal."""


def as_grpc(reply: Reply, *conditions: AccessLogFilter) -> ResponseMapper:
    """Says a reply as gRPC does, to those for whom the conditions hold."""
    told = reply.refusal
    return grpc_reply(
        [*reply.filters(), *conditions],
        told,
        [header("grpc-status-details-bin", told.details_header())],
    )


def grpc_reply(
    filters: Sequence[AccessLogFilter], told: Refusal, headers: Sequence[HeaderValueOption]
) -> ResponseMapper:
    """A trailers-only response: status and message in headers, and no body."""
    return ResponseMapper(
        filter=all_of(filters),
        status_code=200,
        body=DataSource(inline_string=""),
        headers_to_add=[
            header("grpc-status", str(told.code)),
            header("grpc-message", told.message),
            *headers,
        ],
    )


def all_of(filters: Sequence[AccessLogFilter]) -> AccessLogFilter:
    """Holds when every one holds."""
    if len(filters) == 1:
        return filters[0]
    return AccessLogFilter(and_filter=AndFilter(filters=list(filters)))


def status_is(value: int, op: ComparisonFilterOp = ComparisonFilterOp.EQ) -> AccessLogFilter:
    """Compares the HTTP status."""
    # A runtime key is demanded; nothing sets it.
    bound = RuntimeUInt32(default_value=value, runtime_key="creavio.unset")
    comparison = ComparisonFilter(op=op, value=bound)
    return AccessLogFilter(status_code_filter=StatusCodeFilter(comparison=comparison))


def request_has(matcher: HeaderMatcher) -> AccessLogFilter:
    """Looks at a header of the request."""
    return AccessLogFilter(header_filter=HeaderFilter(header=matcher))


def _details_contain(text: str) -> AccessLogFilter:
    expression = f'response.code_details.contains("{text}")'
    return AccessLogFilter(
        extension_filter=ExtensionFilter(
            name="envoy.access_loggers.extension_filters.cel",
            typed_config=packed(ExpressionFilter(expression=expression)),
        )
    )
