"""What the Python SDK promises of calls and streams, beside a platform that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from google.rpc import error_details_pb2
from grpclib.const import Cardinality, Handler, Status
from grpclib.exceptions import GRPCError
from grpclib.server import Server, Stream
import pytest

from creavio_sdk import CallError, Client, Invalid, NotSignedIn, Retries, Unavailable, pages
from creavio_sdk.contracts.creavio.auth.v1 import (
    AccountServiceStub,
    CompleteSessionRequest,
    CreateAccountRequest,
    CreateSessionRequest,
    RefreshSessionRequest,
    Session,
)
from creavio_sdk.contracts.creavio.chat.v1 import (
    CreateMessageRequest,
    ListMessagesRequest,
    ListMessagesResponse,
    Message,
    MessageServiceStub,
)
from creavio_sdk.contracts.creavio.gateway.v1 import (
    Ended,
    Event,
    Ready,
    SubscribeRequest,
    SubscribeResponse,
    Typing,
)

CREATE = "/creavio.chat.v1.MessageService/CreateMessage"
LIST = "/creavio.chat.v1.MessageService/ListMessages"
ACCOUNT = "/creavio.auth.v1.AccountService/CreateAccount"
SIGN_IN = "/creavio.auth.v1.SessionService/CreateSession"
COMPLETE = "/creavio.auth.v1.SessionService/CompleteSession"
REFRESH = "/creavio.auth.v1.SessionService/RefreshSession"
SUBSCRIBE = "/creavio.gateway.v1.GatewayService/Subscribe"
Answer = Callable[[Any], Awaitable[Any]]


class Platform:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.tokens: list[str] = []
        self.failures: list[GRPCError] = []
        self.streams: list[list[SubscribeResponse | GRPCError]] = []

    def __mapping__(self) -> dict[str, Handler]:
        unary: dict[str, tuple[type[Any], type[Any], Answer]] = {
            CREATE: (CreateMessageRequest, Message, self._message),
            LIST: (ListMessagesRequest, ListMessagesResponse, self._messages),
            ACCOUNT: (CreateAccountRequest, Session, self._session),
            SIGN_IN: (CreateSessionRequest, Session, self._challenge),
            COMPLETE: (CompleteSessionRequest, Session, self._session),
            REFRESH: (RefreshSessionRequest, Session, self._session),
        }
        handlers = {
            path: Handler(self._unary(answer), Cardinality.UNARY_UNARY, request, reply)
            for path, (request, reply, answer) in unary.items()
        }
        handlers[SUBSCRIBE] = Handler(
            self._subscribe, Cardinality.UNARY_STREAM, SubscribeRequest, SubscribeResponse
        )
        return handlers

    def _unary(self, answer: Answer) -> Callable[[Stream[Any, Any]], Awaitable[None]]:
        async def handle(stream: Stream[Any, Any]) -> None:
            request = await stream.recv_message()
            self.asked.append(request)
            assert stream.metadata is not None
            self.tokens.append(str(stream.metadata.get("authorization", "")))
            if self.failures:
                raise self.failures.pop(0)
            await stream.send_message(await answer(request))

        return handle

    async def _message(self, request: CreateMessageRequest) -> Message:
        return Message(content=request.content, nonce=request.nonce)

    async def _messages(self, request: ListMessagesRequest) -> ListMessagesResponse:
        page = int(request.page_token or 0)
        return ListMessagesResponse(
            messages=[Message(sequence=page * 2), Message(sequence=page * 2 + 1)],
            next_page_token=str(page + 1) if page < 2 else "",
        )

    async def _session(self, request: object) -> Session:
        expires = datetime.now(UTC) + timedelta(minutes=5)
        return Session(access_token="new", refresh_token="next", expire_time=expires)

    async def _challenge(self, request: object) -> Session:
        return Session(challenge_token="prove it")

    async def _subscribe(self, stream: Stream[SubscribeRequest, SubscribeResponse]) -> None:
        self.asked.append(await stream.recv_message())
        batches = self.streams.pop(0) if self.streams else [ended("SESSION_REVOKED")]
        for batch in batches:
            if isinstance(batch, GRPCError):
                raise batch
            await stream.send_message(batch)


def refused(status: Status, reason: str, *details: Any) -> GRPCError:
    info = error_details_pb2.ErrorInfo(reason=reason, domain="creavio")
    return GRPCError(status, "No.", [info, *details])


def away() -> GRPCError:
    return refused(Status.UNAVAILABLE, "UNAVAILABLE")


def ended(reason: str) -> SubscribeResponse:
    return SubscribeResponse(events=[Event(ended=Ended(reason=reason))])


def batch(token: str, *ids: str) -> SubscribeResponse:
    happened = [Event(id=one, typing=Typing()) for one in ids]
    return SubscribeResponse(events=[Event(ready=Ready()), *happened], resume_token=token)


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[tuple[Platform, Client]]:
    platform = Platform()
    server = Server([platform])
    await server.start("127.0.0.1", 0)
    port = server._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]  # it is started
    options.setdefault("retries", Retries(first=0.001))
    try:
        async with Client(f"http://127.0.0.1:{port}", **options) as client:
            yield platform, client
    finally:
        server.close()
        await server.wait_closed()


async def test_a_message_is_sent_again_under_the_same_nonce() -> None:
    async with serving(token="a-token") as (platform, client):
        platform.failures = [away(), away()]
        request = CreateMessageRequest(content="Hello.")
        sent = await client.service(MessageServiceStub).create_message(request)
    assert [r.nonce for r in platform.asked] == [sent.nonce] * 3
    assert sent.nonce
    assert request.nonce == "", "the caller's request is the caller's"


async def test_what_may_not_be_repeated_is_sent_once_and_without_a_token() -> None:
    async with serving(token="a-token") as (platform, client):
        platform.failures = [away()]
        with pytest.raises(Unavailable):
            await client.service(AccountServiceStub).create_account(CreateAccountRequest())
    assert platform.tokens == [""]


async def test_a_platform_in_trouble_is_left_alone() -> None:
    async with serving(token="a-token") as (platform, client):
        platform.failures = [away() for _ in range(100)]
        for _ in range(20):
            with pytest.raises(Unavailable):
                await client.service(MessageServiceStub).list_messages(ListMessagesRequest())
    assert len(platform.asked) < 30


async def test_an_error_names_its_reason_and_fields() -> None:
    async with serving(token="a-token") as (platform, client):
        violation = error_details_pb2.BadRequest.FieldViolation(
            field="content", description="Long."
        )
        details = error_details_pb2.BadRequest(field_violations=[violation])
        platform.failures = [refused(Status.INVALID_ARGUMENT, "INVALID_FIELD", details)]
        with pytest.raises(Invalid) as raised:
            await client.service(MessageServiceStub).list_messages(ListMessagesRequest())
    assert raised.value.reason == "INVALID_FIELD"
    assert raised.value.fields == {"content": "Long."}
    assert len(platform.asked) == 1, "what is wrong stays wrong"


async def test_whoever_says_when_is_asked_again_then() -> None:
    retry = error_details_pb2.RetryInfo()
    retry.retry_delay.FromMilliseconds(10)
    async with serving(token="a-token") as (platform, client):
        platform.failures = [refused(Status.RESOURCE_EXHAUSTED, "RATE_LIMITED", retry)]
        await client.service(MessageServiceStub).list_messages(ListMessagesRequest())
        retry.retry_delay.FromSeconds(3600)
        platform.failures = [refused(Status.RESOURCE_EXHAUSTED, "RATE_LIMITED", retry)]
        with pytest.raises(CallError) as raised:
            await client.service(MessageServiceStub).list_messages(ListMessagesRequest())
    assert raised.value.retry_after == 3600


async def test_many_calls_renew_a_session_once() -> None:
    told: list[str] = []
    options = {"on_session": lambda session: told.append(session.refresh_token)}
    async with serving(refresh_token="first", **options) as (platform, client):
        messages = client.service(MessageServiceStub)
        await asyncio.gather(*(messages.list_messages(ListMessagesRequest()) for _ in range(10)))
    renewed = [r.refresh_token for r in platform.asked if isinstance(r, RefreshSessionRequest)]
    assert renewed == ["first"]
    assert told == ["next"]
    assert platform.tokens.count("Bearer new") == 10


async def test_a_token_that_is_refused_is_renewed_once() -> None:
    async with serving(token="old", refresh_token="first") as (platform, client):
        platform.failures = [refused(Status.UNAUTHENTICATED, "UNAUTHENTICATED")]
        await client.service(MessageServiceStub).list_messages(ListMessagesRequest())
    assert platform.tokens == ["Bearer old", "", "Bearer new"]


async def test_a_sign_in_is_completed_with_a_second_factor() -> None:
    async with serving() as (platform, client):
        asked = await client.sign_in("ada", "a password")
        assert client.session is None, "a challenge is no session"
        await client.complete(asked.challenge_token, "123456")
        await client.service(MessageServiceStub).list_messages(ListMessagesRequest())
    assert platform.asked[1] == CompleteSessionRequest(challenge_token="prove it", code="123456")
    assert platform.tokens == ["", "", "Bearer new"]


async def test_a_list_is_read_to_its_end() -> None:
    async with serving(token="a-token") as (_, client):
        call = client.service(MessageServiceStub).list_messages
        found = [m.sequence async for m in pages(call, ListMessagesRequest(), lambda p: p.messages)]
    assert found == [0, 1, 2, 3, 4, 5]


async def told(stream: AsyncIterator[Event]) -> list[str]:
    """What a stream says until its session is over."""
    said: list[str] = []

    async def listen() -> None:
        async for event in stream:
            said.append(event.id or ("refetch" if event.refetch else "ready"))  # noqa: PERF401 - kept when it fails

    with pytest.raises(NotSignedIn):
        await listen()
    return said


async def test_a_stream_that_breaks_is_resumed_and_nothing_is_told_twice() -> None:
    async with serving(token="a-token") as (platform, client):
        platform.streams = [[batch("one", "evt_1")], [batch("two", "evt_1", "evt_2"), away()]]
        said = await told(aiter(client.events()))
    assert said == ["ready", "evt_1", "ready", "evt_2"]
    assert [r.resume_token for r in platform.asked] == ["", "one", "two"]


async def test_a_token_that_is_refused_is_given_up_and_refetch_says_so() -> None:
    async with serving(token="a-token") as (platform, client):
        too_old = refused(Status.INVALID_ARGUMENT, "INVALID_RESUME_TOKEN")
        platform.streams = [[too_old], [batch("new", "evt_1")]]
        said = await told(aiter(client.events("ancient")))
    assert said == ["refetch", "ready", "evt_1"]
    assert [r.resume_token for r in platform.asked] == ["ancient", "", "new"]


async def test_a_platform_that_is_not_there_is_unavailable() -> None:
    async with Client("http://127.0.0.1:1", retries=Retries(attempts=1)) as client:
        with pytest.raises(Unavailable):
            await client.sign_in("ada", "a password")
