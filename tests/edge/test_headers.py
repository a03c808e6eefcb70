"""What strangers claim is not believed, and what we answer gives nothing away."""

from __future__ import annotations

import time

from google.protobuf.message import Message
import grpc
import pytest

from creavio.user.v1 import user_pb2, user_service_pb2, user_service_pb2_grpc
from tests.edge.errors import shape
from tests.edge.platform import Platform, eventually

ME = "/v1/users/me"
GET_ME = "/creavio.user.v1.UserService/GetMe"
UUID = 36


def test_claimed_identities_and_origins_do_not_get_in(platform: Platform) -> None:
    lies = {
        "x-creavio-caller": "rbac",
        "x-creavio-anything": "lie",
        "x-envoy-retry-on": "5xx",
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-original-path": "/lie",
        "x-forwarded-for": "198.51.100.1",
        "x-forwarded-client-cert": "By=lie",
        "x-forwarded-proto": "lie",
        "x-forwarded-host": "lie",
        "forwarded": "for=198.51.100.1",
        "x-real-ip": "198.51.100.1",
        "x-request-id": "lie",
        "x_creavio_caller": "rbac",
    }
    assert platform.get(ME, headers=lies, token=platform.keys.token()).status_code == 200
    with platform.channel() as channel:
        metadata = (("authorization", f"Bearer {platform.keys.token()}"), *lies.items())
        user_service_pb2_grpc.UserServiceStub(channel).GetMe(
            user_service_pb2.GetMeRequest(), metadata=metadata
        )
    for call in platform.services["user"].calls:
        assert call.metadata["x-creavio-caller"] == "edge"
        assert call.metadata["x-forwarded-for"] == "127.0.0.1"
        assert call.metadata["x-forwarded-proto"] == "http"
        assert len(call.metadata["x-request-id"]) == UUID
        for name in ("x-envoy-original-path", "x-request-id", *call.metadata):
            assert call.metadata.get(name) not in ("lie", "/lie", "rbac", "By=lie"), name
        assert not {"forwarded", "x-real-ip", "x_creavio_caller"} & set(call.metadata)
    assert len(platform.services["user"].calls) == 2


def test_headers_cannot_be_taken_away_by_naming_them(platform: Platform) -> None:
    """`Connection: x-creavio-caller` would make a proxy drop what it has just set."""
    headers = {"connection": "close, x-creavio-caller, authorization"}
    response = platform.get(ME, headers=headers, token=platform.keys.token())
    assert response.status_code == 401
    headers = {"connection": "close, x-creavio-caller"}
    assert platform.get(ME, headers=headers, token=platform.keys.token()).status_code == 200
    (call,) = platform.services["user"].calls
    assert call.metadata["x-creavio-caller"] == "edge"


def test_a_trace_goes_through_and_every_answer_names_its_request(platform: Platform) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    response = platform.get(ME, headers={"traceparent": parent}, token=platform.keys.token())
    (call,) = platform.services["user"].calls
    assert call.metadata["traceparent"] == parent
    assert response.headers["x-request-id"] == call.metadata["x-request-id"]
    assert len(platform.get("/nope").headers["x-request-id"]) == UUID


def test_every_answer_carries_the_security_headers(platform: Platform) -> None:
    platform.services["chat"].stop()
    token = platform.keys.token()
    answers = {
        200: platform.get(ME, token=token),
        400: platform.get(f"{ME}?nope=1", token=token),
        401: platform.get(ME),
        404: platform.get("/nope"),
        405: platform.request("DELETE", ME),
        413: platform.request("PATCH", ME, content=b"x" * 100_000),
        503: platform.get("/v1/channels/chn_1/messages", token=token),
    }
    for status, response in answers.items():
        assert response.status_code == status
        headers = response.headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert headers["server"] == "creavio"
        leaks = ("grpc-", "x-envoy", "x-ratelimit", "x-creavio")
        assert not [name for name in headers if name.startswith(leaks)], headers


