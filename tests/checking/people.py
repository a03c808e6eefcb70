"""People who send, follow and list without end, and write down what comes of it.

All of them live on one event loop. What is not acknowledged is sent again under the
same nonce, and whoever loses a stream comes back with its token, as clients do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
import json
import random
import time
from typing import Any, Final, Protocol

import grpc
import httpx

from creavio.chat.v1 import message_pb2, message_service_pb2
from creavio.chat.v1.message_service_pb2_grpc import MessageServiceStub
from creavio.gateway.v1 import gateway_service_pb2
from creavio.gateway.v1.gateway_service_pb2_grpc import GatewayServiceStub
from tests.checking.record import Acknowledged, Listed, Message, Record, Stream, Told
from tests.live import Person

OPTIONS: Final = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", -1),
    # A client that waits longer and longer would measure its own patience.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
ANSWER_SECONDS: Final = 10.0
"""Longer than any deadline of the contracts: an answer that does not come is none."""
SILENCE_SECONDS: Final = 40.0
"""A stream says something every 15 s; one that was silent so long is dead."""
_PAUSE: Final = 0.05
_UNANSWERED: Final = 4
_REFUSALS: Final = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED", "UNKNOWN"})
"""What gRPC says when something is down, for a call that may be made again."""

_UNSAID: Final = "without a reason"
_BROKEN: Final = ("Internal error from Core", "Stream removed (RST_STREAM")
"""What grpc.aio says, as INTERNAL, when its connection broke while it wrote, and when
Envoy lost the other side of a stream that it had begun to answer."""


@dataclass(frozen=True)
class Place:
    """Where somebody sends: the platform by its edge, and a channel."""

    person: Person
    channel: str

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What a gRPC call carries."""
        return (("authorization", f"Bearer {self.person.token}"),)

    @property
    def headers(self) -> dict[str, str]:
        """What a request carries."""
        return {"authorization": f"Bearer {self.person.token}"}


class Sender(Protocol):
    """Somebody who sends until it is enough."""

    async def run(self, enough: asyncio.Event) -> None:
        """Send; return when what is in hand is acknowledged."""
        ...


class UnarySender:
    """Sends one message after the other, over REST."""

    def __init__(
        self,
        record: Record,
        place: Place,
        name: str,
        http: httpx.AsyncClient,
        padding: int = 0,
        pause: float = _PAUSE,
    ) -> None:
        self._record = record
        self._place = place
        self._name = name
        self._http = http
        self._padding = "." * padding
        self._pause = pause

    async def run(self, enough: asyncio.Event) -> None:
        """Send; return when what is in hand is acknowledged."""
        number = 0
        while not enough.is_set():
            number += 1
            nonce, began = f"{self._name}: {number}", time.monotonic()
            message = await self._acknowledged(nonce)
            self._record.acknowledged.append(Acknowledged(message, began, time.monotonic()))
            with suppress(TimeoutError):
                await asyncio.wait_for(enough.wait(), self._pause)

    async def _acknowledged(self, nonce: str) -> Message:
        while True:
            if (message := await self._sent(nonce)) is not None:
                return message
            await asyncio.sleep(_PAUSE)

    async def _sent(self, nonce: str) -> Message | None:
        try:
            reply = await self._http.post(
                f"/v1/channels/{self._place.channel}/messages",
                json={"content": nonce + self._padding, "nonce": nonce},
                headers=self._place.headers,
            )
        except httpx.TransportError as error:
            self._record.refused[f"REST: {type(error).__name__}"] += 1
            return None
        if reply.is_success:
            return of_json(reply.json())
        said = f"REST: {reply.status_code} {reason(reply)}"
        self._record.refused[said] += 1
        if not _unavailable(reply):
            self._record.unexpected.append(f"{said} {reply.text}")
        return None


