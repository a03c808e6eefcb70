"""What is believed of a request's headers, and what every response carries."""

from __future__ import annotations

from envoy_data_plane.envoy.config.common.mutation_rules.v3 import (
    HeaderMutation,
    HeaderMutationRemoveOnMatch,
)
from envoy_data_plane.envoy.config.core.v3 import (
    HeaderValue,
    HeaderValueOption,
    HeaderValueOptionHeaderAppendAction,
)
from envoy_data_plane.envoy.extensions.filters.http.cors.v3 import CorsPolicy
from envoy_data_plane.envoy.extensions.filters.http.header_mutation.v3 import (
    HeaderMutation as HeaderMutationFilter,
)
from envoy_data_plane.envoy.extensions.filters.http.header_mutation.v3 import (
    HeaderMutationPerRoute,
    Mutations,
)
from envoy_data_plane.envoy.extensions.http.early_header_mutation.header_mutation.v3 import (
    HeaderMutation as EarlyHeaderMutation,
)
from envoy_data_plane.envoy.type.matcher.v3 import RegexMatcher, StringMatcher

from mesh.egress import removing
from mesh.topology import Topology
from mesh.wire import default_header

CLAIMED = ("x-creavio-", "x-envoy-", "x-forwarded-")
"""Headers that only we may set, by how they begin."""
CLAIMED_ALONE = ("forwarded", "x-real-ip", "x-request-id", "via", "true-client-ip")
UNREADABLE = (
    # HTTP takes more characters in a name than gRPC does, which fails a call that has one.
    StringMatcher(safe_regex=RegexMatcher(regex=".*[^0-9a-z_.:-].*")),
    # gRPC takes their values for base64. No RPC wants one.
    StringMatcher(suffix="-bin"),
)
"""Names of headers that a service could not read."""
SECURITY = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # What an API answers belongs to whoever asked.
    "cache-control": "no-store",
}


GRPC = (
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
    "grpc-encoding",
    "grpc-accept-encoding",
)


def distrust() -> EarlyHeaderMutation:
    """Takes away, before anything reads them, headers to lie with and headers to stumble over."""
    mutations = [removing(prefix) for prefix in CLAIMED]
    mutations += [HeaderMutation(remove=name) for name in CLAIMED_ALONE]
    mutations += [
        HeaderMutation(remove_on_match=HeaderMutationRemoveOnMatch(key_matcher=name))
        for name in UNREADABLE
    ]
    return EarlyHeaderMutation(mutations=mutations)


def secure() -> HeaderMutationFilter:
    """Gives a response the strictest headers, where it has not said otherwise."""
    added = [HeaderMutation(append=default_header(*item)) for item in SECURITY.items()]
    return HeaderMutationFilter(mutations=Mutations(response_mutations=added))


def plain_http(*, lines: bool = False) -> HeaderMutationPerRoute:
    """Leaves no trace of gRPC in a REST request or response.

    What a request says of gRPC's encoding it would be held to. A stream of lines is named
    for what it is.
    """
    asked = [HeaderMutation(remove=name) for name in GRPC]
    mutations = [HeaderMutation(remove=name) for name in GRPC]
    if lines:
        success = 'response.headers[":status"] == "200"'
        value = f'%CEL({success} ? "application/x-ndjson" : "application/json")%'
        kind = HeaderValueOption(
            header=HeaderValue(key="content-type", value=value),
            append_action=HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS,
        )
        mutations = [HeaderMutation(append=kind), *mutations]
    return HeaderMutationPerRoute(
        mutations=Mutations(request_mutations=asked, response_mutations=mutations)
    )


def lasting(policy: str, coding: str = "") -> HeaderMutationPerRoute:
    """Lets whoever asked keep what was found, as its name says its content.

    `policy` is the Content-Security-Policy of a worker that runs it; `coding` how what
    is found is compressed already.
    """
    found = 'response.headers[":status"] == "200"'
    kept = f'%CEL({found} ? "public, max-age=31536000, immutable" : "no-store")%'
    said = [("cache-control", kept), ("content-security-policy", policy)]
    if coding:
        # Where nothing was found the value is empty, and such a header is not sent.
        said += [("content-encoding", f'%CEL({found} ? "{coding}" : "")%')]
        said += [("vary", "accept-encoding")]
    given = [
        HeaderValueOption(
            header=HeaderValue(key=name, value=value),
            append_action=HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
        )
        for name, value in said
    ]
    mutations = [HeaderMutation(append=one) for one in given]
    return HeaderMutationPerRoute(mutations=Mutations(response_mutations=mutations))


def cors(topology: Topology) -> CorsPolicy:
    """Lets the web pages of these origins call; credentials are tokens, never cookies."""
    return CorsPolicy(
        allow_origin_string_match=[StringMatcher(exact=origin) for origin in topology.origins],
        allow_methods="GET, POST, PUT, PATCH, DELETE",
        allow_headers=(
            "authorization, content-type, idempotency-key, grpc-timeout, x-grpc-web, "
            "x-user-agent, traceparent, tracestate, creavio-policy-revision"
        ),
        expose_headers=(
            "grpc-status, grpc-message, grpc-status-details-bin, x-request-id, retry-after, "
            "ratelimit-limit, ratelimit-remaining, ratelimit-reset, creavio-policy-revision"
        ),
        max_age="7200",
        forward_not_matching_preflights=False,
    )
