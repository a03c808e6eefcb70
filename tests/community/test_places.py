"""Categories, the order of channels, what a community says of itself, as people meet them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chassis import ids
from chassis.errors import NotFound
from creavio.community.v1.channel_service_pb2 import GetChannelRequest
from creavio.community.v1.channel_service_pb2_grpc import ChannelServiceStub
from tests.live import Live, Person, refusal

VIEW, MANAGE = "PERMISSION_VIEW_CHANNEL", "PERMISSION_MANAGE_CHANNELS"
NOWHERE = "ctg_01h455vb4pex5vsknk084sn02q"


def path(community: str, *parts: str) -> str:
    return "/".join((f"/v1/communities/{community}", *parts))


def category(person: Person, community: str, name: str = "Talk") -> Any:
    return person.do("POST", path(community, "categories"), json={"name": name})


def channels(person: Person, community: str) -> list[Any]:
    return list(person.do("GET", path(community, "channels"))["channels"])


def listed(person: Person, community: str, under: str = "") -> list[str]:
    """The names of the channels in a category, in the order in which a client shows them."""
    shown = [one for one in channels(person, community) if one["category_id"] == under]
    return [one["name"] for one in sorted(shown, key=lambda one: (one["position"], one["id"]))]


def moved(person: Person, community: str, channel: Any, **where: str) -> Any:
    return person.do("PATCH", path(community, "channels", channel["id"]), json=where)


def member(live: Live, owner: Person, community: str, *permissions: str) -> Person:
    """Somebody who joined, with a role that allows this."""
    person = live.sign_up("member")
    person.accept(owner.invite(community))
    if permissions:
        body = {"name": "role", "allow": list(permissions)}
        role = owner.do("POST", path(community, "roles"), json=body)["id"]
        owner.do("POST", path(community, "members", person.id, "roles"), json={"role_id": role})
    return person


def private(person: Person, community: str, name: str = "secret") -> Any:
    return person.do("POST", path(community, "channels"), json={"name": name, "private": True})


def test_channels_stand_where_they_were_put(live: Live) -> None:
    ada = live.sign_up("ada")
    here = ada.found()["id"]
    a, b, c = (ada.open_channel(here, name) for name in "abc")
    assert listed(ada, here) == ["a", "b", "c"]
    moved(ada, here, c, after_channel_id="")
    moved(ada, here, a, after_channel_id=b["id"])
    assert listed(ada, here) == ["c", "b", "a"]
    talk = category(ada, here)["id"]
    moved(ada, here, a, category_id=talk)
    moved(ada, here, c, category_id=talk)
    moved(ada, here, b, category_id=talk, after_channel_id=a["id"])
    assert (listed(ada, here), listed(ada, here, talk)) == ([], ["a", "b", "c"])
    body = {"name": "d", "category_id": talk, "topic": "new"}
    made = ada.do("POST", path(here, "channels"), json=body)
    assert (made["topic"], listed(ada, here, talk)) == ("new", ["a", "b", "c", "d"])
    back = moved(ada, here, b, category_id="", update_mask="category_id")
    assert (back["category_id"], listed(ada, here)) == ("", ["b"])


def test_a_channel_follows_only_one_of_its_category(live: Live) -> None:
    ada = live.sign_up("ada")
    here, there = ada.found()["id"], ada.found()["id"]
    a, b, foreign = (ada.open_channel(place) for place in (here, here, there))
    talk, elsewhere = category(ada, here)["id"], category(ada, there)["id"]
    moved(ada, here, b, category_id=talk)
    for body in (
        {"after_channel_id": b["id"]},
        {"after_channel_id": a["id"]},
        {"after_channel_id": foreign["id"]},
        {"category_id": NOWHERE},
        {"category_id": elsewhere},
    ):
        refused = ada.ask("PATCH", path(here, "channels", a["id"]), json=body)
        assert refusal(refused) == (404, "NOT_FOUND"), body
    for method in ("PATCH", "DELETE"):
        reply = ada.ask(method, path(here, "channels", foreign["id"]), json={"name": "mine"})
        assert method == "DELETE" or refusal(reply) == (404, "NOT_FOUND")
    assert [one["name"] for one in channels(ada, there)] == ["general"]
    refused = ada.ask("POST", path(here, "channels"), json={"name": "x", "category_id": elsewhere})
    assert refusal(refused) == (404, "NOT_FOUND")


def test_all_moves_made_at_once_leave_one_order(live: Live) -> None:
    ada = live.sign_up("ada")
    here = ada.found()["id"]
    made = [ada.open_channel(here, f"c{number}") for number in range(6)]
    talk = category(ada, here)["id"]
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda one: moved(ada, here, one, after_channel_id=""), made * 3))
        list(threads.map(lambda one: moved(ada, here, one, category_id=talk), made))
    found = channels(ada, here)
    assert len({one["position"] for one in found}) == len(made)
    assert {one["category_id"] for one in found} == {talk}


def test_categories_have_an_order_and_leave_their_channels(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    here = ada.found()["id"]
    bob.accept(ada.invite(here))
    a, b, c = (category(ada, here, name) for name in "abc")
    move = {"after_category_id": ""}
    assert ada.do("PATCH", path(here, "categories", c["id"]), json=move)["name"] == "c"
    ada.do(
        "PATCH",
        path(here, "categories", a["id"]),
        json={"after_category_id": b["id"], "name": "A"},
    )
    names = [one["name"] for one in bob.do("GET", path(here, "categories"))["categories"]]
    assert names == ["c", "b", "A"]
    body = {"name": "in it", "category_id": b["id"]}
    ada.do("POST", path(here, "channels"), json=body)
    ada.open_channel(here, "outside")
    ada.do("DELETE", path(here, "categories", b["id"]))
    assert ada.do("DELETE", path(here, "categories", b["id"])) == {}
    assert listed(ada, here) == ["outside", "in it"]
    for wrong in (b["id"], c["id"]):
        refused = ada.ask(
            "PATCH", path(here, "categories", c["id"]), json={"after_category_id": wrong}
        )
        assert refusal(refused) == (404, "NOT_FOUND")


def test_there_are_a_hundred_categories_at_most(live: Live) -> None:
    ada = live.sign_up("ada")
    here = ada.found()["id"]
    with ThreadPoolExecutor(4) as threads:
        asked = list(
            threads.map(
                lambda n: ada.ask("POST", path(here, "categories"), json={"name": f"c{n}"}),
                range(103),
            )
        )
    assert [refusal(reply) for reply in asked if not reply.is_success] == [
        (400, "LIMIT_REACHED")
    ] * 3
    assert len(ada.do("GET", path(here, "categories"))["categories"]) == 100


def test_what_changed_meanwhile_is_not_overwritten(live: Live) -> None:
    ada = live.sign_up("ada")
    community = ada.found()
    here = community["id"]
    channel, talk = ada.open_channel(here), category(ada, here)
    for place, read in (
        (path(here), community),
        (path(here, "channels", channel["id"]), channel),
        (path(here, "categories", talk["id"]), talk),
    ):
        changed = ada.do("PATCH", place, json={"name": "one", "etag": read["etag"]})
        assert (changed["name"], changed["etag"] != read["etag"]) == ("one", True)
        refused = ada.ask("PATCH", place, json={"name": "two", "etag": read["etag"]})
        assert refusal(refused) == (409, "CONCURRENT_CHANGE")
        refused = ada.ask("PATCH", place, json={"name": "  "})
        assert refusal(refused) == (400, "INVALID_FIELD")
        refused = ada.ask("PATCH", place, json={"update_mask": "etag"})
        assert refusal(refused) == (400, "INVALID_FIELD")


def test_a_community_says_something_of_itself(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    here = ada.found()["id"]
    bob.accept(ada.invite(here))
    body = {"description": "We\nmeet.", "visibility": "VISIBILITY_PUBLIC", "icon": "med_1"}
    with bob.listening() as heard:
        changed = ada.do("PATCH", path(here), json=body)
        assert {name: changed[name] for name in body} == body
        assert heard.until("community_updated")["community"] == changed
    assert bob.do("GET", path(here)) == changed
    cleared = ada.do("PATCH", path(here), json={"update_mask": "description,icon"})
    assert (cleared["description"], cleared["icon"]) == ("", "")
    assert cleared["visibility"] == "VISIBILITY_PUBLIC"
    for wrong in ({"icon": "../x"}, {"visibility": 0}, {"description": "x" * 1025}):
        assert refusal(ada.ask("PATCH", path(here), json=wrong)) == (400, "INVALID_FIELD")


def test_a_deleted_channel_is_gone_for_everybody(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    here = ada.found()["id"]
    bob.accept(ada.invite(here))
    channel = ada.open_channel(here)
    with bob.listening() as heard:
        for _ in range(2):
            assert ada.do("DELETE", path(here, "channels", channel["id"])) == {}
        assert heard.until("channel_deleted") == {"community_id": here, "channel_id": channel["id"]}
    assert channels(bob, here) == []
    refused = ada.ask("PATCH", path(here, "channels", channel["id"]), json={"name": "back"})
    assert refusal(refused) == (404, "NOT_FOUND")


async def test_services_find_a_deleted_channel_no_more(live: Live) -> None:
    ada = live.sign_up("ada")
    here = ada.found()["id"]
    channel = ada.open_channel(here)["id"]
    ada.do("DELETE", path(here, "channels", channel))
    async with live.as_service("chat") as chat:
        stub = ChannelServiceStub(chat.channel)
        with pytest.raises(NotFound):
            await chat.call(stub.GetChannel, GetChannelRequest(channel_id=channel))


def test_nobody_learns_of_a_channel_they_do_not_see(live: Live) -> None:
    """A guest, and somebody who may manage channels, next to a private one."""
    ada = live.sign_up("ada")
    here = ada.found()["id"]
    secret, plain = private(ada, here), ada.open_channel(here, "plain")
    guest, manager = member(live, ada, here), member(live, ada, here, MANAGE)
    for person in (guest, manager):
        assert [one["id"] for one in channels(person, here)] == [plain["id"]]
    nothing = ids.text(ids.Kind.CHANNEL, ids.new())
    for hidden in (secret["id"], nothing):
        for place, body in (
            (path(here, "channels", hidden), {"name": "found"}),
            (path(here, "channels", plain["id"]), {"after_channel_id": hidden}),
        ):
            assert refusal(manager.ask("PATCH", place, json=body)) == (404, "NOT_FOUND")
        assert manager.do("DELETE", path(here, "channels", hidden)) == {}
    assert [one["name"] for one in channels(ada, here)] == ["secret", "plain"]


def test_only_those_who_saw_a_channel_hear_of_it(live: Live) -> None:
    ada = live.sign_up("ada")
    here = ada.found()["id"]
    secret = private(ada, here)
    guest = member(live, ada, here)
    with guest.listening() as heard:
        moved(ada, here, secret, name="deeper")
        talk = category(ada, here)["id"]
        moved(ada, here, secret, category_id=talk)
        ada.do("DELETE", path(here, "categories", talk))
        ada.do("DELETE", path(here, "channels", secret["id"]))
        ada.open_channel(here, "the end")
        assert heard.until("channel_created")["channel"]["name"] == "the end"
    kinds = {kind for event in heard.seen for kind in event} & {
        "channel_updated",
        "channel_deleted",
    }
    assert not kinds
    assert secret["id"] not in str(heard.seen)
