"""What a platform answers, or whatever stands in its place, to whoever calls with the SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Final
from unittest import mock

from creavio_sdk import CallError, Client, Retries
from creavio_sdk.contracts.creavio.chat.v1 import GetMessageRequest, MessageServiceStub
from tests.fuzz.targets.reading import Input

_LOOP: Final = asyncio.new_event_loop()
_NAMES: Final = (
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
    "content-type",
    ":status",
    "x-thing-bin",
)
_LONGEST: Final = 5.0
"""Seconds after which a call that was answered at once hangs."""


class _Answer:
    """A stream of HTTP/2 on which everything was said already."""

    closable = False
    connection = SimpleNamespace(
        messages_sent=0, messages_received=0, last_message_sent=0.0, get_peer=lambda: None
    )
    _transport = SimpleNamespace(is_closing=lambda: False)

    def __init__(self, headers: Any, body: bytes, trailers: Any) -> None:
        self.headers, self.trailers = headers, trailers
        self._body = body

    async def send_request(self, *_: Any, **__: Any) -> Callable[[], None]:
        return lambda: None

    async def send_data(self, *_: Any, **__: Any) -> None:
        pass

    async def recv_headers(self) -> Any:
        return self.headers

    async def recv_data(self, size: int) -> bytes:
        data, self._body = self._body[:size], self._body[size:]
        return data

    async def recv_trailers(self) -> Any:
        return self.trailers


def sdk_answer(data: bytes) -> None:
    """Whatever is answered, a call returns what the contract has, or raises `CallError`."""
    told = Input(data)
    kind = told.byte()
    headers = {":status": "200", "content-type": "application/grpc+proto"}
    trailers = {"grpc-status": str(told.byte() % 17)}
    changed = headers if kind % 2 else trailers
    for _ in range(told.byte() % 4):
        name = told.one_of(_NAMES)
        # As h2 hands them over: ASCII, or the connection is broken.
        changed[name] = told.part().decode("ascii", errors="ignore")
    body = told.rest()
    if kind & 2:
        body = b"\0" + len(body).to_bytes(4, "big") + body
    _LOOP.run_until_complete(_asked(_Answer([*headers.items()], body, [*trailers.items()])))


async def _asked(answer: _Answer) -> None:
    async with Client("http://127.0.0.1:1", token="a", retries=Retries(attempts=1)) as client:
        call = client.service(MessageServiceStub).get_message(GetMessageRequest())
        try:
            with mock.patch.object(client._channel, "__connect__", _connects(answer)):
                await asyncio.wait_for(call, _LONGEST)
        except CallError as error:
            refused = error
        else:
            return
    assert refused.message
    assert isinstance(refused.reason, str)
    assert all(isinstance(each, str) for said in refused.fields.items() for each in said)
    assert refused.retry_after is None or 0 <= refused.retry_after < float("inf")


def _connects(answer: _Answer) -> Any:
    connection = SimpleNamespace(create_stream=lambda **_: answer)

    async def connect() -> Any:
        return SimpleNamespace(processor=SimpleNamespace(connection=connection))

    return connect
