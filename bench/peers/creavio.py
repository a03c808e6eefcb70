"""The platform: each room a channel of a community of its own, so that nobody hears another's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

import grpc
import sqlalchemy as sa

from bench import delivery, people, send
from bench.measure import Result, usage
from bench.peers.load import OWN, ROOMS, Load, measured
from tests.live import Live, Person, running

_CONNECTIONS = 4


def rows(loads: Iterable[Load], seconds: float) -> Iterator[Result]:
    """Messages over a stream of each sender, then a request for each message."""
    loads = list(loads)
    with running(CREAVIO_REQUESTS_PER_SECOND=people.RATE) as live:
        places = [people.found(live, channels=1) for _ in range(ROOMS)]
        senders = [
            people.members(live, places[index % ROOMS], 1)[0]
            for index in range(max(load.senders for load in loads))
        ]
        for load in loads:
            for name, way in ((OWN, send.over_streams), (f"{OWN}, unary", send.over_calls)):
                yield asyncio.run(_row(live, places, senders, load, seconds, name, way))


async def _row(
    live: Live,
    places: list[people.Place],
    senders: list[Person],
    load: Load,
    seconds: float,
    name: str,
    way: send.Way,
) -> Result:
    speaking = senders[: load.senders]
    listening = [place.owner for place in places] + (speaking if load.everybody else [])
    rooms = people.Place(
        places[0].owner, places[0].community, tuple(place.channels[0] for place in places)
    )
    async with (
        people.connected(live, _CONNECTIONS) as channels,
        delivery.subscribed(live, listening, len(listening)) as subscribers,
    ):
        crowd = _Crowd(live, channels, rooms, speaking, subscribers, way)
        return await measured(name, load, crowd, seconds)


class _Crowd:
    def __init__(
        self,
        live: Live,
        channels: list[grpc.aio.Channel],
        rooms: people.Place,
        senders: list[Person],
        subscribers: list[delivery.Subscriber],
        way: send.Way,
    ) -> None:
        self.usage = usage(live)
        self._database = live.database_url("creavio_chat")
        self._channels = channels
        self._rooms = rooms
        self._senders = senders
        self._subscribers = subscribers
        self._way = way

    async def send(self, seconds: float) -> list[float]:
        return await self._way(self._channels, self._rooms, self._senders, seconds)

    def told(self) -> int:
        return sum(each.events for each in self._subscribers)

    def kept(self) -> int:
        return count(self._database, "SELECT count(*) FROM message")


def count(database: str, query: str) -> int:
    """The number that a query of a database answers with."""
    engine = sa.create_engine(database, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return int(connection.execute(sa.text(query)).scalar_one())
