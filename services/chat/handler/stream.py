"""Answering the requests of one SendMessages stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from chassis import status
from chassis.calls import CURRENT, admit
from chassis.errors import Invalid, Unavailable
from chassis.interceptors import failure_of
from creavio.chat.v1 import message_pb2, message_service_pb2

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

IN_FLIGHT: Final = 256
"""Requests of a stream that are not answered yet; more are not read."""

Submit: TypeAlias = Callable[
    [message_service_pb2.CreateMessageRequest, str], Awaitable[asyncio.Future[message_pb2.Message]]
]
"""Hands a message over to be kept, under a nonce."""


class Restarting(Unavailable):
    """This chat stops; another is there, or will be."""

    def __init__(self) -> None:
        super().__init__("chat restarts; send again what was not answered")


class Exchange:
    """One stream: requests in, answers out, in whatever order they come to be.

    Requests are judged and handed over in the order they came. What was handed over
    is finished, whether or not the client stays to hear of it.
    """

    _reader: asyncio.Task[None]

    def __init__(self, submit: Submit, telemetry: Telemetry) -> None:
        call = CURRENT.get()
        assert call is not None, "outside a call"
        self._submit = submit
        self._telemetry = telemetry
        self._rpc = call.rpc
        self._seconds = call.rpc.deadline
        self._free = asyncio.Semaphore(IN_FLIGHT)
        self._answers: asyncio.Queue[message_service_pb2.SendMessagesResponse | None]
        self._answers = asyncio.Queue()
        self._listening = False
        self._ending = asyncio.Event()

    async def answers(
        self, requests: AsyncIterator[message_service_pb2.SendMessagesRequest]
    ) -> AsyncIterator[message_service_pb2.SendMessagesResponse]:
        """Every answer, until each request has one and there are no more."""
        self._reader = asyncio.create_task(self._read(requests))
        self._reader.add_done_callback(lambda _: self._answers.put_nowait(None))
        try:
            while (answer := await self._answers.get()) is not None:
                yield answer
                self._free.release()
            await self._reader
        finally:
            self._reader.cancel()

    def end(self) -> None:
        """Read no more; once what was read is answered, the stream ends: UNAVAILABLE."""
        self._ending.set()
        if self._listening:
            self._reader.cancel()

    async def _read(self, requests: AsyncIterator[message_service_pb2.SendMessagesRequest]) -> None:
        if self._ending.is_set():
            raise Restarting
        try:
            self._listening = True
            async for request in requests:
                self._listening = False
                await self._free.acquire()
                await self._take(request)
                if self._ending.is_set():
                    break
                self._listening = True
        except asyncio.CancelledError:
            if not self._ending.is_set():
                raise
        self._listening = False
        for _ in range(IN_FLIGHT):
            await self._free.acquire()
        if self._ending.is_set():
            raise Restarting

    async def _take(self, request: message_service_pb2.SendMessagesRequest) -> None:
        nonce = request.message.nonce
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._seconds
        try:
            async with asyncio.timeout_at(ends):
                await admit(request)
                _require_name(nonce)
                kept = await self._submit(request.message, nonce)
        except Exception as error:  # told to who sent this, and to no other
            self._refuse(nonce, error)
        else:
            expiry = loop.call_at(ends, kept.cancel)
            kept.add_done_callback(partial(self._answer, nonce, expiry))

    def _answer(
        self,
        nonce: str,
        expiry: asyncio.TimerHandle,
        kept: asyncio.Future[message_pb2.Message],
    ) -> None:
        expiry.cancel()
        if kept.cancelled():
            self._refuse(nonce, TimeoutError())
        elif (error := kept.exception()) is not None:
            self._refuse(nonce, error)
        else:
            self._answers.put_nowait(
                message_service_pb2.SendMessagesResponse(nonce=nonce, message=kept.result())
            )

    def _refuse(self, nonce: str, error: BaseException) -> None:
        failure = failure_of(error, self._telemetry, self._rpc)
        self._answers.put_nowait(
            message_service_pb2.SendMessagesResponse(nonce=nonce, error=status.to_status(failure))
        )


def _require_name(nonce: str) -> None:
    if not nonce:
        raise Invalid(
            "message.nonce must not be empty",
            fields=(("message.nonce", "must not be empty: answers are named by it"),),
        )
