"""The ways into a community: by invites that end, and through the open door."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote
import uuid

import httpx
import pytest

from chassis import ids
from tests.live import Live, Person, refusal

TABLE = "/v1/communities/{}"


def invite(person: Person, community: str, **said: int) -> Any:
    return person.do("POST", f"{TABLE.format(community)}/invites", json=said)


def accept(person: Person, code: str) -> httpx.Response:
    return person.ask("POST", f"/v1/invites/{code}:accept")


def invites(person: Person, community: str) -> list[Any]:
    return list(person.do("GET", f"{TABLE.format(community)}/invites")["invites"])


def revoke(person: Person, community: str, code: str) -> httpx.Response:
    return person.ask("DELETE", f"{TABLE.format(community)}/invites/{code}")


def publish(person: Person, name: str) -> str:
    """A public community."""
    community = person.found(name)["id"]
    person.do("PATCH", TABLE.format(community), json={"visibility": "VISIBILITY_PUBLIC"})
    return str(community)


def join(person: Person, community: str) -> httpx.Response:
    return person.ask("POST", f"{TABLE.format(community)}:join")


def discover(person: Person, prefix: str, size: int = 50) -> list[str]:
    """The names found, page by page."""
    names: list[str] = []
    token = ""
    while True:
        query = f"name_prefix={quote(prefix)}&page_size={size}&page_token={token}"
        page = person.do("GET", f"/v1/communities:discover?{query}")
        assert len(page["communities"]) <= size
        names += [one["name"] for one in page["communities"]]
        token = page["next_page_token"]
        if not token:
            return names


def test_an_invite_lets_in_no_more_than_it_says_however_many_come_at_once(live: Live) -> None:
    ada = live.sign_up("ada")
    community = ada.found()["id"]
    code = invite(ada, community, max_uses=3)["code"]
    with ThreadPoolExecutor(8) as threads:
        people = list(threads.map(lambda _: live.sign_up("guest"), range(8)))
        replies = list(threads.map(lambda person: accept(person, code), [*people, *people]))
    inside = [p for p in people if p.do("GET", "/v1/communities")["communities"]]
    assert len(inside) == 3
    assert sum(reply.is_success for reply in replies) == 6, "who is inside may accept again"
    refused = {refusal(reply) for reply in replies if not reply.is_success}
    assert refused == {(404, "INVITE_NOT_FOUND")}
    (left,) = invites(ada, community)
    assert (left["uses"], left["max_uses"]) == (3, 3)
    assert accept(inside[0], code).is_success


def test_an_invite_lasts_as_long_as_its_maker_says(live: Live) -> None:
    ada = live.sign_up("ada")
    community = ada.found()["id"]
    made = [invite(ada, community, lifetime_seconds=n) for n in (60, 30 * 86_400)]
    assert made[0]["expire_time"] < made[1]["expire_time"]
    for wrong in (
        {"lifetime_seconds": 59},
        {"lifetime_seconds": 0},
        {"lifetime_seconds": 30 * 86_400 + 1},
        {"max_uses": -1},
        {"max_uses": 1_001},
    ):
        refused = ada.ask("POST", f"{TABLE.format(community)}/invites", json=wrong)
        assert refusal(refused) == (400, "INVALID_FIELD")
    assert [one["code"] for one in invites(ada, community)] == [one["code"] for one in made[::-1]]


def test_a_revoked_invite_lets_nobody_in(live: Live) -> None:
    ada, bob, eve, dan = (live.sign_up(name) for name in ("ada", "bob", "eve", "dan"))
    community, elsewhere = ada.found()["id"], dan.found()["id"]
    for person in (bob, eve):
        person.accept(ada.invite(community))
    first, second = (invite(bob, community)["code"] for _ in range(2))
    assert refusal(revoke(eve, community, first)) == (403, "PERMISSION_DENIED")
    assert refusal(bob.ask("GET", f"{TABLE.format(community)}/invites")) == (
        403,
        "PERMISSION_DENIED",
    )
    assert revoke(dan, elsewhere, first).is_success, "it is none of his community's"
    for person, code in ((bob, first), (ada, second), (bob, first)):
        assert revoke(person, community, code).json() == {}
    for code in (first, second):
        assert refusal(accept(dan, code)) == (404, "INVITE_NOT_FOUND")
    log = ada.do("GET", f"{TABLE.format(community)}/audit-log")["entries"]
    assert [(one["action"], one["target_id"]) for one in log] == [
        ("AUDIT_ACTION_INVITE_REVOKED", bob.id)
    ]
    assert second not in str(log), "a code is worth as much as a key"


def test_invites_are_listed_page_by_page(live: Live) -> None:
    ada = live.sign_up("ada")
    community = ada.found()["id"]
    made = [invite(ada, community)["code"] for _ in range(5)]
    found: list[str] = []
    token = ""
    while True:
        query: dict[str, str | int] = {"page_size": 2, "page_token": token}
        page = ada.do("GET", f"{TABLE.format(community)}/invites", params=query)
        found += [one["code"] for one in page["invites"]]
        token = page["next_page_token"]
        if not token:
            break
    assert found == made[::-1]


def test_public_communities_are_found_by_the_beginning_of_their_names(live: Live) -> None:
    ada, eve = live.sign_up("ada"), live.sign_up("eve")
    mark = uuid.uuid4().hex[:10]
    names = [f"{mark} Go", f"{mark.upper()} chess", f"{mark} Émile", f"{mark} go!"]
    for name in names:
        publish(ada, name)
    ada.found(f"{mark} secret")
    in_order = [names[1], names[0], names[3], names[2]]
    assert discover(eve, mark) == discover(eve, mark.upper(), 1) == in_order
    assert discover(eve, f"{mark} GO") == [names[0], names[3]]
    assert discover(eve, f"{mark} é") == [names[2]]
    for nothing in (f"{mark}%", "%" + mark, f"{mark[:-1]}_", f"{mark} secret"):
        assert discover(eve, nothing) == []


def test_a_place_in_one_search_is_none_in_another(live: Live) -> None:
    ada = live.sign_up("ada")
    mark = uuid.uuid4().hex[:10]
    for number in range(2):
        publish(ada, f"{mark} {number}")
    query: dict[str, str | int] = {"name_prefix": mark, "page_size": 1}
    path = "/v1/communities:discover"
    token = ada.do("GET", path, params=query)["next_page_token"]
    for other in ({"name_prefix": mark[:4]}, {}):
        refused = ada.ask("GET", path, params={**other, "page_token": token})
        assert refusal(refused) == (400, "INVALID_PAGE_TOKEN")


def test_anybody_joins_a_public_community_and_nobody_a_private_one(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    public, private = publish(ada, "Open"), ada.found("Closed")["id"]
    channel = ada.open_channel(public)["id"]
    assert join(bob, public).json()["id"] == public
    seen = bob.do("GET", f"{TABLE.format(public)}/channels")["channels"]
    assert [one["id"] for one in seen] == [channel], "open to the very next call"
    assert join(bob, public).is_success, "a member who joins again stays one"
    refused = join(bob, private)
    nowhere = ids.text(ids.Kind.COMMUNITY, ids.new())
    assert refusal(refused) == (404, "NOT_FOUND")
    assert refused.text.replace(private, nowhere) == join(bob, nowhere).text, "told apart"
    ada.do("PATCH", TABLE.format(public), json={"visibility": "VISIBILITY_PRIVATE"})
    assert refusal(join(live.sign_up("eve"), public)) == (404, "NOT_FOUND")


@pytest.mark.parametrize("way", ["join", "invite"])
def test_who_is_banned_comes_in_by_no_way(live: Live, way: str) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    public = publish(ada, "Open")
    code = invite(ada, public, max_uses=1)["code"]
    ada.do("POST", f"{TABLE.format(public)}/bans", json={"user_id": bob.id})
    for _ in range(2):
        refused = join(bob, public) if way == "join" else accept(bob, code)
        assert refusal(refused) == (403, "BANNED")
    assert accept(live.sign_up("eve"), code).is_success, "and used nothing up"


def test_names_that_change_are_found_as_they_are(live: Live) -> None:
    ada = live.sign_up("ada")
    mark = uuid.uuid4().hex[:10]
    community = publish(ada, f"{mark} before")
    ada.do("PATCH", TABLE.format(community), json={"name": f"{mark} after"})
    assert discover(ada, f"{mark} b") == []
    assert discover(ada, f"{mark} A") == [f"{mark} after"]
