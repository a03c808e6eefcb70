"""What was taken from somebody is gone from streams that were open, within a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import threading
import time
from typing import Any

import pytest

from tests.e2e.readers import Reader, eventually, reading
from tests.live import Live, Person

STREAMS = 4
"""Enough that each of the two gateways holds some."""


@dataclass
class Scene:
    """A community with somebody in it, whose streams are open."""

    owner: Person
    member: Person
    community: str
    channel: str
    streams: list[Reader]

    def path(self, rest: str) -> str:
        return f"/v1/communities/{self.community}{rest}"

    def role(self, allow: list[str]) -> str:
        """A role of the member's own."""
        body = {"name": "keyholder", "allow": [f"PERMISSION_{name}" for name in allow]}
        role = str(self.owner.do("POST", self.path("/roles"), json=body)["id"])
        grant = {"role_id": role}
        self.owner.do("POST", self.path(f"/members/{self.member.id}/roles"), json=grant)
        return role

    def private(self, target: str) -> str:
        """A private channel that a role or member may see."""
        body = {"name": "vault", "private": True}
        channel = str(self.owner.do("POST", self.path("/channels"), json=body)["id"])
        self.let_in(channel, target)
        return channel

    def let_in(self, channel: str, target: str, *, shut: bool = False) -> None:
        said = {"deny" if shut else "allow": ["PERMISSION_VIEW_CHANNEL"]}
        self.owner.do("PUT", self.path(f"/channels/{channel}/overrides/{target}"), json=said)

    def everybody_reads(self, channel: str, text: str) -> None:
        """Return once every stream was told of a message sent now."""
        self.owner.send(channel, text)
        for stream in self.streams:
            eventually(lambda s=stream: text in s.texts(), 5, f"{text} was not told")  # type: ignore[misc]


@contextmanager
def scene(live: Live) -> Iterator[Scene]:
    owner, member = live.sign_up("owner"), live.sign_up("member")
    community = str(owner.found()["id"])
    channel = str(owner.open_channel(community)["id"])
    member.accept(owner.invite(community))
    with reading(member, STREAMS) as streams:
        it = Scene(owner, member, community, channel, streams)
        it.everybody_reads(channel, "hello")
        yield it


@contextmanager
def talking(owner: Person, channel: str) -> Iterator[dict[str, float]]:
    """Somebody goes on talking: what they said, and when it was sent off."""
    said: dict[str, float] = {}
    stop = threading.Event()

    def talk() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            text = f"said {number}"
            said[text] = time.monotonic()
            owner.send(channel, text)
            time.sleep(0.02)

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        yield said
    finally:
        stop.set()
        thread.join(10)


def nothing_after(it: Scene, channel: str, take: Callable[[], object]) -> None:
    """What is taken away while people talk is not told a second later, on any stream."""
    with talking(it.owner, channel) as said:
        for stream in it.streams:
            eventually(lambda s=stream: "said 3" in s.texts(), 10, "nothing was told")  # type: ignore[misc]
        take()
        taken = time.monotonic()
        time.sleep(2.0)
    late = {text for text, at in said.items() if at > taken + 1.0}
    assert late, "nobody said anything"
    for stream in it.streams:
        assert not late & set(stream.texts())


def test_who_is_kicked_hears_nothing_more(pair: Live) -> None:
    with scene(pair) as it:
        kick = it.path(f"/members/{it.member.id}")
        nothing_after(it, it.channel, lambda: it.owner.do("DELETE", kick))
        for stream in it.streams:
            removed = stream.told("member_removed")
            assert [r["user_id"] for _, r in removed] == [it.member.id]
            assert stream.ended is None, "the stream itself goes on"
        assert it.member.ask("GET", it.path("")).status_code == 404


def test_who_is_banned_hears_nothing_more_and_stays_out(pair: Live) -> None:
    with scene(pair) as it:
        ban = {"user_id": it.member.id, "reason": "spam"}
        nothing_after(it, it.channel, lambda: it.owner.do("POST", it.path("/bans"), json=ban))
        refused = it.member.ask("POST", f"/v1/invites/{it.owner.invite(it.community)}:accept")
        assert refused.status_code == 403
        assert refused.json()["details"][0]["reason"] == "BANNED"
        listed = it.owner.do("GET", it.path("/bans"))["bans"]
        assert [(b["user_id"], b["reason"]) for b in listed] == [(it.member.id, "spam")]
        it.owner.do("DELETE", it.path(f"/bans/{it.member.id}"))
        it.member.accept(it.owner.invite(it.community))
        it.everybody_reads(it.channel, "welcome back")


def test_a_lost_role_closes_what_it_opened(pair: Live) -> None:
    with scene(pair) as it:
        role = it.role([])
        vault = it.private(role)
        it.everybody_reads(vault, "the combination")
        revoke = it.path(f"/members/{it.member.id}/roles/{role}")
        nothing_after(it, vault, lambda: it.owner.do("DELETE", revoke))
        for stream in it.streams:
            eventually(lambda s=stream: bool(s.told("access_changed")), 2, "nobody was told")  # type: ignore[misc]
        it.everybody_reads(it.channel, "still among us")
        assert it.member.ask("GET", f"/v1/channels/{vault}/messages").status_code == 404


def test_an_override_closes_a_channel_and_opens_it_again(pair: Live) -> None:
    with scene(pair) as it:
        vault = it.private(it.member.id)
        it.everybody_reads(vault, "the combination")
        nothing_after(it, vault, lambda: it.let_in(vault, it.member.id, shut=True))
        it.let_in(vault, it.member.id)
        it.everybody_reads(vault, "the new combination")


