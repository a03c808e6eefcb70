"""What an ended session may still do: nothing, on streams that were open either."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
import time

from google.protobuf.timestamp_pb2 import Timestamp
import grpc
import pytest

from chassis import ids, status
from chassis.calls import Principal, admit
from chassis.contract import Contract
from chassis.errors import Error, NotFound, Unauthenticated, Unavailable
from chassis.sessions import HEARTBEAT_SUBJECT, Sessions
from chassis.subjects import subject_root
from chassis.telemetry import Telemetry
from chassis.testing import Caller, eventually, scratch_config
from creavio.auth.v1 import auth_events_pb2, session_service_pb2
from creavio.auth.v1.session_service_pb2_grpc import (
    SessionServiceServicer,
    SessionServiceStub,
    add_SessionServiceServicer_to_server,
)
from creavio.chat.v1 import message_pb2, message_service_pb2
from creavio.chat.v1.message_service_pb2_grpc import (
    MessageServiceServicer,
    MessageServiceStub,
    add_MessageServiceServicer_to_server,
)
from creavio.gateway.v1 import gateway_service_pb2
from creavio.gateway.v1.gateway_service_pb2_grpc import (
    GatewayServiceServicer,
    GatewayServiceStub,
    add_GatewayServiceServicer_to_server,
)
from tests.chassis.serving import PERSON, Keys, Revocations, serving
from tests.scratch_nats import ScratchNats

SESSION = "ses_01h455vb4pex5vsknk084sn02q"
OTHER = "ses_01h455vb4pex5vsknk084sn02r"
ME = Principal(PERSON, SESSION, "token", time.time() + 86_400)
CHANNEL = ids.text(ids.Kind.CHANNEL, ids.new())


class SessionsOf(SessionServiceServicer):
    async def ListSessions(
        self, request: session_service_pb2.ListSessionsRequest, context: object
    ) -> session_service_pb2.ListSessionsResponse:
        return session_service_pb2.ListSessionsResponse()


class Silent(GatewayServiceServicer):
    """A stream that says it is open, and then nothing."""

    async def Subscribe(
        self, request: gateway_service_pb2.SubscribeRequest, context: object
    ) -> AsyncIterator[gateway_service_pb2.SubscribeResponse]:
        yield gateway_service_pb2.SubscribeResponse()
        await asyncio.sleep(60)


class Sends(MessageServiceServicer):
    """Answers every request by whether it was admitted."""

    async def SendMessages(
        self,
        requests: AsyncIterator[message_service_pb2.SendMessagesRequest],
        context: object,
    ) -> AsyncIterator[message_service_pb2.SendMessagesResponse]:
        async for request in requests:
            reply = message_service_pb2.SendMessagesResponse(nonce=request.message.nonce)
            try:
                await admit(request)
            except Error as error:
                reply.error.CopyFrom(status.to_status(error))
            else:
                reply.message.CopyFrom(message_pb2.Message(content=request.message.content))
            yield reply


def sessions(source: Revocations) -> Sessions:
    return Sessions(source, Telemetry(scratch_config("chat")))


async def test_what_was_revoked_is_known_before_anything_is_served() -> None:
    source = Revocations(over=[f"ses_{number}" for number in range(5)] + [SESSION])
    known = sessions(source)
    await known.load()
    assert source.asked == [0, 2, 4]
    with pytest.raises(Unauthenticated) as refused:
        await known.require(ME, writing=False)
    assert refused.value.reason == "SESSION_REVOKED"


async def test_loading_waits_for_auth() -> None:
    source = Revocations(away=True)
    loading = asyncio.create_task(sessions(source).load())
    await eventually(lambda: _asked(source, 2))
    assert not loading.done()
    source.away = False
    await asyncio.wait_for(loading, 2)


async def _asked(source: Revocations, times: int) -> None:
    assert len(source.asked) >= times


async def test_with_auth_silent_writes_ask_and_reads_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, now = Revocations(), [100.0]
    monkeypatch.setattr("chassis.sessions.time.monotonic", lambda: now[0])
    known = sessions(source)
    await known.load()
    now[0] += 4.9
    source.away = True
    await known.require(ME, writing=True)
    now[0] += 0.2
    await known.require(ME, writing=False)
    with pytest.raises(Unavailable):
        await known.require(ME, writing=True)
    source.away = False
    await known.require(ME, writing=True)
    asked = len(source.asked)
    await known.require(ME, writing=True)
    assert len(source.asked) == asked


async def test_a_restored_auth_is_read_anew() -> None:
    source = Revocations(over=["ses_a", "ses_b", "ses_c"])
    known = sessions(source)
    await known.load()
    source.over = [SESSION]
    await known.load()
    with pytest.raises(Unauthenticated):
        await known.require(ME, writing=False)


async def refused(known: Sessions, session_id: str) -> bool:
    try:
        await known.require(Principal(PERSON, session_id, "", 0), writing=False)
    except Unauthenticated:
        return True
    return False


async def test_what_auth_announces_is_followed(nats_server: ScratchNats) -> None:
    source = Revocations()
    known = sessions(source)
    ended: list[str] = []
    async with nats_server.bus("chat") as bus, nats_server.bus("auth") as auth:
        await known.follow(bus)
        await bus.client.flush()
        await known.load()
        following = asyncio.create_task(known.run())
        with known.watched(SESSION, lambda: ended.append(SESSION)):
            revoked = auth_events_pb2.SessionRevoked(
                session_id=SESSION,
                expire_time=Timestamp(seconds=int(time.time()) + 900),
                revision=1,
            )
            root = subject_root(revoked.DESCRIPTOR.full_name)
            await auth.publish(f"live.{root}.{PERSON}", revoked.SerializeToString())

            async def over() -> None:
                assert ended == [SESSION]

            await eventually(over, within=1)
        # One that was not heard of shows in the heartbeat.
        source.over = [SESSION, OTHER]
        beat = auth_events_pb2.SessionsHeartbeat(revision=2).SerializeToString()
        await auth.publish(HEARTBEAT_SUBJECT, beat)

        async def known_too() -> None:
            assert await refused(known, OTHER)

        await eventually(known_too, within=1)
        following.cancel()


async def test_a_call_in_an_ended_session_is_refused(contract: Contract) -> None:
    keys, part = Keys(), (add_SessionServiceServicer_to_server, SessionsOf())  # type: ignore[abstract]
    async with serving(contract, keys, part, revocations=Revocations([SESSION])) as channel:
        stub = SessionServiceStub(channel)
        request = session_service_pb2.ListSessionsRequest()
        with pytest.raises(Unauthenticated) as refused:
            await Caller(channel, keys.token()).call(stub.ListSessions, request)
        assert refused.value.reason == "SESSION_REVOKED"
        await Caller(channel, keys.token(sid=OTHER)).call(stub.ListSessions, request)


async def test_an_open_stream_ends_with_its_session(contract: Contract) -> None:
    keys, part = Keys(), (add_GatewayServiceServicer_to_server, Silent())  # type: ignore[abstract]
    watch: list[Sessions] = []
    async with serving(contract, keys, part, watch=watch) as channel:
        metadata = (("authorization", f"Bearer {keys.token()}"),)
        stream = GatewayServiceStub(channel).Subscribe(
            gateway_service_pb2.SubscribeRequest(), metadata=metadata
        )
        await stream.read()
        watch[0]._end(OTHER, time.time() + 900)
        watch[0]._end(SESSION, time.time() + 900)
        started = time.monotonic()
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await asyncio.wait_for(stream.read(), 5)
        assert status.from_call(ended.value).reason == "SESSION_REVOKED"
        assert time.monotonic() - started < 2


def sending(content: str, channel_id: str = CHANNEL) -> message_service_pb2.SendMessagesRequest:
    message = message_service_pb2.CreateMessageRequest(
        channel_id=channel_id, content=content, nonce=content[:8]
    )
    return message_service_pb2.SendMessagesRequest(message=message)


class Talk:
    """A stream that both sides speak on."""

    def __init__(self, channel: grpc.aio.Channel, token: str) -> None:
        self._call = MessageServiceStub(channel).SendMessages(
            metadata=(("authorization", f"Bearer {token}"),)
        )

    async def say(
        self, request: message_service_pb2.SendMessagesRequest
    ) -> message_service_pb2.SendMessagesResponse:
        await self._call.write(request)
        reply = await self._call.read()
        assert isinstance(reply, message_service_pb2.SendMessagesResponse)
        return reply

    async def reason(self, request: message_service_pb2.SendMessagesRequest) -> str:
        reply = await self.say(request)
        assert reply.HasField("error")
        return status.from_status(reply.error).reason


async def test_each_request_of_a_stream_is_judged_by_itself(
    contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def permit(self: object, rpc: object, request: object, user_id: str) -> str:
        message = request.message  # type: ignore[attr-defined]
        if message.channel_id != CHANNEL:
            raise NotFound("there is no such channel")
        return str(message.channel_id)

    monkeypatch.setattr("chassis.authz.Authorizer.permit", permit)
    keys, part = Keys(), (add_MessageServiceServicer_to_server, Sends())  # type: ignore[abstract]
    watch: list[Sessions] = []
    async with serving(contract, keys, part, watch=watch) as channel:
        talk = Talk(channel, keys.token())
        elsewhere = ids.text(ids.Kind.CHANNEL, ids.new())
        assert (await talk.say(sending("one"))).message.content == "one"
        assert await talk.reason(sending("")) == "INVALID_FIELD"
        assert await talk.reason(sending("here", elsewhere)) == "NOT_FOUND"
        assert (await talk.say(sending("two"))).message.content == "two"
        # Five a second, saved up for two: four were spent.
        reasons = [await talk.say(sending(f"flood {n}")) for n in range(12)]
        refused = [status.from_status(r.error).reason for r in reasons if r.HasField("error")]
        assert refused
        assert set(refused) == {"RATE_LIMITED"}
        watch[0]._over[SESSION] = time.time() + 900
        assert await talk.reason(sending("three")) == "SESSION_REVOKED"


async def test_nobody_opens_a_stream_without_a_token(contract: Contract) -> None:
    keys, part = Keys(), (add_MessageServiceServicer_to_server, Sends())  # type: ignore[abstract]
    async with serving(contract, keys, part) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await Talk(channel, "no token").say(sending("one"))
        assert status.from_call(refused.value).reason == "UNAUTHENTICATED"
