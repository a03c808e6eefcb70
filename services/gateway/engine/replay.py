"""What somebody missed since a token, decided by what they may see now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
import heapq
from operator import attrgetter
import time

from chassis.events import EventError
from chassis.feed import Feed
from chassis.positions import START, Position
from creavio.options.v1 import permission_pb2 as p
from services.gateway import convert
from services.gateway.domain import MAX_QUEUED_BYTES, MAX_REPLAYED, NotKnown, Positions
from services.gateway.engine.community import Person
from services.gateway.engine.crowd import Crowd
from services.gateway.engine.places import Places
from services.gateway.engine.reading import Entry, Place, Reader
from services.gateway.engine.recent import Recent

_AT_ONCE = 16
_number, _time = attrgetter("number"), attrgetter("time")


class Replay:
    """Finds what was missed, while delivery goes on."""

    def __init__(
        self, feeds: Mapping[str, Feed], reader: Reader, crowd: Crowd, places: Places
    ) -> None:
        self._feeds = feeds
        self._reader = reader
        self._crowd = crowd
        self._places = places
        self._recent = {service: Recent() for service in feeds}
        # A crowd that missed the same waits for the first to read it.
        self._turns = {service: asyncio.Lock() for service in feeds}

    def delivered(self, service: str, entry: Entry) -> None:
        """Remember an event: the next of its log."""
        self._recent[service].add(entry)

    def broke(self, service: str) -> None:
        """Remember nothing of a log: it may be another now."""
        self._recent[service] = Recent()

    async def missed(
        self, person: Person, since: Positions, until: Positions
    ) -> list[bytes] | None:
        """What a person is to be told between two places, encoded, in the order to tell it.

        None when it cannot be told: too much happened, it is not kept any more, or
        the place is in a log that is not there any more. Raises `Unavailable` when
        it is not known what they may see.
        """
        logs: list[list[Entry]] = []
        for service in self._feeds:
            entries = await self._between(service, since.get(service, START), until[service])
            if entries is None or len(entries) > MAX_REPLAYED:
                return None
            logs.append(entries)
        places = {place for log in logs for e in log for place in e.places}
        await self._look_up(person, places)
        seen = await self._knows(person, places)
        # By time, but never against the order of one log: its times are those at
        # which changes began, its order that in which they took effect.
        told = [
            entry.told
            for entry in heapq.merge(*logs, key=_time)
            if any(self._sees(person, place, seen) for place in entry.places)
        ]
        if len(told) > MAX_REPLAYED or sum(map(len, told)) > MAX_QUEUED_BYTES:
            return None
        return told + [convert.access_changed(c) for c in self._changed(person, logs)]

    async def _between(self, service: str, since: Position, until: Position) -> list[Entry] | None:
        """The events of one log after a position, up to another."""
        if since.epoch > until.epoch:
            # Another replica was ahead of this one in a log that was cut: what this one
            # told before it was, it will not tell again.
            return None
        found = self._remembered(service, since, until)
        if found is not None:
            return found
        async with self._turns[service]:
            found = self._remembered(service, since, until)
            if found is not None:
                return found
            events = await self._feeds[service].since(since, until, MAX_REPLAYED)
            if events is None:
                return None
            try:
                entries = [self._reader.read(event) for event in events]
            except EventError:
                return None
            if since.epoch == until.epoch:
                self._recent[service].extend_back(since, entries)
            return entries

    def _remembered(self, service: str, since: Position, until: Position) -> list[Entry] | None:
        if since == until:
            return []
        if since.epoch != until.epoch or since.number > until.number:
            return None
        entries = self._recent[service].since(since)
        if entries is None:
            return None
        here = [entry for entry in entries if entry.number <= until.number]
        if not here or (here[-1].number, here[-1].id) != (until.number, until.event_id):
            return None
        return here

    async def _look_up(self, person: Person, places: Iterable[Place]) -> None:
        """Return once it is known, for all of these, whether the person sees them."""
        unknown = {
            place.id
            for place in places
            if place.scope == p.SCOPE_CONVERSATION and self._places.known_members(place.id) is None
        }
        asking = asyncio.Semaphore(_AT_ONCE)

        async def ask(conversation_id: str) -> None:
            async with asking:
                await self._places.members_of(conversation_id)

        await asyncio.gather(*map(ask, unknown))
        communities = {place.community for place in places} & (person.roles or {}).keys()
        began = time.monotonic()
        while unsure := [c for c in communities if not self._crowd.sure(c)]:
            for community in unsure:
                if not await self._crowd.settled(community, began):
                    raise NotKnown

    async def _knows(self, person: Person, places: Iterable[Place]) -> dict[Place, bool]:
        """Whether somebody is told what concerns those who know this or that person."""
        viewer, blocks = person.user_id, self._crowd.blocks
        of_people = [place for place in places if place.scope == p.SCOPE_ACQUAINTANCES]
        among = {place.id for place in of_people if not blocks.apart(viewer, place.id)}
        known = await self._places.circles.known_to(viewer, among - {viewer})
        return {place: place.id in known for place in of_people}

    def _sees(self, person: Person, place: Place, seen: dict[Place, bool]) -> bool:
        known = seen.get(place)
        if known is None:
            known = seen[place] = self._looks(person, place)
        return known

    def _looks(self, person: Person, place: Place) -> bool:
        if place.scope == p.SCOPE_SELF:
            return place.id == person.user_id
        if place.scope == p.SCOPE_CONVERSATION:
            return person.user_id in (self._places.known_members(place.id) or ())
        return self._crowd.allows(person.user_id, place.community, place.permission, place.id)

    def _changed(self, person: Person, logs: Iterable[Iterable[Entry]]) -> list[str]:
        """The communities in which the person's access may have changed meanwhile."""
        belongs = {community.id for community in self._crowd.communities_of(person)}
        changes = (entry.access for log in logs for entry in log if entry.access is not None)
        return list(
            dict.fromkeys(
                community
                for community, user_id in changes
                if (user_id == person.user_id if user_id else community in belongs)
            )
        )