class BidiSender:
    """Sends over a stream, some messages at once, and again what was not answered."""

    def __init__(
        self, record: Record, place: Place, name: str, channel: grpc.aio.Channel, padding: int = 0
    ) -> None:
        self._record = record
        self._place = place
        self._name = name
        self._channel = channel
        self._padding = "." * padding
        self._number = 0
        self._waiting: dict[str, float] = {}
        """When what is not acknowledged was first sent, by nonce."""

    async def run(self, enough: asyncio.Event) -> None:
        """Send; return when what is in hand is acknowledged."""
        while self._waiting or not enough.is_set():
            stub = MessageServiceStub(self._channel)
            stream = stub.SendMessages(metadata=self._place.metadata)
            try:
                for nonce in list(self._waiting):
                    await self._write(stream, nonce)
                await self._converse(stream, enough)
            except grpc.aio.AioRpcError as error:
                said = f"bidi: {error.code().name}"
                self._record.refused[said] += 1
                if not _may_be_made_again(error):
                    self._record.unexpected.append(f"{said} {error.details()}")
            except (TimeoutError, asyncio.InvalidStateError):
                self._record.refused["bidi: no answer"] += 1
            finally:
                stream.cancel()
            await asyncio.sleep(_PAUSE)

    async def _converse(self, stream: Any, enough: asyncio.Event) -> None:
        while self._waiting or not enough.is_set():
            while len(self._waiting) < _UNANSWERED and not enough.is_set():
                self._number += 1
                nonce = f"{self._name}: {self._number}"
                self._waiting[nonce] = time.monotonic()
                await self._write(stream, nonce)
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await stream.read()
            if not isinstance(answer, message_service_pb2.SendMessagesResponse):
                return
            if answer.HasField("error"):
                self._record.refused[f"bidi: {answer.error.message}"] += 1
                await asyncio.sleep(_PAUSE)
                await self._write(stream, answer.nonce)
                continue
            message = of_proto(answer.message)
            began = self._waiting.pop(answer.message.nonce)
            self._record.acknowledged.append(Acknowledged(message, began, time.monotonic()))
            await asyncio.sleep(_PAUSE / _UNANSWERED)

    async def _write(self, stream: Any, nonce: str) -> None:
        message = message_service_pb2.CreateMessageRequest(
            channel_id=self._place.channel, content=nonce + self._padding, nonce=nonce
        )
        async with asyncio.timeout(ANSWER_SECONDS):
            await stream.write(message_service_pb2.SendMessagesRequest(message=message))


class Follower:
    """Follows an event stream, and comes back with its token whenever it ends."""

    def __init__(
        self, stream: Stream, restless: random.Random | None = None, token: str = ""
    ) -> None:
        self._stream = stream
        self._restless = restless
        self.token = token
        """The latest that was received."""
        self._open = asyncio.Event()

    async def opened(self) -> None:
        """Return once it was told that the stream is open, for the first time."""
        await self._open.wait()

    async def run(self) -> None:
        """Follow until cancelled. A restless one hangs up by itself now and then."""
        while True:
            stay = None if self._restless is None else self._restless.uniform(0.3, 2.0)
            # What went wrong does not matter: the token says where to go on.
            with suppress(
                TimeoutError, grpc.aio.AioRpcError, httpx.HTTPError, asyncio.CancelledError
            ):
                async with asyncio.timeout(stay):
                    await self._follow()
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError
            await asyncio.sleep(_PAUSE)

    async def _follow(self) -> None:
        raise NotImplementedError

    def _ready(self) -> None:
        self._stream.opened += 1
        self._open.set()


class GrpcFollower(Follower):
    """Follows over gRPC."""

    def __init__(
        self,
        stream: Stream,
        person: Person,
        channel: grpc.aio.Channel,
        restless: random.Random | None = None,
        token: str = "",
    ) -> None:
        super().__init__(stream, restless, token)
        self._metadata = (("authorization", f"Bearer {person.token}"),)
        self._channel = channel

    async def _follow(self) -> None:
        request = gateway_service_pb2.SubscribeRequest(resume_token=self.token)
        call = GatewayServiceStub(self._channel).Subscribe(request, metadata=self._metadata)
        try:
            while True:
                async with asyncio.timeout(SILENCE_SECONDS):
                    batch = await call.read()
                if not isinstance(batch, gateway_service_pb2.SubscribeResponse):
                    return
                for event in batch.events:
                    if event.HasField("ready"):
                        self._ready()
                    elif event.HasField("refetch"):
                        self._stream.refetches.append(time.monotonic())
                    elif event.HasField("message_created"):
                        message = of_proto(event.message_created.message)
                        self._stream.told.append(Told(event.id, message))
                self.token = batch.resume_token or self.token
        finally:
            call.cancel()


