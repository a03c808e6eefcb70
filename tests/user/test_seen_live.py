"""A changed name is seen by those who know the person as it changes; what is theirs is not."""

from __future__ import annotations

import pytest

from tests.live import PASSWORD, Live, Person


def changes(person: Person, **fields: str) -> None:
    person.do("PATCH", "/v1/users/me", json=fields)


@pytest.mark.parametrize("by", ["a community", "a conversation"])
def test_who_knows_them_sees_the_name_and_nothing_else(live: Live, by: str) -> None:
    ada, bob, eve = (live.sign_up(name) for name in ("ada", "bob", "eve"))
    if by == "a community":
        bob.accept(ada.invite(ada.found()["id"]))
    else:
        bob.do("POST", "/v1/conversations", json={"user_ids": [ada.id]})
    with bob.listening() as seen, eve.listening() as stranger, ada.listening() as own:
        changes(ada, bio="secret", bio_audience="PROFILE_AUDIENCE_NOBODY")
        changes(ada, status_text="here", display_name="Countess")
        told = seen.until("profile_changed")
        assert told == {
            "user_id": ada.id,
            "handle": ada.handle,
            "display_name": "Countess",
            "avatar_id": "",
            "deactivated": False,
        }
        assert own.until("user_updated")["user"]["bio"] == "secret"
        assert own.until("user_updated")["user"]["display_name"] == "Countess"
        # Whoever knows nobody hears of nobody.
        changes(eve, bio="mine")
        stranger.until("user_updated")
    for listener in (stranger, own):
        assert not any("profile_changed" in event for event in listener.seen)
    assert not any("user_updated" in event for event in seen.seen)


def test_whom_they_blocked_is_told_nothing_and_who_goes_is_seen_to_go(live: Live) -> None:
    ada, bob, eve = (live.sign_up(name) for name in ("ada", "bob", "eve"))
    code = ada.invite(ada.found()["id"])
    for person in (bob, eve):
        person.accept(code)
    ada.do("POST", "/v1/users/me/blocks", json={"user_id": bob.id})
    with bob.listening() as blocked, eve.listening() as seen:
        changes(ada, display_name="Countess")
        assert seen.until("profile_changed")["display_name"] == "Countess"
        ada.do("POST", "/v1/account:deactivate", json={"proof": {"password": PASSWORD}})
        assert seen.until("profile_changed")["deactivated"]
        changes(bob, bio="none the wiser")
        blocked.until("user_updated")
    assert not any("profile_changed" in event for event in blocked.seen)
