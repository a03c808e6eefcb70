"""The platform: each room a channel of a community of its own, so that nobody hears another's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import grpc
import sqlalchemy as sa

from bench import delivery, people, send
from bench.measure import usage
from bench.peers.load import OWN, ROOMS, Contender, Load
from tests.live import Live, Person, running

_CONNECTIONS = 4


@contextmanager
def contenders(senders: int) -> Iterator[list[Contender]]:
    """Messages over a stream of each sender, and a call for each message."""
    with running(CREAVIO_REQUESTS_PER_SECOND=people.RATE) as live:
        places = [people.found(live, channels=1) for _ in range(ROOMS)]
        members = [people.members(live, places[n % ROOMS], 1)[0] for n in range(senders)]
        yield [
            Contender(name, partial(_crowd, live, places, members, way))
            for name, way in ((OWN, send.over_streams), (f"{OWN}, unary", send.over_calls))
        ]


@asynccontextmanager
async def _crowd(
    live: Live, places: list[people.Place], members: list[Person], way: send.Way, load: Load
) -> AsyncIterator[_Crowd]:
    senders = members[: load.senders]
    listeners = [place.owner for place in places] + (senders if load.everybody else [])
    rooms = people.Place(
        places[0].owner, places[0].community, tuple(place.channels[0] for place in places)
    )
    async with (
        people.connected(live, _CONNECTIONS) as channels,
        delivery.subscribed(live, listeners, len(listeners)) as subscribers,
    ):
        yield _Crowd(live, channels, rooms, senders, subscribers, way)


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
