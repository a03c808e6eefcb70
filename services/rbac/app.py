"""rbac, put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from google.protobuf.message import Message

from chassis.authz import HEARTBEAT_SUBJECT
from chassis.person import Personal, confirming
from chassis.service import Chassis, Service, every
from chassis.wire import timestamp
from creavio.rbac.v1 import person_service_pb2, rbac_events_pb2
from creavio.rbac.v1.access_service_pb2_grpc import add_AccessServiceServicer_to_server
from creavio.rbac.v1.instance_service_pb2_grpc import add_InstanceServiceServicer_to_server
from creavio.rbac.v1.membership_service_pb2_grpc import add_MembershipServiceServicer_to_server
from creavio.rbac.v1.override_service_pb2_grpc import add_OverrideServiceServicer_to_server
from creavio.rbac.v1.person_service_pb2_grpc import add_PersonServiceServicer_to_server
from creavio.rbac.v1.policy_service_pb2_grpc import add_PolicyServiceServicer_to_server
from creavio.rbac.v1.role_service_pb2_grpc import add_RoleServiceServicer_to_server
from creavio.rbac.v1.timeout_service_pb2_grpc import add_TimeoutServiceServicer_to_server
from services.rbac.engine.access import LocalAccess
from services.rbac.engine.evaluator import PolicyEngine
from services.rbac.engine.moments import Moments
from services.rbac.handler.access import AccessHandler
from services.rbac.handler.changes import Changes
from services.rbac.handler.instance import InstanceHandler
from services.rbac.handler.membership import MembershipHandler
from services.rbac.handler.overrides import OverrideHandler
from services.rbac.handler.person import Departures
from services.rbac.handler.policy import PolicyHandler
from services.rbac.handler.roles import RoleHandler
from services.rbac.handler.timeouts import TimeoutHandler
from services.rbac.store import person, policies, timeouts

HEARTBEAT_SECONDS: Final = 0.25
FORGET_SECONDS: Final = 3600.0


def app(chassis: Chassis) -> Service:
    """The service, from its parts."""
    database, announcer = chassis.database, chassis.announcer
    engine, moments = PolicyEngine(), Moments(database)
    access = LocalAccess(moments, engine)
    # What rbac's own rules ask is asked of rbac itself, not through the mesh.
    authorizer = chassis.authorizer(access=access)

    async def heartbeat() -> None:
        async with database.reading() as tx:
            revision, now = await policies.revision_and_time(tx)
        beat = rbac_events_pb2.Heartbeat(revision=revision, time=timestamp(now))
        await announcer.beat(HEARTBEAT_SUBJECT, beat)

    async def tell(changes: Sequence[Message]) -> None:
        for change in changes:
            # What this process changed it believes at once, also while NATS is away.
            if isinstance(change, rbac_events_pb2.PolicyChanged):
                authorizer.knowledge.policy_changed(change)
            elif isinstance(change, rbac_events_pb2.BindingChanged):
                authorizer.knowledge.binding_changed(change)
        await announcer.tell(changes)

    async def forget() -> None:
        async with database.transaction() as tx:
            await timeouts.forget_over(tx)

    changes = Changes(database, engine, tell)
    instance = InstanceHandler(moments, changes, chassis.config.claim_code)
    overrides = OverrideHandler(moments, engine, changes)
    policy = PolicyHandler(moments, engine, chassis.tokens)
    return Service(
        authorizer=authorizer,
        handlers=[
            (add_AccessServiceServicer_to_server, AccessHandler(access)),
            (add_InstanceServiceServicer_to_server, instance),
            (add_MembershipServiceServicer_to_server, MembershipHandler(database, changes)),
            (add_OverrideServiceServicer_to_server, overrides),
            (add_PolicyServiceServicer_to_server, policy),
            (add_RoleServiceServicer_to_server, RoleHandler(moments, changes)),
            (
                add_TimeoutServiceServicer_to_server,
                TimeoutHandler(database, changes, chassis.tokens),
            ),
        ],
        background=[
            every(HEARTBEAT_SECONDS, heartbeat, chassis.telemetry),
            every(FORGET_SECONDS, forget, chassis.telemetry),
        ],
        personal=Personal(
            person.PARTS,
            add_PersonServiceServicer_to_server,
            person_service_pb2.ExportPersonResponse,
            confirming(rbac_events_pb2.PersonErased),
            before=Departures(database, changes).forget,
        ),
    )
