"""gateway, put together."""

from __future__ import annotations

from chassis.service import Chassis, Service
from creavio.gateway.v1.gateway_service_pb2_grpc import add_GatewayServiceServicer_to_server
from creavio.options.v1 import permission_pb2
from services.gateway.engine import Hub, Places
from services.gateway.handler import GatewayHandler


def app(chassis: Chassis) -> Service:
    """The service, from its parts."""
    places = Places(chassis.clients)
    authorizer = chassis.authorizer({permission_pb2.SCOPE_CHANNEL: places.community_of})
    hub = Hub(chassis.contract, chassis.bus, authorizer, places, chassis.telemetry)
    return Service(
        authorizer=authorizer,
        handlers=[(add_GatewayServiceServicer_to_server, GatewayHandler(hub, chassis.tokens))],
        background=[hub.run],
        drain=hub.end_all,
    )
