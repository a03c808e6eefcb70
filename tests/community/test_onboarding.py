"""What newcomers meet, as they meet it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.live import Live, Person, refusal

RULES = [{"title": "Be kind", "text": "To everybody."}, {"title": "Stay on topic", "text": ""}]


def path(community: str, verb: str = "") -> str:
    return f"/v1/communities/{community}/onboarding{verb}"


def changed(person: Person, community: str, **said: Any) -> Any:
    return person.do("PATCH", path(community), json=said)


def accept(person: Person, community: str, version: int) -> Any:
    return person.ask("POST", path(community, ":complete"), json={"rules_version": version})


def version(met: Any) -> int:
    """int64 is a text in JSON."""
    return int(met["rules_version"])


def test_a_newcomer_meets_rules_a_welcome_and_where_to_begin(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    here = ada.found()["id"]
    first, second = (ada.open_channel(here, name)["id"] for name in ("first", "second"))
    bob.accept(ada.invite(here))
    nothing = bob.do("GET", path(here))
    assert (nothing["rules"], version(nothing), nothing["welcome"]) == ([], 0, "")
    with bob.listening() as stream:
        said = changed(ada, here, rules=RULES, welcome=" Hello! ", channel_ids=[second, first])
        assert stream.until("onboarding_updated") == {"community_id": here, "rules_version": "1"}
    assert bob.do("GET", path(here)) == said
    assert (said["rules"], said["welcome"]) == (RULES, "Hello!")
    assert said["channel_ids"] == [second, first], "in the order they were given"
    ada.do("DELETE", f"/v1/communities/{here}/channels/{second}")
    assert bob.do("GET", path(here))["channel_ids"] == [first], "none that is gone"
    (entry,) = ada.do("GET", f"/v1/communities/{here}/audit-log?target_id={here}")["entries"]
    assert entry["action"] == "AUDIT_ACTION_ONBOARDING_UPDATED"


def test_a_member_accepts_the_rules_that_they_read(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    here = ada.found()["id"]
    bob.accept(ada.invite(here))
    read = version(changed(ada, here, rules=RULES))
    with ada.listening() as managing, bob.listening() as own:
        for _ in range(2):
            assert accept(bob, here, read).json()["accepted_version"] == str(read)
        told = {"community_id": here, "user_id": bob.id, "rules_version": str(read)}
        assert managing.until("onboarding_completed") == told
        assert own.until("onboarding_completed") == told
    changed(ada, here, welcome="Hello!")
    assert accept(bob, here, read).is_success, "a welcome is no rule"
    now = changed(ada, here, rules=RULES[:1])
    assert version(now) == read + 1
    assert refusal(accept(bob, here, read)) == (409, "CONCURRENT_CHANGE")
    assert bob.do("GET", path(here))["accepted_version"] == str(read)
    assert ada.do("GET", path(here))["accepted_version"] == "0", "each their own"


def test_nobody_accepts_rules_that_change_in_that_moment(live: Live) -> None:
    ada = live.sign_up("ada")
    here = ada.found()["id"]
    people = [live.sign_up("guest") for _ in range(4)]
    for person in people:
        person.accept(ada.invite(here))
    read = version(changed(ada, here, rules=RULES))
    with ThreadPoolExecutor(5) as threads:
        replies = [threads.submit(accept, person, here, read) for person in people]
        now = version(threads.submit(changed, ada, here, rules=RULES[::-1]).result())
    for person, reply in zip(people, replies, strict=True):
        accepted = int(person.do("GET", path(here))["accepted_version"])
        if reply.result().is_success:
            assert accepted == read
        else:
            assert refusal(reply.result()) == (409, "CONCURRENT_CHANGE")
            assert accepted == 0
        assert accept(person, here, now).is_success


def test_what_was_read_is_what_is_changed(live: Live) -> None:
    ada = live.sign_up("ada")
    here = ada.found()["id"]
    etag = ada.do("GET", path(here))["etag"]
    said = changed(ada, here, rules=RULES, etag=etag)
    late = ada.ask("PATCH", path(here), json={"welcome": "x", "etag": etag})
    assert refusal(late) == (409, "CONCURRENT_CHANGE")
    assert changed(ada, here, rules=RULES) == said, "the same rules are no others"
    gone = changed(ada, here, rules=[], update_mask="rules")
    assert (gone["rules"], version(gone)) == ([], 2)


def test_a_channel_is_told_of_to_those_alone_who_see_it(live: Live) -> None:
    ada, bob, carol = (live.sign_up(name) for name in ("ada", "bob", "carol"))
    here, elsewhere = ada.found()["id"], carol.found()["id"]
    for person in (bob, carol):
        person.accept(ada.invite(here))
    body = {"name": "closed", "private": True}
    closed = ada.do("POST", f"/v1/communities/{here}/channels", json=body)["id"]
    theirs = carol.open_channel(elsewhere)["id"]
    manager = {"name": "manager", "allow": ["PERMISSION_MANAGE_COMMUNITY"]}
    role = ada.do("POST", f"/v1/communities/{here}/roles", json=manager)["id"]
    for person in (bob, carol):
        members = f"/v1/communities/{here}/members/{person.id}/roles"
        ada.do("POST", members, json={"role_id": role})
    assert changed(ada, here, channel_ids=[closed])["channel_ids"] == [closed]
    assert bob.do("GET", path(here))["channel_ids"] == []
    for person, channel in ((bob, closed), (carol, theirs)):
        reply = person.ask("PATCH", path(here), json={"channel_ids": [channel]})
        assert refusal(reply) == (404, "NOT_FOUND")


def test_who_manages_nothing_changes_nothing_and_an_outsider_learns_nothing(live: Live) -> None:
    ada, bob, eve = (live.sign_up(name) for name in ("ada", "bob", "eve"))
    here = ada.found()["id"]
    bob.accept(ada.invite(here))
    reply = bob.ask("PATCH", path(here), json={"welcome": "Mine."})
    assert refusal(reply) == (403, "PERMISSION_DENIED")
    ada.do("DELETE", f"/v1/communities/{here}/members/{bob.id}")
    for person in (bob, eve):
        assert refusal(person.ask("GET", path(here))) == (404, "NOT_FOUND")
        assert refusal(accept(person, here, 0)) == (404, "NOT_FOUND")
        reply = person.ask("PATCH", path(here), json={"welcome": "Mine."})
        assert refusal(reply) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    "wrong",
    [
        {"rules": [{"title": "x"}] * 21},
        {"rules": [{"title": ""}]},
        {"rules": [{"title": " "}]},
        {"rules": [{"title": "x" * 101}]},
        {"rules": [{"title": "x", "text": "x" * 501}]},
        {"welcome": "x" * 2001},
        {"channel_ids": ["chn_1"]},
    ],
    ids=["many", "untitled", "blank", "long title", "long text", "long welcome", "no channel"],
)
def test_there_is_an_end_to_what_is_met(live: Live, wrong: Any) -> None:
    ada = live.sign_up("ada")
    here = ada.found()["id"]
    assert refusal(ada.ask("PATCH", path(here), json=wrong)) == (400, "INVALID_FIELD")