class RestFollower(Follower):
    """Follows over REST."""

    def __init__(self, stream: Stream, person: Person, http: httpx.AsyncClient) -> None:
        super().__init__(stream)
        self._headers = {
            "authorization": f"Bearer {person.token}",
            "accept": "application/x-ndjson",
        }
        self._http = http

    async def _follow(self) -> None:
        query = {"resume_token": self.token} if self.token else {}
        timeout = httpx.Timeout(15, read=SILENCE_SECONDS)
        async with self._http.stream(
            "GET", "/v1/events", params=query, headers=self._headers, timeout=timeout
        ) as reply:
            if not reply.is_success:
                return
            async for line in reply.aiter_lines():
                if line:
                    self._take(json.loads(line))

    def _take(self, batch: Mapping[str, Any]) -> None:
        if "events" not in batch:
            return  # How an error in the middle of a stream looks.
        for event in batch["events"]:
            if "ready" in event:
                self._ready()
            elif "refetch" in event:
                self._stream.refetches.append(time.monotonic())
            elif "message_created" in event:
                message = of_json(event["message_created"]["message"])
                self._stream.told.append(Told(event["id"], message))
        self.token = batch["resume_token"] or self.token


class Lister:
    """Lists the newest messages of one channel after the other, over REST."""

    def __init__(
        self, record: Record, person: Person, channels: list[str], http: httpx.AsyncClient
    ) -> None:
        self._record = record
        self._places = [Place(person, channel) for channel in channels]
        self._http = http

    async def run(self) -> None:
        """List until cancelled."""
        while True:
            for place in self._places:
                began = time.monotonic()
                with suppress(httpx.TransportError):
                    reply = await page(self._http, place)
                    if reply.is_success:
                        self._record.lists.append(_listed(place.channel, began, reply.json()))
                    elif not _unavailable(reply):
                        self._record.unexpected.append(f"list: {reply.status_code} {reply.text}")
                await asyncio.sleep(_PAUSE * 4)


async def everything(http: httpx.AsyncClient, place: Place) -> list[Message]:
    """Every message of a channel, oldest first."""
    return [message async for message in _pages(http, place)][::-1]


async def _pages(http: httpx.AsyncClient, place: Place) -> AsyncIterator[Message]:
    token = ""
    while True:
        reply = await page(http, place, token)
        reply.raise_for_status()
        body = reply.json()
        for message in body["messages"]:
            yield of_json(message)
        token = body["next_page_token"]
        if not token:
            return


async def page(http: httpx.AsyncClient, place: Place, token: str = "") -> httpx.Response:
    """Ask for a page of a channel: a hundred messages, the newest first."""
    return await http.get(
        f"/v1/channels/{place.channel}/messages",
        params={"page_size": 100, "page_token": token},
        headers=place.headers,
    )


def _listed(channel: str, began: float, body: Mapping[str, Any]) -> Listed:
    messages = tuple(of_json(message) for message in body["messages"])
    return Listed(channel, began, messages, whole=not body["next_page_token"])


def _may_be_made_again(error: grpc.aio.AioRpcError) -> bool:
    return error.code().name in _REFUSALS or (error.details() or "").startswith(_BROKEN)


def of_json(message: Mapping[str, Any]) -> Message:
    """A message as REST tells it. Padding is not kept."""
    content = str(message["content"]).rstrip(".")
    return Message(message["channel_id"], int(message["sequence"]), message["id"], content)


def of_proto(message: message_pb2.Message) -> Message:
    """A message as gRPC tells it."""
    content = message.content.rstrip(".")
    return Message(message.channel_id, message.sequence, message.id, content)


def _unavailable(reply: httpx.Response) -> bool:
    """Whether a refusal asks to come again, and says why."""
    return reply.status_code in (503, 504) and reason(reply) != _UNSAID


def reason(reply: httpx.Response) -> str:
    """The reason of a refusal, or that there is none."""
    try:
        return str(reply.json()["details"][0]["reason"])
    except (ValueError, KeyError, IndexError, TypeError):
        return _UNSAID
