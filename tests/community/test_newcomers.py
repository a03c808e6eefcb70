"""Newcomers who are to accept the rules, and what they may do until then."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from tests.live import Live, Person, refusal

RULES = [{"title": "Be kind", "text": ""}]


class Table:
    """A community with rules that whoever joins is to accept, and who joined before them."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.owner, self.early = live.sign_up("owner"), live.sign_up("early")
        self.id = str(self.owner.found()["id"])
        self.channel = str(self.owner.open_channel(self.id)["id"])
        self.early.accept(self.owner.invite(self.id))
        self.say(rules=RULES, must_accept=True)

    def path(self, rest: str) -> str:
        return f"/v1/communities/{self.id}{rest}"

    def say(self, **said: Any) -> Any:
        return self.owner.do("PATCH", self.path("/onboarding"), json=said)

    def newcomer(self) -> Person:
        person = self.live.sign_up("newcomer")
        person.accept(self.owner.invite(self.id))
        return person

    def accepts(self, person: Person) -> None:
        version = person.do("GET", self.path("/onboarding"))["rules_version"]
        said = {"rules_version": version}
        person.do("POST", self.path("/onboarding:complete"), json=said)

    def is_held_back(self, person: Person) -> bool:
        place = f"/v1/channels/{self.channel}/messages"
        reply = person.ask("POST", place, json={"content": "hello"})
        assert reply.is_success or refusal(reply) == (403, "ONBOARDING_REQUIRED")
        return not reply.is_success


@pytest.fixture
def table(live: Live) -> Table:
    return Table(live)


def test_a_newcomer_sees_everything_and_does_nothing_until_they_accept(table: Table) -> None:
    message = table.owner.send(table.channel, "welcome")["id"]
    bob = table.newcomer()
    place = f"/v1/channels/{table.channel}"
    for verb, path, body in (
        ("POST", f"{place}/messages", {"content": "hello"}),
        ("PATCH", f"{place}/messages/{message}", {"content": "changed"}),
        ("POST", f"{place}/messages/{message}:react", {"emoji": "a"}),
        ("POST", f"{place}/threads", {"name": "mine"}),
        ("POST", table.path("/invites"), {}),
        ("POST", table.path("/channels"), {"name": "mine"}),
        ("PATCH", table.path("/onboarding"), {"must_accept": False}),
        ("POST", table.path("/roles"), {"name": "mine"}),
        ("POST", table.path("/timeouts"), {"user_id": table.early.id, "seconds": 60}),
        ("DELETE", table.path(f"/members/{table.early.id}"), None),
    ):
        reply = bob.ask(verb, path, **({} if body is None else {"json": body}))
        assert refusal(reply) == (403, "ONBOARDING_REQUIRED"), path
    assert [one["content"] for one in bob.messages(table.channel)] == ["welcome"]
    why = {"permission": "PERMISSION_SEND_MESSAGES", "channel_id": table.channel}
    said = bob.do("GET", table.path("/permissions:explain"), params=why)
    assert (said["allowed"], said["steps"][-1]["pending"]) == (False, True)
    with bob.listening() as stream:
        table.accepts(bob)
        stream.until("access_changed")
    bob.send(table.channel, "after")
    reply = bob.ask("POST", table.path("/channels"), json={"name": "mine"})
    assert refusal(reply) == (403, "PERMISSION_DENIED"), "what was never theirs is not now"


def test_it_holds_for_whoever_joins_and_for_nobody_else(table: Table) -> None:
    assert not table.is_held_back(table.early), "who was there before is asked nothing"
    assert not table.is_held_back(table.owner)
    bob = table.newcomer()
    table.accepts(bob)
    table.say(rules=[*RULES, *RULES])
    assert not table.is_held_back(bob), "nor is who accepted the rules there were"
    table.say(must_accept=False)
    assert not table.is_held_back(table.newcomer())
    table.say(must_accept=True, rules=[], update_mask="must_accept,rules")
    assert not table.is_held_back(table.newcomer()), "there is nothing to accept"


def test_nobody_gets_around_it_by_leaving_or_by_a_role(table: Table) -> None:
    bob = table.newcomer()
    bob.do("POST", table.path(":leave"))
    bob.accept(table.owner.invite(table.id))
    assert table.is_held_back(bob)
    role = {"name": "writer", "allow": ["PERMISSION_SEND_MESSAGES"]}
    role_id = table.owner.do("POST", table.path("/roles"), json=role)["id"]
    given = {"role_id": role_id}
    table.owner.do("POST", table.path(f"/members/{bob.id}/roles"), json=given)
    assert table.is_held_back(bob)
    table.accepts(bob)
    assert not table.is_held_back(bob)
    bob.do("POST", table.path(":leave"))
    bob.accept(table.owner.invite(table.id))
    assert table.is_held_back(bob), "who comes back is a newcomer"


def test_a_timeout_is_not_ended_by_accepting(table: Table) -> None:
    bob = table.newcomer()
    timeout = {"user_id": bob.id, "seconds": 600}
    table.owner.do("POST", table.path("/timeouts"), json=timeout)
    table.accepts(bob)
    reply = bob.ask("POST", f"/v1/channels/{table.channel}/messages", json={"content": "x"})
    assert refusal(reply) == (403, "PERMISSION_DENIED")


def test_whoever_is_handed_the_community_has_accepted_its_rules(table: Table) -> None:
    bob = table.newcomer()
    table.owner.do("POST", table.path(":transfer"), json={"user_id": bob.id})
    assert not table.is_held_back(bob)


def test_for_a_bot_accepts_who_adds_it(table: Table) -> None:
    body = {"handle": f"clock_{secrets.token_hex(4)}", "display_name": "Clock"}
    bot = table.owner.do("POST", "/v1/bots", json=body)["user"]["id"]
    table.owner.do("POST", table.path("/bots"), json={"user_id": bot})
    asked = {"permission": "PERMISSION_SEND_MESSAGES", "user_id": bot}
    said = table.owner.do("GET", table.path("/permissions:explain"), params=asked)
    assert said["allowed"]
