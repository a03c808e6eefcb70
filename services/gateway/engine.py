"""The hub: every event that may reach a browser, to everyone who may see it.

One feed per emitting service brings its events, without a gap (`chassis.feed`).
Who may see an event is what its contract declares. A stream is looked at for a
place only while its person belongs there, and every event is still decided by
the permission: what is shown is never older than what rbac has announced.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable
from contextlib import suppress
import heapq
from typing import TYPE_CHECKING

from cachetools import LRUCache
from google.protobuf.message import DecodeError, Message

from chassis.authz import Authorizer
from chassis.bus import Bus
from chassis.clients import Clients
from chassis.contract import Contract, field_at
from chassis.errors import Error, Invalid, NotFound, Unavailable
from chassis.events import EventError, Received
from chassis.feed import Feed
from chassis.positions import START
from creavio.community.v1 import channel_service_pb2, community_events_pb2, member_service_pb2
from creavio.community.v1.channel_service_pb2_grpc import ChannelServiceStub
from creavio.community.v1.member_service_pb2_grpc import MemberServiceStub
from creavio.gateway.v1 import gateway_event_pb2
from creavio.options.v1 import event_pb2, permission_pb2
from services.gateway import convert
from services.gateway.domain import (
    MAX_QUEUED,
    MAX_REPLAYED,
    START_SECONDS,
    Positions,
    ReadsTooSlowly,
)

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry


class Places:
    """Where people belong, as community says."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._channels = ChannelServiceStub(clients.channel)
        self._members = MemberServiceStub(clients.channel)
        self._known: LRUCache[str, str] = LRUCache(50_000)

    async def community_of(self, channel_id: str) -> str | None:
        """The community of a channel; None when there is no such channel."""
        known = self._known.get(channel_id)
        if known is None:
            request = channel_service_pb2.GetChannelRequest(channel_id=channel_id)
            try:
                channel = await self._clients.call(self._channels.GetChannel, request)
            except (NotFound, Invalid):
                return None
            known = self._known[channel_id] = channel.community_id
        return known

    async def communities_of(self, user_id: str) -> frozenset[str]:
        """The communities a person belongs to."""
        request = member_service_pb2.ListMembershipsRequest(user_id=user_id)
        reply = await self._clients.call(self._members.ListMemberships, request)
        return frozenset(member.community_id for member in reply.members)


