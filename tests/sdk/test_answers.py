"""What the Python SDK makes of answers that nobody should give."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from grpclib.const import Cardinality, Handler, Status
from grpclib.encoding.proto import ProtoCodec
from grpclib.server import Server, Stream
import pytest

from creavio_sdk import CallError, Client, Retries
from creavio_sdk.contracts.creavio.chat.v1 import (
    CreateMessageRequest,
    Message,
    MessageServiceStub,
)
from creavio_sdk.contracts.creavio.gateway.v1 import GatewayServiceStub
from creavio_sdk.errors import RateLimited
from creavio_sdk.events import PATIENCE, EventStream

CREATE = "/creavio.chat.v1.MessageService/CreateMessage"


class Junk(ProtoCodec):
    """Answers with bytes that are no message."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.times = 0

    def encode(self, message: Any, message_type: Any) -> bytes:
        self.times += 1
        return self.answer


class Answering:
    """A platform of one RPC."""

    def __mapping__(self) -> dict[str, Handler]:
        kinds = (Cardinality.UNARY_UNARY, CreateMessageRequest, Message)
        return {CREATE: Handler(self._message, *kinds)}

    async def _message(self, stream: Stream[Any, Any]) -> None:
        await stream.recv_message()
        await stream.send_message(Message())


@asynccontextmanager
async def answering(codec: ProtoCodec) -> AsyncIterator[MessageServiceStub]:
    server = Server([Answering()], codec=codec)
    await server.start("127.0.0.1", 0)
    port = server._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]  # it is started
    try:
        url, retries = f"http://127.0.0.1:{port}", Retries(first=0.001)
        async with Client(url, token="a-token", retries=retries) as client:
            yield client.service(MessageServiceStub)
    finally:
        server.close()
        await server.wait_closed()


@pytest.mark.parametrize("answer", [b"\x0a\x02\xff\xfe", b"\x0d\x00\x00\x00\x00"])
async def test_an_answer_that_is_no_message_is_an_error_of_a_call_and_not_asked_for_again(
    answer: bytes,
) -> None:
    codec = Junk(answer)
    async with answering(codec) as messages:
        with pytest.raises(CallError) as raised:
            await messages.create_message(CreateMessageRequest(content="Hello."))
    assert raised.value.code is Status.INTERNAL
    assert codec.times == 1


async def test_a_request_that_is_none_is_its_callers_error_and_not_the_platforms() -> None:
    async with answering(ProtoCodec()) as messages:
        with pytest.raises(AttributeError):
            await messages.create_message(CreateMessageRequest(content=cast("Any", 5)))
        with pytest.raises(UnicodeEncodeError):
            await messages.create_message(CreateMessageRequest(content="\ud800"))


@pytest.mark.parametrize("asked", [0.0, 1.0, 60.0, 3600.0, 1e12])
def test_a_stream_comes_back_neither_at_once_nor_never_whatever_is_asked(asked: float) -> None:
    retries = Retries(longest=15.0, random=lambda: 0.5)
    stream = EventStream(cast("GatewayServiceStub", None), retries=retries)
    error = RateLimited("no", retry_after=asked)
    pauses = [stream._pause(failures, error) for failures in range(1, 5)]
    assert all(min(asked, PATIENCE) <= pause <= PATIENCE for pause in pauses)
    assert all(pause > 0 for pause in pauses)
