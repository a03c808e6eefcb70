"""What becomes of communities, channels and messages, whatever is done to them in whatever
order: who belongs there sees what a plain model says, and nobody else sees anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import time
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
import pytest

from tests.fuzz.conftest import examples
from tests.live import Live, Person

WITHIN = 10.0
"""Seconds in which chat hears that a channel is gone."""
TEXTS = st.sampled_from(["m", "m "]) | st.text(
    st.characters(exclude_categories=("Cs", "Cc")), max_size=40
).map("m{}".format)
MOST = 6
"""Channels of a community."""
EMOJI = st.sampled_from(["\U0001f44d", "\u2764\ufe0f", "\U0001f3fd"])


@dataclass
class People:
    """Who founds everything, who comes and goes, and who never belongs."""

    ada: Person
    grace: Person
    eve: Person


@pytest.fixture(scope="module")
def people(platform: Live) -> People:
    return People(*(platform.sign_up(name) for name in ("ada", "grace", "eve")))


@dataclass
class Said:
    """A message as it should be."""

    channel: Channel
    id: str
    content: str
    emoji: set[str] = field(default_factory=set)
    edited: bool = False
    deleted: bool = False

    @property
    def there(self) -> bool:
        return not self.deleted and not self.channel.deleted

    @property
    def path(self) -> str:
        return f"{self.channel.path}/messages/{self.id}"


@dataclass
class Channel:
    """A channel as it should be."""

    community: Community
    id: str
    messages: list[Said] = field(default_factory=list)
    deleted: bool = False

    @property
    def path(self) -> str:
        return f"/v1/channels/{self.id}"


@dataclass
class Community:
    """A community as it should be."""

    id: str
    invite: str
    channels: list[Channel] = field(default_factory=list)
    joined: bool = False
    """Whether Grace belongs to it."""

    @property
    def path(self) -> str:
        return f"/v1/communities/{self.id}"


WHICH = st.integers(0, 999)


class Life(RuleBasedStateMachine):
    """Does things, and compares."""

    def __init__(self, people: People) -> None:
        super().__init__()
        self.ada, self.grace, self.eve = people.ada, people.grace, people.eve
        self.community = Community("", "")
        self.messages: list[Said] = []

    @initialize()
    def found(self) -> None:
        community = str(self.ada.found()["id"])
        self.community = Community(community, self.ada.invite(community))
        self.open_channel()
        self.send(0, "m")

    @precondition(lambda self: len(self.community.channels) < MOST)
    @rule()
    def open_channel(self) -> None:
        body = {"name": f"room {len(self.community.channels)}"}
        path = f"{self.community.path}/channels"
        self._refused(self.eve, "POST", path, json=body)
        opened = self.ada.do("POST", path, json=body)
        assert opened["name"] == body["name"]
        self.community.channels.append(Channel(self.community, str(opened["id"])))

    @rule(which=WHICH, content=TEXTS)
    def send(self, which: int, content: str) -> None:
        channel, body = self._channel(which), {"content": content}
        path = f"{channel.path}/messages"
        self._refused(self.eve, "POST", path, json=body)
        if channel.deleted:
            self._refused(self.ada, "POST", path, json=body)
            return
        sent = self.ada.do("POST", path, json=body)
        said = Said(channel, str(sent["id"]), content)
        self._same(said, sent)
        channel.messages.append(said)
        self.messages.append(said)

    @rule(which=WHICH, content=TEXTS)
    def edit(self, which: int, content: str) -> None:
        said, body = self._said(which), {"content": content}
        for other in (self.eve, self.grace):
            self._refused(other, "PATCH", said.path, json=body, reason=self._no(other, said))
        if not said.there:
            self._refused(self.ada, "PATCH", said.path, json=body)
            return
        said.edited |= said.content != content
        said.content = content
        self._same(said, self.ada.do("PATCH", said.path, json=body))

    @rule(which=WHICH, emoji=EMOJI)
    def react(self, which: int, emoji: str) -> None:
        said, body = self._said(which), {"emoji": emoji}
        path = f"{said.path}:react"
        self._refused(self.eve, "POST", path, json=body)
        if not said.there:
            self._refused(self.ada, "POST", path, json=body)
            return
        said.emoji.add(emoji)
        self.ada.do("POST", path, json=body)

    @rule(which=WHICH)
    def delete(self, which: int) -> None:
        said = self._said(which)
        for other in (self.eve, self.grace):
            if said.there:
                self._refused(other, "DELETE", said.path, reason=self._no(other, said))
        if said.channel.deleted:
            self._refused(self.ada, "DELETE", said.path)
        else:
            self.ada.do("DELETE", said.path)
            said.deleted = True

    @precondition(lambda self: len(self.community.channels) > 1)
    @rule(which=WHICH)
    def delete_channel(self, which: int) -> None:
        channel = self._channel(which, but=1)
        path = f"{self.community.path}/channels/{channel.id}"
        self._refused(self.eve, "DELETE", path)
        self.ada.do("DELETE", path)
        channel.deleted = True
        ends = time.monotonic() + WITHIN
        while self.ada.ask("GET", f"{channel.path}/messages").status_code != 404:
            assert time.monotonic() < ends, "a deleted channel is read"
            time.sleep(0.01)

    @rule()
    def come_or_go(self) -> None:
        if self.community.joined:
            self.ada.do("DELETE", f"{self.community.path}/members/{self.grace.id}")
        else:
            self.grace.accept(self.community.invite)
        self.community.joined = not self.community.joined

    @rule(which=WHICH)
    def read(self, which: int) -> None:
        said = self._said(which)
        for person in self._who_sees(said.channel):
            if said.there:
                self._same(said, person.do("GET", said.path))
            else:
                self._refused(person, "GET", said.path)

    @rule(which=WHICH)
    def list_messages(self, which: int) -> None:
        channel = self._channel(which)
        there = [said for said in channel.messages if said.there]
        for person in self._who_sees(channel):
            if channel.deleted:
                self._refused(person, "GET", f"{channel.path}/messages")
                continue
            listed = person.messages(channel.id)
            assert [each["id"] for each in listed] == [said.id for said in there]
            for said, each in zip(there, listed, strict=True):
                self._same(said, each)

    @rule()
    def list_channels(self) -> None:
        path = f"{self.community.path}/channels"
        there = {channel.id for channel in self.community.channels if not channel.deleted}
        for person in self._who_sees(self.community.channels[0]):
            assert {each["id"] for each in person.do("GET", path)["channels"]} == there

    def _channel(self, which: int, but: int = 0) -> Channel:
        """One of them, deleted or not; not the first ones, where they are to stay."""
        channels = self.community.channels[but:]
        return channels[which % len(channels)]

    def _said(self, which: int) -> Said:
        return self.messages[which % len(self.messages)]

    def _who_sees(self, channel: Channel) -> list[Person]:
        """Who belongs there; looks that nobody else sees anything of it."""
        joined = self.community.joined
        for person in [self.eve] if joined else [self.eve, self.grace]:
            self._refused(person, "GET", self.community.path)
            self._refused(person, "GET", f"{self.community.path}/channels")
            self._refused(person, "GET", f"{channel.path}/messages")
            for said in channel.messages[:1]:
                self._refused(person, "GET", said.path)
        return [self.ada, self.grace] if joined else [self.ada]

    def _no(self, person: Person, said: Said) -> str:
        """Why somebody may not change a message of Ada's."""
        sees = person is self.grace and said.channel.community.joined and said.there
        return "PERMISSION_DENIED" if sees else "NOT_FOUND"

    def _refused(
        self, person: Person, method: str, path: str, reason: str = "NOT_FOUND", **more: Any
    ) -> None:
        reply = person.ask(method, path, **more)
        assert not reply.is_success, f"{method} {path} by {person.handle}: {reply.text}"
        assert reply.status_code < 500, reply.text
        assert reply.json()["details"][0]["reason"] == reason, reply.text

    def _same(self, said: Said, shown: dict[str, Any]) -> None:
        assert shown["id"] == said.id
        assert shown["channel_id"] == said.channel.id
        assert shown["content"] == said.content
        assert shown["author_id"] == self.ada.id
        assert bool(shown.get("edit_time")) == said.edited, shown
        assert {each["emoji"] for each in shown.get("reactions", ())} == said.emoji


def test_everybody_sees_what_is_theirs_and_nobody_else_does(people: People) -> None:
    class Theirs(Life):
        def __init__(self) -> None:
            super().__init__(people)

    run_state_machine_as_test(Theirs, settings=examples(15, steps=30))
