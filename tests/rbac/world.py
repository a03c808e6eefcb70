"""rbac as `app.py` puts it together, served over gRPC; people and services that call it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
import tempfile
from typing import Any, TypeAlias

from google.protobuf.message import Message
import grpc
from pydantic import SecretStr
import sqlalchemy as sa

from chassis import catalog as catalogs
from chassis import ids, interceptors
from chassis.auth import Verifier
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database
from chassis.outbox import Outbox
from chassis.person import PersonHandler
from chassis.schema import OUTBOX
from chassis.server import Chain, new_server
from chassis.service import Chassis
from chassis.sessions import Sessions
from chassis.telemetry import Telemetry
from chassis.testing import Caller, scratch_config
from chassis.usage import Usage
from creavio.auth.v1 import revocation_service_pb2 as revocations
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import access_service_pb2 as access
from creavio.rbac.v1 import membership_service_pb2 as membership
from creavio.rbac.v1 import override_service_pb2 as override
from creavio.rbac.v1 import role_pb2
from creavio.rbac.v1 import role_service_pb2 as role
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub
from creavio.rbac.v1.instance_service_pb2_grpc import InstanceServiceStub
from creavio.rbac.v1.membership_service_pb2_grpc import MembershipServiceStub
from creavio.rbac.v1.override_service_pb2_grpc import OverrideServiceStub
from creavio.rbac.v1.policy_service_pb2_grpc import PolicyServiceStub
from creavio.rbac.v1.role_service_pb2_grpc import RoleServiceStub
from creavio.rbac.v1.timeout_service_pb2_grpc import TimeoutServiceStub
from services.rbac.app import app
from tests.chassis.serving import Keys

CLAIM_CODE = "a code that the start printed"
Permission: TypeAlias = p.Permission.ValueType


def identifier(kind: ids.Kind) -> str:
    """A new identifier."""
    return ids.text(kind, ids.new())


class Told(Bus):
    """Takes what is said on live subjects instead of NATS."""

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__(scratch_config("rbac"), telemetry)
        self.said: list[tuple[str, bytes]] = []
        self.flushed = 0

    async def publish(self, subject: str, body: bytes) -> None:
        """Keep it."""
        self.said.append((subject, body))

    async def flush(self) -> None:
        """Count it."""
        self.flushed += 1


class Revoked:
    """auth, as far as it ended sessions."""

    def __init__(self) -> None:
        self.sessions: list[str] = []

    async def list_revocations(
        self, request: revocations.ListRevocationsRequest
    ) -> revocations.ListRevocationsResponse:
        """All of them."""
        reply = revocations.ListRevocationsResponse(revision=len(self.sessions))
        for session_id in self.sessions:
            reply.revocations.add(session_id=session_id).expire_time.GetCurrentTime()
        return reply


class Rbac:
    """A running rbac."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        database: Database,
        contract: Contract,
        told: Told,
        telemetry: Telemetry,
    ) -> None:
        self.channel = channel
        self.database = database
        self.contract = contract
        self.told = told
        self._revoked = Revoked()
        self.sessions = Sessions(self._revoked, telemetry)
        self.keys = Keys()

    def person(self) -> Person:
        """Somebody new, signed in."""
        user_id, session_id = identifier(ids.Kind.USER), identifier(ids.Kind.SESSION)
        token = self.keys.token(sub=user_id, sid=session_id)
        return Person(user_id, session_id, Caller(self.channel, token))

    async def end_session(self, person: Person) -> None:
        """End somebody's session; their token is still good."""
        self._revoked.sessions.append(person.session_id)
        await self.sessions.load()

    @property
    def nobody(self) -> Caller:
        """A caller without a token."""
        return Caller(self.channel)

    async def founded(self) -> Table:
        """A new community with an owner."""
        table = Table(self, identifier(ids.Kind.COMMUNITY), self.person())
        await table.provision()
        return table

    async def as_service(self, method: Any, request: Message, caller: str = "community") -> Any:
        """Call as a service does."""
        return await Caller(self.channel).call(method, request, x_creavio_caller=caller)

    async def announced(self, *kinds: type[Message]) -> list[Message]:
        """What stands in the outbox, in order; of some kinds, if they are named."""
        async with self.database.reading() as tx:
            rows = await tx.execute(sa.select(OUTBOX).order_by(OUTBOX.c.id))
        found = [self.contract.events[row.type].message.FromString(row.body) for row in rows]
        return [event for event in found if not kinds or isinstance(event, kinds)]


@dataclass(frozen=True)
class Person:
    """Somebody signed in."""

    id: str
    session_id: str
    caller: Caller

    async def ask(self, stub: Any, name: str, request: Message, **metadata: str) -> Any:
        """Call one RPC of a stub's class."""
        method = getattr(stub(self.caller.channel), name)
        return await self.caller.call(method, request, **metadata)


