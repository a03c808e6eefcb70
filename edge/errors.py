"""One error shape: every reply that Envoy makes itself, as google.rpc.Status.

REST gets the status as JSON. gRPC and gRPC-Web get it as a trailers-only reply
with `grpc-status-details-bin`, as services send it.
"""

from __future__ import annotations

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
from envoy_data_plane.envoy.config.core.v3 import (
    DataSource,
    RuntimeUInt32,
    SubstitutionFormatString,
)
from envoy_data_plane.envoy.config.route.v3 import HeaderMatcher
from envoy_data_plane.envoy.extensions.access_loggers.filters.cel.v3 import ExpressionFilter
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    LocalReplyConfig,
    ResponseMapper,
)
from envoy_data_plane.google.protobuf import Struct

from google.rpc import code_pb2

from creavio.errors.v1 import reason_pb2
from edge.limits import refusal
from mesh.refusal import DOMAIN, Refusal, reason_name
from mesh.wire import header, header_starts, packed

TYPES = "type.googleapis.com/google.rpc."
TRANSCODING = "grpc_json_transcode_failure"
"""The transcoder could not read the request; its own words say why."""
BAD_TOKEN = "jwt_authn_access_denied"
"""A token was not accepted, for whatever reason."""
NO_KEYS = "Jwks_remote_fetch_is_failed"
"""Nobody could be asked for the keys, so no token can be judged."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What Envoy answers, and how it is told instead."""

    refusal: Refusal
    status: int
    """What Envoy made of it."""
    answer: int
    """What REST is answered."""
    up_to: int | None = None
    """The last of the statuses that this stands for, when it is several."""
    rest_code: int | None = None
    """google.rpc.Code in REST's answer, where its status says it better."""
    because: str = ""
    """What Envoy's details of the response contain, where the status alone does not say."""
    headers: tuple[tuple[str, str], ...] = ()


def _refusal(
    code: int, reason: reason_pb2.Reason.ValueType, message: str, retry: int | None = None
) -> Refusal:
    return Refusal(code=code, reason=reason, message=message, retry_after=retry)


_TOO_LARGE = _refusal(
    code_pb2.INVALID_ARGUMENT,
    reason_pb2.REASON_REQUEST_TOO_LARGE,
    "the request is larger than it may be",
)
_UNKNOWN = _refusal(
    code_pb2.UNIMPLEMENTED, reason_pb2.REASON_METHOD_NOT_FOUND, "no such path, verb or method"
)
_UNAVAILABLE = _refusal(
    code_pb2.UNAVAILABLE,
    reason_pb2.REASON_UNAVAILABLE,
    "a part of the platform cannot be reached; try again",
    retry=1,
)
_MALFORMED = _refusal(
    code_pb2.INVALID_ARGUMENT, reason_pb2.REASON_MALFORMED_REQUEST, "the request is malformed"
)
_LATE = _refusal(
    code_pb2.DEADLINE_EXCEEDED,
    reason_pb2.REASON_DEADLINE_EXCEEDED,
    "the call took longer than it may",
)
_SLOW_CLIENT = _refusal(
    code_pb2.DEADLINE_EXCEEDED,
    reason_pb2.REASON_DEADLINE_EXCEEDED,
    "the request did not arrive in time",
)
_STRANGER = _refusal(
    code_pb2.UNAUTHENTICATED,
    reason_pb2.REASON_UNAUTHENTICATED,
    "there is no access token, or it is not valid",
)
_WHO = (("www-authenticate", "Bearer"),)
_BROKEN = _refusal(
    code_pb2.INTERNAL, reason_pb2.REASON_INTERNAL, "something went wrong on our side"
)

REPLIES = (
    Reply(_UNAVAILABLE, status=401, answer=503, because=NO_KEYS),
    Reply(_STRANGER, status=401, answer=401, headers=_WHO),
    Reply(_STRANGER, status=403, answer=401, because=BAD_TOKEN, headers=_WHO),
    Reply(
        _refusal(
            code_pb2.PERMISSION_DENIED, reason_pb2.REASON_PERMISSION_DENIED, "this is not allowed"
        ),
        status=403,
        answer=403,
    ),
    Reply(_UNKNOWN, status=404, answer=404, rest_code=code_pb2.NOT_FOUND),
    Reply(_UNKNOWN, status=405, answer=405, rest_code=code_pb2.NOT_FOUND),
    Reply(_SLOW_CLIENT, status=408, answer=408),
    Reply(_TOO_LARGE, status=413, answer=413),
    Reply(_TOO_LARGE, status=414, answer=414),
    Reply(_TOO_LARGE, status=431, answer=431),
    Reply(_MALFORMED, status=400, answer=400, because=TRANSCODING),
    Reply(_MALFORMED, status=400, answer=400),
    Reply(_BROKEN, status=500, answer=500, up_to=501),
    Reply(_UNAVAILABLE, status=502, answer=503),
    Reply(_UNAVAILABLE, status=503, answer=503),
    Reply(_LATE, status=504, answer=504),
    Reply(_MALFORMED, status=402, answer=400, up_to=499),
    Reply(_BROKEN, status=505, answer=500, up_to=599),
)
"""Every reply but the one about limits, the first that fits first."""