def test_a_private_channel_shows_to_nobody_it_does_not_let_in(pair: Live) -> None:
    with scene(pair) as it:
        body = {"name": "the surprise", "private": True}
        vault = it.owner.do("POST", it.path("/channels"), json=body)
        it.owner.send(vault["id"], "do not tell")
        it.everybody_reads(it.channel, "anything new?")
        for stream in it.streams:
            assert "surprise" not in str(stream.events)
            assert vault["id"] not in str(stream.events)
            assert "do not tell" not in stream.texts()
        channels = it.member.do("GET", it.path("/channels"))["channels"]
        assert vault["id"] not in [channel["id"] for channel in channels]
        assert vault["id"] in [
            channel["id"] for channel in it.owner.do("GET", it.path("/channels"))["channels"]
        ]


def test_a_revoked_session_ends_its_streams_and_no_others(pair: Live) -> None:
    with scene(pair) as it:
        second = pair.sign_in(it.member.handle)
        with reading(second, 2) as others:
            it.member.do("DELETE", "/v1/sessions/current")
            revoked = time.monotonic()
            for stream in it.streams:
                eventually(lambda s=stream: s.ended is not None, 2, "the stream went on")  # type: ignore[misc]
                assert stream.ended is not None
                assert stream.ended - revoked < 1.0
                assert [e["reason"] for _, e in stream.told("ended")] == ["SESSION_REVOKED"]
            refused = it.member.ask("GET", "/v1/users/me")
            assert refused.status_code == 401
            assert refused.json()["details"][0]["reason"] == "SESSION_REVOKED"
            assert it.member.ask("POST", "/v1/communities", json={"name": "x"}).status_code == 401
            it.owner.send(it.channel, "who is left?")
            for other in others:
                eventually(lambda s=other: "who is left?" in s.texts(), 5, "cut as well")  # type: ignore[misc]


@pytest.mark.parametrize("part", ["user", "chat", "gateway", "community", "rbac"])
def test_a_restarted_service_knows_what_was_revoked(pair: Live, part: str) -> None:
    person = pair.sign_up("leaver")
    person.do("DELETE", "/v1/sessions/current")
    pair.kill(part)
    asks: dict[str, tuple[str, str]] = {
        "user": ("GET", "/v1/users/me"),
        "chat": ("GET", "/v1/conversations"),
        "gateway": ("GET", "/v1/events"),
        "community": ("GET", "/v1/communities"),
        "rbac": ("GET", "/v1/instance/administrators"),
    }
    ends = time.monotonic() + 15
    while True:
        refused = person.ask(*asks[part])
        if refused.status_code != 503:
            break
        assert time.monotonic() < ends, f"{part} did not come back"
        time.sleep(0.05)
    assert (refused.status_code, _reason(refused.json())) == (401, "SESSION_REVOKED")
    eventually(lambda: pair.healthy(), 15, f"{part} did not come back")


def test_a_direct_message_reaches_its_two_and_no_third(pair: Live) -> None:
    ada, bob, eve = (pair.sign_up(name) for name in ("ada", "bob", "eve"))
    talk = ada.do("POST", "/v1/conversations", json={"user_ids": [bob.id]})["id"]
    assert bob.do("POST", "/v1/conversations", json={"user_ids": [ada.id]})["id"] == talk
    with reading(ada, 2) as hers, reading(bob, 2) as his, reading(eve, 4) as listening:
        ada.send(talk, "between us")
        bob.send(talk, "of course")
        for stream in [*hers, *his]:
            eventually(lambda s=stream: len(s.texts()) == 2, 5, "not told")  # type: ignore[misc]
        time.sleep(0.5)
        for stream in listening:
            assert stream.texts() == []
            assert talk not in str(stream.events)
    for method, path, body in (
        ("GET", f"/v1/channels/{talk}/messages", None),
        ("POST", f"/v1/channels/{talk}/messages", {"content": "me too"}),
        ("GET", f"/v1/conversations/{talk}", None),
        ("GET", f"/v1/channels/{talk}/changes", None),
        ("POST", f"/v1/channels/{talk}:typing", {}),
    ):
        assert eve.ask(method, path, json=body).status_code == 404, path


def _reason(body: dict[str, Any]) -> str:
    return str(body["details"][0]["reason"])


def test_a_reply_says_at_which_revision_permissions_changed(pair: Live) -> None:
    owner, member = pair.sign_up("owner"), pair.sign_up("member")
    community = owner.found()["id"]
    channel = owner.open_channel(community)["id"]
    path, told = f"/v1/channels/{channel}/messages", "creavio-policy-revision"
    for _ in range(5):
        joined = member.ask("POST", f"/v1/invites/{owner.invite(community)}:accept")
        body = {"content": "in"}
        sent = member.ask("POST", path, json=body, headers={told: joined.headers[told]})
        assert sent.is_success
        removed = owner.ask("DELETE", f"/v1/communities/{community}/members/{member.id}")
        assert int(removed.headers[told]) > int(joined.headers[told])
        late = member.ask("POST", path, json=body, headers={told: removed.headers[told]})
        assert late.status_code == 404
    # A revision that nobody gave costs a question, and nothing else.
    assert owner.ask("GET", path, headers={told: "999999999"}).is_success
    assert owner.ask("GET", path, headers={told: "nonsense"}).is_success
