"""The hub: every event that may reach a browser, to everyone who may see it.

One feed per emitting service brings its events, without a gap (`chassis.feed`).
Who may see an event is what its contract declares (`reading`), decided by masks
that are as new as what rbac announced (`crowd`). Between deciding and queueing
nothing is awaited: a place in the logs is a place in every stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from functools import partial
import time
from typing import TYPE_CHECKING, Final

from prometheus_client import Counter, Gauge

from chassis.authz import Authorizer
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.errors import Error, Unavailable
from chassis.events import EventError, Received
from chassis.feed import Feed
from chassis.ids import INSTANCE
from creavio.options.v1 import permission_pb2 as p
from services.gateway import convert
from services.gateway.domain import (
    AHEAD_SECONDS,
    MAX_STREAMS,
    START_SECONDS,
    Positions,
    Restarting,
    TooManyStreams,
)
from services.gateway.engine.circles import Circle
from services.gateway.engine.community import Person
from services.gateway.engine.crowd import Crowd
from services.gateway.engine.places import Places
from services.gateway.engine.reading import Entry, Place, Reader, emitters
from services.gateway.engine.replay import Replay
from services.gateway.engine.stream import Stream
from services.gateway.engine.tokens import ResumeTokens

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

_TICK_SECONDS: Final = 0.5
_MEMBERS_SECONDS: Final = 5.0
"""How long an event waits for others to say whom it is for: a conversation's members, or who
knows a person."""
_RETRY_SECONDS: Final = 0.1
_LOOK_SECONDS: Final = 0.02


class Hub:
    """All open streams of this process, and the feeds they are fed from."""

    def __init__(
        self,
        contract: Contract,
        bus: Bus,
        authorizer: Authorizer,
        places: Places,
        tokens: ResumeTokens,
        telemetry: Telemetry,
    ) -> None:
        self._places = places
        self._tokens = tokens
        self._log = telemetry.log
        self.crowd = Crowd(authorizer, places, self._access_changed, self._lost, telemetry)
        """Whose streams are open, and what they may see."""
        reader = Reader(contract, places.learn)
        self._reader = reader
        self._feeds = {
            service: Feed(
                service,
                bus,
                partial(self._deliver, service),
                partial(self._broken, service),
                telemetry,
            )
            for service in emitters(contract)
        }
        self._replay = Replay(self._feeds, reader, self.crowd, places)
        self._streams: set[Stream] = set()
        self._at: tuple[object, ...] = ()
        self._positions: Positions = {}
        self._stopping = False
        self._delivered = Counter(
            "gateway_events_delivered", "Events queued for streams.", registry=telemetry.registry
        )
        self._cut = Counter(
            "gateway_streams_ended",
            "Streams ended by the gateway, by reason.",
            ("reason",),
            registry=telemetry.registry,
        )
        Gauge("gateway_streams", "Open streams.", registry=telemetry.registry).set_function(
            self._streams.__len__
        )

    async def run(self) -> None:
        """Follow every feed, for as long as the service lives."""
        await asyncio.gather(self._tick(), *(feed.run() for feed in self._feeds.values()))

    @property
    def positions(self) -> Positions:
        """Up to where everything was told to everyone who may see it."""
        at = tuple(feed.position for feed in self._feeds.values())
        if at != self._at:
            self._at = at
            self._positions = dict(zip(self._feeds, at, strict=True))
        return self._positions

    async def open(self, user_id: str, since: Positions | None) -> Stream:
        """Open a stream: its first event is `ready`, then what was missed. Close it again.

        Raises `Unavailable` when events cannot be followed, or it cannot be known
        what the person may see, and `TooManyStreams`.
        """
        await self._following()
        await self._catch_up(since or {})
        person = await self.crowd.meet(user_id)
        if person.pins > MAX_STREAMS:
            self.crowd.part(person)
            raise TooManyStreams
        stream = Stream(person, self._sealed, self._ended, self._close)
        try:
            self.crowd.enter(stream)
            self._streams.add(stream)
            # What happens from here on is queued, what happened before is looked up.
            stream.begin(await self._first(person, since, self.positions))
        except BaseException:
            stream.close()
            raise
        return stream

    async def _first(
        self, person: Person, since: Positions | None, until: Positions
    ) -> Sequence[bytes]:
        if since is None:
            return [convert.ready(resumed=False)]
        missed = await self._replay.missed(person, since, until)
        if missed is None:
            lost = convert.refetch("what was missed is not kept any more, or is too much")
            return [convert.ready(resumed=False), lost]
        return [convert.ready(resumed=True), *missed]

    def end_all(self) -> None:
        """End every stream, and open no more: their clients come back elsewhere."""
        self._stopping = True
        self._lost(list(self._streams), Restarting())

    def tell(self, streams: Iterable[Stream], told: bytes) -> None:
        """Queue something encoded that is not of any log."""
        for stream in streams:
            stream.push(told)

    # The life of a stream.

    async def _following(self) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                for feed in self._feeds.values():
                    await feed.started.wait()
                await self.crowd.belief.returns()
        except TimeoutError as error:
            raise Unavailable("events cannot be followed at the moment; try again") from error
        if self._stopping:
            raise Restarting

    async def _catch_up(self, since: Positions) -> None:
        """Wait a moment for an epoch that another gateway knew of first.

        To be told nothing for long would be worse than to fetch anew.
        """
        ends = time.monotonic() + AHEAD_SECONDS
        while True:
            ahead = any(
                service in since and since[service].epoch > feed.position.epoch
                for service, feed in self._feeds.items()
            )
            if not ahead or time.monotonic() > ends:
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _sealed(self, person: Person) -> bytes:
        return self._tokens.sealed(person, self.positions)

    def _lost(self, streams: Iterable[Stream], failure: Error) -> None:
        for stream in streams:
            stream.end(failure)

    def _ended(self, stream: Stream, failure: Error) -> None:
        self._cut.labels(failure.reason).inc()
        # Not at once: an audience it is in may just be being told something.
        asyncio.get_running_loop().call_soon(self._leave, stream)

    def _leave(self, stream: Stream) -> None:
        self.crowd.leave(stream)
        self._streams.discard(stream)

    def _close(self, stream: Stream) -> None:
        self._leave(stream)
        self.crowd.part(stream.person)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            self.crowd.believed()
            now = asyncio.get_running_loop().time()
            for stream in self._streams:
                if stream.beat_at <= now:
                    stream.beat()

    # What happens.

    async def _deliver(self, service: str, event: Received) -> None:
        try:
            entry = self._reader.read(event)
        except EventError as error:
            # It would come again for ever: who was to see it is not known.
            self._broken(service, str(error))
            return
        places = entry.places
        if places and not all(map(self._ready, places)):
            places = await self._known(entry)
        # Nothing is awaited from here on.
        if len(places) == 1:
            self._tell(self._audience(places[0]), entry.told)
        elif places:
            self._tell({s for place in places for s in self._audience(place)}, entry.told)
        if entry.created:
            self.crowd.births.announce(entry.created)
        self._replay.delivered(service, entry)

    def _tell(self, audience: Collection[Stream], told: bytes) -> None:
        for stream in audience:
            stream.push(told)
        self._delivered.inc(len(audience))

    def _ready(self, place: Place) -> bool:
        if place.community:
            return self.crowd.sure(place.community)
        if place.scope == p.SCOPE_ACQUAINTANCES:
            return self._places.circles.fresh(place.id)
        return (
            place.scope != p.SCOPE_CONVERSATION or self._places.known_members(place.id) is not None
        )

    async def _known(self, entry: Entry) -> tuple[Place, ...]:
        """The places of an event of which it is known who sees them, once that is sure.

        Of others, those who might see them are told: their streams end, or they are
        to fetch anew.
        """
        unknown: set[Place] = set()
        while waiting := [x for x in entry.places if x not in unknown and not self._ready(x)]:
            for place in waiting:
                if place.community:
                    known = await self.crowd.settled(place.community)
                else:
                    known = await self._people_known(place)
                if not known:
                    unknown.add(place)
        for place in unknown:
            if place.community:
                self.crowd.drop(place.community)
            else:
                self._refetch("it is not known whom an event was for")
        return tuple(place for place in entry.places if place not in unknown)

    async def _people_known(self, place: Place) -> bool:
        until = time.monotonic() + _MEMBERS_SECONDS
        while True:
            try:
                if place.scope == p.SCOPE_ACQUAINTANCES:
                    await self._places.circles.ask(place.id)
                else:
                    await self._places.members_of(place.id)
            except Error as error:
                self._log.warning("it is not known whom an event is for", error=str(error))
                if time.monotonic() > until:
                    return False
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return True

    def _audience(self, place: Place) -> Collection[Stream]:
        if place.community:
            return self.crowd.audience(place.community, place.permission, place.id)
        if place.scope == p.SCOPE_SELF:
            return self.crowd.streams_of(place.id)
        if place.scope == p.SCOPE_ACQUAINTANCES:
            circle = self._places.circles.get(place.id)
            return () if circle is None else self._knowing(place.id, circle)
        members = self._places.known_members(place.id) or ()
        return [stream for member in members for stream in self.crowd.streams_of(member)]

    def _knowing(self, user_id: str, circle: Circle) -> Collection[Stream]:
        """The open streams of those who know somebody, but of whom a block keeps apart."""
        crowd = self.crowd
        communities = filter(None, map(crowd.community, circle.communities))
        viewers = {viewer for community in communities for viewer in community.seats}
        return [
            stream
            for viewer in viewers.union(circle.talkers) - {user_id}
            if not crowd.blocks.apart(viewer, user_id)
            for stream in crowd.streams_of(viewer)
        ]

    def _access_changed(self, person: Person, community_id: str) -> None:
        if community_id != INSTANCE:
            self.tell(person.streams, convert.access_changed(community_id))

    def _broken(self, service: str, detail: str) -> None:
        """What happened cannot be told, as when a log was cut: everyone fetches anew."""
        self._log.warning("events cannot be told", feed=service, detail=detail)
        self._replay.broke(service)
        self._refetch(detail)

    def _refetch(self, detail: str) -> None:
        self.tell(self._streams, convert.refetch(detail))
