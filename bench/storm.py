"""Many open streams: what each holds in memory, and how they come back after all were lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
import time

import grpc

from bench import delivery, measure, people
from bench.measure import Result
from tests.live import Live, Person

_WITHIN = 120.0
"""Seconds after which a stream that is not back is called lost."""
_PATIENCE = 0.1
"""Seconds that a client whose stream was refused waits before it tries again."""


class _Returning(delivery.Subscriber):
    """A client that opens its stream again as soon as it is lost, from where it was."""

    def __init__(self) -> None:
        super().__init__()
        self.back = 0.0
        """When the stream was there again after `lose`; 0 while it is not."""
        self.tries = 0

    def lose(self) -> None:
        """From now on it is looked at whether it comes back."""
        self.ready.clear()
        self.back, self.tries = 0.0, 0

    async def stay(self, channel: grpc.aio.Channel, person: Person) -> None:
        """Read until cancelled, over one stream after the other."""
        while True:
            reading = asyncio.create_task(self.listen(channel, person))
            try:
                await delivery.opened(self, reading)
                self.back = time.perf_counter()
                await reading
            except grpc.aio.AioRpcError:
                self.tries += 1
                await asyncio.sleep(_PATIENCE)
            finally:
                reading.cancel()


async def memory(live: Live, listeners: list[Person], streams: int) -> Result:
    """What an open stream takes of gateway and Envoy."""
    before = measure.usage(live).memory()
    async with delivery.subscribed(live, listeners, streams):
        after = measure.usage(live).memory()
    kib = delivery.kib_a_stream(before, after, streams)
    return Result("memory of streams", f"{streams} streams", 1, 1.0, extra=kib)


async def reconnect(live: Live, listeners: list[Person], streams: int) -> Result:
    """The gateway is killed under so many streams, which all come back at once."""
    subscribers = [_Returning() for _ in range(streams)]
    async with AsyncExitStack() as stack:
        connections = -(-streams // delivery.A_CONNECTION)
        channels = await stack.enter_async_context(people.connected(live, connections))
        tasks = [
            asyncio.create_task(
                one.stay(channels[index % connections], listeners[index % len(listeners)])
            )
            for index, one in enumerate(subscribers)
        ]
        stack.push_async_callback(_ended, tasks)
        await asyncio.wait_for(asyncio.gather(*(one.ready.wait() for one in subscribers)), _WITHIN)
        for one in subscribers:
            one.lose()
        began = time.perf_counter()
        live.kill("gateway")
        with suppress(TimeoutError):
            await asyncio.wait_for(
                asyncio.gather(*(one.ready.wait() for one in subscribers)), _WITHIN
            )
        took = time.perf_counter() - began
    came = [one.back - began for one in subscribers if one.back]
    extra = {
        "all_back_s": took,
        "lost": float(streams - len(came)),
        "tries_each": 1 + sum(one.tries for one in subscribers) / streams,
    }
    return Result(
        "reconnect", f"{streams} streams at once", len(came), took, latencies=came, extra=extra
    )


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def crowds(live: Live, listeners: list[Person], *, quick: bool) -> AsyncIterator[Result]:
    """Memory of many streams, and the storm."""
    yield await memory(live, listeners, 500 if quick else 5_000)
    yield await reconnect(live, listeners, 500 if quick else 4_000)
