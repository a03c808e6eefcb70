"""chat as it runs, on a real PostgreSQL and NATS, in a world of stand-ins.

auth, rbac and community are servicers in memory, asked over gRPC as ever. People
call with tokens of theirs; several replicas may serve one database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
import tempfile
from typing import Any

from google.protobuf.message import Message
import grpc
import sqlalchemy as sa

from chassis import catalog as catalogs
from chassis import ids, service
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database
from chassis.schema import OUTBOX
from chassis.subjects import LIVE, subject_root
from chassis.testing import Caller, scratch_database, standing_in
from creavio.auth.v1 import (
    auth_events_pb2,
    key_service_pb2_grpc,
    revocation_service_pb2_grpc,
)
from creavio.community.v1 import (
    channel_service_pb2_grpc,
    forum_pb2,
)
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import (
    access_service_pb2_grpc,
    rbac_events_pb2,
    role_service_pb2_grpc,
)
from creavio.user.v1 import reach_service_pb2_grpc
from services.chat.app import app
from tests.chat.people import Person
from tests.chat.standins import Auth, Community, Rbac, Roles, Users
from tests.scratch_nats import ScratchNats

MEMBER = frozenset(
    {
        p.PERMISSION_VIEW_COMMUNITY,
        p.PERMISSION_VIEW_CHANNEL,
        p.PERMISSION_SEND_MESSAGES,
        p.PERMISSION_ADD_REACTIONS,
        p.PERMISSION_PIN_MESSAGES,
    }
)
OWNER = MEMBER | {p.PERMISSION_MANAGE_MESSAGES}
READER = frozenset({p.PERMISSION_VIEW_COMMUNITY, p.PERMISSION_VIEW_CHANNEL})

_BEAT_SECONDS = 0.2


@dataclass(frozen=True)
class Running:
    """A replica, to be told to stop."""

    stop: asyncio.Event
    done: asyncio.Task[None]


@dataclass
class World:
    """Everything around chat."""

    contract: Contract
    nats: ScratchNats
    database: Database
    auth: Auth = field(default_factory=Auth)
    rbac: Rbac = field(default_factory=Rbac)
    roles: Roles = field(default_factory=Roles)
    users: Users = field(default_factory=Users)
    community: Community = field(default_factory=Community)
    replicas: list[grpc.aio.Channel] = field(default_factory=list)
    chassis: list[service.Chassis] = field(default_factory=list)
    sessions: dict[str, str] = field(default_factory=dict)
    running: list[Running] = field(default_factory=list)

    def found(self) -> str:
        """A new community, empty."""
        community = ids.text(ids.Kind.COMMUNITY, ids.new())
        self.rbac.people[community] = {}
        return community

    def open_channel(self, community: str) -> str:
        """A new channel, of which chat has not heard."""
        channel = ids.text(ids.Kind.CHANNEL, ids.new())
        self.community.channels[channel] = community
        return channel

    def open_forum(self, community: str, tags: Iterable[str] = (), **said: Any) -> str:
        """A new forum with tags of these names, of which chat has not heard."""
        channel = self.open_channel(community)
        named = [forum_pb2.ForumTag(id=ids.text(ids.Kind.TAG, ids.new()), name=n) for n in tags]
        self.community.forums[channel] = forum_pb2.Forum(tags=named, **said)
        return channel

    def tags(self, forum: str) -> dict[str, str]:
        """The tags of a forum, by their names."""
        return {tag.name: tag.id for tag in self.community.forums[forum].tags}

    def person(self, community: str | None = None, may: frozenset[Any] = MEMBER) -> Person:
        """Somebody new, signed in, perhaps a member of a community."""
        user_id = ids.text(ids.Kind.USER, ids.new())
        if community is not None:
            self.rbac.people[community][user_id] = may
        self.sessions[user_id] = ids.text(ids.Kind.SESSION, ids.new())
        return self.at(0, user_id)

    def at(self, replica: int, user_id: str) -> Person:
        """The same person, calling another replica."""
        token = self.auth.token(user_id, self.sessions[user_id])
        return Person(self.replicas[replica], token, user_id)

    async def told(self) -> list[Message]:
        """The events chat stored, in their order."""
        async with self.database.reading() as tx:
            rows = await tx.execute(sa.select(OUTBOX).order_by(OUTBOX.c.id))
            return [self.contract.events[r.type].message.FromString(r.body) for r in rows]

    async def happens(self, event: Message, *subject: str) -> None:
        """Another service says that something happened."""
        name = event.DESCRIPTOR.full_name
        identifier = ids.text(ids.Kind.EVENT, ids.new())
        async with self.nats.bus(name.split(".")[1]) as bus:
            await bus.jetstream.publish(
                ".".join((subject_root(name), *subject)),
                event.SerializeToString(),
                headers={
                    "ce-id": identifier,
                    "Nats-Msg-Id": identifier,
                    "ce-type": name,
                    "ce-time": "2026-01-01T00:00:00+00:00",
                },
            )

    def nobody(self) -> Person:
        """Somebody who is not signed in."""
        return Person(self.replicas[0], None, "")

    def gateway(self) -> Caller:
        """The service that may ask chat."""
        return _Service(self.replicas[0], "gateway")

    def another_service(self) -> Caller:
        """A service that may not."""
        return _Service(self.replicas[0], "user")


class _Service(Caller):
    def __init__(self, channel: grpc.aio.Channel, name: str) -> None:
        super().__init__(channel)
        self._name = name

    def metadata(self, **more: str) -> grpc.aio.Metadata:
        return super().metadata(x_creavio_caller=self._name, **more)


@asynccontextmanager
async def running_world(
    postgres: str, nats: ScratchNats, contract: Contract, replicas: int = 1
) -> AsyncIterator[World]:
    """chat, served by so many replicas, until the block ends."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(scratch_database(postgres, "chat"))
        world = World(contract, nats, database)
        await stack.enter_async_context(_beating(world))
        egress = await stack.enter_async_context(
            standing_in(
                contract,
                (key_service_pb2_grpc.add_KeyServiceServicer_to_server, world.auth),
                (
                    revocation_service_pb2_grpc.add_RevocationServiceServicer_to_server,
                    world.auth,
                ),
                (access_service_pb2_grpc.add_AccessServiceServicer_to_server, world.rbac),
                (role_service_pb2_grpc.add_RoleServiceServicer_to_server, world.roles),
                (reach_service_pb2_grpc.add_ReachServiceServicer_to_server, world.users),
                (channel_service_pb2_grpc.add_ChannelServiceServicer_to_server, world.community),
            )
        )
        for _ in range(replicas):
            await stack.enter_async_context(_replica(world, egress))
        yield world


