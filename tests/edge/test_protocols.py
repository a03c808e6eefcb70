"""One contract, four ways to call it: REST, gRPC-Web, gRPC, and streams over each."""

from __future__ import annotations

import base64
from collections.abc import Iterator
import json
import struct
import threading
import time

from google.protobuf.message import Message
import grpc
import httpx
import pytest

from chassis.contract import Rpc
from creavio.auth.v1 import session_service_pb2
from creavio.chat.v1 import message_service_pb2
from creavio.gateway.v1 import gateway_event_pb2, gateway_service_pb2, gateway_service_pb2_grpc
from creavio.user.v1 import user_pb2, user_service_pb2, user_service_pb2_grpc
from tests.edge.errors import as_call, grpc_shape, shape
from tests.edge.platform import KEYS, Platform, eventually

SUBSCRIBE = "/creavio.gateway.v1.GatewayService/Subscribe"
GET_ME = "/creavio.user.v1.UserService/GetMe"


def ada(_request: Message, _context: grpc.ServicerContext) -> Message:
    return user_pb2.User(id="usr_1", handle="ada")


def ticking(count: int, pause: float = 0.2) -> object:
    def subscribe(_request: Message, context: grpc.ServicerContext) -> Iterator[Message]:
        context.send_initial_metadata(())
        for number in range(count):
            event = gateway_event_pb2.Event(heartbeat=gateway_event_pb2.Heartbeat())
            yield gateway_service_pb2.SubscribeResponse(events=[event], resume_token=f"at-{number}")
            time.sleep(pause)

    return subscribe


def bearer(platform: Platform) -> dict[str, str]:
    return {"authorization": f"Bearer {platform.keys.token()}"}


def grpc_web_frames(body: bytes) -> list[tuple[int, bytes]]:
    frames = []
    while body:
        flag, length = struct.unpack(">BI", body[:5])
        frames.append((flag, body[5 : 5 + length]))
        body = body[5 + length :]
    return frames


def test_rest_fills_the_request_from_path_query_and_body(platform: Platform) -> None:
    token = platform.keys.token()
    platform.get("/v1/channels/chn_1/messages?page_size=7&page_token=x", token=token)
    platform.request("POST", "/v1/channels/chn_2/messages", json={"content": "hé"}, token=token)
    platform.request("DELETE", "/v1/channels/chn_3/messages/msg_1", token=token)
    listed, created, deleted = (call.request for call in platform.services["chat"].calls)
    assert listed == message_service_pb2.ListMessagesRequest(
        channel_id="chn_1", page_size=7, page_token="x"
    )
    assert created == message_service_pb2.CreateMessageRequest(channel_id="chn_2", content="hé")
    assert deleted == message_service_pb2.DeleteMessageRequest(
        channel_id="chn_3", message_id="msg_1"
    )


@pytest.mark.parametrize(("written", "read"), [("a+b", "a b"), ("a%20b", "a b"), ("a%2Bb", "a+b")])
def test_a_space_in_a_query_is_read_as_clients_write_it(
    platform: Platform, written: str, read: str
) -> None:
    path = f"/v1/channels/chn_1/messages?page_token={written}"
    platform.get(path, token=platform.keys.token())
    (call,) = platform.services["chat"].calls
    assert call.request == message_service_pb2.ListMessagesRequest(
        channel_id="chn_1", page_token=read
    )


def test_a_field_cannot_be_said_twice(platform: Platform) -> None:
    """Whoever is named in the path decides; a body that says otherwise is refused."""
    response = platform.request(
        "POST",
        "/v1/channels/chn_1/messages",
        json={"channel_id": "chn_2", "content": "x"},
        token=platform.keys.token(),
    )
    assert shape(response) == (400, 3, "MALFORMED_REQUEST")


def test_a_verb_after_a_colon_is_a_call_of_its_own(platform: Platform) -> None:
    platform.request("POST", "/v1/sessions:refresh", json={"refresh_token": "r"})
    platform.request("POST", "/v1/invites/abc:accept", token=platform.keys.token())
    (refresh,) = (
        c.request for c in platform.services["auth"].calls if c.path.endswith("RefreshSession")
    )
    assert refresh == session_service_pb2.RefreshSessionRequest(refresh_token="r")
    (accept,) = platform.services["community"].calls
    assert str(accept.request) == 'code: "abc"\n'


def test_the_idempotency_key_arrives_as_it_was_sent(platform: Platform) -> None:
    platform.request(
        "POST",
        "/v1/communities",
        json={"name": "x"},
        headers={"Idempotency-Key": "Key 1/2"},
        token=platform.keys.token(),
    )
    (call,) = platform.services["community"].calls
    assert call.metadata["idempotency-key"] == "Key 1/2"


def test_grpc_is_served_on_the_same_port(platform: Platform) -> None:
    platform.services["user"].answers[GET_ME] = ada
    with platform.channel() as channel:
        stub = user_service_pb2_grpc.UserServiceStub(channel)
        user = stub.GetMe(user_service_pb2.GetMeRequest(), metadata=tuple(bearer(platform).items()))
        assert user.handle == "ada"
        with pytest.raises(grpc.RpcError) as refused:
            stub.GetMe(user_service_pb2.GetMeRequest())
    assert grpc_shape(refused.value) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


