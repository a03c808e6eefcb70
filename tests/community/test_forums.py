"""Forums: channels whose posts are threads, with tags, guidelines and an order."""

from __future__ import annotations

from typing import Any

import pytest

from creavio.community.v1 import forum_pb2
from services.community.domain.forum import Sort
from tests.live import Live, Person, refusal

FORUM = {
    "guidelines": "Be kind.",
    "tags": [{"name": "Help", "emoji": "🛟"}, {"name": "Ideas", "moderated": True}],
    "tag_required": True,
    "default_sort": "FORUM_SORT_NEWEST",
}


def opened(person: Person, community: str, **more: Any) -> Any:
    body = {"name": "questions", "type": "CHANNEL_TYPE_FORUM", "forum": FORUM, **more}
    return person.do("POST", f"/v1/communities/{community}/channels", json=body)


def changed(person: Person, channel: Any, forum: Any, **more: Any) -> Any:
    path = f"/v1/communities/{channel['community_id']}/channels/{channel['id']}"
    return person.ask("PATCH", path, json={"forum": forum, **more})


@pytest.fixture
def table(live: Live) -> tuple[Person, str]:
    ada = live.sign_up("ada")
    return ada, str(ada.found()["id"])


def test_a_forum_is_listed_and_told_with_what_holds_for_its_posts(
    live: Live, table: tuple[Person, str]
) -> None:
    ada, here = table
    bob = live.sign_up("bob")
    bob.accept(ada.invite(here))
    with bob.listening() as stream:
        made = opened(ada, here, request_id="k")
        assert opened(ada, here, request_id="k") == made
        assert stream.until("channel_created")["channel"] == made
        assert made["forum"]["guidelines"] == "Be kind."
        assert [tag["name"] for tag in made["forum"]["tags"]] == ["Help", "Ideas"]
        said = [(tag["emoji"], tag["moderated"]) for tag in made["forum"]["tags"]]
        assert said == [("🛟", False), ("", True)]
        help_, ideas = made["forum"]["tags"]
        after = {
            "tags": [{"id": ideas["id"], "name": "Wishes"}, {"name": "New"}],
            "guidelines": "Be brief.",
        }
        now = changed(ada, made, after, etag=made["etag"]).json()
        assert stream.until("channel_updated")["channel"] == now
    assert [tag["name"] for tag in now["forum"]["tags"]] == ["Wishes", "New"]
    assert now["forum"]["tags"][0]["id"] == ideas["id"]
    assert help_["id"] not in str(now)
    assert (now["forum"]["tag_required"], now["forum"]["default_sort"]) == (
        False,
        "FORUM_SORT_ACTIVITY",
    )
    assert refusal(changed(ada, made, after, etag=made["etag"])) == (409, "CONCURRENT_CHANGE")
    (listed,) = bob.do("GET", f"/v1/communities/{here}/channels")["channels"]
    assert listed == now
    plain = ada.open_channel(here)
    assert (plain["type"], plain.get("forum")) == ("CHANNEL_TYPE_TEXT", None)


def test_renaming_a_forum_leaves_its_tags(table: tuple[Person, str]) -> None:
    ada, here = table
    made = opened(ada, here)
    path = f"/v1/communities/{here}/channels/{made['id']}"
    now = ada.do("PATCH", path, json={"name": "answers"})
    assert now["forum"] == made["forum"]


@pytest.mark.parametrize(
    "forum",
    [
        {"tags": [{"name": "Help"}, {"name": "HELP"}]},
        {"tags": [{"name": " "}]},
        {"tags": [{"name": "x" * 33}]},
        {"tags": [{"name": f"t{n}"} for n in range(21)]},
        {"tags": [{"id": "tag_01h455vb4pex5vsknk084sn02q", "name": "of another"}]},
        {"tag_required": True},
        {"guidelines": "x" * 2001},
        {"default_sort": 9},
    ],
)
def test_a_forum_that_cannot_be_is_refused(table: tuple[Person, str], forum: Any) -> None:
    ada, here = table
    body = {"name": "x", "type": "CHANNEL_TYPE_FORUM", "forum": forum}
    made = ada.ask("POST", f"/v1/communities/{here}/channels", json=body)
    assert made.status_code == 400
    assert changed(ada, opened(ada, here), forum).status_code == 400


def test_only_forums_are_told_how(table: tuple[Person, str]) -> None:
    ada, here = table
    body = {"name": "x", "forum": FORUM}
    refused = ada.ask("POST", f"/v1/communities/{here}/channels", json=body)
    assert refusal(refused) == (400, "INVALID_FIELD")
    assert refusal(changed(ada, ada.open_channel(here), FORUM)) == (400, "INVALID_FIELD")


def test_whoever_manages_no_channels_changes_no_forum(
    live: Live, table: tuple[Person, str]
) -> None:
    ada, here = table
    bob = live.sign_up("bob")
    bob.accept(ada.invite(here))
    assert refusal(changed(bob, opened(ada, here), {})) == (403, "PERMISSION_DENIED")


def test_orders_are_numbered_as_in_the_contract() -> None:
    theirs = {n.removeprefix("FORUM_SORT_"): v for n, v in forum_pb2.ForumSort.items() if v}
    assert {sort.name: sort.value for sort in Sort} == theirs
