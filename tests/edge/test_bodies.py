"""A request may be as large as its contract says, to the byte, however it comes."""

from __future__ import annotations

import json

import grpc
import pytest

from chassis.contract import Rpc
from creavio.chat.v1 import message_pb2, message_service_pb2
from creavio.user.v1 import user_service_pb2, user_service_pb2_grpc
from edge.rest import bindings_of
from tests.edge.errors import grpc_shape, shape
from tests.edge.platform import Platform

LIST_MESSAGES = "/creavio.chat.v1.MessageService/ListMessages"
UPDATE_ME = "/creavio.user.v1.UserService/UpdateMe"


def sized(size: int) -> str:
    """JSON of exactly this many bytes."""
    empty = json.dumps({"bio": ""})
    return json.dumps({"bio": "a" * (size - len(empty))})


def test_rest_takes_exactly_what_the_contract_says(platform: Platform) -> None:
    cap = platform.contract.rpcs[UPDATE_ME].policy.max_request_bytes
    token = platform.keys.token()
    fits = platform.request("PATCH", "/v1/users/me", content=sized(cap), token=token)
    assert fits.status_code == 200
    above = platform.request("PATCH", "/v1/users/me", content=sized(cap + 1), token=token)
    assert shape(above) == (413, 3, "REQUEST_TOO_LARGE")
    assert len(platform.services["user"].calls) == 1


def test_a_body_without_a_length_is_bounded_too(platform: Platform) -> None:
    cap = platform.contract.rpcs[UPDATE_ME].policy.max_request_bytes
    token = platform.keys.token()

    def pieces(size: int) -> list[bytes]:
        body = sized(size).encode()
        return [body[at : at + 1000] for at in range(0, len(body), 1000)]

    for size, status in ((cap, 200), (cap + 1, 413)):
        response = platform.request(
            "PATCH", "/v1/users/me", content=iter(pieces(size)), token=token
        )
        assert response.status_code == status


def test_the_largest_page_of_the_longest_messages_is_answered(platform: Platform) -> None:
    """A reply is translated as a whole: what holds it must hold the largest there is."""
    page = message_service_pb2.ListMessagesResponse(
        messages=[message_pb2.Message(content="\N{PARTY POPPER}" * 4_000) for _ in range(100)]
    )
    platform.services["chat"].answers[LIST_MESSAGES] = lambda *_: page
    channel = f"chn_{'0' * 26}"
    path, token = f"/v1/channels/{channel}/messages", platform.keys.token()
    reply = platform.request("GET", path, token=token)
    assert reply.status_code == 200, reply.text[:200]
    assert [m["content"] for m in reply.json()["messages"]] == [m.content for m in page.messages]


def test_grpc_takes_exactly_what_the_contract_says(platform: Platform) -> None:
    cap = platform.contract.rpcs[UPDATE_ME].policy.max_request_bytes
    request = user_service_pb2.UpdateMeRequest(bio="a" * (cap - 3))
    assert request.ByteSize() == cap
    larger = user_service_pb2.UpdateMeRequest(bio=request.bio + "a")
    metadata = (("authorization", f"Bearer {platform.keys.token()}"),)
    with platform.channel() as channel:
        stub = user_service_pb2_grpc.UserServiceStub(channel)
        stub.UpdateMe(request, metadata=metadata)
        with pytest.raises(grpc.RpcError) as refused:
            stub.UpdateMe(larger, metadata=metadata)
    assert grpc_shape(refused.value) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_TOO_LARGE")


def test_every_rpc_with_a_body_is_bounded_by_its_own_contract(platform: Platform) -> None:
    public: list[Rpc] = [rpc for rpc in platform.contract.rpcs.values() if rpc.public]
    for binding in bindings_of(public):
        if not binding.has_body:
            continue
        path = binding.template.replace("{", "").replace("}", "")
        cap = binding.rpc.policy.max_request_bytes
        for size, too_large in ((cap, False), (cap + 1, True)):
            response = platform.request(binding.verb, path, content=b"x" * size)
            assert (response.status_code == 413) == too_large, (binding, size, response.text)


def test_a_body_for_nothing_is_bounded(platform: Platform) -> None:
    assert platform.request("POST", "/nope", content=b"x" * 10_000_000).status_code in (404, 413)
