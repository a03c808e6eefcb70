"""Finding people, blocking them, and one's own settings, as people meet them."""

from __future__ import annotations

from typing import Any

import pytest

from chassis import ids
from tests.live import Live, refusal


def test_people_are_found_by_id_and_by_handle(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    bob.do("PATCH", "/v1/users/me", json={"status_text": "reading"})
    nobody = ids.text(ids.Kind.USER, ids.new())
    found = ada.do(
        "GET", "/v1/users:batchGet", params=[("user_ids", i) for i in (bob.id, nobody, ada.id)]
    )["users"]
    assert [user["id"] for user in found] == [bob.id, ada.id]
    assert found[0]["status_text"] == "reading"
    assert ada.do("GET", f"/v1/handles/{bob.handle.upper()}") == found[0]
    assert refusal(ada.ask("GET", "/v1/handles/nobody-at-all")) == (404, "NOT_FOUND")
    assert ada.ask("GET", "/v1/users:batchGet").status_code == 400
    twice = [("user_ids", bob.id), ("user_ids", bob.id)]
    assert ada.ask("GET", "/v1/users:batchGet", params=twice).status_code == 400


def test_a_handle_that_looks_like_anothers_makes_no_account(live: Live) -> None:
    ada = live.sign_up("looks-1")
    alike = ada.handle.replace("-1", "-l", 1)
    account = {"handle": alike, "email": "l@example.org", "password": "correct horse"}
    with live.client() as client:
        refused = client.post("/v1/accounts", json=account)
        assert refusal(refused) == (409, "HANDLE_TAKEN")
        signed_in = client.post("/v1/sessions", json={"login": alike, "password": "correct horse"})
    assert not signed_in.is_success, "nothing of the account is left"


def test_whom_one_blocks_is_ones_own_business(live: Live) -> None:
    ada, bob, eve = (live.sign_up(name) for name in ("ada", "bob", "eve"))
    with ada.listening() as heard, bob.listening(read_timeout=1) as other:
        for _ in range(2):
            ada.do("POST", "/v1/users/me/blocks", json={"user_id": bob.id})
        ada.do("POST", "/v1/users/me/blocks", json={"user_id": eve.id})
        assert heard.until("user_blocked") == {"user_id": ada.id, "blocked_id": bob.id}
        assert heard.until("user_blocked")["blocked_id"] == eve.id
        first = ada.do("GET", "/v1/users/me/blocks", params={"page_size": 1})
        assert [block["user_id"] for block in first["blocks"]] == [eve.id]
        more = {"page_size": 1, "page_token": first["next_page_token"]}
        last = ada.do("GET", "/v1/users/me/blocks", params=more)
        assert [block["user_id"] for block in last["blocks"]] == [bob.id]
        assert not last.get("next_page_token")
        stolen = bob.ask("GET", "/v1/users/me/blocks", params=more)
        assert refusal(stolen) == (400, "INVALID_PAGE_TOKEN")
        assert bob.do("GET", "/v1/users/me/blocks")["blocks"] == []
        for _ in range(2):
            ada.do("DELETE", f"/v1/users/me/blocks/{bob.id}")
        assert heard.until("user_unblocked") == {"user_id": ada.id, "blocked_id": bob.id}
        bob.do("PATCH", "/v1/users/me", json={"bio": "none the wiser"})
        other.until("user_updated")
        assert not any("user_blocked" in event for event in other.seen)


@pytest.mark.parametrize(
    ("who", "answer"), [("me", (400, "INVALID_FIELD")), ("nobody", (404, "NOT_FOUND"))]
)
def test_not_everybody_can_be_blocked(live: Live, who: str, answer: tuple[int, str]) -> None:
    ada = live.sign_up("ada")
    named = ada.id if who == "me" else ids.text(ids.Kind.USER, ids.new())
    assert refusal(ada.ask("POST", "/v1/users/me/blocks", json={"user_id": named})) == answer


def test_settings_are_the_same_on_all_devices(live: Live) -> None:
    ada = live.sign_up("ada")
    path = "/v1/users/me/settings"
    fresh = ada.do("GET", path)
    assert (fresh["theme"], fresh["locale"]) == ("THEME_UNSPECIFIED", "")
    with live.sign_in(ada.handle).listening() as heard:
        ada.do("PATCH", path, json={"theme": "THEME_DARK", "hide_typing": True})
        changed = ada.do(
            "PATCH", path, json={"locale": "ar-EG", "update_mask": "locale,hide_typing"}
        )
        assert (changed["theme"], changed["locale"]) == ("THEME_DARK", "ar-EG")
        assert not changed["hide_typing"]
        heard.until("settings_updated")
        assert heard.until("settings_updated")["settings"] == changed
    assert ada.do("GET", path) == changed
    assert live.sign_up("bob").do("GET", path) == fresh


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"theme": 9}, "theme"),
        ({"locale": "not a locale"}, "locale"),
        ({"locale": "x" * 99}, "locale"),
        ({"update_mask": "font"}, "update_mask"),
    ],
)
def test_settings_that_are_none_are_refused(live: Live, body: dict[str, Any], field: str) -> None:
    refused = live.sign_up("ada").ask("PATCH", "/v1/users/me/settings", json=body)
    assert refusal(refused) == (400, "INVALID_FIELD"), refused.text
    assert refused.json()["details"][1]["field_violations"][0]["field"] == field
