"""Communities, as people meet them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.errors import NotFound
from chassis.testing import eventually
from creavio.community.v1.channel_service_pb2 import GetChannelRequest
from creavio.community.v1.channel_service_pb2_grpc import ChannelServiceStub
from creavio.community.v1.member_service_pb2 import ListMembershipsRequest
from creavio.community.v1.member_service_pb2_grpc import MemberServiceStub
from tests.live import Live, Person, refusal


def pages(person: Person, path: str, field: str, size: int) -> list[list[Any]]:
    """Every page of a list."""
    found: list[list[Any]] = []
    token = ""
    while True:
        page = person.do("GET", path, params={"page_size": size, "page_token": token})
        found.append(page[field])
        token = page["next_page_token"]
        if not token:
            return found


def nowhere(kind: ids.Kind) -> str:
    return ids.text(kind, ids.new())


def test_a_founder_owns_what_they_found(live: Live) -> None:
    ada = live.sign_up("ada")
    community = ada.found("  A round table ")
    assert (community["name"], community["owner_id"]) == ("A round table", ada.id)
    assert ada.do("GET", f"/v1/communities/{community['id']}") == community
    assert ada.do("GET", "/v1/communities")["communities"] == [community]


def test_communities_are_listed_in_the_order_of_joining(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    theirs = [ada.found(f"Table {number}") for number in range(3)]
    mine = bob.found("Mine")
    expected = [mine, *(bob.accept(ada.invite(table["id"])) for table in reversed(theirs))]
    found = pages(bob, "/v1/communities", "communities", 3)
    assert [len(page) for page in found] == [3, 1]
    assert [community for page in found for community in page] == expected
    assert pages(bob, "/v1/communities", "communities", 4) == [expected]


def test_channels_are_listed_oldest_first(live: Live) -> None:
    ada = live.sign_up("ada")
    community = ada.found()["id"]
    channels = [ada.open_channel(community, f"channel {number}") for number in range(5)]
    found = pages(ada, f"/v1/communities/{community}/channels", "channels", 2)
    assert [len(page) for page in found] == [2, 2, 1]
    assert [channel for page in found for channel in page] == channels


def test_a_page_token_is_good_for_its_list_and_person(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    here, there = ada.found("Here")["id"], ada.found("There")["id"]
    bob.accept(ada.invite(here))
    for place in (here, there):
        for number in range(2):
            ada.open_channel(place, f"channel {number}")
    path = f"/v1/communities/{here}/channels"
    token = ada.do("GET", path, params={"page_size": 1})["next_page_token"]
    for person, other in (
        (bob, path),
        (ada, f"/v1/communities/{there}/channels"),
        (ada, "/v1/communities"),
    ):
        refused = person.ask("GET", other, params={"page_token": token})
        assert refusal(refused) == (400, "INVALID_PAGE_TOKEN")
    assert ada.ask("GET", path, params={"page_token": token}).is_success


@pytest.mark.parametrize("size", [-1, 101])
def test_a_page_has_at_most_a_hundred(live: Live, size: int) -> None:
    ada = live.sign_up("ada")
    refused = ada.ask("GET", "/v1/communities", params={"page_size": size})
    assert refusal(refused) == (400, "INVALID_FIELD")


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "two\nlines", "a\x00b"])
def test_a_bad_name_is_refused(live: Live, name: str) -> None:
    ada = live.sign_up("ada")
    community = ada.found()["id"]
    for path in ("/v1/communities", f"/v1/communities/{community}/channels"):
        refused = ada.ask("POST", path, json={"name": name})
        assert refusal(refused) == (400, "INVALID_FIELD")
        violations = refused.json()["details"][1]["field_violations"]
        assert {violation["field"] for violation in violations} == {"name"}


def test_a_request_sent_again_has_one_effect(live: Live) -> None:
    ada = live.sign_up("ada")
    community = ada.found()["id"]
    for path, body, other in (
        ("/v1/communities", {"name": "Once"}, {"name": "Twice"}),
        (f"/v1/communities/{community}/channels", {"name": "once"}, {"name": "twice"}),
    ):
        first = ada.do("POST", path, json={**body, "request_id": "key"})
        assert ada.do("POST", path, json={**body, "request_id": "key"}) == first
        assert ada.do("POST", path, json=body, headers={"Idempotency-Key": "key"}) == first
        refused = ada.ask("POST", path, json={**other, "request_id": "key"})
        assert refusal(refused) == (409, "IDEMPOTENCY_KEY_REUSED")
        assert ada.do("POST", path, json={**body, "request_id": "another"}) != first
    path = f"/v1/communities/{community}/invites"
    code = ada.do("POST", path, json={"request_id": "key"})["code"]
    assert ada.do("POST", path, json={"request_id": "key"})["code"] == code
    assert ada.invite(community) != code


def test_founding_at_once_under_one_key_founds_once(live: Live) -> None:
    ada = live.sign_up("ada")
    with ThreadPoolExecutor(6) as threads:
        founded = list(
            threads.map(
                lambda _: ada.do("POST", "/v1/communities", json={"name": "X", "request_id": "k"}),
                range(6),
            )
        )
    assert all(community == founded[0] for community in founded)
    assert ada.do("GET", "/v1/communities")["communities"] == founded[:1]


def test_accepting_at_once_makes_one_member_who_is_told_of_once(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    community = ada.found()["id"]
    code = ada.invite(community)
    with ada.listening(read_timeout=2) as heard:
        with ThreadPoolExecutor(6) as threads:
            accepted = list(threads.map(lambda _: bob.accept(code), range(6)))
        assert {reply["id"] for reply in accepted} == {community}
        assert len(bob.do("GET", "/v1/communities")["communities"]) == 1
        assert heard.until("member_joined")["member"]["user_id"] == bob.id
        with pytest.raises(httpx.ReadTimeout):
            heard.until("member_joined")


def test_an_invite_is_used_by_many_and_never_by_chance(live: Live) -> None:
    ada = live.sign_up("ada")
    community = ada.found()["id"]
    code = ada.invite(community)
    for name in ("bob", "eve"):
        assert live.sign_up(name).accept(code)["id"] == community
    assert ada.accept(code)["id"] == community, "a member who accepts again stays one"
    for wrong in (code.swapcase(), code[:-1], "0" * 10):
        refused = live.sign_up("dan").ask("POST", f"/v1/invites/{wrong}:accept")
        assert refusal(refused) == (404, "INVITE_NOT_FOUND")


def test_an_invite_that_expired_leads_nowhere(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    invite = ada.do("POST", f"/v1/communities/{ada.found()['id']}/invites", json={})
    engine = sa.create_engine(live.database_url("creavio_community"), poolclass=sa.NullPool)
    with engine.begin() as connection:
        query = sa.text("UPDATE invite SET expire_time = now() WHERE code = :code")
        assert connection.execute(query, {"code": invite["code"]}).rowcount == 1
    refused = bob.ask("POST", f"/v1/invites/{invite['code']}:accept")
    assert refusal(refused) == (404, "INVITE_NOT_FOUND")
    assert bob.do("GET", "/v1/communities")["communities"] == []


def test_members_may_invite_and_not_manage(live: Live) -> None:
    ada, bob, eve = (live.sign_up(name) for name in ("ada", "bob", "eve"))
    community = ada.found()["id"]
    bob.accept(ada.invite(community))
    eve.accept(bob.invite(community))
    for method, path, body in (
        ("POST", f"/v1/communities/{community}/channels", {"name": "mine"}),
        ("DELETE", f"/v1/communities/{community}/members/{eve.id}", None),
        ("DELETE", f"/v1/communities/{community}/members/{bob.id}", None),
    ):
        assert refusal(bob.ask(method, path, json=body)) == (403, "PERMISSION_DENIED")


def test_the_owner_cannot_be_removed(live: Live) -> None:
    ada = live.sign_up("ada")
    community = ada.found()["id"]
    refused = ada.ask("DELETE", f"/v1/communities/{community}/members/{ada.id}")
    assert refused.status_code == 400
    assert refused.json()["details"][0]["reason"] == "LAST_OWNER"
    assert ada.do("GET", "/v1/communities")["communities"][0]["id"] == community


def test_who_is_no_member_cannot_be_removed(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    community = ada.found()["id"]
    place = f"/v1/communities/{community}/members"
    assert refusal(ada.ask("DELETE", f"{place}/{bob.id}")) == (404, "NOT_FOUND")
    bob.accept(ada.invite(community))
    assert ada.do("DELETE", f"{place}/{bob.id}") == {}
    assert refusal(ada.ask("DELETE", f"{place}/{bob.id}")) == (404, "NOT_FOUND")


def places(community: str) -> list[tuple[str, str, Any]]:
    """Every call that names a community."""
    return [
        ("GET", f"/v1/communities/{community}", None),
        ("GET", f"/v1/communities/{community}/channels", None),
        ("POST", f"/v1/communities/{community}/channels", {"name": "mine"}),
        ("POST", f"/v1/communities/{community}/invites", {}),
        ("DELETE", f"/v1/communities/{community}/members/{nowhere(ids.Kind.USER)}", None),
    ]


def test_to_an_outsider_it_looks_like_nothing(live: Live) -> None:
    ada, eve = live.sign_up("ada"), live.sign_up("eve")
    there, nothing = ada.found()["id"], nowhere(ids.Kind.COMMUNITY)
    for real, imagined in zip(places(there), places(nothing), strict=True):
        method, path, body = real
        refused = eve.ask(method, path, json=body)
        assert refusal(refused) == (404, "NOT_FOUND"), path
        other = eve.ask(method, imagined[1], json=body)
        assert refused.text.replace(there, nothing) == other.text, "told apart"


async def test_who_was_removed_is_outside_within_moments(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    community = ada.found()["id"]
    bob.accept(ada.invite(community))
    ask = ("GET", f"/v1/communities/{community}")
    assert bob.ask(*ask).is_success
    ada.do("DELETE", f"/v1/communities/{community}/members/{bob.id}")

    async def outside() -> None:
        assert bob.ask(*ask).status_code == 404

    await eventually(outside, within=0.25)
    for method, path, body in places(community):
        assert refusal(bob.ask(method, path, json=body)) == (404, "NOT_FOUND"), path
    assert bob.do("GET", "/v1/communities")["communities"] == []


async def test_services_learn_where_a_channel_and_a_person_belong(live: Live) -> None:
    ada = live.sign_up("ada")
    communities = [ada.found(f"Table {number}")["id"] for number in range(3)]
    channel = ada.open_channel(communities[1])
    async with live.as_service("gateway") as gateway:
        channels, members = ChannelServiceStub(gateway.channel), MemberServiceStub(gateway.channel)
        found = await gateway.call(channels.GetChannel, GetChannelRequest(channel_id=channel["id"]))
        assert (found.id, found.community_id) == (channel["id"], communities[1])
        with pytest.raises(NotFound):
            await gateway.call(
                channels.GetChannel, GetChannelRequest(channel_id=nowhere(ids.Kind.CHANNEL))
            )
        belongs = await gateway.call(
            members.ListMemberships, ListMembershipsRequest(user_id=ada.id)
        )
        assert [member.community_id for member in belongs.members] == communities
        nobody = await gateway.call(
            members.ListMemberships, ListMembershipsRequest(user_id=nowhere(ids.Kind.USER))
        )
        assert not nobody.members