@asynccontextmanager
async def _replica(world: World, egress: str) -> AsyncIterator[None]:
    url = world.database._engine.url.render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp") as folder:
        listen = f"unix:{Path(folder) / 'in.sock'}"
        config = world.nats.config("chat", url).model_copy(
            update={"listen": listen, "egress": egress, "requests_per_second": 1e6}
        )
        chassis = service.Chassis(config, catalogs.load())
        stop, ready = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(service.run(chassis, app(chassis), stop, ready.set))
        opened = asyncio.create_task(ready.wait())
        await asyncio.wait((running, opened), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        try:
            async with grpc.aio.insecure_channel(listen) as channel:
                world.replicas.append(channel)
                world.chassis.append(chassis)
                world.running.append(Running(stop, running))
                yield
        finally:
            stop.set()
            await running


@asynccontextmanager
async def _beating(world: World) -> AsyncIterator[None]:
    """rbac and auth say that nothing changed."""

    async def beat(rbac: Bus, auth: Bus) -> None:
        while True:
            await rbac.publish(
                LIVE + subject_root(rbac_events_pb2.Heartbeat.DESCRIPTOR.full_name),
                rbac_events_pb2.Heartbeat().SerializeToString(),
            )
            await auth.publish(
                LIVE + subject_root(auth_events_pb2.SessionsHeartbeat.DESCRIPTOR.full_name),
                world.auth.heartbeat.SerializeToString(),
            )
            await asyncio.sleep(_BEAT_SECONDS)

    async with world.nats.bus("rbac") as rbac, world.nats.bus("auth") as auth:
        beating = asyncio.create_task(beat(rbac, auth))
        try:
            yield
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating
