"""A hub as the gateway runs it: real feeds on a real NATS, fed as the services feed it.

Who belongs where, and who may do what there, is what a `World` says.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

from google.protobuf.message import Message

from chassis import ids
from chassis.authz import Authorizer, Permission
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.errors import Unavailable
from chassis.subjects import stream_of, subject_for
from chassis.telemetry import Telemetry
from chassis.testing import eventually, scratch_config
from creavio.chat.v1 import chat_events_pb2, message_pb2
from creavio.community.v1 import channel_pb2, community_events_pb2, member_pb2
from creavio.gateway.v1 import gateway_event_pb2
from creavio.options.v1 import permission_pb2
from creavio.user.v1 import user_events_pb2, user_pb2
from services.gateway.engine import Hub, Places, Stream
from tests.scratch_nats import ScratchNats

EMITTERS = ("chat", "community", "user")
QUIET = 0.3
"""Seconds in which nothing comes that was to come."""


async def nothing() -> None:
    """Happens while somebody looks."""


@dataclass
class World:
    """Where people belong and what they may do: members may everything, unless said."""

    members: dict[str, set[str]] = field(default_factory=dict)
    """The people of each community."""
    channels: dict[str, str] = field(default_factory=dict)
    """The community of each channel."""
    allowed: dict[tuple[str, str], set[Permission]] = field(default_factory=dict)
    """What a person may in a community, where it is not everything."""
    lagging: set[tuple[str, str]] = field(default_factory=set)
    """Who is still taken for a member where they are none any more."""
    unknown: set[str] = field(default_factory=set)
    """The people about whom nobody can be asked."""
    meanwhile: Callable[[], Awaitable[None]] = nothing
    """Happens after it was looked up where a person belongs, before that is known."""

    async def holds(self, user_id: str, permission: Permission, community_id: str) -> bool:
        """As the authorizer decides."""
        if user_id in self.unknown:
            raise Unavailable("rbac cannot be reached")
        here = user_id in self.members.get(community_id, ())
        here = here or (user_id, community_id) in self.lagging
        return here and permission in self.allowed.get((user_id, community_id), {permission})

    async def community_of(self, channel_id: str) -> str | None:
        """As community says."""
        return self.channels.get(channel_id)

    async def communities_of(self, user_id: str) -> frozenset[str]:
        """As community says."""
        found = frozenset(c for c, members in self.members.items() if user_id in members)
        await self.meanwhile()
        if user_id in self.unknown:
            raise Unavailable("community cannot be reached")
        return found


@dataclass
class Stage:
    """A hub that follows, and a way to make things happen."""

    hub: Hub
    world: World
    contract: Contract
    buses: dict[str, Bus]

    async def happen(self, *events: Message, at: datetime | None = None) -> None:
        """Emit events as their services do, and wait until the hub is done with them."""
        for event in events:
            known = self.contract.events[event.DESCRIPTOR.full_name]
            subject, body = subject_for(known, event), event.SerializeToString()
            await self.publish(known.service, known.type, body, subject, at)

    async def publish(
        self, service: str, kind: str, body: bytes, subject: str, at: datetime | None = None
    ) -> None:
        """Put something into a service's log, and wait until the hub is done with it."""
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

        async def done() -> None:
            assert self.hub.positions[service].number >= kept.seq

        await eventually(done)

    async def open(self, user_id: str) -> Stream:
        """A new stream of a person, ready."""
        stream = await self.hub.open(user_id, None)
        assert payloads(await stream.next(0)) == ["ready"]
        return stream


@asynccontextmanager
async def staged(server: ScratchNats, contract: Contract) -> AsyncIterator[Stage]:
    """A hub that follows every feed, in an empty world."""
    world = World()
    async with AsyncExitStack() as stack:
        buses = {s: await stack.enter_async_context(server.bus(s)) for s in (*EMITTERS, "gateway")}
        hub = Hub(
            contract,
            buses["gateway"],
            cast(Authorizer, world),
            cast(Places, world),
            Telemetry(scratch_config("gateway")),
        )
        following = asyncio.create_task(hub.run())
        try:
            yield Stage(hub, world, contract, buses)
            assert not following.done(), "the hub follows no more"
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


def payloads(events: list[gateway_event_pb2.Event]) -> list[str]:
    """What kind of thing each event tells."""
    return [str(event.WhichOneof("payload")) for event in events]


def texts(events: list[gateway_event_pb2.Event]) -> list[str]:
    """What the new messages among the events say."""
    return [
        event.message_created.message.content
        for event in events
        if event.HasField("message_created")
    ]


def message(channel: str, content: str, community: str = "table") -> Message:
    """Somebody said something."""
    return chat_events_pb2.MessageCreated(
        message=message_pb2.Message(channel_id=channel, content=content), community_id=community
    )


def joined(community: str, user: str) -> Message:
    """Somebody became a member."""
    member = member_pb2.Member(community_id=community, user_id=user)
    return community_events_pb2.MemberJoined(member=member)


def removed(community: str, user: str) -> Message:
    """Somebody is a member no longer."""
    return community_events_pb2.MemberRemoved(community_id=community, user_id=user)


def opened(community: str, channel: str) -> Message:
    """A channel was created."""
    return community_events_pb2.ChannelCreated(
        channel=channel_pb2.Channel(id=channel, community_id=community)
    )


def renamed(user: str) -> Message:
    """Somebody's profile changed."""
    return user_events_pb2.UserUpdated(user=user_pb2.User(id=user, display_name="New"))


VIEW_COMMUNITY = permission_pb2.PERMISSION_VIEW_COMMUNITY
VIEW_CHANNEL = permission_pb2.PERMISSION_VIEW_CHANNEL
