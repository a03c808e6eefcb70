"""What the platform is measured against, run in the same minute on the same machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import time
from typing import Any

import grpc

from bench.measure import Result, Usage
from chassis.subjects import subject_root
from creavio.chat.v1 import message_pb2, message_service_pb2
from tests.scratch_nats import running_nats

ECHO = "/bench.Echo/"
_EVENT_BYTES = 300
_SERVER = """
import asyncio, sys, grpc
from creavio.chat.v1 import message_pb2, message_service_pb2 as m

async def unary(request, context):
    return message_pb2.Message(content=request.content, nonce=request.nonce)

async def bidi(requests, context):
    async for request in requests:
        yield m.SendMessagesResponse(
            nonce=request.message.nonce,
            message=message_pb2.Message(content=request.message.content),
        )

async def main():
    server = grpc.aio.server()
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(
            unary, m.CreateMessageRequest.FromString, message_pb2.Message.SerializeToString),
        "Bidi": grpc.stream_stream_rpc_method_handler(
            bidi, m.SendMessagesRequest.FromString, m.SendMessagesResponse.SerializeToString),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", handlers),))
    server.add_insecure_port(sys.argv[1])
    await server.start()
    print("ready", flush=True)
    await server.wait_for_termination()

asyncio.run(main())
"""


@contextmanager
def echo_server() -> Iterator[tuple[str, int]]:
    """A bare grpc.aio server that answers what it is sent: its address and pid."""
    with tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp") as folder:
        address = f"unix:{Path(folder) / 'echo.sock'}"
        process = subprocess.Popen(  # noqa: S603  # our own server
            [sys.executable, "-c", _SERVER, address], stdout=subprocess.PIPE, env={**os.environ}
        )
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield address, process.pid
        finally:
            process.terminate()
            process.wait()


async def echo(kind: str, senders: int, seconds: float) -> Result:
    """Bare grpc.aio, unary or bidi, with the messages of a send."""
    with echo_server() as (address, pid):
        usage = Usage({"echo": pid})
        async with grpc.aio.insecure_channel(address) as channel:
            run = _bidi if kind == "bidi" else _unary
            await run(channel, senders, 0.5)
            with usage.spent() as cpu:
                started = time.perf_counter()
                latencies = await run(channel, senders, seconds)
                took = time.perf_counter() - started
    return Result(f"echo, {kind}", f"{senders} senders", len(latencies), took, cpu, latencies)


async def _unary(channel: grpc.aio.Channel, senders: int, seconds: float) -> list[float]:
    call = channel.unary_unary(
        f"{ECHO}Unary",
        message_service_pb2.CreateMessageRequest.SerializeToString,
        message_pb2.Message.FromString,
    )
    ends, latencies = time.perf_counter() + seconds, list[float]()

    async def send() -> None:
        while time.perf_counter() < ends:
            started = time.perf_counter()
            await call(message_service_pb2.CreateMessageRequest(content="hello", nonce="n"))
            latencies.append(time.perf_counter() - started)

    await asyncio.gather(*(send() for _ in range(senders)))
    return latencies


async def _bidi(channel: grpc.aio.Channel, senders: int, seconds: float) -> list[float]:
    call = channel.stream_stream(
        f"{ECHO}Bidi",
        message_service_pb2.SendMessagesRequest.SerializeToString,
        message_service_pb2.SendMessagesResponse.FromString,
    )
    ends, latencies = time.perf_counter() + seconds, list[float]()

    async def send() -> None:
        async for took in speak(call(), ends):
            latencies.append(took)

    await asyncio.gather(*(send() for _ in range(senders)))
    return latencies


async def speak(
    stream: grpc.aio.StreamStreamCall[Any, message_service_pb2.SendMessagesResponse],
    ends: float,
    channel_id: str = "",
    prefix: str = "n",
) -> AsyncIterator[float]:
    """Say one message after another over a stream: how long each answer took."""
    number = 0
    while time.perf_counter() < ends:
        number += 1
        message = message_service_pb2.CreateMessageRequest(
            channel_id=channel_id, content="hello", nonce=f"{prefix}-{number}"
        )
        started = time.perf_counter()
        await stream.write(message_service_pb2.SendMessagesRequest(message=message))
        reply = await stream.read()
        assert isinstance(reply, message_service_pb2.SendMessagesResponse)
        if reply.HasField("error"):
            raise RuntimeError(reply.error.message)
        yield time.perf_counter() - started
    await stream.done_writing()


async def raw_nats(publishers: int, seconds: float) -> Result:
    """JetStream by itself: publish an event's worth of bytes, wait until it is kept."""
    latencies: list[float] = []
    async with running_nats() as server, server.admin() as client:
        subject, body = subject_root("creavio.chat.v1.MessageCreated"), b"." * _EVENT_BYTES
        jetstream = client.jetstream()

        async def publish(ends: float) -> None:
            while (started := time.perf_counter()) < ends:
                await jetstream.publish(subject, body)
                latencies.append(time.perf_counter() - started)

        usage = Usage({"nats": server.pid})
        with usage.spent() as cpu:
            started = time.perf_counter()
            await asyncio.gather(*(publish(started + seconds) for _ in range(publishers)))
            took = time.perf_counter() - started
    return Result("nats, publish", f"{publishers} at once", len(latencies), took, cpu, latencies)
