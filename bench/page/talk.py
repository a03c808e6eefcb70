"""What is said in the channel that is looked at: much at once, or steadily."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
import threading
import time

import grpc

from bench import people
from creavio.chat.v1 import message_service_pb2
from creavio.chat.v1.message_service_pb2_grpc import MessageServiceStub
from tests.live import Live, Person

_TEXTS = (
    "Yes.",
    "I will be there at seven, and bring the lamp.",
    "Has anybody seen the **second** key? It was on the shelf beside the door.",
    "The river was high this morning, so we went round by the bridge. It takes half an hour "
    "longer, but the light through the poplars was worth it, and nobody fell in this time.",
    "Here is what worked:\n```python\nfor lamp in lamps:\n    lamp.light()\n```",
    "> does it need oil?\n\nA little, twice a year. See the list in the hall.",
)


async def fill(live: Live, place: people.Place, members: list[Person], number: int) -> None:
    """Say so many things in the first channel, by turns, in an order."""
    async with people.connected(live) as (channel,):
        streams = [
            MessageServiceStub(channel).SendMessages(metadata=people.metadata(member))
            for member in members
        ]
        for index in range(number):
            stream = streams[index // 3 % len(streams)]
            await stream.write(_request(place.channels[0], f"({index}) {_TEXTS[index % 6]}", index))
            reply = await stream.read()
            assert isinstance(reply, message_service_pb2.SendMessagesResponse)
            if reply.HasField("error"):
                raise RuntimeError(reply.error.message)
        for stream in streams:
            await stream.done_writing()


@contextmanager
def talking(
    live: Live, channel_id: str, members: list[Person], per_second: float
) -> Iterator[dict[str, float]]:
    """While the block runs, messages are sent at a rate: when each was, by the name it
    has in its text (`n-…`), in seconds since 1970."""
    sent: dict[str, float] = {}
    ended = threading.Event()

    async def talk() -> None:
        numbers, pause = count(), len(members) / per_second

        async def one(index: int, member: Person, channel: grpc.aio.Channel) -> None:
            stub = MessageServiceStub(channel)
            await asyncio.sleep(pause * index / len(members))
            signed_in = time.monotonic()
            while not ended.is_set():
                if time.monotonic() - signed_in > people.FRESH_SECONDS:
                    member = await asyncio.to_thread(live.sign_in, member.handle)
                    signed_in = time.monotonic()
                number = next(numbers)
                due = time.monotonic() + pause
                sent[f"n-{number}"] = time.time()
                request = _request(channel_id, f"n-{number} {_TEXTS[number % 6]}", number)
                await stub.CreateMessage(request.message, metadata=people.metadata(member))
                await asyncio.sleep(max(0.0, due - time.monotonic()))

        async with people.connected(live) as (channel,):
            await asyncio.gather(*(one(i, each, channel) for i, each in enumerate(members)))

    thread = threading.Thread(target=lambda: asyncio.run(talk()))
    thread.start()
    try:
        yield sent
    finally:
        ended.set()
        thread.join()


def _request(channel_id: str, content: str, number: int) -> message_service_pb2.SendMessagesRequest:
    message = message_service_pb2.CreateMessageRequest(
        channel_id=channel_id, content=content, nonce=f"{time.time_ns()}-{number}"
    )
    return message_service_pb2.SendMessagesRequest(message=message)
