"""Every error that Envoy makes has the one shape, a true status and a stable reason."""

from __future__ import annotations

import json
import socket
import time

from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
import grpc
from grpc_status import rpc_status
import pytest

from creavio.user.v1 import user_pb2
from tests.edge.errors import shape
from tests.edge.platform import KEYS, Platform

UPDATE_ME = "/creavio.user.v1.UserService/UpdateMe"
GET_ME = "/creavio.user.v1.UserService/GetMe"


def test_an_unknown_path_is_not_found(platform: Platform) -> None:
    for path in ("/nope", "/v1/nope", "/v1/users/me/nope", "/v1/communities/com_1:nope"):
        assert shape(platform.get(path)) == (404, 5, "METHOD_NOT_FOUND"), path


def test_an_unknown_verb_is_told_which_verbs_there_are(platform: Platform) -> None:
    response = platform.request("DELETE", "/v1/users/me")
    assert shape(response) == (405, 5, "METHOD_NOT_FOUND")
    assert response.headers["allow"] == "GET, PATCH"


@pytest.mark.parametrize(
    "body",
    ['{"bio":', '{"bio" "x"}', "[1]", '"x"', '{"bio": 5}', "{'bio'}", '{"bio": "\\ud800"', "\x00"],
)
def test_broken_json_is_malformed(platform: Platform, body: str) -> None:
    response = platform.request("PATCH", "/v1/users/me", content=body, token=platform.keys.token())
    assert shape(response) == (400, 3, "MALFORMED_REQUEST")
    assert not platform.services["user"].calls[1:]


def test_an_unknown_query_parameter_is_malformed_and_named(platform: Platform) -> None:
    response = platform.get("/v1/users/me?nope=1", token=platform.keys.token())
    assert shape(response) == (400, 3, "MALFORMED_REQUEST")
    assert '"nope"' in response.json()["message"]


def test_a_token_in_the_query_is_refused_even_when_it_is_valid(platform: Platform) -> None:
    token = platform.keys.token()
    assert shape(platform.get(f"/v1/users/me?access_token={token}"))[0] == 400
    assert not [call for call in platform.services["user"].calls if call.path == GET_ME]


def test_an_unknown_field_of_a_body_is_ignored(platform: Platform) -> None:
    """Envoy's transcoder drops them, as protobuf does: newer clients may talk to older servers."""
    platform.request(
        "PATCH", "/v1/users/me", json={"nope": 1, "bio": "hi"}, token=platform.keys.token()
    )
    (call,) = platform.services["user"].calls
    assert str(call.request) == 'bio: "hi"\n'


def test_deep_json_is_malformed_and_harms_nobody(platform: Platform) -> None:
    for body in ('{"a":' * 2_700 + "1" + "}" * 2_700, "[" * 16_000):
        response = platform.request(
            "PATCH", "/v1/users/me", content=body, token=platform.keys.token()
        )
        assert shape(response) == (400, 3, "MALFORMED_REQUEST")
    assert platform.get("/v1/users/me", token=platform.keys.token()).status_code == 200


def test_a_path_that_hides_slashes_is_malformed(platform: Platform) -> None:
    assert shape(platform.get("/v1/users%2fme")) == (400, 3, "MALFORMED_REQUEST")


def test_headers_beyond_measure_are_too_large(platform: Platform) -> None:
    response = platform.get("/v1/users/me", headers={"x-big": "a" * 40_000})
    assert shape(response) == (431, 3, "REQUEST_TOO_LARGE")
    response = platform.get("/v1/users/me", headers={f"x-{n}": "a" for n in range(100)})
    assert shape(response) == (431, 3, "REQUEST_TOO_LARGE")
    assert shape(platform.get("/v1/" + "a" * 40_000))[0] == 431


def test_what_is_not_http_is_turned_away(platform: Platform) -> None:
    host, _, port = platform.topology.public.partition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(b"NOPE\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_a_service_that_is_down_is_unavailable_and_says_when_to_come_back(
    platform: Platform,
) -> None:
    platform.services["user"].stop()
    response = platform.get("/v1/users/me", token=platform.keys.token())
    assert shape(response) == (503, 14, "UNAVAILABLE")
    assert response.headers["retry-after"] == "1"


def test_a_call_to_a_service_that_hangs_ends_soon_after_its_deadline(platform: Platform) -> None:
    assert platform.contract.rpcs[KEYS].deadline == 2
    auth = platform.services["auth"]
    auth.stop()
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(auth.socket))
        mute.listen()
        begun = time.monotonic()
        response = platform.get("/.well-known/jwks.json")
        assert 2.0 < time.monotonic() - begun < 3.0
    assert shape(response) == (504, 4, "DEADLINE_EXCEEDED")


def test_an_error_of_a_service_reaches_rest_whole(platform: Platform) -> None:
    def fail(_request: Message, context: grpc.ServicerContext) -> Message:
        status = status_pb2.Status(code=grpc.StatusCode.ALREADY_EXISTS.value[0], message="taken")
        detail = any_pb2.Any()
        detail.Pack(error_details_pb2.ErrorInfo(reason="HANDLE_TAKEN", domain="creavio"))
        status.details.append(detail)
        context.abort_with_status(rpc_status.to_status(status))
        raise AssertionError

    platform.services["user"].answers[UPDATE_ME] = fail
    response = platform.request("PATCH", "/v1/users/me", json={}, token=platform.keys.token())
    assert shape(response) == (409, 6, "HANDLE_TAKEN")
    assert response.json()["message"] == "taken"
    assert not [name for name in response.headers if name.startswith("grpc-")]


def test_a_service_that_dies_in_mid_call_is_unavailable(platform: Platform) -> None:
    service = platform.services["user"]

    def die(_request: Message, context: grpc.ServicerContext) -> Message:
        context.abort(grpc.StatusCode.UNAVAILABLE, "going")
        raise AssertionError

    service.answers[UPDATE_ME] = die
    response = platform.request("PATCH", "/v1/users/me", json={}, token=platform.keys.token())
    assert response.status_code == 503
    assert response.json()["code"] == 14


def test_unset_fields_are_present_and_names_are_the_contracts(platform: Platform) -> None:
    def me(_request: Message, _context: grpc.ServicerContext) -> Message:
        return user_pb2.User(id="usr_1")

    platform.services["user"].answers[GET_ME] = me
    response = platform.get("/v1/users/me", token=platform.keys.token())
    assert response.json() == {
        "id": "usr_1",
        "handle": "",
        "display_name": "",
        "bio": "",
        "status_text": "",
        "bot": False,
        "avatar_id": "",
        "bio_audience": "PROFILE_AUDIENCE_UNSPECIFIED",
        "status_audience": "PROFILE_AUDIENCE_UNSPECIFIED",
        "deactivated": False,
    }
    assert json.loads(response.text) == response.json()
