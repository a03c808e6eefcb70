"""Emoji, as people meet them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chassis import ids
from chassis.database import Database
from services.community import store
from services.community.domain import LimitReached
from services.community.domain.emoji import EMOJI, Emoji, EmojiNameTaken, may_have_another_emoji
from tests.community.world import ADA, NOW, World
from tests.live import Live, Person, refusal

FILE = "file_01h455vb4pex5vsknk084sn02q"


def path(community: str, *parts: str) -> str:
    return "/".join((f"/v1/communities/{community}/emoji", *parts))


def added(person: Person, community: str, name: str, **more: Any) -> Any:
    body = {"name": name, "file_id": FILE, **more}
    return person.do("POST", path(community), json=body)


def names(person: Person, community: str) -> list[str]:
    return [each["name"] for each in person.do("GET", path(community))["emoji"]]


def test_members_are_told_of_emoji_and_list_them_by_name(live: Live) -> None:
    ada, bob = live.sign_up("ada"), live.sign_up("bob")
    here = ada.found()["id"]
    bob.accept(ada.invite(here))
    with bob.listening() as stream:
        wave = added(ada, here, "wave")
        assert stream.until("emoji_created")["emoji"] == wave
        added(ada, here, "ahoy")
        assert names(bob, here) == ["ahoy", "wave"]
        renamed = ada.do("PATCH", path(here, wave["id"]), json={"name": "hello"})
        assert stream.until("emoji_updated")["emoji"] == renamed == {**wave, "name": "hello"}
        for _ in range(2):
            ada.do("DELETE", path(here, wave["id"]))
        assert stream.until("emoji_deleted") == {"community_id": here, "emoji_id": wave["id"]}
    assert names(bob, here) == ["ahoy"]
    log = ada.do("GET", f"/v1/communities/{here}/audit-log?target_id={wave['id']}")["entries"]
    assert [e["action"].removeprefix("AUDIT_ACTION_EMOJI_") for e in log] == [
        "DELETED",
        "UPDATED",
        "CREATED",
    ]


def test_a_name_is_of_one_emoji_also_when_many_want_it_at_once(live: Live) -> None:
    ada = live.sign_up("ada")
    here, there = ada.found()["id"], ada.found()["id"]
    body = {"name": "wave", "file_id": FILE}
    with ThreadPoolExecutor(6) as threads:
        replies = list(threads.map(lambda _: ada.ask("POST", path(here), json=body), range(6)))
    refused = [refusal(reply) for reply in replies if not reply.is_success]
    assert refused == [(409, "EMOJI_NAME_TAKEN")] * 5
    other = added(ada, here, "other")
    reply = ada.ask("PATCH", path(here, other["id"]), json={"name": "wave"})
    assert refusal(reply) == (409, "EMOJI_NAME_TAKEN")
    assert ada.do("PATCH", path(here, other["id"]), json={"name": "other"}) == other
    added(ada, there, "wave")


def test_a_request_sent_twice_adds_one(live: Live) -> None:
    ada = live.sign_up("ada")
    here = ada.found()["id"]
    assert added(ada, here, "wave", request_id="k") == added(ada, here, "wave", request_id="k")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a"},
        {"name": "Wave"},
        {"name": "w:x"},
        {"name": "x" * 33},
        {"file_id": "https://example.org/x.png"},
        {"file_id": "../x"},
    ],
)
def test_names_and_files_have_their_shape(live: Live, body: dict[str, str]) -> None:
    ada = live.sign_up("ada")
    here = ada.found()["id"]
    reply = ada.ask("POST", path(here), json={"name": "wave", "file_id": FILE, **body})
    assert refusal(reply)[0] == 400


def test_an_emoji_of_another_community_is_none(live: Live) -> None:
    ada, eve = live.sign_up("ada"), live.sign_up("eve")
    here, there = ada.found()["id"], eve.found()["id"]
    wave = added(ada, here, "wave")
    reply = eve.ask("PATCH", path(there, wave["id"]), json={"name": "mine"})
    assert refusal(reply) == (404, "NOT_FOUND")
    eve.do("DELETE", path(there, wave["id"]))
    assert names(ada, here) == ["wave"]


def test_there_are_so_many_and_no_more() -> None:
    may_have_another_emoji(EMOJI - 1)
    with pytest.raises(LimitReached):
        may_have_another_emoji(EMOJI)


async def test_two_that_differ_in_nothing_else_are_told_apart_by_the_store(world: World) -> None:
    community = await world.found()
    one, two = (Emoji(ids.new(), community.id, "wave", FILE, ADA, NOW) for _ in range(2))
    database: Database = world.database
    async with database.transaction() as tx:
        await store.add_emoji(tx, one)
        with pytest.raises(EmojiNameTaken):
            await store.add_emoji(tx, two)
