"""Pages of a long past, and what is unread in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
import random
import time
from typing import Final

import sqlalchemy as sa

from bench import measure, people, pgbench
from bench.measure import Result
from creavio.chat.v1 import message_service_pb2 as m
from creavio.chat.v1.message_service_pb2_grpc import MessageServiceStub
from creavio.chat.v1.read_state_service_pb2 import ListReadStatesRequest
from creavio.chat.v1.read_state_service_pb2_grpc import ReadStateServiceStub
from tests.live import Live, Person

_CHANNELS: Final = 200
_PAGE: Final = 50
_CALLS: Final = 300
_FILL: Final = sa.text(
    """
    INSERT INTO message (
            id, channel_id, author_id, content, nonce, sequence, revision, create_time)
        SELECT uuidv7(), channel.id, uuidv7(), 'Message ' || n || repeat(' and so on', 8), '', n, n,
               now() - make_interval(secs => :each - n)
        FROM channel, generate_series(1, :each) AS n
        WHERE channel.community_id IS NOT NULL AND last_sequence = 0
    """
)
_FILLED: Final = sa.text(
    """
    UPDATE channel SET last_sequence = :each, last_message = :each, active = hour_of(now())
    WHERE community_id IS NOT NULL AND last_sequence = 0
    """
)
_JOINED: Final = sa.text("UPDATE reader SET join_time = now() - make_interval(secs => :ago)")
PAGE: Final = """
\\set n random(1, {each})
\\set c random(1, {channels})
SELECT message.* FROM bench_channel
    JOIN LATERAL (
        SELECT * FROM message
        WHERE channel_id = bench_channel.id AND sequence < :n AND delete_time IS NULL
        ORDER BY sequence DESC LIMIT {page}
    ) AS message ON true
WHERE bench_channel.n = :c;
"""
_NUMBERED: Final = sa.text(
    """
    CREATE TABLE bench_channel AS
        SELECT row_number() OVER () AS n, id FROM channel WHERE community_id IS NOT NULL
    """
)


async def reading(live: Live, reader: Person, number: int) -> AsyncIterator[Result]:
    """Pages and unread states among so many messages in two hundred channels."""
    place = people.found(live, _CHANNELS)
    place.join(reader)
    for one in place.channels:  # chat learns of a channel when it is looked at.
        place.owner.do("GET", f"/v1/channels/{one}/messages")
    each = number // _CHANNELS
    _fill(live, each)
    load = f"{number:,} messages"
    chosen = random.Random(number)  # noqa: S311  # nothing secret
    metadata = people.metadata(reader)
    async with people.connected(live) as (channel,):
        messages, states = MessageServiceStub(channel), ReadStateServiceStub(channel)

        async def latest() -> int:
            request = m.ListMessagesRequest(
                channel_id=chosen.choice(place.channels), page_size=_PAGE
            )
            return len((await messages.ListMessages(request, metadata=metadata)).messages)

        async def around() -> int:
            request = m.ListMessagesAroundRequest(
                channel_id=chosen.choice(place.channels), page_size=_PAGE
            )
            request.time.FromDatetime(
                datetime.fromtimestamp(time.time() - chosen.randrange(each), UTC)
            )
            return len((await messages.ListMessagesAround(request, metadata=metadata)).messages)

        async def unread() -> int:
            request = ListReadStatesRequest(community_id=place.community, page_size=100)
            return len((await states.ListReadStates(request, metadata=metadata)).read_states)

        for name, ask in (
            ("page, latest", latest),
            ("page, around a moment", around),
        ):
            yield await _asked(live, name, load, ask)
        # All of it was written while they were there; or all of it before they came.
        for name, ago in (
            ("unread, a hundred channels", each + 3_600),
            ("unread, the same, of a newcomer", 0),
        ):
            _join(live, ago)
            yield await _asked(live, name, load, unread)
    script = PAGE.format(each=each, channels=_CHANNELS, page=_PAGE)
    yield pgbench.run(live, "creavio_chat", "pgbench, a page", script, 1, 3)


def _fill(live: Live, each: int) -> None:
    engine = sa.create_engine(live.database_url("creavio_chat"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(_FILL, {"each": each})
        connection.execute(_FILLED, {"each": each})
        connection.execute(_NUMBERED)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


def _join(live: Live, ago: int) -> None:
    """Have everybody joined so many seconds ago."""
    engine = sa.create_engine(live.database_url("creavio_chat"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(_JOINED, {"ago": ago})


async def _asked(live: Live, name: str, load: str, ask: Callable[[], Awaitable[int]]) -> Result:
    latencies: list[float] = []
    rows = 0
    usage = measure.usage(live)
    with usage.spent() as cpu:
        began = time.perf_counter()
        for _ in range(_CALLS):
            started = time.perf_counter()
            rows += await ask()
            latencies.append(time.perf_counter() - started)
        took = time.perf_counter() - began
    extra = {"postgres_us": cpu["postgres"] / _CALLS * 1e6, "rows": rows / _CALLS}
    return Result(name, load, _CALLS, took, cpu, latencies, extra)