def test_a_page_of_an_allowed_origin_may_call_and_no_other(platform: Platform) -> None:
    def ask(origin: str, method: str = "OPTIONS") -> dict[str, str]:
        headers = {"origin": origin}
        if method == "OPTIONS":
            headers["access-control-request-method"] = "PATCH"
            headers["access-control-request-headers"] = "authorization, idempotency-key"
        response = platform.request(method, ME, headers=headers)
        return dict(response.headers)

    allowed = ask("https://app.example")
    assert allowed["access-control-allow-origin"] == "https://app.example"
    assert "PATCH" in allowed["access-control-allow-methods"]
    assert "idempotency-key" in allowed["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in allowed
    # Errors too: a page must be able to read why it was refused.
    assert ask("https://app.example", "GET")["access-control-allow-origin"] == "https://app.example"
    for stranger in (
        "https://evil.example",
        "https://app.example.evil",
        "null",
        "http://app.example",
    ):
        assert "access-control-allow-origin" not in ask(stranger)
        assert "access-control-allow-origin" not in ask(stranger, "GET")
    assert not platform.services["user"].calls


def test_large_answers_are_compressed_for_whoever_wants_it(platform: Platform) -> None:
    def large(_request: Message, _context: grpc.ServicerContext) -> Message:
        return user_pb2.User(id="usr_1", bio="a" * 5000)

    platform.services["user"].answers[GET_ME] = large
    token = platform.keys.token()
    squeezed = platform.get(ME, headers={"accept-encoding": "gzip"}, token=token)
    assert squeezed.headers["content-encoding"] == "gzip"
    assert len(squeezed.json()["bio"]) == 5000
    plain = platform.get(ME, headers={"accept-encoding": "identity"}, token=token)
    assert "content-encoding" not in plain.headers


def test_the_access_log_tells_what_happened_and_no_secret(platform: Platform) -> None:
    token = platform.keys.token()
    marker = f"test-{time.monotonic_ns()}"
    secret = "s3cret-code"
    headers = {"user-agent": marker, "cookie": f"c={secret}", "x-api-key": secret}
    platform.request("POST", f"/v1/invites/{secret}:accept", headers=headers, token=token)
    platform.get(f"{ME}?access_token={secret}", headers=headers, token=token)
    platform.get(f"/nope?token={secret}", headers=headers)

    def mine() -> list[dict[str, object]]:
        return [line for line in platform.log if line.get("user_agent.original") == marker]

    eventually(lambda: len(mine()) == 3)
    accepted, refused, unknown = mine()
    assert accepted["url.path"] == "/creavio.community.v1.InviteService/AcceptInvite"
    assert accepted["http.response.status_code"] == 200
    assert accepted["client.ip"] == "127.0.0.1"
    assert accepted["upstream.service"] == "community"
    assert refused["url.path"] == ME
    assert unknown["url.path"] == "/nope"
    written = str(mine())
    assert secret not in written
    assert token not in written


def test_health_is_the_supervisors_word(platform: Platform) -> None:
    supervisor = platform.supervisor
    assert platform.get("/healthz").json() == supervisor.body
    supervisor.status, supervisor.body = 503, {"status": "degraded", "parts": {"chat": "down: x"}}
    try:
        response = platform.get("/healthz")
        assert response.status_code == 503
        assert response.json()["parts"] == {"chat": "down: x"}
        supervisor.stop()
        assert shape(platform.get("/healthz")) == (503, 14, "UNAVAILABLE")
    finally:
        supervisor.status, supervisor.body = 200, {"status": "ok", "parts": {"postgres": "ok"}}
        supervisor.start()


@pytest.mark.parametrize("path", ["/healthz/", "/healthz/x", "/openapi.yaml/x"])
def test_nothing_else_is_served(platform: Platform, path: str) -> None:
    assert shape(platform.get(path)) == (404, 5, "METHOD_NOT_FOUND")
