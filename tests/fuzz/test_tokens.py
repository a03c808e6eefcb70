"""What a client is to hand back as it got it, handed back as it pleases."""

from __future__ import annotations

from collections.abc import Callable
import string
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from tests.fuzz.conftest import Owner, examples

TOKENS = st.text(alphabet=string.ascii_letters + string.digits + "-_=.~%/+ é\x00", max_size=300)
IDS = st.from_regex(r"\A(usr|com|chn|cnv|msg|evt|rol|thr)_[0-9a-z]{0,30}\Z")
SMALL = st.integers(min_value=0, max_value=255)


@pytest.fixture(scope="module")
def owner(owner_of: Callable[[], Owner]) -> Owner:
    """Somebody with enough messages for a second page."""
    somebody = owner_of()
    for number in range(3):
        somebody.person.send(somebody.things["channel_id"], f"No. {number}")
    return somebody


def reason(owner: Owner, method: str, path: str, **options: Any) -> str:
    """Why a call was refused; empty when it was not. Fails the test on 5xx."""
    reply = owner.person.ask(method, path, **options)
    assert reply.status_code < 500, reply.text
    return "" if reply.is_success else str(reply.json()["details"][0]["reason"])


def page_of(owner: Owner, token: str) -> str:
    path = f"/v1/channels/{owner.things['channel_id']}/messages"
    return reason(owner, "GET", path, params={"page_size": 1, "page_token": token})


def spoilt(token: str, at: int, by: int) -> str:
    """The token with one character changed to another."""
    letters = string.ascii_letters + string.digits + "-_"
    at %= len(token)
    other = letters[(letters.index(token[at]) + 1 + by % 63) % 64] if token[at] in letters else "A"
    return token[:at] + other + token[at + 1 :]


@examples(30)
@given(token=TOKENS.filter(bool))
def test_no_page_token_can_be_made_up(owner: Owner, token: str) -> None:
    assert page_of(owner, token) in {"INVALID_PAGE_TOKEN", "INVALID_FIELD", "MALFORMED_REQUEST"}


@examples(30)
@given(at=SMALL, by=SMALL)
def test_a_page_token_counts_as_it_was_given_only(owner: Owner, at: int, by: int) -> None:
    path = f"/v1/channels/{owner.things['channel_id']}/messages"
    token = owner.person.do("GET", path, params={"page_size": 1})["next_page_token"]
    assert page_of(owner, token) == ""
    assert page_of(owner, spoilt(token.rstrip("="), at, by)) == "INVALID_PAGE_TOKEN"


def test_a_page_token_is_of_its_list_alone(owner: Owner) -> None:
    path = f"/v1/channels/{owner.things['channel_id']}/messages"
    token = owner.person.do("GET", path, params={"page_size": 1})["next_page_token"]
    path = f"/v1/communities/{owner.things['community_id']}/invites"
    assert reason(owner, "GET", path, params={"page_token": token}) == "INVALID_PAGE_TOKEN"


@examples(30)
@given(token=TOKENS.filter(bool))
def test_no_resume_token_can_be_made_up(owner: Owner, token: str) -> None:
    refused = reason(owner, "GET", "/v1/events", params={"resume_token": token})
    assert refused in {"INVALID_RESUME_TOKEN", "INVALID_FIELD", "MALFORMED_REQUEST"}


@examples(30)
@given(at=SMALL, by=SMALL)
def test_a_resume_token_counts_as_it_was_given_only(owner: Owner, at: int, by: int) -> None:
    with owner.person.listening() as events:
        token = events.resume_token
    given_back = {"resume_token": spoilt(token.rstrip("="), at, by)}
    assert reason(owner, "GET", "/v1/events", params=given_back) == "INVALID_RESUME_TOKEN"


@examples(30)
@given(thing=IDS, kind=st.sampled_from(["channels", "communities", "conversations", "threads"]))
def test_an_id_that_names_nothing_is_refused_and_tells_nothing(
    owner: Owner, thing: str, kind: str
) -> None:
    path = f"/v1/{kind}/{thing}/messages" if kind == "channels" else f"/v1/{kind}/{thing}"
    refused = reason(owner, "GET", path)
    assert refused in {"NOT_FOUND", "INVALID_FIELD", "METHOD_NOT_FOUND"}


@examples(30)
@given(key=st.text(max_size=80), content=st.text(min_size=1, max_size=20))
def test_a_message_under_any_key_is_there_once(owner: Owner, key: str, content: str) -> None:
    path = f"/v1/channels/{owner.things['channel_id']}/messages"
    body = {"content": content, "nonce": key}
    first, second = (owner.person.ask("POST", path, json=body) for _ in range(2))
    assert first.status_code == second.status_code
    # Another example may have used the key.
    assert first.status_code in {200, 400, 409}, first.text
    if key and first.is_success:
        assert first.json()["id"] == second.json()["id"]


@examples(30)
@given(key=st.binary(min_size=1, max_size=80))
def test_an_idempotency_key_is_any_header_or_refused(owner: Owner, key: bytes) -> None:
    header = {"idempotency-key": key.translate(None, b"\x00\r\n\v\f").strip() or b"k"}
    reply = owner.person.ask("POST", "/v1/communities", json={"name": "A table"}, headers=header)
    assert reply.status_code in {200, 400}, reply.text


@pytest.mark.parametrize(
    "header",
    [
        {"a*": "1"},
        {"gpg$~x": "1"},
        {"x-thing-bin": "!!"},
        {"grpc-encoding": "nope"},
        {"grpc-status": "x"},
        {"grpc-timeout": "nope"},
        {"grpc-accept-encoding": "nope"},
        {"traceparent": "nope"},
        {"te": "nope"},
    ],
    ids=lambda header: next(iter(header)),
)
def test_a_header_that_grpc_cannot_read_harms_nobody(owner: Owner, header: dict[str, str]) -> None:
    assert owner.person.ask("GET", "/v1/users/me", headers=header).status_code == 200
