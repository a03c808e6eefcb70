"""rbac, put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from google.protobuf.message import Message

from chassis.authz import HEARTBEAT_SUBJECT
from chassis.service import Chassis, Service, every
from chassis.subjects import LIVE, subject_for
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

    async def tell(changes: Sequence[Message]) -> None:
        for change in changes:
            event = chassis.contract.events[change.DESCRIPTOR.full_name]
            await bus.publish(LIVE + subject_for(event, change), change.SerializeToString())
        await bus.flush()

    return Service(
        authorizer=chassis.authorizer(),
        handlers=[
            (add_AccessServiceServicer_to_server, AccessHandler(database, PolicyEngine())),
            (add_MembershipServiceServicer_to_server, MembershipHandler(database, tell)),
        ],
        background=[every(HEARTBEAT_SECONDS, heartbeat, chassis.telemetry)],
    )
