"""rbac, put together."""

from __future__ import annotations

from typing import Final

from chassis.authz import HEARTBEAT_SUBJECT
from chassis.service import Chassis, Service, every
from creavio.rbac.v1 import rbac_events_pb2
from creavio.rbac.v1.access_service_pb2_grpc import add_AccessServiceServicer_to_server
from creavio.rbac.v1.membership_service_pb2_grpc import add_MembershipServiceServicer_to_server
from services.rbac import store
from services.rbac.engine import PolicyEngine
from services.rbac.handler import AccessHandler, MembershipHandler

HEARTBEAT_SECONDS: Final = 0.25


def app(chassis: Chassis) -> Service:
    """The service, from its parts."""
    database, bus = chassis.database, chassis.bus

    async def heartbeat() -> None:
        async with database.reading() as tx:
            revision = await store.revision(tx)
        beat = rbac_events_pb2.Heartbeat(revision=revision)
        await bus.publish(HEARTBEAT_SUBJECT, beat.SerializeToString())

    return Service(
        authorizer=chassis.authorizer(),
        handlers=[
            (add_AccessServiceServicer_to_server, AccessHandler(database, PolicyEngine())),
            (add_MembershipServiceServicer_to_server, MembershipHandler(database)),
        ],
        background=[every(HEARTBEAT_SECONDS, heartbeat, chassis.telemetry)],
    )
