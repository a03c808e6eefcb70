"""The public listener: the filters every call passes, and the bounds of a connection.

The order is a promise. After the transcoder a call is gRPC, however it came,
and its RPC's route decides everything that follows: first what its source may
ask, then who is calling, then what that person may ask.
"""

from __future__ import annotations

from envoy_data_plane.envoy.config.core.v3 import (
    Http1ProtocolOptions,
    Http2ProtocolOptions,
    HttpProtocolOptions,
    HttpProtocolOptionsHeadersWithUnderscoresAction,
)
from envoy_data_plane.envoy.config.listener.v3 import Filter, FilterChain, Listener
from envoy_data_plane.envoy.extensions.compression.gzip.compressor.v3 import Gzip
from envoy_data_plane.envoy.extensions.filters.http.buffer.v3 import Buffer
from envoy_data_plane.envoy.extensions.filters.http.compressor.v3 import (
    Compressor,
    CompressorCommonDirectionConfig,
    CompressorResponseDirectionConfig,
)
from envoy_data_plane.envoy.extensions.filters.http.cors.v3 import Cors
from envoy_data_plane.envoy.extensions.filters.http.grpc_stats.v3 import FilterConfig as GrpcStats
from envoy_data_plane.envoy.extensions.filters.http.grpc_web.v3 import GrpcWeb
from envoy_data_plane.envoy.extensions.filters.http.router.v3 import Router
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManager,
    HttpConnectionManagerPathWithEscapedSlashesAction,
    HttpFilter,
    Rds,
)

from chassis.contract import Contract
from edge import authentication, forms, limits, transcoding, web
from edge.access_log import access_log
from edge.errors import one_shape
from edge.headers import distrust, secure
from edge.routes import BUFFER, COMPRESSOR, CORS, HEADERS
from mesh.topology import Topology
from mesh.wire import Routes, extension, http_filter, listening_on, packed, seconds

NAME = "edge"
HEADERS_WITHIN = 10.0
REQUEST_WITHIN = 30.0
"""How long the headers, and all of a request, may take to arrive, in seconds."""
SMALLEST_CAP = 1024
"""The largest body of a request that has no RPC."""


def public_listener(topology: Topology, contract: Contract, routes: Routes) -> Listener:
    """Where everybody comes in."""
    manager = _manager(topology, contract, routes)
    return Listener(
        name=NAME,
        address=listening_on(topology.public),
        per_connection_buffer_limit_bytes=256 * 1024,
        filter_chains=[
            FilterChain(
                filters=[
                    Filter(
                        name="envoy.filters.network.http_connection_manager",
                        typed_config=packed(manager),
                    )
                ]
            )
        ],
    )


def _manager(topology: Topology, contract: Contract, routes: Routes) -> HttpConnectionManager:
    return HttpConnectionManager(
        stat_prefix=NAME,
        rds=routes if isinstance(routes, Rds) else None,
        route_config=None if isinstance(routes, Rds) else routes,
        http_filters=_filters(topology, contract),
        common_http_protocol_options=HttpProtocolOptions(
            idle_timeout=seconds(300),
            max_headers_count=64,
            headers_with_underscores_action=(
                HttpProtocolOptionsHeadersWithUnderscoresAction.DROP_HEADER
            ),
        ),
        http_protocol_options=Http1ProtocolOptions(),
        http2_protocol_options=Http2ProtocolOptions(
            max_concurrent_streams=100,
            initial_stream_window_size=64 * 1024,
            initial_connection_window_size=1024 * 1024,
        ),
        server_name="creavio",
        max_request_headers_kb=32,
        request_headers_timeout=seconds(HEADERS_WITHIN),
        request_timeout=seconds(REQUEST_WITHIN),
        stream_idle_timeout=seconds(60),
        early_header_mutation_extensions=[
            extension("envoy.http.early_header_mutation.header_mutation", distrust())
        ],
        use_remote_address=True,
        # Envoy would name the machine's own address for a caller on it: routes say it instead.
        skip_xff_append=True,
        always_set_request_id_in_response=True,
        normalize_path=True,
        path_with_escaped_slashes_action=(
            HttpConnectionManagerPathWithEscapedSlashesAction.REJECT_REQUEST
        ),
        local_reply_config=one_shape(),
        access_log=[access_log(topology.access_log)],
    )


def _filters(topology: Topology, contract: Contract) -> list[HttpFilter]:
    budgets = topology.limits
    return [
        http_filter(HEADERS, secure()),
        http_filter(CORS, Cors()),
        http_filter("envoy.filters.http.grpc_web", GrpcWeb()),
        http_filter(BUFFER, Buffer(max_request_bytes=SMALLEST_CAP)),
        http_filter(COMPRESSOR, _compressor()),
        http_filter(web.FILTER, web.no_files()),
        http_filter(forms.FILTER, forms.no_forms()),
        http_filter(transcoding.FILTER, transcoding.no_transcoder()),
        http_filter("limit_headers_source", limits.publish_headers()),
        http_filter(limits.SOURCE, limits.limit_by_source(budgets)),
        http_filter(authentication.FILTER, authentication.authentication(topology, contract)),
        http_filter("limit_headers_person", limits.publish_headers()),
        http_filter(limits.PERSON, limits.limit_by_person(budgets)),
        http_filter("envoy.filters.http.grpc_stats", GrpcStats()),
        http_filter("envoy.filters.http.router", Router(suppress_envoy_headers=True)),
    ]


def _compressor() -> Compressor:
    return Compressor(
        compressor_library=extension("gzip", Gzip()),
        response_direction_config=CompressorResponseDirectionConfig(
            common_config=CompressorCommonDirectionConfig(min_content_length=860)
        ),
    )
