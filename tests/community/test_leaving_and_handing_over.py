"""Who leaves, who owns, and what is written down of what was done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from chassis import ids
from creavio.community.v1 import audit_entry_pb2
from services.community.domain.audit import Action
from tests.live import Live, Person, refusal


def leave(person: Person, community: str) -> httpx.Response:
    return person.ask("POST", f"/v1/communities/{community}:leave")


def hand_over(person: Person, community: str, heir: Person) -> httpx.Response:
    place = f"/v1/communities/{community}:transfer"
    return person.ask("POST", place, json={"user_id": heir.id})


def owner(person: Person, community: str) -> str:
    return str(person.do("GET", f"/v1/communities/{community}")["owner_id"])


def roles(person: Person, community: str, of: Person) -> list[str]:
    """The names of somebody's roles, the highest first."""
    place = f"/v1/communities/{community}"
    names = {one["id"]: one["name"] for one in person.do("GET", f"{place}/roles")["roles"]}
    held = person.do("GET", f"{place}/members/{of.id}/roles")["role_ids"]
    return [names[one] for one in held]


def table(live: Live, *names: str) -> tuple[str, list[Person]]:
    """A community of these people; the first owns it."""
    people = [live.sign_up(name) for name in names]
    community = people[0].found()["id"]
    for person in people[1:]:
        person.accept(people[0].invite(community))
    return community, people


def log(person: Person, community: str) -> list[Any]:
    return list(person.do("GET", f"/v1/communities/{community}/audit-log")["entries"])


def test_who_leaves_is_outside_at_once(live: Live) -> None:
    community, (ada, bob) = table(live, "ada", "bob")
    with ada.listening() as heard:
        assert leave(bob, community).json() == {}
        assert heard.until("member_removed")["user_id"] == bob.id
    assert refusal(bob.ask("GET", f"/v1/communities/{community}")) == (404, "NOT_FOUND")
    assert bob.do("GET", "/v1/communities")["communities"] == []
    assert leave(bob, community).is_success, "leaving again does nothing"
    assert bob.accept(ada.invite(community))["id"] == community, "and they may come back"


def test_leaving_says_nothing_of_what_is_there(live: Live) -> None:
    community, (ada,) = table(live, "ada")
    eve = live.sign_up("eve")
    nothing = ids.text(ids.Kind.COMMUNITY, ids.new())
    there, nowhere = leave(eve, community), leave(eve, nothing)
    assert (there.status_code, there.text) == (nowhere.status_code, nowhere.text) == (200, "{}")
    assert owner(ada, community) == ada.id


def test_the_owner_cannot_leave(live: Live) -> None:
    community, (ada, bob) = table(live, "ada", "bob")
    assert refusal(leave(ada, community)) == (400, "LAST_OWNER")
    assert hand_over(ada, community, bob).is_success
    assert leave(ada, community).is_success
    assert refusal(leave(bob, community)) == (400, "LAST_OWNER")


def test_a_community_is_handed_over(live: Live) -> None:
    community, (ada, bob, eve) = table(live, "ada", "bob", "eve")
    with eve.listening() as heard:
        assert hand_over(ada, community, bob).json()["owner_id"] == bob.id
        assert heard.until("community_updated")["community"]["owner_id"] == bob.id
    assert roles(eve, community, bob) == ["owner", "member"]
    assert roles(eve, community, ada) == ["member"]
    place = f"/v1/communities/{community}"
    assert refusal(ada.ask("PATCH", place, json={"name": "mine"})) == (403, "PERMISSION_DENIED")
    assert bob.do("PATCH", place, json={"name": "Bob's"})["name"] == "Bob's"
    assert bob.do("DELETE", f"{place}/members/{ada.id}") == {}
    (deed,) = [one for one in log(bob, community) if "OWNERSHIP" in one["action"]]
    assert (deed["actor_id"], deed["target_id"]) == (ada.id, bob.id)


