"""A call waits for the mesh to be back, and not for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
import tempfile
import time

import grpc
import pytest

from chassis.clients import Clients
from chassis.contract import Contract
from chassis.errors import Unavailable
from chassis.server import Chain, new_server
from creavio.user.v1 import user_pb2, user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import (
    UserServiceServicer,
    UserServiceStub,
    add_UserServiceServicer_to_server,
)

REQUEST = user_service_pb2.GetUserRequest(user_id="usr_01h455vb4pex5vsknk084sn02q")


class Users(UserServiceServicer):
    """One person, whoever is asked for."""

    async def GetUser(
        self, request: user_service_pb2.GetUserRequest, context: object
    ) -> user_pb2.User:
        return user_pb2.User(id=request.user_id)


@asynccontextmanager
async def calling(contract: Contract) -> AsyncIterator[tuple[Clients, str]]:
    """What calls through a socket where nobody listens yet."""
    with tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp") as folder:  # short
        address = f"unix:{Path(folder) / 'out.sock'}"
        clients = Clients("auth", address, contract)
        yield clients, address
        await clients.close()


@asynccontextmanager
async def answering(contract: Contract, address: str) -> AsyncIterator[None]:
    """Users, served for the length of the block."""
    server = new_server(Chain(contract, ()), address)
    add_UserServiceServicer_to_server(Users(), server)  # type: ignore[abstract]  # answers what is asked here
    await server.start()
    try:
        yield
    finally:
        await server.stop(None)


async def ask(clients: Clients) -> user_pb2.User:
    """Ask for a person."""
    return await clients.call(UserServiceStub(clients.channel).GetUser, REQUEST)


async def gone(clients: Clients) -> None:
    """Return once the connection is known to be lost."""
    while (state := clients.channel.get_state()) is grpc.ChannelConnectivity.READY:
        await clients.channel.wait_for_state_change(state)


async def test_a_call_waits_while_the_mesh_is_started_again(contract: Contract) -> None:
    async with calling(contract) as (clients, address):
        async with answering(contract, address):
            await ask(clients)
        await gone(clients)
        waiting = [asyncio.ensure_future(ask(clients)) for _ in range(5)]
        await asyncio.sleep(0.7)
        began = time.monotonic()
        async with answering(contract, address):
            replies = await asyncio.gather(*waiting)
            assert time.monotonic() - began < 1
        assert [reply.id for reply in replies] == [REQUEST.user_id] * 5


async def test_a_mesh_that_stays_away_is_told(contract: Contract) -> None:
    async with calling(contract) as (clients, _):
        began = time.monotonic()
        with pytest.raises(Unavailable) as refused:
            await ask(clients)
        assert time.monotonic() - began < 2.5
        assert refused.value.reason == "UNAVAILABLE"


async def test_a_mesh_that_answers_late_is_waited_for(contract: Contract) -> None:
    """Under load its first word may take longer than a connection is made in."""
    async with calling(contract) as (clients, address), answering(contract, f"{address}-behind"):
        path, ended = address.removeprefix("unix:"), asyncio.Event()

        async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.4)
            up, down = await asyncio.open_unix_connection(f"{path}-behind")
            await asyncio.gather(pump(reader, down), pump(up, writer))
            ended.set()

        async with await asyncio.start_unix_server(late, path):
            began = time.monotonic()
            await ask(clients)
            assert time.monotonic() - began < 0.8
            await clients.close()
            await ended.wait()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what is read, until there is no more."""
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
    writer.close()