class Stream:
    """What one person is still to be told on one open stream."""

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.communities: set[str] = set()
        self._events: deque[gateway_event_pb2.Event] = deque()
        self._wake = asyncio.Event()
        self._failure: Error | None = None
        self._begun = False

    def begin(self) -> None:
        """Be told of what happens from here on; nothing was told before."""
        self._begun = True

    def tell(self, event: gateway_event_pb2.Event) -> None:
        """Add an event, once the stream has begun; a reader too far behind is to be ended."""
        if not self._begun:
            return
        if len(self._events) >= MAX_QUEUED:
            self.end(ReadsTooSlowly())
            return
        self._events.append(event)
        self._wake.set()

    def end(self, failure: Error) -> None:
        """End the stream; what is queued is not told any more."""
        self._failure = failure
        self._events.clear()
        self._wake.set()

    @property
    def ended(self) -> bool:
        """Whether it is to end."""
        return self._failure is not None

    async def next(self, seconds: float) -> list[gateway_event_pb2.Event]:
        """Everything queued, once there is something; nothing after `seconds` of quiet.

        Raises what ended the stream.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()
        if self._failure is not None:
            raise self._failure
        events = list(self._events)
        self._events.clear()
        return events


class Hub:
    """All open streams of this process, and the feeds they are fed from."""

    def __init__(
        self,
        contract: Contract,
        bus: Bus,
        authorizer: Authorizer,
        places: Places,
        telemetry: Telemetry,
    ) -> None:
        self._events = contract.events
        self._authorizer = authorizer
        self._places = places
        self._log = telemetry.log
        self._by_user: defaultdict[str, set[Stream]] = defaultdict(set)
        self._by_community: defaultdict[str, set[Stream]] = defaultdict(set)
        # One event at a time, over all feeds: who belongs where changes between them.
        self._turn = asyncio.Lock()
        emitters = {
            event.service
            for event in contract.events.values()
            if event.policy.audience == event_pb2.EVENT_AUDIENCE_STREAM
        }
        self._feeds = {
            service: Feed(service, bus, self._turn, self._deliver, self._broken, telemetry)
            for service in sorted(emitters)
        }

    async def run(self) -> None:
        """Follow every feed, for as long as the service lives."""
        await asyncio.gather(*(feed.run() for feed in self._feeds.values()))

    @property
    def positions(self) -> Positions:
        """Up to where everything was told to everyone who may see it."""
        return {service: feed.position for service, feed in self._feeds.items()}

    async def open(self, user_id: str, since: Positions | None) -> Stream:
        """Open a stream: its first event is `ready`, then what was missed.

        Raises `Unavailable` when events cannot be followed, or it cannot be known
        where the person belongs.
        """
        try:
            async with asyncio.timeout(START_SECONDS):
                for feed in self._feeds.values():
                    await feed.started.wait()
        except TimeoutError as error:
            raise Unavailable("events cannot be followed at the moment; try again") from error
        stream = Stream(user_id)
        try:
            await self._begin(stream, since)
        except BaseException:
            self.close(stream)
            raise
        return stream

    async def _begin(self, stream: Stream, since: Positions | None) -> None:
        user_id = stream.user_id
        # Before the look at where the person belongs: what they join from here on
        # is entered as it is delivered, what they joined before is seen there.
        self._by_user[user_id].add(stream)
        for community in await self._places.communities_of(user_id):
            self._enter(stream, community)
        # While nothing is delivered: what is replayed ends where what is live begins.
        async with self._turn:
            missed = None if since is None else await self._missed(stream, since)
            stream.begin()
            stream.tell(convert.ready(resumed=missed is not None))
            if since is not None and missed is None:
                stream.tell(convert.refetch("what was missed is not kept any more"))
            for event in missed or ():
                stream.tell(event)

    def close(self, stream: Stream) -> None:
        """Forget a stream."""
        self._by_user[stream.user_id].discard(stream)
        if not self._by_user[stream.user_id]:
            del self._by_user[stream.user_id]
        for community in list(stream.communities):
            self._leave(stream, community)

    def end_all(self) -> None:
        """End every stream: its client comes back elsewhere with its token."""
        for streams in list(self._by_user.values()):
            for stream in streams:
                stream.end(Unavailable("the gateway restarts; resume with the latest token"))

    def _enter(self, stream: Stream, community: str) -> None:
        stream.communities.add(community)
        self._by_community[community].add(stream)

    def _leave(self, stream: Stream, community: str) -> None:
        stream.communities.discard(community)
        self._by_community[community].discard(stream)
        if not self._by_community[community]:
            del self._by_community[community]

    async def _deliver(self, event: Received) -> None:
        try:
            read = self._read(event)
        except EventError as error:
            # It would come again for ever: who was to see it is not known.
            self._broken(str(error))
            return
        if read is None:
            return
        policy, body = read
        if isinstance(body, community_events_pb2.MemberJoined):
            for stream in self._by_user.get(body.member.user_id, ()):
                self._enter(stream, body.member.community_id)
        told = convert.told(event, body)
        for stream in await self._audience(policy, body):
            stream.tell(told)
            if stream.ended:
                self.close(stream)
        if isinstance(body, community_events_pb2.MemberRemoved):
            for stream in self._by_user.get(body.user_id, ()):
                self._leave(stream, body.community_id)

    def _read(self, event: Received) -> tuple[event_pb2.EventPolicy, Message] | None:
        """What an event says, and who may see it; None for one that no stream is told.

        Raises `EventError` when it cannot be decoded.
        """
        known = self._events.get(event.type)
        if known is None or known.policy.audience != event_pb2.EVENT_AUDIENCE_STREAM:
            return None
        try:
            return known.policy, known.message.FromString(event.body)
        except DecodeError as error:
            raise EventError(f"{event.type} {event.id} cannot be decoded") from error

    async def _audience(self, policy: event_pb2.EventPolicy, body: Message) -> set[Stream]:
        """The open streams of everyone who may see an event."""
        audience: set[Stream] = set()
        for rule in policy.visible_to:
            value = str(field_at(body, rule.field))
            if rule.scope == permission_pb2.SCOPE_SELF:
                audience |= self._by_user.get(value, set())
                continue
            community = await self._community(rule.scope, value)
            if community is not None:
                audience |= await self._allowed(
                    self._by_community.get(community, set()) - audience, rule.require, community
                )
        return audience

    async def _allowed(
        self,
        streams: Iterable[Stream],
        permission: permission_pb2.Permission.ValueType,
        community: str,
    ) -> set[Stream]:
        allowed: set[Stream] = set()
        for stream in list(streams):
            try:
                if await self._authorizer.holds(stream.user_id, permission, community):
                    allowed.add(stream)
            except Error as failure:
                # Neither shown without knowing nor skipped: the client comes back
                # with its token and is told then.
                stream.end(failure)
                self.close(stream)
        return allowed

    async def _community(
        self, scope: permission_pb2.Scope.ValueType, identifier: str
    ) -> str | None:
        if scope == permission_pb2.SCOPE_COMMUNITY:
            return identifier
        return await self._places.community_of(identifier)

    async def _missed(
        self, stream: Stream, since: Positions
    ) -> list[gateway_event_pb2.Event] | None:
        """What the person missed since a token; None when it cannot be told any more."""
        logs: list[list[tuple[Received, event_pb2.EventPolicy, Message]]] = []
        for service, feed in self._feeds.items():
            events = await feed.since(since.get(service, START), MAX_REPLAYED)
            if events is None:
                return None
            try:
                logs.append([(e, *read) for e in events if (read := self._read(e)) is not None])
            except EventError:
                return None
        missed = [
            [
                convert.told(event, body)
                for event, policy, body in log
                if await self._was_for(stream, policy, body)
            ]
            for log in logs
        ]
        # By time, but never against the order of one log: its times are those at
        # which changes began, its order that in which they took effect.
        merged = list(heapq.merge(*missed, key=lambda event: event.time.ToNanoseconds()))
        return merged if len(merged) < MAX_QUEUED else None

    async def _was_for(self, stream: Stream, policy: event_pb2.EventPolicy, body: Message) -> bool:
        for rule in policy.visible_to:
            value = str(field_at(body, rule.field))
            if rule.scope == permission_pb2.SCOPE_SELF:
                if value == stream.user_id:
                    return True
                continue
            community = await self._community(rule.scope, value)
            if community in stream.communities and await self._authorizer.holds(
                stream.user_id, rule.require, community
            ):
                return True
        return False

    def _broken(self, detail: str) -> None:
        """What happened cannot be told, as when a log was cut: everyone fetches anew."""
        self._log.warning("events cannot be told", detail=detail)
        for streams in self._by_user.values():
            for stream in streams:
                stream.tell(convert.refetch(detail))