def test_nobody_else_hands_a_community_over(live: Live) -> None:
    community, (ada, bob, eve) = table(live, "ada", "bob", "eve")
    outsider = live.sign_up("mallory")
    for thief, heir in ((bob, bob), (bob, eve), (eve, bob)):
        assert refusal(hand_over(thief, community, heir)) == (403, "PERMISSION_DENIED")
    assert refusal(hand_over(outsider, community, outsider)) == (404, "NOT_FOUND")
    assert refusal(hand_over(ada, community, outsider)) == (404, "NOT_FOUND")
    assert hand_over(bob, community, ada).is_success, "she owns it already: nothing changes"
    assert (owner(bob, community), roles(bob, community, ada)) == (ada.id, ["owner", "member"])


def test_one_owner_whatever_is_done_at_once(live: Live) -> None:
    """Handed to two, one of whom leaves and the other of whom is banned, all at once."""
    for _ in range(4):
        community, (ada, bob, eve) = table(live, "ada", "bob", "eve")
        with ThreadPoolExecutor(6) as threads:
            asked = [
                threads.submit(hand_over, ada, community, bob),
                threads.submit(hand_over, ada, community, eve),
                threads.submit(leave, bob, community),
                threads.submit(leave, ada, community),
                threads.submit(
                    ada.ask,
                    "POST",
                    f"/v1/communities/{community}/bans",
                    json={"user_id": eve.id, "reason": "x"},
                ),
            ]
            replies = [one.result() for one in asked]
        assert all(reply.status_code < 500 for reply in replies), [r.text for r in replies]
        members = [p for p in (ada, bob, eve) if p.do("GET", "/v1/communities")["communities"]]
        owners = {owner(person, community) for person in members}
        assert len(owners) == 1
        assert owners <= {person.id for person in members}
        holding = [p.id for p in members if "owner" in roles(members[0], community, p)]
        assert holding == [*owners]


def test_what_was_done_is_written_down(live: Live) -> None:
    community, (ada, bob, eve) = table(live, "ada", "bob", "eve")
    place = f"/v1/communities/{community}"
    channel = ada.open_channel(community, "first")["id"]
    ada.do("PATCH", f"{place}/channels/{channel}", json={"name": "second"})
    ada.do("PATCH", f"{place}/channels/{channel}", json={"name": "second"})
    ada.do("DELETE", f"{place}/channels/{channel}")
    ada.do("PATCH", place, json={"description": "New."})
    ada.do("DELETE", f"{place}/members/{bob.id}")
    for _ in range(2):
        ada.do("POST", f"{place}/bans", json={"user_id": eve.id, "reason": "spam"})
    for _ in range(2):
        ada.do("DELETE", f"{place}/bans/{eve.id}")
    category = ada.do("POST", f"{place}/categories", json={"name": "Talk"})["id"]
    ada.do("PATCH", f"{place}/categories/{category}", json={"name": "Talks"})
    ada.do("DELETE", f"{place}/categories/{category}")
    secret = ada.do("POST", f"{place}/channels", json={"name": "secret", "private": True})["id"]
    found = log(ada, community)
    assert {entry["actor_id"] for entry in found} == {ada.id}
    expected = [
        ("CHANNEL_CREATED", channel, "first"),
        ("CHANNEL_UPDATED", channel, "second"),
        ("CHANNEL_DELETED", channel, "second"),
        ("COMMUNITY_UPDATED", community, "A table"),
        ("MEMBER_REMOVED", bob.id, ""),
        ("BAN_CREATED", eve.id, ""),
        ("BAN_DELETED", eve.id, ""),
        ("CATEGORY_CREATED", category, "Talk"),
        ("CATEGORY_UPDATED", category, "Talks"),
        ("CATEGORY_DELETED", category, "Talks"),
        ("CHANNEL_CREATED", secret, "secret"),
    ]
    assert [
        (e["action"].removeprefix("AUDIT_ACTION_"), e["target_id"], e["target_name"])
        for e in reversed(found)
    ] == expected
    by_action = {entry["action"].removeprefix("AUDIT_ACTION_"): entry for entry in found}
    assert by_action["BAN_CREATED"]["reason"] == "spam"
    assert by_action["CHANNEL_UPDATED"]["changes"] == [
        {"field": "name", "before": "first", "after": "second"}
    ]
    assert by_action["COMMUNITY_UPDATED"]["changes"] == [
        {"field": "description", "before": "", "after": "New."}
    ]


