"""A hub as the gateway runs it: real feeds on a real NATS, rbac heard as it is heard.

rbac, community and chat are servicers of their contracts that keep what they know
in memory (`World`); what changes is announced and logged as the services do it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from google.protobuf.message import Message

from chassis import ids
from chassis.authz import HEARTBEAT_SUBJECT, Authorizer, RemoteAccess
from chassis.bus import Bus
from chassis.clients import Clients
from chassis.contract import Contract
from chassis.errors import NotFound, Unavailable
from chassis.subjects import LIVE, stream_of, subject_for
from chassis.telemetry import Telemetry
from chassis.testing import eventually, scratch_config, standing_in
from creavio.chat.v1 import conversation_service_pb2
from creavio.chat.v1.conversation_service_pb2_grpc import (
    ConversationServiceServicer,
    add_ConversationServiceServicer_to_server,
)
from creavio.community.v1 import channel_pb2, channel_service_pb2
from creavio.community.v1.channel_service_pb2_grpc import (
    ChannelServiceServicer,
    add_ChannelServiceServicer_to_server,
)
from creavio.gateway.v1 import gateway_event_pb2, gateway_service_pb2
from creavio.rbac.v1 import access_service_pb2 as access
from creavio.rbac.v1 import rbac_events_pb2
from creavio.rbac.v1.access_service_pb2_grpc import (
    AccessServiceServicer,
    add_AccessServiceServicer_to_server,
)
from creavio.user.v1 import block_service_pb2, user_events_pb2
from creavio.user.v1.block_service_pb2_grpc import (
    BlockServiceServicer,
    add_BlockServiceServicer_to_server,
)
from services.gateway.domain import Positions
from services.gateway.engine.hub import Hub
from services.gateway.engine.places import Places
from services.gateway.engine.presence import Presence
from services.gateway.engine.stream import Stream
from services.gateway.engine.tokens import ResumeTokens
from services.gateway.engine.typists import Typists
from tests.gateway.table import MEMBER, Membership, Table
from tests.scratch_nats import ScratchNats

EMITTERS = ("chat", "community", "rbac", "user")
QUIET = 0.3
"""Seconds in which nothing comes that was to come."""


async def nothing() -> None:
    """Happens while somebody looks."""


@dataclass
class World(
    AccessServiceServicer,
    BlockServiceServicer,
    ChannelServiceServicer,
    ConversationServiceServicer,
):
    """What rbac, user, community and chat know."""

    tables: dict[str, Table] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)
    """The community of each channel."""
    conversations: dict[str, list[str]] = field(default_factory=dict)
    blocks: set[tuple[str, str]] = field(default_factory=set)
    """Who blocked whom."""
    revisions: dict[str, int] = field(default_factory=dict)
    """Of groups: the latest change of who belongs."""
    revision: int = 1
    asked: list[str] = field(default_factory=list)
    """What was asked, in order."""
    away: set[str] = field(default_factory=set)
    """The RPCs that nobody answers."""
    silent: bool = False
    """Whether rbac says nothing of itself."""
    meanwhile: Callable[[], Awaitable[None]] = nothing
    """Happens after it was looked up where a person belongs, before that is known."""

    def table(self, name: str) -> Table:
        """A community."""
        return self.tables.setdefault(name, Table(name))

    def seat(self, community: str, user: str, *roles: int) -> Membership:
        """Give somebody roles, before anybody listens."""
        here = self.table(community).members.setdefault(user, Membership())
        here.version += 1
        here.roles = set(roles or (MEMBER,))
        return here

    async def ListBindings(
        self, request: access.ListBindingsRequest, context: object
    ) -> access.ListBindingsResponse:
        """As rbac answers."""
        self._ask("ListBindings")
        bindings = [
            table.binding(request.user_id)
            for table in self.tables.values()
            if request.user_id in table.members and table.members[request.user_id].roles
        ]
        reply = access.ListBindingsResponse(bindings=bindings, revision=self.revision)
        await self.meanwhile()
        return reply

    async def GetAccess(
        self, request: access.GetAccessRequest, context: object
    ) -> access.GetAccessResponse:
        """As rbac answers."""
        self._ask("GetAccess")
        table = self.tables.get(request.community_id)
        if table is None:
            raise NotFound("there is no such community")
        masks = None if request.policy_version == table.version else table.masks()
        reply = access.GetAccessResponse(
            masks=masks, binding=table.binding(request.user_id), revision=self.revision
        )
        await self.meanwhile()
        return reply

    async def Check(self, request: access.CheckRequest, context: object) -> access.CheckResponse:
        """As rbac answers."""
        self._ask("Check")
        table = self.table(request.community_id)
        allowed = table.allows(request.user_id, request.permission, request.channel_id)
        return access.CheckResponse(allowed=allowed, revision=self.revision)

    async def ListChanges(
        self, request: access.ListChangesRequest, context: object
    ) -> access.ListChangesResponse:
        """As rbac answers whoever was away too long."""
        self._ask("ListChanges")
        return access.ListChangesResponse(complete=False, revision=self.revision)

    async def GetChannel(
        self, request: channel_service_pb2.GetChannelRequest, context: object
    ) -> channel_pb2.Channel:
        """As community answers."""
        self._ask("GetChannel")
        if request.channel_id not in self.channels:
            raise NotFound("there is no such channel")
        community = self.channels[request.channel_id]
        return channel_pb2.Channel(id=request.channel_id, community_id=community)

    async def ListConversationMembers(
        self,
        request: conversation_service_pb2.ListConversationMembersRequest,
        context: object,
    ) -> conversation_service_pb2.ListConversationMembersResponse:
        """As chat answers."""
        self._ask("ListConversationMembers")
        members = self.conversations.get(request.conversation_id)
        if members is None:
            raise NotFound("there is no such conversation")
        return conversation_service_pb2.ListConversationMembersResponse(
            member_ids=members, revision=self.revisions.get(request.conversation_id, 0)
        )

    async def ListFellows(
        self, request: access.ListFellowsRequest, context: object
    ) -> access.ListFellowsResponse:
        """As rbac answers."""
        self._ask("ListFellows")
        here = [
            {user for user, held in table.members.items() if held.roles}
            for table in self.tables.values()
        ]
        fellows = set().union(*(people for people in here if request.user_id in people))
        return access.ListFellowsResponse(user_ids=fellows & set(request.among))

    async def ListTalkers(
        self, request: conversation_service_pb2.ListTalkersRequest, context: object
    ) -> conversation_service_pb2.ListTalkersResponse:
        """As chat answers."""
        self._ask("ListTalkers")
        mine = (people for people in self.conversations.values() if request.user_id in people)
        return conversation_service_pb2.ListTalkersResponse(
            user_ids=sorted(set().union(*mine) - {request.user_id})
        )

    async def ListApart(
        self, request: block_service_pb2.ListApartRequest, context: object
    ) -> block_service_pb2.ListApartResponse:
        """As user answers."""
        if "ListApart" in self.away:
            raise Unavailable("nobody answers")
        me, pairs = request.user_id, self.blocks
        apart = {b for a, b in pairs if a == me} | {a for a, b in pairs if b == me}
        await self.meanwhile()
        return block_service_pb2.ListApartResponse(user_ids=sorted(apart))

    def _ask(self, rpc: str) -> None:
        self.asked.append(rpc)
        if rpc in self.away:
            raise Unavailable("nobody answers")


@dataclass
class Stage:
    """Hubs that follow, and a way to make things happen."""

    hubs: list[Hub]
    world: World
    contract: Contract
    buses: dict[str, Bus]
    authorizers: list[Authorizer]
    presences: list[Presence]
    typists: list[Typists]
    cut: list[Callable[[], Awaitable[None]]]
    """Kills a replica, as a machine goes."""
    gateway_buses: list[Bus] = field(default_factory=list)
    announced: list[Message] = field(default_factory=list)

    @property
    def hub(self) -> Hub:
        """The hub, or the first of several."""
        return self.hubs[0]

    async def happen(self, *events: Message, at: datetime | None = None) -> None:
        """Emit events as their services do, and wait until the hubs are done with them."""
        for event in events:
            await self.reached(*await self.log(event, at))

    async def log(self, event: Message, at: datetime | None = None) -> tuple[str, int]:
        """Emit an event as its service does: where it stands in which log."""
        known = self.contract.events[event.DESCRIPTOR.full_name]
        subject, body = subject_for(known, event), event.SerializeToString()
        return known.service, await self.publish(known.service, known.type, body, subject, at)

    async def publish(
        self, service: str, kind: str, body: bytes, subject: str, at: datetime | None = None
    ) -> int:
        """Put something into a service's log; its number there."""
        event_id = ids.text(ids.Kind.EVENT, ids.new())
        headers = {
            "Nats-Msg-Id": event_id,
            "ce-id": event_id,
            "ce-type": kind,
            "ce-time": (at or datetime.now(UTC)).isoformat(),
        }
        kept = await self.buses[service].jetstream.publish(
            subject, body, headers=headers, stream=stream_of(service)
        )
        return kept.seq

    async def reached(self, service: str, number: int) -> None:
        """Wait until the hubs are done with an event."""

        async def done() -> None:
            assert all(hub.positions[service].number >= number for hub in self.hubs)

        await eventually(done)

    async def announce(self, change: Message) -> None:
        """Say a change of rbac's on its live subject, before whoever made it is answered."""
        bus = self.buses["rbac"]
        subject = subject_for(self.contract.events[change.DESCRIPTOR.full_name], change)
        await bus.publish(LIVE + subject, change.SerializeToString())
        await bus.flush()
        self.announced.append(change)

    async def logged(self) -> None:
        """Have what rbac announced stand in its log as well."""
        for change in self.announced:
            await self.happen(change)
        self.announced.clear()

    async def block(self, blocker: str, blocked: str) -> None:
        """Have somebody block another."""
        self.world.blocks.add((blocker, blocked))
        await self.happen(user_events_pb2.UserBlocked(user_id=blocker, blocked_id=blocked))

    async def unblock(self, blocker: str, blocked: str) -> None:
        """Have somebody take a block back."""
        self.world.blocks.discard((blocker, blocked))
        await self.happen(user_events_pb2.UserUnblocked(user_id=blocker, blocked_id=blocked))

    async def bind(self, community: str, user: str, *roles: int) -> None:
        """Give somebody exactly these roles; none for one who is to belong no longer."""
        here = self.world.table(community).members.setdefault(user, Membership())
        here.roles = set(roles)
        if not roles:
            here.channels.clear()
        await self.rebound(community, user)

    async def rebound(self, community: str, user: str) -> None:
        """Say that what somebody has in a community is something else now."""
        table = self.world.table(community)
        table.members[user].version += 1
        self.world.revision += 1
        await self.announce(
            rbac_events_pb2.BindingChanged(
                community_id=community,
                user_id=user,
                version=table.members[user].version,
                revision=self.world.revision,
                binding=table.binding(user),
            )
        )

    async def change(self, community: str) -> None:
        """Say that a community's policy is another now."""
        table = self.world.table(community)
        table.version += 1
        self.world.revision += 1
        await self.announce(
            rbac_events_pb2.PolicyChanged(
                community_id=community, version=table.version, revision=self.world.revision
            )
        )

    async def heard(self) -> None:
        """Wait until the hubs heard what rbac announced."""

        async def done() -> None:
            for authorizer in self.authorizers:
                assert authorizer.knowledge.revision == self.world.revision

        await eventually(done)

    async def open(self, user_id: str, hub: Hub | None = None) -> Stream:
        """A new stream of a person, ready."""
        stream = await (hub or self.hub).open(user_id, None)
        assert payloads(await told(stream)) == ["ready"]
        return stream

    async def resume(self, user_id: str, since: Positions) -> Stream:
        """A stream of a person that was away since then."""
        return await self.hub.open(user_id, since)


