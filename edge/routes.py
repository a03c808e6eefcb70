"""The routes of the edge: one resource with everything that contracts change.

The transcoder's descriptors, the routes, and what each route demands travel
together, so a regenerated contract goes live in one step and cuts no stream.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from envoy_data_plane.envoy.config.core.v3 import DataSource
from envoy_data_plane.envoy.config.route.v3 import (
    DirectResponseAction,
    HeaderMatcher,
    Route,
    RouteAction,
    RouteActionClusterNotFoundResponseCode,
    RouteConfiguration,
    RouteMatch,
    VirtualHost,
)
from envoy_data_plane.envoy.extensions.filters.http.buffer.v3 import Buffer, BufferPerRoute
from envoy_data_plane.envoy.extensions.filters.http.compressor.v3 import CompressorPerRoute
from envoy_data_plane.envoy.type.matcher.v3 import RegexMatcher, StringMatcher
from envoy_data_plane.google.protobuf import Any

from chassis.catalog import Catalog
from chassis.contract import Contract, Rpc
from creavio.options.v1 import rpc_pb2
from edge import authentication, forms, transcoding, web
from edge.headers import cors, lasting, plain_http
from edge.limits import class_of, facts
from edge.pages import Page, pages
from edge.rest import Binding, bindings_of
from mesh.branches import branches, service_of
from mesh.egress import CALLER
from mesh.routes import metadata, retries, rpc_action, rpc_match
from mesh.topology import Topology
from mesh.wire import header, header_is, packed, seconds

ROUTES = "edge"
BUFFER = "envoy.filters.http.buffer"
CORS = "envoy.filters.http.cors"
HEADERS = "response_headers"
COMPRESSOR = "envoy.filters.http.compressor"
NOWHERE = "nowhere"
HEALTH = "health"
"""The cluster of the supervisor's health socket."""
FRAME = 5
"""What gRPC puts before each message, in bytes."""
MAX_PAGE = 16 * 1024 * 1024


def edge_routes(topology: Topology, catalog: Catalog, contract: Contract) -> RouteConfiguration:
    """Everything the public listener answers."""
    public = [contract.rpcs[path] for path in sorted(contract.rpcs) if contract.rpcs[path].public]
    bindings = bindings_of(public)
    largest = max(rpc.policy.max_request_bytes for rpc in public)
    routes = [
        *(_grpc(rpc, topology) for rpc in public),
        _preflight(),
        *_rest(bindings),
        _health(topology),
        *_web(topology),
        *(_page(page) for page in pages(catalog, contract, topology)),
        *_wrong_verbs(bindings),
        _nothing("unknown", RouteMatch(prefix="/"), 404),
    ]
    services = (service_of(rpc.path) for rpc in public)
    host = VirtualHost(
        name="public",
        domains=["*"],
        retry_policy=retries(fate_unknown=False),
        matcher=branches(routes, (*services, *(binding.collection for binding in bindings))),
        typed_per_filter_config={
            CORS: packed(cors(topology)),
            transcoding.FILTER: packed(transcoding.transcoder(public, max_request=largest)),
        },
    )
    return RouteConfiguration(
        name=ROUTES,
        virtual_hosts=[host],
        request_headers_to_add=[
            header(CALLER, "edge"),
            header("x-forwarded-for", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"),
        ],
        max_direct_response_body_size_bytes=MAX_PAGE,
        validate_clusters=False,
    )


def _grpc(rpc: Rpc, topology: Topology) -> Route:
    name = class_of(rpc)
    filters = {
        authentication.FILTER: packed(authentication.requirement(rpc)),
        BUFFER: packed(_cap(rpc, FRAME)),
    }
    if forms.speaks_oauth(rpc):
        filters[forms.FILTER] = packed(forms.forms())
    if _uncompressed(rpc):
        filters[COMPRESSOR] = packed(CompressorPerRoute(disabled=True))
    return Route(
        name=rpc.path,
        match=rpc_match(rpc),
        route=rpc_action(rpc),
        metadata=None if name is None else metadata(**facts(topology.limits, name)),
        typed_per_filter_config=filters,
    )


def _uncompressed(rpc: Rpc) -> bool:
    # A compressor holds events back, and the length of what it makes of a
    # credential next to a caller's own words can give the credential away (BREACH).
    return rpc.descriptor.server_streaming or rpc.policy.idempotency == rpc_pb2.IDEMPOTENCY_EXEMPT


def _cap(rpc: Rpc, framing: int = 0) -> BufferPerRoute:
    if rpc.descriptor.client_streaming:
        return BufferPerRoute(disabled=True)
    return BufferPerRoute(buffer=Buffer(max_request_bytes=rpc.policy.max_request_bytes + framing))


def _rest(bindings: Iterable[Binding]) -> list[Route]:
    """How a REST call comes in: its size is bounded here, its policy is its RPC's.

    The transcoder turns it into gRPC, and then the route is chosen again. What
    it does not recognise stays here and does not exist.
    """
    routes = []
    for binding in bindings:
        name = f"{binding.verb} {binding.template}"
        filters = {BUFFER: packed(_cap(binding.rpc)), HEADERS: packed(plain_http())}
        if forms.speaks_oauth(binding.rpc):
            filters[forms.FILTER] = packed(forms.forms())
        if binding.rpc.descriptor.server_streaming:
            events = transcoding.transcoder(
                [binding.rpc],
                max_request=binding.rpc.policy.max_request_bytes,
                server_sent_events=True,
            )
            wanted = HeaderMatcher(
                name="accept", string_match=StringMatcher(contains="text/event-stream")
            )
            routes.append(
                _entry(
                    f"{name} as server-sent events",
                    _match(binding, wanted),
                    {**filters, transcoding.FILTER: packed(events)},
                )
            )
            filters[HEADERS] = packed(plain_http(lines=True))
        routes.append(_entry(name, _match(binding), filters))
    return routes


def _web(topology: Topology) -> list[Route]:
    """The web app, where it was built; the front page is behind it."""
    if topology.web is None or not Path(topology.web, web.DOCUMENT).is_file():
        return []
    folder = Path(topology.web)
    routes = [_page(page) for page in web.pages(folder)]
    for coding, files in web.files(folder, _nowhere()):
        filters = {HEADERS: packed(lasting(web.WORKER, coding)), **_untranscoded()}
        if coding:
            filters[COMPRESSOR] = packed(CompressorPerRoute(disabled=True))
        files.typed_per_filter_config |= filters
        routes.append(files)
    return routes


def _nowhere() -> RouteAction:
    return RouteAction(
        cluster=NOWHERE,
        cluster_not_found_response_code=RouteActionClusterNotFoundResponseCode.NOT_FOUND,
    )


def _entry(name: str, match: RouteMatch, filters: dict[str, Any]) -> Route:
    """A route that leads nowhere by itself: what no filter takes further does not exist."""
    return Route(name=name, match=match, route=_nowhere(), typed_per_filter_config=filters)


def _preflight() -> Route:
    """Questions of browsers, which the CORS filter answers for every path."""
    asks = [
        header_is(":method", "OPTIONS"),
        HeaderMatcher(name="origin", present_match=True),
        HeaderMatcher(name="access-control-request-method", present_match=True),
    ]
    return _entry("preflight", RouteMatch(prefix="/", headers=asks), _untranscoded())


def _match(binding: Binding, *headers: HeaderMatcher) -> RouteMatch:
    return _path(binding, [header_is(":method", binding.verb), *headers])


def _path(binding: Binding, headers: list[HeaderMatcher]) -> RouteMatch:
    if binding.literal:
        return RouteMatch(path=binding.template, headers=headers)
    return RouteMatch(safe_regex=RegexMatcher(regex=binding.pattern), headers=headers)


def _wrong_verbs(bindings: Iterable[Binding]) -> list[Route]:
    routes = []
    ordered = sorted(bindings, key=lambda b: (b.template.count("{"), b.pattern))
    for pattern, group in groupby(ordered, key=lambda b: b.pattern):
        same = list(group)
        allow = ", ".join(sorted({binding.verb for binding in same}))
        route = _nothing(f"other verbs: {pattern}", _path(same[0], []), 405, _untranscoded())
        route.response_headers_to_add = [header("allow", allow)]
        routes.append(route)
    return routes


def _health(topology: Topology) -> Route:
    return Route(
        name="health",
        match=RouteMatch(path="/healthz", headers=[header_is(":method", "GET")]),
        route=RouteAction(cluster=HEALTH, timeout=seconds(2)),
        metadata=metadata(**facts(topology.limits, "read")),
        typed_per_filter_config=_untranscoded(),
    )


def _page(page: Page) -> Route:
    get = [header_is(":method", "GET")]
    if page.beneath:
        match = RouteMatch(path_separated_prefix=page.path, headers=get)
    else:
        match = RouteMatch(path=page.path, headers=get)
    return Route(
        name=page.path,
        match=match,
        direct_response=DirectResponseAction(status=200, body=DataSource(inline_string=page.body)),
        response_headers_to_add=[
            header("content-type", page.content_type),
            header("content-security-policy", page.policy),
            header("cache-control", "no-cache"),
        ],
        typed_per_filter_config=_untranscoded(),
    )


def _nothing(
    name: str, match: RouteMatch, status: int, filters: dict[str, Any] | None = None
) -> Route:
    return Route(
        name=name,
        match=match,
        direct_response=DirectResponseAction(status=status),
        typed_per_filter_config=_untranscoded() if filters is None else filters,
    )


def _untranscoded() -> dict[str, Any]:
    return {transcoding.FILTER: packed(transcoding.no_transcoder())}