def test_an_audit_log_is_paged_and_for_those_who_may(live: Live) -> None:
    community, (ada, bob) = table(live, "ada", "bob")
    for number in range(5):
        ada.open_channel(community, f"c{number}")
    place = f"/v1/communities/{community}/audit-log"
    assert refusal(bob.ask("GET", place)) == (403, "PERMISSION_DENIED")
    names: list[str] = []
    token = ""
    while True:
        page = ada.do("GET", place, params={"page_size": 2, "page_token": token})
        names += [entry["target_name"] for entry in page["entries"]]
        token = page["next_page_token"]
        if not token:
            break
        other = ada.ask("GET", f"/v1/communities/{community}/bans", params={"page_token": token})
        assert refusal(other) == (400, "INVALID_PAGE_TOKEN")
    assert names == ["c4", "c3", "c2", "c1", "c0"]
    body = {"name": "auditor", "allow": ["PERMISSION_VIEW_AUDIT_LOG"]}
    role = ada.do("POST", f"/v1/communities/{community}/roles", json=body)["id"]
    ada.do("POST", f"/v1/communities/{community}/members/{bob.id}/roles", json={"role_id": role})
    assert [entry["target_name"] for entry in log(bob, community)][-5:] == names


def test_what_is_refused_is_not_written_down(live: Live) -> None:
    community, (ada, bob, _) = table(live, "ada", "bob", "eve")
    place = f"/v1/communities/{community}"
    for method, path, body in (
        ("DELETE", f"{place}/members/{ada.id}", None),
        ("POST", f"{place}/bans", {"user_id": ada.id}),
        ("POST", f"{place}/categories", {"name": " "}),
    ):
        assert not bob.ask(method, path, json=body).is_success
        assert not ada.ask(method, path, json=body).is_success
    assert log(ada, community) == []


@pytest.mark.parametrize("action", Action)
def test_actions_have_the_numbers_of_the_contract(action: Action) -> None:
    assert int(audit_entry_pb2.AuditAction.Value(f"AUDIT_ACTION_{action.name}")) == action.value


def test_nobody_below_touches_who_stands_above(live: Live) -> None:
    """Editing one's own role up, removing the owner, banning the owner: none of it works."""
    community, (ada, bob, eve) = table(live, "ada", "bob", "eve")
    place = f"/v1/communities/{community}"
    everything = ["MANAGE_ROLES", "BAN_MEMBERS", "REMOVE_MEMBERS"]
    body = {"name": "mod", "allow": [f"PERMISSION_{one}" for one in everything]}
    mod = ada.do("POST", f"{place}/roles", json=body)["id"]
    for person in (bob, eve):
        ada.do("POST", f"{place}/members/{person.id}/roles", json={"role_id": mod})
    more = {"allow": ["PERMISSION_MANAGE_COMMUNITY"]}
    assert refusal(bob.ask("PATCH", f"{place}/roles/{mod}", json=more)) == (403, "ROLE_TOO_HIGH")
    made = bob.ask("POST", f"{place}/roles", json={"name": "up", **more})
    assert refusal(made) == (403, "EXCEEDS_OWN_PERMISSIONS")
    for target, said in ((ada, (400, "LAST_OWNER")), (eve, (403, "ROLE_TOO_HIGH"))):
        assert refusal(bob.ask("DELETE", f"{place}/members/{target.id}")) == said
        banned = bob.ask("POST", f"{place}/bans", json={"user_id": target.id})
        assert refusal(banned) == said
    assert refusal(bob.ask("PATCH", place, json={"name": "x"})) == (403, "PERMISSION_DENIED")
