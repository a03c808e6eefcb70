"""How much may be asked: budgets per source address and per person, by class.

A class is one budget over all its RPCs, so the buckets belong to the listener;
routes only name the class, in their metadata.
"""

from __future__ import annotations

from collections.abc import Mapping

from envoy_data_plane.envoy.config.common.mutation_rules.v3 import HeaderMutation
from envoy_data_plane.envoy.config.core.v3 import (
    HeaderValue,
    HeaderValueOption,
    HeaderValueOptionHeaderAppendAction,
    RuntimeFractionalPercent,
)
from envoy_data_plane.envoy.config.route.v3 import (
    RateLimit,
    RateLimitAction,
    RateLimitActionMaskedRemoteAddress,
    RateLimitActionMetaData,
    RateLimitActionMetaDataSource,
)
from envoy_data_plane.envoy.extensions.common.ratelimit.v3 import (
    LocalRateLimitDescriptor,
    RateLimitDescriptorEntry,
    XRateLimitHeadersRfcVersion,
)
from envoy_data_plane.envoy.extensions.filters.http.header_mutation.v3 import (
    HeaderMutation as HeaderMutationFilter,
)
from envoy_data_plane.envoy.extensions.filters.http.header_mutation.v3 import Mutations
from envoy_data_plane.envoy.extensions.filters.http.local_ratelimit.v3 import LocalRateLimit
from envoy_data_plane.envoy.type.metadata.v3 import MetadataKey, MetadataKeyPathSegment
from envoy_data_plane.envoy.type.v3 import (
    FractionalPercent,
    FractionalPercentDenominatorType,
    TokenBucket,
)
from google.rpc import code_pb2

from chassis.contract import Rpc
from creavio.errors.v1 import reason_pb2
from creavio.options.v1 import rpc_pb2
from edge.authentication import CLAIMS
from edge.authentication import FILTER as AUTHENTICATION
from mesh.refusal import Refusal
from mesh.routes import METADATA
from mesh.topology import Budget, Limit, Limits
from mesh.wire import header, seconds

SOURCE = "limit_by_source"
PERSON = "limit_by_person"
"""The two filters, before and after authentication."""
MAX_BUCKETS = 10_000
"""Sources or people counted at once, per class: enough that a blocked one
cannot be pushed out by inventing others."""
CLASSES = {
    rpc_pb2.RATE_LIMIT_READ: "read",
    rpc_pb2.RATE_LIMIT_WRITE: "write",
    rpc_pb2.RATE_LIMIT_SENSITIVE: "sensitive",
    rpc_pb2.RATE_LIMIT_STREAM: "stream",
}
CLASS = "class"
HEADERS = ("limit", "remaining", "reset")


def class_of(rpc: Rpc) -> str | None:
    """The budget a call is counted in; none for calls between services."""
    return CLASSES.get(rpc.policy.rate_limit)


def facts(limits: Limits, name: str) -> dict[str, str]:
    """What a route of this class says, in its metadata: its class, and when to come back."""
    budget: Budget = getattr(limits, name)
    return {
        CLASS: name,
        **_told(SOURCE, budget.source),
        **_told(PERSON, budget.person),
    }


def refusal(limit: Limit | None = None) -> Refusal:
    """What a caller is told whose budget is spent."""
    return Refusal(
        code=code_pb2.RESOURCE_EXHAUSTED,
        reason=reason_pb2.REASON_RATE_LIMITED,
        message="too many calls",
        retry_after=None if limit is None else limit.retry_after,
    )


def _told(name: str, limit: Limit) -> dict[str, str]:
    return {
        f"{name}_retry_after": str(limit.retry_after),
        f"{name}_details": refusal(limit).details_header(),
    }


def limit_by_source(limits: Limits) -> LocalRateLimit:
    """The budgets of source addresses."""
    # One household of IPv6 addresses is a /64.
    source = RateLimitAction(
        masked_remote_address=RateLimitActionMaskedRemoteAddress(
            v4_prefix_mask_len=32, v6_prefix_mask_len=64
        )
    )
    budgets = {name: getattr(limits, name).source for name in CLASSES.values()}
    return _filter(SOURCE, "masked_remote_address", source, budgets)


def limit_by_person(limits: Limits) -> LocalRateLimit:
    """The budgets of signed-in people."""
    person = _metadata(
        "person", AUTHENTICATION, (CLAIMS, "sub"), RateLimitActionMetaDataSource.DYNAMIC
    )
    budgets = {name: getattr(limits, name).person for name in CLASSES.values()}
    return _filter(PERSON, "person", person, budgets)


def _filter(
    name: str, key: str, who: RateLimitAction, budgets: Mapping[str, Limit]
) -> LocalRateLimit:
    always = RuntimeFractionalPercent(
        default_value=FractionalPercent(
            numerator=100, denominator=FractionalPercentDenominatorType.HUNDRED
        )
    )
    kind = _metadata(CLASS, METADATA, (CLASS,), RateLimitActionMetaDataSource.ROUTE_ENTRY)
    return LocalRateLimit(
        stat_prefix=name,
        filter_enabled=always,
        filter_enforced=always,
        # What has no class, or no person, has no entries and is not counted.
        rate_limits=[RateLimit(actions=[kind, who])],
        descriptors=[
            LocalRateLimitDescriptor(
                entries=[
                    RateLimitDescriptorEntry(key=CLASS, value=budget),
                    RateLimitDescriptorEntry(key=key),
                ],
                token_bucket=_bucket(limit),
            )
            for budget, limit in budgets.items()
        ],
        max_dynamic_descriptors=MAX_BUCKETS,
        enable_x_ratelimit_headers=XRateLimitHeadersRfcVersion.DRAFT_VERSION_03,
        rate_limited_as_resource_exhausted=True,
        response_headers_to_add=[
            header("retry-after", f"%METADATA(ROUTE:{METADATA}:{name}_retry_after)%"),
            header("grpc-status-details-bin", f"%METADATA(ROUTE:{METADATA}:{name}_details)%"),
        ],
    )


def _metadata(
    key: str, namespace: str, path: tuple[str, ...], source: RateLimitActionMetaDataSource
) -> RateLimitAction:
    segments = [MetadataKeyPathSegment(key=segment) for segment in path]
    return RateLimitAction(
        metadata=RateLimitActionMetaData(
            descriptor_key=key,
            metadata_key=MetadataKey(key=namespace, path=segments),
            source=source,
        )
    )


def _bucket(limit: Limit) -> TokenBucket:
    return TokenBucket(
        max_tokens=limit.requests,
        tokens_per_fill=limit.requests,
        fill_interval=seconds(limit.seconds),
    )


def publish_headers() -> HeaderMutationFilter:
    """Gives the budget's headers their published names, unless a tighter budget has spoken."""
    mutations = []
    for name in HEADERS:
        value = HeaderValue(key=f"ratelimit-{name}", value=f"%RESP(x-ratelimit-{name})%")
        action = HeaderValueOptionHeaderAppendAction.ADD_IF_ABSENT
        mutations += [
            HeaderMutation(append=HeaderValueOption(header=value, append_action=action)),
            HeaderMutation(remove=f"x-ratelimit-{name}"),
        ]
    return HeaderMutationFilter(mutations=Mutations(response_mutations=mutations))