@pytest.mark.parametrize("text", [False, True])
def test_grpc_web_is_served_on_the_same_port(platform: Platform, text: bool) -> None:
    platform.services["user"].answers[GET_ME] = ada
    kind = "application/grpc-web-text" if text else "application/grpc-web+proto"
    body = b"\0\0\0\0\0"
    headers = {"content-type": kind, "accept": kind, "x-grpc-web": "1"}
    response = platform.request(
        "POST",
        GET_ME,
        content=base64.b64encode(body) if text else body,
        headers=headers,
        token=platform.keys.token(),
    )
    assert response.status_code == 200
    content = response.content
    if text:
        content = b"".join(
            base64.b64decode(part + b"=" * (-len(part) % 4)) for part in _parts(content)
        )
    message, trailers = grpc_web_frames(content)
    assert user_pb2.User.FromString(message[1]).handle == "ada"
    assert trailers[0] == 0x80
    assert b"grpc-status:0" in trailers[1]


def _parts(encoded: bytes) -> Iterator[bytes]:
    """Pieces of base64 that were padded one by one."""
    while encoded:
        end = encoded.find(b"=")
        if end < 0:
            yield encoded
            return
        while end < len(encoded) and encoded[end : end + 1] == b"=":
            end += 1
        yield encoded[:end].rstrip(b"=")
        encoded = encoded[end:]


def test_grpc_web_hears_refusals_in_its_own_terms(platform: Platform) -> None:
    headers = {"content-type": "application/grpc-web+proto"}
    for path, token, code in (
        (GET_ME, None, "16"),
        ("/creavio.user.v1.UserService/GetUser", platform.keys.token(), "12"),
        ("/creavio.user.v1.UserService/Nope", platform.keys.token(), "12"),
    ):
        response = platform.request(
            "POST", path, content=b"\0\0\0\0\0", headers=headers, token=token
        )
        assert response.status_code == 200
        assert response.headers["content-type"] == "application/grpc-web+proto"
        assert response.headers["grpc-status"] == code
        assert response.headers["grpc-status-details-bin"]
        assert response.content == b""


def test_internal_calls_do_not_exist_for_outsiders(platform: Platform) -> None:
    internal: list[Rpc] = [r for r in platform.contract.rpcs.values() if not r.public]
    assert internal
    token = platform.keys.token()
    metadata = (("authorization", f"Bearer {token}"),)
    for rpc in internal:
        with pytest.raises(grpc.RpcError) as refused:
            platform.call_as(None, rpc.path, metadata=metadata)
        assert grpc_shape(refused.value) == (grpc.StatusCode.UNIMPLEMENTED, "METHOD_NOT_FOUND")
        response = platform.request("POST", rpc.path, json={}, token=token)
        assert shape(response) == (404, 5, "METHOD_NOT_FOUND")
    called = {call.path for service in platform.services.values() for call in service.calls}
    # Envoy itself fetches the keys now and then.
    assert called <= {KEYS}


def test_health_and_reflection_of_services_are_not_public(platform: Platform) -> None:
    for path in (
        "/grpc.health.v1.Health/Check",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    ):
        with pytest.raises(grpc.RpcError) as refused:
            platform.call_as(None, path)
        assert as_call(refused.value).code() is grpc.StatusCode.UNIMPLEMENTED


def arrivals(
    platform: Platform, headers: dict[str, str]
) -> tuple[httpx.Headers, list[tuple[float, str]]]:
    """The lines of the event stream, and when each came."""
    begun = time.monotonic()
    with (
        httpx.Client(base_url=platform.url, trust_env=False) as client,
        client.stream("GET", "/v1/events", headers={**bearer(platform), **headers}) as stream,
    ):
        lines = [(time.monotonic() - begun, line) for line in stream.iter_lines() if line]
        return stream.headers, lines


def test_events_are_lines_of_json_by_default(platform: Platform) -> None:
    platform.services["gateway"].answers[SUBSCRIBE] = ticking(4)  # type: ignore[assignment]
    for accept in ({}, {"accept": "*/*", "accept-encoding": "gzip"}):
        headers, lines = arrivals(platform, accept)
        assert headers["content-type"] == "application/x-ndjson"
        assert "content-encoding" not in headers
        assert [json.loads(line)["resume_token"] for _, line in lines] == [
            f"at-{n}" for n in range(4)
        ]
        assert lines[-1][0] - lines[0][0] > 0.4, "events must come as they happen"


def test_events_are_server_sent_for_whoever_asks(platform: Platform) -> None:
    platform.services["gateway"].answers[SUBSCRIBE] = ticking(4)  # type: ignore[assignment]
    headers, lines = arrivals(platform, {"accept": "text/event-stream", "accept-encoding": "gzip"})
    assert headers["content-type"] == "text/event-stream"
    assert "content-encoding" not in headers
    assert [json.loads(line.removeprefix("data: "))["resume_token"] for _, line in lines] == [
        f"at-{n}" for n in range(4)
    ]
    assert lines[-1][0] - lines[0][0] > 0.4, "events must come as they happen"


def test_events_stream_over_grpc_and_end_when_the_client_leaves(platform: Platform) -> None:
    gone = threading.Event()

    def subscribe(_request: Message, context: grpc.ServicerContext) -> Iterator[Message]:
        context.add_callback(gone.set)
        while True:
            yield gateway_service_pb2.SubscribeResponse(resume_token="x")
            time.sleep(0.1)

    platform.services["gateway"].answers[SUBSCRIBE] = subscribe
    with platform.channel() as channel:
        stub = gateway_service_pb2_grpc.GatewayServiceStub(channel)
        stream = stub.Subscribe(
            gateway_service_pb2.SubscribeRequest(), metadata=tuple(bearer(platform).items())
        )
        assert next(iter(stream)).resume_token == "x"
        stream.cancel()
    assert eventually(gone.is_set) < 2


def test_the_stream_refuses_a_stranger_in_every_form(platform: Platform) -> None:
    for accept in ("text/event-stream", "application/x-ndjson", "*/*"):
        response = platform.get("/v1/events", headers={"accept": accept})
        assert shape(response) == (401, 16, "UNAUTHENTICATED")