def one_shape() -> LocalReplyConfig:
    """Rewrites every local reply."""
    mappers = _limited()
    for reply in REPLIES:
        mappers += [_grpc(reply), _rest(reply)]
    return LocalReplyConfig(mappers=mappers)


def _rest(reply: Reply) -> ResponseMapper:
    told = reply.refusal
    code = reply.rest_code or told.code
    message = "%LOCAL_REPLY_BODY%" if reply.because == TRANSCODING else told.message
    retry = None if told.retry_after is None else f"{told.retry_after}s"
    headers = [header(*item) for item in reply.headers]
    if told.retry_after is not None:
        headers.append(header("retry-after", str(told.retry_after)))
    return ResponseMapper(
        filter=_all(_filters(reply)),
        status_code=reply.answer if reply.answer != reply.status else None,
        headers_to_add=headers,
        body_format_override=_json(code, message, told.reason, retry),
    )


def _grpc(reply: Reply) -> ResponseMapper:
    told = reply.refusal
    return ResponseMapper(
        filter=_all([*_filters(reply), *_grpc_only()]),
        status_code=200,
        body=DataSource(inline_string=""),
        headers_to_add=[
            header("grpc-status", str(told.code)),
            header("grpc-message", told.message),
            header("grpc-status-details-bin", told.details_header()),
        ],
    )


def _limited() -> list[ResponseMapper]:
    """A spent budget; when it refills, the limiting filter has said in the headers."""
    told = refusal()
    grpc = ResponseMapper(
        filter=_all([_status(429), *_grpc_only()]),
        status_code=200,
        body=DataSource(inline_string=""),
        headers_to_add=[header("grpc-status", str(told.code)), header("grpc-message", told.message)],
    )
    rest = ResponseMapper(
        filter=_status(429),
        body_format_override=_json(told.code, told.message, told.reason, "%RESP(RETRY-AFTER)%s"),
    )
    return [grpc, rest]


def _json(
    code: int, message: str, reason: reason_pb2.Reason.ValueType, retry: str | None
) -> SubstitutionFormatString:
    details: list[dict[str, str]] = [
        {"@type": f"{TYPES}ErrorInfo", "reason": reason_name(reason), "domain": DOMAIN}
    ]
    if retry is not None:
        details.append({"@type": f"{TYPES}RetryInfo", "retryDelay": retry})
    return SubstitutionFormatString(
        json_format=Struct.from_dict({"code": code, "message": message, "details": details}),
    )


def _filters(reply: Reply) -> list[AccessLogFilter]:
    filters = [_status(reply.status)] if reply.up_to is None else _between(reply.status, reply.up_to)
    if reply.because:
        filters.append(_details_contain(reply.because))
    return filters


def _all(filters: list[AccessLogFilter]) -> AccessLogFilter:
    if len(filters) == 1:
        return filters[0]
    return AccessLogFilter(and_filter=AndFilter(filters=filters))


def _between(first: int, last: int) -> list[AccessLogFilter]:
    return [_status(first, ComparisonFilterOp.GE), _status(last, ComparisonFilterOp.LE)]


def _status(value: int, op: ComparisonFilterOp = ComparisonFilterOp.EQ) -> AccessLogFilter:
    # A runtime key is demanded; nothing sets it.
    bound = RuntimeUInt32(default_value=value, runtime_key="creavio.unset")
    comparison = ComparisonFilter(op=op, value=bound)
    return AccessLogFilter(status_code_filter=StatusCodeFilter(comparison=comparison))


def _details_contain(text: str) -> AccessLogFilter:
    expression = f'response.code_details.contains("{text}")'
    return AccessLogFilter(
        extension_filter=ExtensionFilter(
            name="envoy.access_loggers.extension_filters.cel",
            typed_config=packed(ExpressionFilter(expression=expression)),
        )
    )


def _grpc_only() -> list[AccessLogFilter]:
    """Calls that came as gRPC or gRPC-Web: a transcoded one remembers its path."""
    transcoded = HeaderMatcher(name="x-envoy-original-path", present_match=True, invert_match=True)
    return [
        AccessLogFilter(
            header_filter=HeaderFilter(header=header_starts("content-type", "application/grpc"))
        ),
        AccessLogFilter(header_filter=HeaderFilter(header=transcoded)),
    ]
