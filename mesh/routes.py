"""How long a call may take and what is tried again, as Envoy's routes say it."""

from __future__ import annotations

from datetime import timedelta

from envoy_data_plane.envoy.config.core.v3 import Metadata
from envoy_data_plane.envoy.config.route.v3 import (
    RetryPolicy,
    RetryPolicyRetryBackOff,
    RetryPolicyRetryHostPredicate,
    Route,
    RouteAction,
    RouteActionMaxStreamDuration,
    RouteMatch,
)
from envoy_data_plane.envoy.extensions.retry.host.previous_hosts.v3 import PreviousHostsPredicate
from envoy_data_plane.google.protobuf import Struct

from chassis.contract import Rpc
from mesh.policy import may_repeat
from mesh.wire import header_starts, packed, seconds

RETRIES = 2
GRACE = 0.25
"""How much later than the contract's deadline a call is ended from here, in seconds:
a service that is alive says so itself, and knows more."""
METADATA = "creavio"
"""Where a route keeps what error replies say about it."""


def rpc_match(rpc: Rpc) -> RouteMatch:
    """Matches an RPC as gRPC, as gRPC-Web, and as what the transcoder made of REST."""
    return RouteMatch(path=rpc.path, headers=[header_starts("content-type", "application/grpc")])


def rpc_action(rpc: Rpc) -> RouteAction:
    """Sends a call to its service, for as long as the contract says.

    What is tried again is the virtual host's `retries(fate_unknown=False)`,
    unless the RPC allows more.
    """
    return RouteAction(
        cluster=rpc.service,
        retry_policy=retries(fate_unknown=True) if may_repeat(rpc) else None,
        timeout=_patience(rpc),
        max_stream_duration=_longest(rpc),
        idle_timeout=_patience(rpc),
    )


def retries(*, fate_unknown: bool) -> RetryPolicy:
    """Tries again, a little later and elsewhere, what never reached the service.

    With `fate_unknown` also what may have: for RPCs that can be repeated.
    """
    # CANCELLED is what a gRPC server that stops answers calls it took in and did not
    # begin; of one that was begun the chassis never says it (`chassis.interceptors`).
    untouched = "connect-failure,refused-stream,cancelled"
    return RetryPolicy(
        retry_on=f"{untouched},reset-before-request,reset,unavailable"
        if fate_unknown
        else untouched,
        num_retries=RETRIES,
        # Envoy waits a random time below these.
        retry_back_off=RetryPolicyRetryBackOff(
            base_interval=seconds(0.05), max_interval=seconds(0.5)
        ),
        retry_host_predicate=[
            RetryPolicyRetryHostPredicate(
                name="envoy.retry_host_predicates.previous_hosts",
                typed_config=packed(PreviousHostsPredicate()),
            )
        ],
        host_selection_retry_max_attempts=3,
    )


def _longest(rpc: Rpc) -> RouteActionMaxStreamDuration | None:
    if rpc.lasting:
        return None
    return RouteActionMaxStreamDuration(
        max_stream_duration=_patience(rpc), grpc_timeout_header_max=_patience(rpc)
    )


def _patience(rpc: Rpc) -> timedelta:
    return seconds(0 if rpc.lasting else rpc.deadline + GRACE)


def metadata(**facts: str) -> Metadata:
    """What is said about a route."""
    return Metadata(filter_metadata={METADATA: Struct.from_dict(facts)})


def rpc_route(rpc: Rpc) -> Route:
    """The whole route of one RPC inside the mesh."""
    return Route(name=rpc.path, match=rpc_match(rpc), route=rpc_action(rpc))