@dataclass
class Table:
    """A community, as rbac knows it."""

    rbac: Rbac
    id: str
    owner: Person
    roles: dict[str, role_pb2.Role] = field(default_factory=dict)

    async def provision(self, owner: str = "") -> int:
        """Say that it was founded."""
        request = membership.ProvisionCommunityRequest(
            community_id=self.id, owner_id=owner or self.owner.id
        )
        stub = MembershipServiceStub(self.rbac.channel)
        return int((await self.rbac.as_service(stub.ProvisionCommunity, request)).revision)

    async def bind(self, user_id: str) -> int:
        """Say that somebody joined."""
        request = membership.BindMemberRequest(community_id=self.id, user_id=user_id)
        stub = MembershipServiceStub(self.rbac.channel)
        return int((await self.rbac.as_service(stub.BindMember, request)).revision)

    async def unbind(self, user_id: str) -> int:
        """Say that somebody left."""
        request = membership.UnbindMemberRequest(community_id=self.id, user_id=user_id)
        stub = MembershipServiceStub(self.rbac.channel)
        return int((await self.rbac.as_service(stub.UnbindMember, request)).revision)

    async def make_private(self, channel_id: str, creator_id: str) -> int:
        """Say that a private channel is being made."""
        request = membership.ProvisionChannelRequest(
            community_id=self.id, channel_id=channel_id, creator_id=creator_id
        )
        stub = MembershipServiceStub(self.rbac.channel)
        return int((await self.rbac.as_service(stub.ProvisionChannel, request)).revision)

    async def member(self, *roles: str) -> Person:
        """Somebody new who joined, and was given roles by the owner."""
        person = self.rbac.person()
        await self.bind(person.id)
        for role_id in roles:
            await self.grant(self.owner, person, role_id)
        return person

    async def all_roles(self, who: Person | None = None) -> list[role_pb2.Role]:
        """The roles, the highest first."""
        request = role.ListRolesRequest(community_id=self.id)
        reply = await (who or self.owner).ask(RoleServiceStub, "ListRoles", request)
        return list(reply.roles)

    async def create(
        self,
        name: str,
        *allow: Permission,
        deny: tuple[Permission, ...] = (),
        by: Person | None = None,
        key: str = "",
    ) -> role_pb2.Role:
        """A new role."""
        request = role.CreateRoleRequest(
            community_id=self.id, name=name, allow=allow, deny=deny, request_id=key
        )
        made: role_pb2.Role = await (by or self.owner).ask(RoleServiceStub, "CreateRole", request)
        return made

    async def grant(self, by: Person, to: Person, role_id: str) -> list[str]:
        """Give a role."""
        request = role.GrantRoleRequest(community_id=self.id, user_id=to.id, role_id=role_id)
        return list((await by.ask(RoleServiceStub, "GrantRole", request)).role_ids)

    async def revoke(self, by: Person, of: Person, role_id: str) -> None:
        """Take a role."""
        request = role.RevokeRoleRequest(community_id=self.id, user_id=of.id, role_id=role_id)
        await by.ask(RoleServiceStub, "RevokeRole", request)

    async def override(
        self,
        by: Person,
        channel_id: str,
        target_id: str,
        *allow: Permission,
        deny: tuple[Permission, ...] = (),
    ) -> role_pb2.ChannelOverride:
        """Override a role or a member in a channel."""
        request = override.SetOverrideRequest(
            community_id=self.id,
            channel_id=channel_id,
            target_id=target_id,
            allow=allow,
            deny=deny,
        )
        said: role_pb2.ChannelOverride = await by.ask(OverrideServiceStub, "SetOverride", request)
        return said

    async def checked(self, user_id: str, channel_id: str = "") -> set[int]:
        """The permissions BatchCheck grants."""
        every = [number for number in p.Permission.values() if number]
        stub = AccessServiceStub(self.rbac.channel)
        reply = await self.rbac.as_service(
            stub.BatchCheck,
            access.BatchCheckRequest(
                checks=[
                    access.CheckRequest(
                        user_id=user_id,
                        community_id=self.id,
                        permission=number,
                        channel_id=channel_id,
                    )
                    for number in every
                ]
            ),
        )
        return {number for number, yes in zip(every, reply.allowed, strict=True) if yes}


STUBS: dict[str, Any] = {
    "creavio.rbac.v1.RoleService": RoleServiceStub,
    "creavio.rbac.v1.OverrideService": OverrideServiceStub,
    "creavio.rbac.v1.PolicyService": PolicyServiceStub,
    "creavio.rbac.v1.InstanceService": InstanceServiceStub,
    "creavio.rbac.v1.TimeoutService": TimeoutServiceStub,
}
"""The stubs of what people call, by the full name of the service."""


@asynccontextmanager
async def served(
    database: Database, contract: Contract, claim_code: str | None = CLAIM_CODE
) -> AsyncIterator[Rbac]:
    """rbac over gRPC, from its composition root and with the real chain of interceptors."""
    code = None if claim_code is None else SecretStr(claim_code)
    config = scratch_config("rbac").model_copy(update={"claim_code": code})
    catalog, telemetry = catalogs.load(), Telemetry(config)
    told = Told(telemetry)
    Outbox("rbac", contract, database, told, telemetry)
    chassis = Chassis(config, catalog)
    chassis.__dict__.update(database=database, bus=told, telemetry=telemetry)
    service = app(chassis)
    with tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp") as folder:
        address = f"unix:{Path(folder) / 'in.sock'}"
        async with grpc.aio.insecure_channel(address) as channel:
            rbac = Rbac(channel, database, contract, told, telemetry)
            chain = interceptors.chain(
                telemetry,
                Verifier("creavio", "creavio", rbac.keys.fetch),
                rbac.sessions,
                Usage(told),
                service.authorizer,
                catalog.callers_of("rbac"),
                50.0,
            )
            server = new_server(Chain(contract, chain), address)
            for register, servicer in service.handlers:
                register(servicer, server)
            assert service.personal is not None
            handler = PersonHandler("rbac", database, service.personal, chassis.tokens)
            service.personal.register(handler, server)
            await server.start()
            try:
                yield rbac
            finally:
                await server.stop(None)
                await chassis.clients.close()
