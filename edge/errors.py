"""One error shape: every reply that Envoy makes itself, as google.rpc.Status.

REST gets the status as JSON; gRPC and gRPC-Web get it as `mesh.replies` says.
"""

from __future__ import annotations

from dataclasses import dataclass

from envoy_data_plane.envoy.config.accesslog.v3 import AccessLogFilter
from envoy_data_plane.envoy.config.core.v3 import SubstitutionFormatString
from envoy_data_plane.envoy.config.route.v3 import HeaderMatcher
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    LocalReplyConfig,
    ResponseMapper,
)
from envoy_data_plane.google.protobuf import Struct
from google.rpc import code_pb2

from creavio.errors.v1 import reason_pb2
from edge.limits import refusal
from mesh.refusal import DOMAIN, Refusal, reason_name
from mesh.replies import (
    LATE,
    UNAVAILABLE,
    UNKNOWN,
    Reply,
    all_of,
    as_grpc,
    grpc_reply,
    request_has,
    status_is,
)
from mesh.wire import header, header_starts

TYPES = "type.googleapis.com/google.rpc."
TRANSCODING = "grpc_json_transcode_failure"
"""The transcoder could not read the request; its own words say why."""
REFUSED = "jwt_authn_access_denied"
"""A token was not accepted, for whatever reason."""
NO_KEYS = "Jwks_remote_fetch_is_failed"
"""Nobody could be asked for the keys, so no token can be judged."""


@dataclass(frozen=True, slots=True)
class Rest:
    """How a reply is told to REST."""

    reply: Reply
    answer: int
    """The HTTP status."""
    code: int | None = None
    """google.rpc.Code, where the status says it better than gRPC's."""
    challenge: str = ""
    """`www-authenticate` (RFC 9110, 11.6.1)."""


_TOO_LARGE = Refusal(
    code_pb2.INVALID_ARGUMENT,
    reason_pb2.REASON_REQUEST_TOO_LARGE,
    "the request is larger than it may be",
)
_MALFORMED = Refusal(
    code_pb2.INVALID_ARGUMENT, reason_pb2.REASON_MALFORMED_REQUEST, "the request is malformed"
)
_SLOW_CLIENT = Refusal(
    code_pb2.DEADLINE_EXCEEDED,
    reason_pb2.REASON_DEADLINE_EXCEEDED,
    "the request did not arrive in time",
)
_STRANGER = Refusal(
    code_pb2.UNAUTHENTICATED,
    reason_pb2.REASON_UNAUTHENTICATED,
    "there is no access token, or it is not valid",
)
_FORBIDDEN = Refusal(
    code_pb2.PERMISSION_DENIED, reason_pb2.REASON_PERMISSION_DENIED, "this is not allowed"
)
_BROKEN = Refusal(code_pb2.INTERNAL, reason_pb2.REASON_INTERNAL, "something went wrong on our side")

REPLIES = (
    Rest(Reply(_MALFORMED, status=400, because=TRANSCODING), 400),
    Rest(Reply(_MALFORMED, status=400), 400),
    Rest(Reply(UNAVAILABLE, status=401, because=NO_KEYS), 503),
    Rest(Reply(_STRANGER, status=401), 401, challenge="Bearer"),
    Rest(Reply(_STRANGER, status=403, because=REFUSED), 401, challenge="Bearer"),
    Rest(Reply(_FORBIDDEN, status=403), 403),
    Rest(Reply(UNKNOWN, status=404), 404, code=code_pb2.NOT_FOUND),
    Rest(Reply(UNKNOWN, status=405), 405, code=code_pb2.NOT_FOUND),
    Rest(Reply(LATE, status=408, because="max_duration"), 504),
    Rest(Reply(_SLOW_CLIENT, status=408), 408),
    Rest(Reply(_TOO_LARGE, status=413), 413),
    Rest(Reply(_TOO_LARGE, status=414), 414),
    Rest(Reply(_TOO_LARGE, status=431), 431),
    Rest(Reply(_MALFORMED, status=402, up_to=499), 400),
    # An encoding of the body that HTTP/1.1 has no more.
    Rest(Reply(_MALFORMED, status=501), 400),
    Rest(Reply(UNAVAILABLE, status=502, up_to=503), 503),
    Rest(Reply(LATE, status=504), 504),
    Rest(Reply(_BROKEN, status=500, up_to=599), 500),
)
"""Every reply but the one about limits; the first that fits is given."""


def one_shape() -> LocalReplyConfig:
    """Rewrites every local reply."""
    mappers = _limited()
    for told in REPLIES:
        mappers += [as_grpc(told.reply, *_came_as_grpc()), _rest(told)]
    return LocalReplyConfig(mappers=mappers)


def _rest(told: Rest) -> ResponseMapper:
    refused = told.reply.refusal
    message = "%LOCAL_REPLY_BODY%" if told.reply.because == TRANSCODING else refused.message
    headers = []
    if told.challenge:
        headers.append(header("www-authenticate", told.challenge))
    retry = None
    if refused.retry_after is not None:
        headers.append(header("retry-after", str(refused.retry_after)))
        retry = f"{refused.retry_after}s"
    return ResponseMapper(
        filter=all_of(told.reply.filters()),
        status_code=told.answer,
        headers_to_add=headers,
        body_format_override=_json(told.code or refused.code, message, refused.reason, retry),
    )


def _limited() -> list[ResponseMapper]:
    """A spent budget; when it refills, the limiting filter has said in the headers."""
    told = refusal()
    return [
        grpc_reply([status_is(429), *_came_as_grpc()], told, []),
        ResponseMapper(
            filter=status_is(429),
            body_format_override=_json(
                told.code, told.message, told.reason, "%RESP(RETRY-AFTER)%s"
            ),
        ),
    ]


def _json(
    code: int, message: str, reason: reason_pb2.Reason.ValueType, retry: str | None
) -> SubstitutionFormatString:
    details: list[dict[str, str]] = [
        {"@type": f"{TYPES}ErrorInfo", "reason": reason_name(reason), "domain": DOMAIN}
    ]
    if retry is not None:
        details.append({"@type": f"{TYPES}RetryInfo", "retryDelay": retry})
    return SubstitutionFormatString(
        json_format=Struct.from_dict({"code": code, "message": message, "details": details})
    )


def _came_as_grpc() -> tuple[AccessLogFilter, AccessLogFilter]:
    """Holds for gRPC and gRPC-Web: what was transcoded remembers its path."""
    transcoded = HeaderMatcher(name="x-envoy-original-path", present_match=True, invert_match=True)
    return (
        request_has(header_starts("content-type", "application/grpc")),
        request_has(transcoded),
    )
