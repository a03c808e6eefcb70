"""Nobody can ask for more than a budget, nor talk their way out of it."""

from __future__ import annotations

from collections.abc import Iterator
import time

from google.rpc import error_details_pb2
import grpc
from grpc_status import rpc_status
import pytest

from creavio.user.v1 import user_service_pb2, user_service_pb2_grpc
from mesh.topology import Budget, Limit, Limits
from tests.edge.conftest import GENEROUS, UNLIMITED
from tests.edge.errors import as_call, grpc_shape, retry_delay, shape
from tests.edge.platform import Platform, running

ME = "/v1/users/me"


@pytest.fixture(scope="module")
def tight() -> Iterator[Platform]:
    """Each test comes as a person of its own; only one of them guesses."""
    limits = Limits(
        read=Budget(source=Limit(1_000_000), person=Limit(5, 3600)),
        write=GENEROUS,
        sensitive=Budget(source=Limit(4, 60), person=Limit(1_000_000)),
        stream=GENEROUS,
    )
    with running(limits=limits) as platform:
        yield platform


def test_a_person_is_held_to_a_budget_and_told_when_it_refills(tight: Platform) -> None:
    token = tight.keys.token(sub="usr_greedy")
    for left in range(4, -1, -1):
        response = tight.get(ME, token=token)
        assert response.status_code == 200
        assert response.headers["ratelimit-limit"] == "5"
        assert response.headers["ratelimit-remaining"] == str(left)
    response = tight.get(ME, token=token)
    assert shape(response) == (429, 8, "RATE_LIMITED")
    assert response.headers["retry-after"] == "720"
    assert retry_delay(response) == "720s"
    assert response.headers["ratelimit-limit"] == "5"
    assert response.headers["ratelimit-remaining"] == "0"
    assert int(response.headers["ratelimit-reset"]) > 0
    assert not [name for name in response.headers if name.startswith("x-ratelimit")]


def test_a_blocked_person_is_not_freed_by_others(tight: Platform) -> None:
    token = tight.keys.token(sub="usr_blocked")
    while tight.get(ME, token=token).status_code == 200:
        pass
    for other in range(40):
        assert tight.get(ME, token=tight.keys.token(sub=f"usr_{other}")).status_code == 200
    assert shape(tight.get(ME, token=token)) == (429, 8, "RATE_LIMITED")
    another_token = tight.keys.token(sub="usr_blocked", sid="ses_new")
    assert shape(tight.get(ME, token=another_token)) == (429, 8, "RATE_LIMITED")


def test_a_class_is_one_budget_over_all_its_calls_and_no_other(tight: Platform) -> None:
    token = tight.keys.token(sub="usr_both")
    for _ in range(5):
        tight.get("/v1/communities", token=token)
    assert tight.get(ME, token=token).status_code == 429
    assert tight.request("PATCH", ME, json={}, token=token).status_code == 200


def test_guessing_is_limited_by_source_whoever_it_claims_to_be(tight: Platform) -> None:
    for attempt in range(4):
        headers = {"x-forwarded-for": f"203.0.113.{attempt}", "x-real-ip": f"203.0.113.{attempt}"}
        assert tight.request("POST", "/v1/sessions", json={}, headers=headers).status_code == 200
    for attempt in range(40):
        headers = {
            "x-forwarded-for": f"198.51.100.{attempt}",
            "forwarded": f"for=198.51.100.{attempt}",
        }
        response = tight.request("POST", "/v1/sessions", json={}, headers=headers)
        assert shape(response) == (429, 8, "RATE_LIMITED")
        assert response.headers["retry-after"] == "15"
    assert len([c for c in tight.services["auth"].calls if c.path.endswith("CreateSession")]) == 4
    # Others are not hindered in what is not guessing.
    assert tight.get(ME, token=tight.keys.token()).status_code == 200


def test_grpc_is_held_to_the_same_budget(tight: Platform) -> None:
    token = tight.keys.token(sub="usr_grpc")
    metadata = (("authorization", f"Bearer {token}"),)
    with tight.channel() as channel:
        stub = user_service_pb2_grpc.UserServiceStub(channel)
        for _ in range(5):
            stub.GetMe(user_service_pb2.GetMeRequest(), metadata=metadata)
        with pytest.raises(grpc.RpcError) as refused:
            stub.GetMe(user_service_pb2.GetMeRequest(), metadata=metadata)
    assert grpc_shape(refused.value) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
    status = rpc_status.from_call(as_call(refused.value))
    retry = error_details_pb2.RetryInfo()
    assert status is not None
    assert status.details[1].Unpack(retry)
    assert retry.retry_delay.seconds == 720
    assert tight.get(ME, token=token).status_code == 429


def test_a_budget_refills_evenly() -> None:
    limits = Limits(
        read=Budget(source=Limit(1_000_000), person=Limit(10, 5)),
        write=UNLIMITED.write,
        sensitive=UNLIMITED.sensitive,
        stream=UNLIMITED.stream,
    )
    assert limits.read.person.retry_after == 1
    with running(limits=limits) as platform:
        token = platform.keys.token(sub="usr_patient")
        while platform.get(ME, token=token).status_code == 200:
            pass
        time.sleep(1)
        assert platform.get(ME, token=token).status_code == 200
