"""From a send to the streams of those who see it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import time

import grpc

from bench import measure, people, send
from bench.measure import Result
from creavio.chat.v1 import message_service_pb2
from creavio.chat.v1.message_service_pb2_grpc import MessageServiceStub
from creavio.gateway.v1 import gateway_service_pb2
from tests.live import Live, Person

A_CONNECTION = 100
"""Calls under way over one connection, as many as the edge takes."""
_SUBSCRIBE = "/creavio.gateway.v1.GatewayService/Subscribe"


class Subscriber:
    """An open stream that keeps when it was told of which message."""

    def __init__(self) -> None:
        self.told: dict[str, float] = {}
        self.events = self.batches = 0
        self.ready = asyncio.Event()

    async def listen(self, channel: grpc.aio.Channel, person: Person) -> None:
        """Read until cancelled."""
        call = channel.unary_stream(
            _SUBSCRIBE,
            gateway_service_pb2.SubscribeRequest.SerializeToString,
            gateway_service_pb2.SubscribeResponse.FromString,
        )(gateway_service_pb2.SubscribeRequest(), metadata=people.metadata(person))
        async for batch in call:
            now = time.perf_counter()
            self.batches += 1
            for event in batch.events:
                if event.HasField("ready"):
                    self.ready.set()
                elif event.HasField("message_created"):
                    self.events += 1
                    self.told[event.message_created.message.nonce] = now


async def opened(subscriber: Subscriber, task: asyncio.Task[None]) -> None:
    """Return once a stream is open; raises what it ended with instead."""
    opening = asyncio.create_task(subscriber.ready.wait())
    await asyncio.wait({opening, task}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        opening.cancel()
        task.result()
        raise RuntimeError("a stream ended before it began")


@asynccontextmanager
async def subscribed(
    live: Live, listeners: list[Person], streams: int
) -> AsyncIterator[list[Subscriber]]:
    """So many open streams, of these people in turn."""
    subscribers = [Subscriber() for _ in range(streams)]
    async with people.connected(live, -(-streams // A_CONNECTION)) as channels:
        tasks = []
        for index, subscriber in enumerate(subscribers):
            channel, person = channels[index % len(channels)], listeners[index % len(listeners)]
            tasks.append(asyncio.create_task(subscriber.listen(channel, person)))
            if index % 50 == 49:
                await opened(subscriber, tasks[-1])
        for subscriber, task in zip(subscribers, tasks, strict=True):
            await opened(subscriber, task)
        try:
            yield subscribers
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


def kib_a_stream(
    before: dict[str, float], after: dict[str, float], streams: int
) -> dict[str, float]:
    """What the two that hold streams grew by for each."""
    return {
        f"{name}_kib_a_stream": (after[name] - before[name]) * 1024 / streams
        for name in ("gateway", "envoy")
    }


async def delivery(
    live: Live, place: people.Place, listeners: list[Person], streams: int, per_second: float
) -> list[Result]:
    """Single messages to everybody: send latency, delivery latency, memory a stream."""
    before = measure.usage(live).memory()
    async with subscribed(live, listeners, streams) as subscribers:
        after = measure.usage(live).memory()
        sent: dict[str, float] = {}
        answered: list[float] = []
        spending = measure.usage(live)
        with spending.spent() as cpu:
            began = time.perf_counter()
            async with people.connected(live) as (channel,):
                stub = MessageServiceStub(channel)
                for number in range(int(10 * per_second)):
                    nonce = f"d{streams}-{number}"
                    sent[nonce] = started = time.perf_counter()
                    request = message_service_pb2.CreateMessageRequest(
                        channel_id=place.channels[0], content="hello", nonce=nonce
                    )
                    await stub.CreateMessage(request, metadata=people.metadata(place.owner))
                    answered.append(time.perf_counter() - started)
                    await asyncio.sleep(max(0.0, 1 / per_second - answered[-1]))
            await asyncio.sleep(1.0)
            took = time.perf_counter() - began
    delays = [
        subscriber.told[nonce] - at
        for subscriber in subscribers
        for nonce, at in sent.items()
        if nonce in subscriber.told
    ]
    lost = len(sent) * streams - len(delays)
    kib = kib_a_stream(before, after, streams)
    load = f"{streams} streams, {per_second:g} messages/s"
    return [
        Result("send, low load", load, len(answered), took, cpu, answered),
        Result(
            "delivery",
            load,
            len(delays),
            took,
            cpu,
            delays,
            {"lost": float(lost), **kib},
        ),
    ]


async def fan_out(
    live: Live, place: people.Place, members: list[Person], streams: int, seconds: float
) -> Result:
    """As many messages as go, to as many streams: deliveries a second."""
    async with subscribed(live, members, streams) as subscribers, people.connected(live) as spoken:
        spending = measure.usage(live)
        with spending.spent() as cpu:
            began = time.perf_counter()
            number = len(await send.over_streams(spoken, place, members, seconds))
            expected, deadline = number * streams, time.perf_counter() + 60
            while sum(s.events for s in subscribers) < expected:
                if time.perf_counter() > deadline:
                    break
                await asyncio.sleep(0.05)
            took = time.perf_counter() - began
        told = sum(s.events for s in subscribers)
        batches = sum(s.batches for s in subscribers)
    return Result(
        "fan-out",
        f"{len(members)} senders to {streams} streams",
        told,
        took,
        cpu,
        extra={
            "gateway_us_each": cpu["gateway"] / max(1, told) * 1e6,
            "events_a_write": told / max(1, batches),
            "lost": float(expected - told),
        },
    )
