"""The services as Envoy reaches them: endpoints, health, and limits on harm."""

from __future__ import annotations

from collections.abc import Iterable

from envoy_data_plane.envoy.config.cluster.v3 import (
    CircuitBreakers,
    CircuitBreakersThresholds,
    CircuitBreakersThresholdsRetryBudget,
    Cluster,
    ClusterCommonLbConfig,
    ClusterDiscoveryType,
    ClusterLbPolicy,
    OutlierDetection,
    UpstreamConnectionOptions,
)
from envoy_data_plane.envoy.config.core.v3 import (
    HealthCheck,
    HealthCheckGrpcHealthCheck,
    Http2ProtocolOptions,
    TcpKeepalive,
)
from envoy_data_plane.envoy.config.endpoint.v3 import (
    ClusterLoadAssignment,
    Endpoint,
    LbEndpoint,
    LocalityLbEndpoints,
)
from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
    HttpProtocolOptions,
    HttpProtocolOptionsExplicitHttpConfig,
)
from envoy_data_plane.envoy.type.v3 import Percent

from chassis.contract import Rpc
from mesh.wire import packed, reaching, seconds

MAX_CALLS = 2048
"""Calls in flight to one service before more are turned away at once."""
MAX_STREAMS = 65_536
"""The same for a service whose calls include live streams, which only wait."""
HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def service_cluster(name: str, endpoints: tuple[str, ...], rpcs: Iterable[Rpc]) -> Cluster:
    """A service: gRPC, watched by its health, spared when it cannot keep up.

    One that says it is not serving gets no new calls while another serves; its
    calls under way are left to end.

    A sole endpoint is tried even while it looks unhealthy, so that a service
    that was restarted is back with its first answer.
    """
    live = any(rpc.lasting for rpc in rpcs)
    return Cluster(
        name=name,
        type=ClusterDiscoveryType.STATIC
        if _is_static(endpoints)
        else ClusterDiscoveryType.STRICT_DNS,
        connect_timeout=seconds(0.5),
        lb_policy=ClusterLbPolicy.LEAST_REQUEST,
        load_assignment=_assignment(name, endpoints),
        health_checks=[_health_check()],
        upstream_connection_options=None if _has_sockets(endpoints) else _keepalive(),
        common_lb_config=ClusterCommonLbConfig(healthy_panic_threshold=Percent(value=1.0)),
        outlier_detection=_outliers() if len(endpoints) > 1 else None,
        circuit_breakers=_breakers(MAX_STREAMS if live else MAX_CALLS),
        typed_extension_protocol_options={HTTP_OPTIONS: packed(_http2())},
    )


def http_cluster(name: str, endpoint: str) -> Cluster:
    """Something that speaks plain HTTP/1.1 on one machine: no health checks, no retries."""
    return Cluster(
        name=name,
        type=ClusterDiscoveryType.STATIC,
        connect_timeout=seconds(0.5),
        load_assignment=_assignment(name, (endpoint,)),
    )


def _assignment(name: str, endpoints: tuple[str, ...]) -> ClusterLoadAssignment:
    return ClusterLoadAssignment(
        cluster_name=name,
        endpoints=[
            LocalityLbEndpoints(
                lb_endpoints=[LbEndpoint(endpoint=Endpoint(address=reaching(e))) for e in endpoints]
            )
        ],
    )


def _has_sockets(endpoints: tuple[str, ...]) -> bool:
    return any(endpoint.startswith("unix:") for endpoint in endpoints)


def _keepalive() -> UpstreamConnectionOptions:
    """Finds out within a minute when a machine is gone; on one machine sockets just close."""
    return UpstreamConnectionOptions(
        tcp_keepalive=TcpKeepalive(keepalive_probes=3, keepalive_time=30, keepalive_interval=10)
    )


def _is_static(endpoints: tuple[str, ...]) -> bool:
    return all(e.startswith("unix:") or e[0].isdigit() or e[0] == "[" for e in endpoints)


def _health_check() -> HealthCheck:
    return HealthCheck(
        timeout=seconds(1),
        interval=seconds(2),
        no_traffic_interval=seconds(2),
        unhealthy_interval=seconds(0.25),
        unhealthy_edge_interval=seconds(0.25),
        unhealthy_threshold=2,
        healthy_threshold=1,
        grpc_health_check=HealthCheckGrpcHealthCheck(),
    )


def _outliers() -> OutlierDetection:
    return OutlierDetection(
        consecutive_gateway_failure=5,
        enforcing_consecutive_gateway_failure=100,
        enforcing_consecutive_5xx=0,
        enforcing_success_rate=0,
        interval=seconds(1),
        base_ejection_time=seconds(1),
        max_ejection_time=seconds(10),
        max_ejection_percent=50,
    )


def _breakers(calls: int) -> CircuitBreakers:
    return CircuitBreakers(
        thresholds=[
            CircuitBreakersThresholds(
                max_connections=1024,
                max_pending_requests=calls,
                max_requests=calls,
                retry_budget=CircuitBreakersThresholdsRetryBudget(
                    budget_percent=Percent(value=20.0), min_retry_concurrency=5
                ),
            )
        ]
    )


def _http2() -> HttpProtocolOptions:
    # No HTTP/2 pings: a grpcio server takes those on a silent stream for abuse
    # and cuts it after two minutes.
    return HttpProtocolOptions(
        explicit_http_config=HttpProtocolOptionsExplicitHttpConfig(
            http2_protocol_options=Http2ProtocolOptions()
        )
    )
