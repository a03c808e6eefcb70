"""Changing one's handle, as people meet it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.live import PASSWORD, Live, Person, refusal


def change(person: Person, handle: str, password: str = PASSWORD) -> Any:
    body = {"handle": handle, "proof": {"password": password}}
    return person.ask("POST", "/v1/account:changeHandle", json=body)


def records(person: Person) -> Iterator[Any]:
    """Everything that is kept of somebody."""
    token = None
    while token != "":
        page = person.do("GET", "/v1/users/me/records", params={"page_token": token or ""})
        yield from page["records"]
        token = page["next_page_token"]


def sign_in(live: Live, login: str) -> Any:
    with live.client() as client:
        return client.post("/v1/sessions", json={"login": login, "password": PASSWORD})


def test_who_changes_their_handle_is_found_and_signs_in_by_it(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    community = bob.found()["id"]
    channel = bob.open_channel(community)["id"]
    ada.accept(bob.invite(community))
    said = ada.send(channel, "by what name?")
    before, wanted = ada.handle, f"{ada.handle}-too"
    with ada.listening() as stream:
        reply = change(ada, wanted.upper())
        assert reply.is_success, reply.text
        assert reply.json()["handle"] == wanted
        assert stream.until("user_updated")["user"]["handle"] == wanted
    assert ada.do("GET", "/v1/users/me")["handle"] == wanted, "the session stays"
    assert bob.do("GET", f"/v1/handles/{wanted}")["id"] == ada.id
    assert refusal(bob.ask("GET", f"/v1/handles/{before}")) == (404, "NOT_FOUND")
    assert bob.messages(channel)[0]["author_id"] == said["author_id"] == ada.id
    assert sign_in(live, wanted).json()["user"]["handle"] == wanted
    assert refusal(sign_in(live, before)) == (401, "WRONG_CREDENTIALS")
    assert change(ada, wanted).is_success, "again does no harm"
    assert refusal(change(ada, f"{before}-three")) == (400, "HANDLE_CHANGE_TOO_SOON")
    assert ada.do("GET", "/v1/users/me")["handle"] == wanted
    kinds = {(one["service"], one["kind"]): one["content"] for one in records(ada)}
    assert kinds["auth", "account"]["handle"] == wanted
    assert kinds["user", "held_handle"]["expire_time"]
    assert "skeleton" not in kinds["user", "held_handle"]


def test_nobody_else_signs_up_under_a_handle_that_somebody_had_lately(live: Live) -> None:
    ada, eve = live.sign_up("held-1"), live.sign_up("eve")
    before = ada.handle
    assert change(ada, f"{before}-too").is_success
    for alike in (before, before.replace("-1", "-l", 1)):
        account = {"handle": alike, "email": "l@example.org", "password": PASSWORD}
        with live.client() as client:
            assert refusal(client.post("/v1/accounts", json=account)) == (409, "HANDLE_TAKEN")
        assert refusal(change(eve, alike)) == (409, "HANDLE_TAKEN")
        assert refusal(sign_in(live, alike)) == (401, "WRONG_CREDENTIALS")


def test_an_open_session_alone_changes_no_handle(live: Live) -> None:
    ada = live.sign_up("ada")
    refused = change(ada, f"{ada.handle}-too", "a guess at it")
    assert refusal(refused) == (401, "WRONG_CREDENTIALS")
    bare = ada.ask("POST", "/v1/account:changeHandle", json={"handle": "countess"})
    assert refusal(bare) == (400, "INVALID_FIELD")
    homoglyph = change(ada, f"{ada.handle}\u0430")
    assert refusal(homoglyph) == (400, "INVALID_FIELD")
    assert ada.do("GET", "/v1/users/me")["handle"] == ada.handle