@asynccontextmanager
async def staged(
    server: ScratchNats, contract: Contract, replicas: int = 1
) -> AsyncIterator[Stage]:
    """Hubs that follow every feed, in an empty world."""
    world = World()  # type: ignore[abstract]  # what it leaves out is never asked
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(
            standing_in(
                contract,
                (add_AccessServiceServicer_to_server, world),
                (add_BlockServiceServicer_to_server, world),
                (add_ChannelServiceServicer_to_server, world),
                (add_ConversationServiceServicer_to_server, world),
            )
        )
        buses = {s: await stack.enter_async_context(server.bus(s)) for s in EMITTERS}
        stage = Stage([], world, contract, buses, [], [], [], [])
        tasks = [asyncio.ensure_future(_beat(world, buses["rbac"]))]
        for _ in range(replicas):
            clients = Clients("gateway", address, contract)
            stack.push_async_callback(clients.close)
            bus = await stack.enter_async_context(server.bus("gateway"))
            tasks += await _replica(stage, clients, bus)
        try:
            yield stage
            assert not [t for t in tasks if t.done() and not t.cancelled()], (
                "something runs no more"
            )
        finally:
            await _end(tasks)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _replica(stage: Stage, clients: Clients, bus: Bus) -> list[asyncio.Task[None]]:
    telemetry = Telemetry(scratch_config("gateway"))
    places = Places(clients)
    authorizer = Authorizer(RemoteAccess(clients), places, telemetry)
    await authorizer.follow(bus)
    tokens = ResumeTokens(scratch_config("gateway"))
    hub = Hub(stage.contract, bus, authorizer, places, tokens, telemetry)
    presence = Presence(bus, authorizer, hub.crowd, telemetry)
    typists = Typists(bus, hub.crowd, places)
    stage.hubs.append(hub)
    stage.gateway_buses.append(bus)
    stage.authorizers.append(authorizer)
    stage.presences.append(presence)
    stage.typists.append(typists)
    jobs = (authorizer.run(), hub.run(), presence.run(), typists.run())
    tasks = [asyncio.ensure_future(job) for job in jobs]

    async def cut() -> None:
        await _end(tasks)
        await bus.client.close()

    stage.cut.append(cut)
    return tasks


