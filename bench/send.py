"""Durable sends: unary and over a stream, beside a bare echo and pgbench."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
import time

import grpc

from bench import people, pgbench, references
from bench.measure import Result, usage
from creavio.chat.v1 import message_service_pb2
from creavio.chat.v1.message_service_pb2_grpc import MessageServiceStub
from tests.live import Live, Person

Way = Callable[[list[grpc.aio.Channel], people.Place, list[Person], float], Awaitable[list[float]]]
"""How people send for so many seconds: how long each message took to be answered."""
_PLAIN = r"""
\set c random(1, 8)
BEGIN;
UPDATE channel SET last_sequence = last_sequence + 1 WHERE id = :c RETURNING last_sequence;
INSERT INTO message (channel_id, content) VALUES (:c, 'hello');
INSERT INTO outbox (body) VALUES ('hello');
COMMIT;
"""
_TABLES = """
DROP TABLE IF EXISTS channel, message, outbox;
CREATE TABLE channel (id bigint PRIMARY KEY, last_sequence bigint NOT NULL);
INSERT INTO channel SELECT n, 0 FROM generate_series(1, 8) AS n;
CREATE TABLE message (
    id uuid PRIMARY KEY DEFAULT uuidv7(), channel_id bigint NOT NULL, content text NOT NULL);
CREATE TABLE outbox (id uuid PRIMARY KEY DEFAULT uuidv7(), body text NOT NULL);
"""


async def sends(
    live: Live, place: people.Place, senders: list[Person], seconds: float, *, bidi: bool
) -> Result:
    """Messages sent by people who each wait for the last one's answer."""
    kind = "bidi" if bidi else "unary"
    run = over_streams if bidi else over_calls
    async with people.connected(live, 4) as channels:
        await run(channels, place, senders, 1.0)
        spending = usage(live)
        with spending.spent() as cpu:
            started = time.perf_counter()
            latencies = await run(channels, place, senders, seconds)
            took = time.perf_counter() - started
    load = f"{len(senders)} senders"
    return Result(f"send, {kind}", load, len(latencies), took, cpu, latencies)


async def over_calls(
    channels: list[grpc.aio.Channel], place: people.Place, senders: list[Person], seconds: float
) -> list[float]:
    """One message after another, a call each: how long each took to be answered."""
    ends, latencies = time.perf_counter() + seconds, list[float]()

    async def send(index: int, person: Person) -> None:
        stub = MessageServiceStub(channels[index % len(channels)])
        target = place.channels[index % len(place.channels)]
        number = 0
        while time.perf_counter() < ends:
            number += 1
            request = message_service_pb2.CreateMessageRequest(
                channel_id=target, content="hello", nonce=f"{ends}-{number}"
            )
            started = time.perf_counter()
            await stub.CreateMessage(request, metadata=people.metadata(person), timeout=10)
            latencies.append(time.perf_counter() - started)

    await asyncio.gather(*(send(index, person) for index, person in enumerate(senders)))
    return latencies


async def over_streams(
    channels: list[grpc.aio.Channel], place: people.Place, senders: list[Person], seconds: float
) -> list[float]:
    """One message after another over a stream each: how long each took to be answered."""
    ends, latencies = time.perf_counter() + seconds, list[float]()

    async def send(index: int, person: Person) -> None:
        stub = MessageServiceStub(channels[index % len(channels)])
        stream = stub.SendMessages(metadata=people.metadata(person))
        target = place.channels[index % len(place.channels)]
        async for took in references.speak(stream, ends, target, str(ends)):
            latencies.append(took)

    await asyncio.gather(*(send(index, person) for index, person in enumerate(senders)))
    return latencies


def plain(live: Live, clients: int, seconds: int) -> Result:
    """A transaction a message (number, message, event), by pgbench on the same server."""
    psql = partial(pgbench.program, live, "psql", "-q")
    psql("-c", "CREATE DATABASE bench")
    psql("-d", "bench", "-c", _TABLES)
    try:
        return pgbench.run(live, "bench", "pgbench, a message", _PLAIN, clients, seconds)
    finally:
        psql("-c", "DROP DATABASE bench")
