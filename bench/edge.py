"""One small call through the edge, as REST, gRPC-Web and gRPC, beside a FastAPI gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
import sys
import time
from typing import Final, TypeAlias

import httpx

from bench import measure, people
from bench.measure import Result, Usage
from creavio.user.v1 import user_pb2, user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import UserServiceStub
from local.home import Instance
from tests.live import Live, Person

_CALLERS: Final = 8
_GATEWAY: Final = Path(__file__).with_name("fastapi_gateway.py")
_FASTAPI: Final = "fastapi"
_GRPC_WEB: Final = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
_FRAME: Final = 5
"""Bytes before a message of gRPC-Web: a flag and a length."""

Ask: TypeAlias = Callable[[], Awaitable[None]]


async def calls(live: Live, person: Person, seconds: float) -> AsyncIterator[Result]:
    """Who one is, asked by some at once in each way that the edge speaks."""
    usage = measure.usage(live)
    async with _rest(live.url, person) as ask:
        yield await _measured("call, REST", ask, usage, seconds)
    async with _grpc_web(live, person) as ask:
        yield await _measured("call, gRPC-Web", ask, usage, seconds)
    async with people.connected(live) as (channel,):
        stub, metadata = UserServiceStub(channel), people.metadata(person)

        async def ask_grpc() -> None:
            await stub.GetMe(user_service_pb2.GetMeRequest(), metadata=metadata)

        yield await _measured("call, gRPC", ask_grpc, usage, seconds)
    async with _fastapi(live) as (url, pid), _rest(url, person) as ask:
        both = Usage({_FASTAPI: pid, "user": live.pid("user")})
        yield await _measured("call, REST by FastAPI", ask, both, seconds)


async def _measured(name: str, ask: Ask, usage: Usage, seconds: float) -> Result:
    async def asking(ends: float, latencies: list[float]) -> None:
        while (started := time.perf_counter()) < ends:
            await ask()
            latencies.append(time.perf_counter() - started)

    async def everybody(lasting: float) -> list[float]:
        ends, latencies = time.perf_counter() + lasting, list[float]()
        await asyncio.gather(*(asking(ends, latencies) for _ in range(_CALLERS)))
        return latencies

    await everybody(0.5)
    with usage.spent() as cpu:
        began = time.perf_counter()
        latencies = await everybody(seconds)
        took = time.perf_counter() - began
    front = cpu.get("envoy", cpu.get(_FASTAPI, 0.0)) / len(latencies) * 1e6
    extra = {"front_us": front, "user_us": cpu["user"] / len(latencies) * 1e6}
    return Result(name, f"{_CALLERS} callers", len(latencies), took, cpu, latencies, extra)


@asynccontextmanager
async def _rest(url: str, person: Person) -> AsyncIterator[Ask]:
    headers = {"authorization": f"Bearer {person.token}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=15) as client:

        async def ask() -> None:
            reply = await client.get("/v1/users/me")
            assert reply.json()["id"] == person.id, reply.text

        yield ask


@asynccontextmanager
async def _grpc_web(live: Live, person: Person) -> AsyncIterator[Ask]:
    headers = {"authorization": f"Bearer {person.token}", **_GRPC_WEB}
    async with httpx.AsyncClient(base_url=live.url, headers=headers, timeout=15) as client:

        async def ask() -> None:
            path = "/creavio.user.v1.UserService/GetMe"
            body = (await client.post(path, content=bytes(_FRAME))).content
            size = int.from_bytes(body[1:_FRAME])
            assert user_pb2.User.FromString(body[_FRAME : _FRAME + size]).id == person.id

        yield ask


@asynccontextmanager
async def _fastapi(live: Live) -> AsyncIterator[tuple[str, int]]:
    """The gateway that many would write, in front of the same process of user."""
    service = live.home.listen(Instance("user"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(_GATEWAY), f"unix:{service}"), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        port = int(await process.stdout.readline())
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        await process.wait()
