"""The way out of a service: one socket each, which knows who stands behind it.

Whoever can open `out.sock` of a service is that service: the folder it lies in
belongs to one Unix user. The listener says so to the callee
(`x-creavio-caller`), whatever the caller claims, and refuses what the catalog
does not allow.
"""

from __future__ import annotations

from envoy_data_plane.envoy.config.common.mutation_rules.v3 import (
    HeaderMutation,
    HeaderMutationRemoveOnMatch,
)
from envoy_data_plane.envoy.config.core.v3 import HttpProtocolOptions
from envoy_data_plane.envoy.config.listener.v3 import Filter, FilterChain, Listener
from envoy_data_plane.envoy.config.rbac.v3 import Permission, Policy, Principal, RbacAction
from envoy_data_plane.envoy.config.rbac.v3 import Rbac as Rules
from envoy_data_plane.envoy.config.route.v3 import (
    DirectResponseAction,
    Route,
    RouteConfiguration,
    RouteMatch,
    VirtualHost,
)
from envoy_data_plane.envoy.extensions.filters.http.rbac.v3 import Rbac, RbacPerRoute
from envoy_data_plane.envoy.extensions.filters.http.router.v3 import Router
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManager,
    HttpConnectionManagerCodecType,
    LocalReplyConfig,
    Rds,
    ResponseMapper,
)
from envoy_data_plane.envoy.extensions.http.early_header_mutation.header_mutation.v3 import (
    HeaderMutation as EarlyHeaderMutation,
)
from envoy_data_plane.envoy.type.matcher.v3 import PathMatcher, StringMatcher
from google.rpc import code_pb2

from chassis.catalog import Catalog
from chassis.contract import Contract
from creavio.errors.v1 import reason_pb2
from mesh.branches import branches, service_of
from mesh.policy import Reach, reach_of
from mesh.refusal import Refusal
from mesh.replies import MESH_REPLIES, Reply, as_grpc, request_has
from mesh.routes import retries, rpc_route
from mesh.wire import (
    Routes,
    extension,
    header,
    header_starts,
    http_filter,
    listening_on,
    packed,
    seconds,
)

RBAC = "envoy.filters.http.rbac"
CALLER = "x-creavio-caller"


def route_name(service: str) -> str:
    """The name of a service's egress routes, and of the file that holds them."""
    return f"egress-{service}"


def egress_listener(service: str, socket: str, routes: Routes, catalog: Catalog) -> Listener:
    """The socket a service calls the others through."""
    return Listener(
        name=route_name(service),
        address=listening_on(f"unix:{socket}"),
        filter_chains=[
            FilterChain(
                filters=[
                    Filter(
                        name="envoy.filters.network.http_connection_manager",
                        typed_config=packed(_manager(service, routes, catalog)),
                    )
                ]
            )
        ],
    )


def egress_routes(service: str, catalog: Catalog, contract: Contract) -> RouteConfiguration:
    """What a service may call, and how: the rules and the routes, in one resource."""
    reach = reach_of(service, catalog, contract)
    routes = [
        *(rpc_route(rpc) for rpc in reach.rpcs),
        Route(
            name="unknown",
            match=RouteMatch(prefix="/"),
            direct_response=DirectResponseAction(status=404),
        ),
    ]
    host = VirtualHost(
        name="mesh",
        domains=["*"],
        retry_policy=retries(fate_unknown=False),
        matcher=branches(routes, (service_of(rpc.path) for rpc in reach.rpcs)),
        typed_per_filter_config={RBAC: packed(RbacPerRoute(rbac=_rules(reach, catalog)))},
    )
    return RouteConfiguration(
        name=route_name(service),
        virtual_hosts=[host],
        request_headers_to_add=[header(CALLER, service)],
    )


def _manager(service: str, routes: Routes, catalog: Catalog) -> HttpConnectionManager:
    return HttpConnectionManager(
        codec_type=HttpConnectionManagerCodecType.HTTP2,
        stat_prefix=route_name(service),
        rds=routes if isinstance(routes, Rds) else None,
        route_config=None if isinstance(routes, Rds) else routes,
        http_filters=[
            # Without rules of a route nothing is allowed.
            http_filter(RBAC, Rbac(rules=Rules(action=RbacAction.ALLOW))),
            http_filter("envoy.filters.http.router", Router(suppress_envoy_headers=True)),
        ],
        common_http_protocol_options=HttpProtocolOptions(idle_timeout=seconds(3600)),
        early_header_mutation_extensions=[
            extension(
                "envoy.http.early_header_mutation.header_mutation",
                EarlyHeaderMutation(mutations=[removing("x-creavio-"), removing("x-envoy-")]),
            )
        ],
        generate_request_id=True,
        preserve_external_request_id=True,
        stream_idle_timeout=seconds(0),
        local_reply_config=LocalReplyConfig(mappers=_refusals(service, catalog)),
    )


def removing(prefix: str) -> HeaderMutation:
    """Takes away every header whose name begins so."""
    return HeaderMutation(
        remove_on_match=HeaderMutationRemoveOnMatch(key_matcher=StringMatcher(prefix=prefix))
    )


def _rules(reach: Reach, catalog: Catalog) -> Rbac:
    allowed = [
        StringMatcher(prefix=f"/{catalog.services[callee].contract}.") for callee in reach.callees
    ]
    allowed += [StringMatcher(exact=rpc.path) for rpc in reach.open]
    policy = Policy(
        permissions=[Permission(url_path=PathMatcher(path=matcher)) for matcher in allowed],
        principals=[Principal(any=True)],
    )
    return Rbac(rules=Rules(action=RbacAction.ALLOW, policies={"calls": policy} if allowed else {}))


def _refusals(service: str, catalog: Catalog) -> list[ResponseMapper]:
    mappers = []
    for callee, entry in sorted(catalog.services.items()):
        refusal = Refusal(
            code_pb2.PERMISSION_DENIED,
            reason_pb2.REASON_CALLER_NOT_ALLOWED,
            f"{service} may not call {callee}",
            metadata={"caller": service, "callee": callee},
        )
        path = request_has(header_starts(":path", f"/{entry.contract}."))
        mappers.append(as_grpc(Reply(refusal, status=403), path))
    return [*mappers, *map(as_grpc, MESH_REPLIES)]
