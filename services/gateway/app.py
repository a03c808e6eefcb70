"""gateway, put together."""

from __future__ import annotations

from chassis.service import Chassis, Service
from creavio.gateway.v1.export_service_pb2_grpc import add_ExportServiceServicer_to_server
from creavio.gateway.v1.gateway_service_pb2_grpc import add_GatewayServiceServicer_to_server
from services.gateway.engine.exports import Exports
from services.gateway.engine.hub import Hub
from services.gateway.engine.places import Places
from services.gateway.engine.presence import Presence
from services.gateway.engine.tokens import ResumeTokens
from services.gateway.engine.typists import Typists
from services.gateway.handler import ExportHandler, GatewayHandler


def app(chassis: Chassis) -> Service:
    """The service, from its parts."""
    bus, telemetry = chassis.bus, chassis.telemetry
    places = Places(chassis.clients)
    authorizer = chassis.authorizer(places)
    tokens = ResumeTokens(chassis.config)
    hub = Hub(chassis.contract, bus, authorizer, places, tokens, telemetry)
    presence = Presence(bus, authorizer, hub.crowd, telemetry)
    typists = Typists(bus, hub.crowd, places)
    handler = GatewayHandler(hub, presence, typists, tokens, chassis.sessions)
    return Service(
        authorizer=authorizer,
        handlers=[
            (add_GatewayServiceServicer_to_server, handler),
            (
                add_ExportServiceServicer_to_server,
                ExportHandler(Exports(chassis.clients), chassis.tokens),
            ),
        ],
        background=[hub.run, presence.run, typists.run],
        drain=hub.end_all,
    )
