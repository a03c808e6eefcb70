"""Who is calling: access tokens, verified before a call leaves the edge.

Envoy fetches the keys from auth through a small HTTP listener of its own, on a
socket, that turns the request into the RPC. It asks in the background and keeps
what it has while auth is away, so nobody is signed out by a restart.
"""

from __future__ import annotations

from envoy_data_plane.envoy.config.core.v3 import HttpUri
from envoy_data_plane.envoy.config.listener.v3 import Filter, FilterChain, Listener
from envoy_data_plane.envoy.config.route.v3 import RouteConfiguration, VirtualHost
from envoy_data_plane.envoy.extensions.filters.http.jwt_authn.v3 import (
    JwksAsyncFetch,
    JwtAuthentication,
    JwtCacheConfig,
    JwtHeader,
    JwtProvider,
    JwtRequirement,
    PerRouteConfig,
    RemoteJwks,
)
from envoy_data_plane.envoy.extensions.filters.http.router.v3 import Router
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManager,
    HttpConnectionManagerCodecType,
)

from chassis.contract import Contract, Rpc
from creavio.options.v1 import rpc_pb2
from edge.transcoding import FILTER as TRANSCODER
from edge.transcoding import transcoder
from mesh.egress import CALLER
from mesh.routes import rpc_route
from mesh.topology import Topology
from mesh.wire import header, http_filter, listening_on, packed, seconds

FILTER = "envoy.filters.http.jwt_authn"
KEYS_RPC = "/creavio.auth.v1.KeyService/GetKeySet"
KEYS = "keys"
"""The cluster and the listener through which keys are fetched."""
PERSON = "person"
"""The requirement, and the provider, of RPCs that a signed-in person calls."""
CLAIMS = "claims"
"""Where the claims of a verified token stand in the filter's metadata."""
MAX_KEY_AGE = 30.0
"""How long a key that auth no longer names is still accepted, in seconds."""


def authentication(topology: Topology, contract: Contract) -> JwtAuthentication:
    """The filter: one provider, demanded by name from each route."""
    path = contract.rpcs[KEYS_RPC].http[0].get
    provider = JwtProvider(
        issuer=topology.issuer,
        audiences=[topology.audience],
        require_expiration=True,
        clock_skew_seconds=5,
        remote_jwks=RemoteJwks(
            http_uri=HttpUri(uri=f"http://{KEYS}{path}", cluster=KEYS, timeout=seconds(2)),
            cache_duration=seconds(MAX_KEY_AGE),
            # The listener need not wait: before the first fetch the answer is 503.
            async_fetch=JwksAsyncFetch(fast_listener=True, failed_refetch_duration=seconds(0.25)),
        ),
        # Naming the header turns off the `access_token` query parameter.
        from_headers=[JwtHeader(name="authorization", value_prefix="Bearer ")],
        forward=True,
        payload_in_metadata=CLAIMS,
        jwt_cache_config=JwtCacheConfig(jwt_cache_size=1000),
    )
    return JwtAuthentication(
        providers={PERSON: provider},
        requirement_map={PERSON: JwtRequirement(provider_name=PERSON)},
        strip_failure_response=True,
    )


def requirement(rpc: Rpc) -> PerRouteConfig:
    """What a route demands: a person's token, unless anybody may call."""
    if rpc.policy.access == rpc_pb2.ACCESS_ANONYMOUS:
        return PerRouteConfig(disabled=True)
    return PerRouteConfig(requirement_name=PERSON)


def keys_listener(topology: Topology, contract: Contract) -> Listener:
    """HTTP for Envoy itself: the key set, and nothing else."""
    rpc = contract.rpcs[KEYS_RPC]
    routes = RouteConfiguration(
        name=KEYS,
        virtual_hosts=[VirtualHost(name=KEYS, domains=["*"], routes=[rpc_route(rpc)])],
        request_headers_to_add=[header(CALLER, "edge")],
    )
    manager = HttpConnectionManager(
        codec_type=HttpConnectionManagerCodecType.HTTP1,
        stat_prefix=KEYS,
        route_config=routes,
        http_filters=[
            http_filter(TRANSCODER, transcoder([rpc], max_request=rpc.policy.max_request_bytes)),
            http_filter("envoy.filters.http.router", Router(suppress_envoy_headers=True)),
        ],
    )
    return Listener(
        name=KEYS,
        address=listening_on(f"unix:{topology.keys}"),
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