async def _beat(world: World, bus: Bus) -> None:
    while True:
        if not world.silent:
            beat = rbac_events_pb2.Heartbeat(revision=world.revision)
            await bus.publish(HEARTBEAT_SUBJECT, beat.SerializeToString())
        await asyncio.sleep(0.1)


async def told(stream: Stream) -> list[gateway_event_pb2.Event]:
    """What a stream was told since it was last asked, but who is there."""
    return [event for event in await heard(stream) if not event.HasField("presence")]


async def heard(stream: Stream) -> list[gateway_event_pb2.Event]:
    """All a stream was told since it was last asked."""
    events: list[gateway_event_pb2.Event] = []
    while stream.queued:
        events += read(await stream.next()).events
    return events


def read(written: bytes) -> gateway_service_pb2.SubscribeResponse:
    """What was written, as a client reads it."""
    return gateway_service_pb2.SubscribeResponse.FromString(written)


def payloads(events: Iterable[gateway_event_pb2.Event]) -> list[str]:
    """What kind of thing each event tells."""
    return [str(event.WhichOneof("payload")) for event in events]


def texts(events: Iterable[gateway_event_pb2.Event]) -> list[str]:
    """What the new messages among the events say."""
    return [
        event.message_created.message.content
        for event in events
        if event.HasField("message_created")
    ]
