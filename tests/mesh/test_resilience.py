"""What the mesh does when a service is slow, gone, or back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
import threading
import time

from google.protobuf.message import Message
import grpc
import pytest

from chassis.contract import Rpc
from creavio.auth.v1 import session_pb2
from creavio.gateway.v1 import gateway_service_pb2
from mesh.policy import may_repeat
from tests.edge.errors import as_call, grpc_shape
from tests.edge.fakes import FakeService
from tests.edge.platform import Platform, build, eventually, raw, running

GET_USER = "/creavio.user.v1.UserService/GetUser"
CREATE_MESSAGE = "/creavio.chat.v1.MessageService/CreateMessage"
ME = "/v1/users/me"


class Failing:
    """Fails some times, and then answers an empty message."""

    def __init__(
        self, rpc: Rpc, times: int, code: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE
    ) -> None:
        self._rpc, self._left, self._code = rpc, times, code
        self.calls = 0

    def __call__(self, _request: Message, context: grpc.ServicerContext) -> Message:
        self.calls += 1
        if self._left:
            self._left -= 1
            context.abort(self._code, "not now")
        return gateway_service_pb2.SubscribeRequest()  # Any empty message is empty bytes.


def test_a_repeatable_call_is_tried_again(platform: Platform) -> None:
    rpc = platform.contract.rpcs[GET_USER]
    assert may_repeat(rpc)
    failing = Failing(rpc, times=2)
    platform.services["user"].answers[GET_USER] = failing
    assert platform.call_as("auth", GET_USER) == b""
    assert failing.calls == 3


def test_trying_again_has_an_end(platform: Platform) -> None:
    failing = Failing(platform.contract.rpcs[GET_USER], times=100)
    platform.services["user"].answers[GET_USER] = failing
    with pytest.raises(grpc.RpcError) as refused:
        platform.call_as("auth", GET_USER)
    assert as_call(refused.value).code() is grpc.StatusCode.UNAVAILABLE
    assert as_call(refused.value).details() == "not now"
    assert failing.calls == 3


def test_a_call_that_may_not_be_repeated_is_made_once(platform: Platform) -> None:
    rpc = platform.contract.rpcs[CREATE_MESSAGE]
    assert not may_repeat(rpc)
    failing = Failing(rpc, times=1)
    platform.services["chat"].answers[CREATE_MESSAGE] = failing
    response = platform.request(
        "POST", "/v1/channels/chn_1/messages", json={"content": "x"}, token=platform.keys.token()
    )
    assert response.status_code == 503
    assert failing.calls == 1


def test_a_call_that_a_stopping_service_did_not_begin_is_made_again(platform: Platform) -> None:
    rpc = platform.contract.rpcs[CREATE_MESSAGE]
    stopping = Failing(rpc, times=1, code=grpc.StatusCode.CANCELLED)
    platform.services["chat"].answers[CREATE_MESSAGE] = stopping
    response = platform.request(
        "POST", "/v1/channels/chn_1/messages", json={"content": "x"}, token=platform.keys.token()
    )
    assert response.status_code == 200
    assert stopping.calls == 2


def test_a_live_stream_is_not_repeated(platform: Platform) -> None:
    assert not may_repeat(platform.contract.rpcs["/creavio.gateway.v1.GatewayService/Subscribe"])


def test_a_call_ends_soon_after_the_deadline_of_its_contract(platform: Platform) -> None:
    rpc = platform.contract.rpcs[GET_USER]
    assert rpc.deadline == 2

    def slow(_request: Message, _context: grpc.ServicerContext) -> Message:
        time.sleep(3)
        raise AssertionError("nobody waits for this")

    platform.services["user"].answers[GET_USER] = slow
    for timeout in (None, 60.0):
        begun = time.monotonic()
        with pytest.raises(grpc.RpcError) as refused:
            platform.call_as("auth", GET_USER, timeout=timeout)
        assert as_call(refused.value).code() is grpc.StatusCode.DEADLINE_EXCEEDED, timeout
        assert 1.9 < time.monotonic() - begun < 3


def test_the_callee_is_told_how_long_it_has(platform: Platform) -> None:
    platform.call_as("auth", GET_USER, timeout=60)
    platform.call_as("auth", GET_USER, timeout=0.5)
    long, short = (call.time_remaining for call in platform.services["user"].calls)
    assert long is not None
    assert 1 < long < 2.3
    assert short is not None
    assert 0 < short < 0.51


def test_a_service_that_was_killed_is_back_with_its_first_answer(platform: Platform) -> None:
    service, token = platform.services["user"], platform.keys.token()
    service.stop()
    for _ in range(20):
        assert platform.get(ME, token=token).status_code == 503
    time.sleep(2.5)
    service.start()
    assert eventually(lambda: platform.get(ME, token=token).status_code == 200) < 0.5


def test_calls_to_a_service_that_is_down_fail_at_once_and_say_why(platform: Platform) -> None:
    platform.services["user"].stop()
    begun = time.monotonic()
    with pytest.raises(grpc.RpcError) as refused:
        platform.call_as("auth", GET_USER)
    assert grpc_shape(refused.value) == (grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE")
    assert time.monotonic() - begun < 1.5


def test_a_service_that_is_about_to_stop_may_finish_what_it_began(platform: Platform) -> None:
    path = "/creavio.auth.v1.AccountService/CreateAccount"
    assert platform.contract.rpcs[path].deadline > 4

    def create(_request: Message, _context: grpc.ServicerContext) -> Message:
        platform.services["auth"].say(serving=False)
        time.sleep(4)
        return session_pb2.Session(access_token="made")

    platform.services["auth"].answers[path] = create
    response = platform.request("POST", "/v1/accounts", json={})
    assert response.status_code == 200
    assert response.json()["access_token"] == "made"


def test_a_service_with_its_hands_full_turns_calls_away_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mesh.clusters.MAX_CALLS", 4)
    release = threading.Event()

    def busy(_request: Message, _context: grpc.ServicerContext) -> Message:
        release.wait(5)
        return gateway_service_pb2.SubscribeRequest()

    with running() as platform, platform.channel("auth") as channel:
        platform.services["user"].calls.clear()
        platform.services["user"].answers[GET_USER] = busy
        call = raw(channel, GET_USER)
        held = [call.future(b"") for _ in range(4)]
        eventually(lambda: len(platform.services["user"].calls) == 4)
        begun = time.monotonic()
        with pytest.raises(grpc.RpcError) as refused:
            call(b"")
        assert as_call(refused.value).code() is grpc.StatusCode.UNAVAILABLE
        assert time.monotonic() - begun < 1
        release.set()
        assert [future.result() for future in held] == [b""] * 4


def test_replicas_share_the_work_and_cover_for_each_other() -> None:
    platform = build()
    twin = FakeService("user", platform.home / "user/in-2.sock", platform.services["user"].rpcs)
    upstreams = dict(platform.topology.upstreams)
    upstreams["user"] = (*upstreams["user"], f"unix:{twin.socket}")
    platform.topology = replace(platform.topology, upstreams=upstreams)
    try:
        twin.start()
        platform.start_services()
        platform.start_envoy()
        platform.ready()
        platform.services["user"].calls.clear()
        twin.calls.clear()
        statuses = Counter(
            platform.get(ME, token=platform.keys.token()).status_code for _ in range(40)
        )
        assert statuses == {200: 40}
        assert len(platform.services["user"].calls) > 5
        assert len(twin.calls) > 5
        twin.stop()
        statuses = Counter(
            platform.get(ME, token=platform.keys.token()).status_code for _ in range(60)
        )
        assert statuses == {200: 60}
    finally:
        twin.stop()
        platform.stop()
