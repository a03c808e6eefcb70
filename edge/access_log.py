"""One line of JSON per request, without what is nobody's business.

Paths appear without their query; a transcoded request appears under its RPC,
so neither ids nor invite codes are written. No header that carries a
credential is named here.
"""

from __future__ import annotations

from envoy_data_plane.envoy.config.accesslog.v3 import AccessLog
from envoy_data_plane.envoy.config.core.v3 import SubstitutionFormatString
from envoy_data_plane.envoy.extensions.access_loggers.file.v3 import FileAccessLog
from envoy_data_plane.envoy.extensions.access_loggers.stream.v3 import StdoutAccessLog
from envoy_data_plane.google.protobuf import Struct

from mesh.wire import packed

FIELDS = {
    "@timestamp": "%START_TIME(%Y-%m-%dT%H:%M:%S.%3fZ)%",
    "service.name": "edge",
    "client.ip": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "http.request.method": "%REQ(X-ENVOY-ORIGINAL-METHOD?:METHOD)%",
    "url.path": "%PATH(NQ:PATH:256)%",
    "http.request.bytes": "%BYTES_RECEIVED%",
    "http.response.status_code": "%RESPONSE_CODE%",
    "http.response.bytes": "%BYTES_SENT%",
    "http.version": "%PROTOCOL%",
    "grpc.status": "%GRPC_STATUS(CAMEL_STRING)%",
    "event.duration_ms": "%DURATION%",
    "upstream.service": "%UPSTREAM_CLUSTER%",
    "upstream.duration_ms": "%RESPONSE_DURATION%",
    "envoy.flags": "%RESPONSE_FLAGS%",
    "envoy.details": "%RESPONSE_CODE_DETAILS%",
    "request.id": "%REQ(X-REQUEST-ID)%",
    "trace.parent": "%REQ(TRACEPARENT):64%",
    "user_agent.original": "%REQ(USER-AGENT):256%",
}


def access_log(path: str | None) -> AccessLog:
    """Writes to a file, or to standard output."""
    style = SubstitutionFormatString(
        json_format=Struct.from_dict(FIELDS),
        omit_empty_values=True,
    )
    if path is None:
        return AccessLog(
            name="envoy.access_loggers.stdout",
            typed_config=packed(StdoutAccessLog(log_format=style)),
        )
    return AccessLog(
        name="envoy.access_loggers.file",
        typed_config=packed(FileAccessLog(path=path, log_format=style)),
    )
