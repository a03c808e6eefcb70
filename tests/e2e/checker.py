"""An outside checker: what was acknowledged, against what everybody can see."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event, Thread
import time

import httpx

from tests.e2e.readers import Reader
from tests.live import Live, Person


class Talker(Thread):
    """Sends numbered messages and notes which were acknowledged.

    What is not acknowledged is sent again under the same nonce, as clients do.
    """

    def __init__(self, person: Person, channel: str, name: str) -> None:
        super().__init__(daemon=True)
        self._person = person
        self._channel = channel
        self._name = name
        self._enough = Event()
        self.acknowledged: list[str] = []

    def run(self) -> None:
        number = 0
        while not self._enough.is_set():
            number += 1
            content = f"{self._name}: {number}"
            while not self._sent(content):
                time.sleep(0.05)

    def _sent(self, content: str) -> bool:
        body = {"content": content, "nonce": content}
        path = f"/v1/channels/{self._channel}/messages"
        try:
            reply = self._person.ask("POST", path, json=body)
        except httpx.TransportError:
            return False
        if reply.status_code >= 500:
            return False
        assert reply.is_success, reply.text
        self.acknowledged.append(content)
        return True

    def finish(self) -> None:
        """Stop after the message in hand."""
        self._enough.set()
        self.join(60)
        assert not self.is_alive(), "a message is not acknowledged to this moment"


class Follower(Thread):
    """Follows the event stream, coming back with its token whenever it ends."""

    def __init__(self, person: Person) -> None:
        super().__init__(daemon=True)
        self._person = person
        self._enough = Event()
        self.heard: dict[str, str] = {}
        """What was said, by event."""
        self.twice = 0
        self.refetched = 0

    def run(self) -> None:
        token = ""
        while not self._enough.is_set():
            stream = Reader(self._person)
            try:
                with stream.open(token):
                    done = 0
                    while stream.ended is None and not self._enough.is_set():
                        done = self._note(stream, done)
                        time.sleep(0.02)
                    self._note(stream, done)
            except AssertionError:
                time.sleep(0.1)  # It could not be opened.
            token = stream.resume_token or token

    def _note(self, stream: Reader, done: int) -> int:
        events = stream.events[done:]
        for _, event in events:
            self.refetched += "refetch" in event
            if "message_created" in event:
                self.twice += event["id"] in self.heard
                self.heard[event["id"]] = event["message_created"]["message"]["content"]
        return done + len(events)

    def finish(self, acknowledged: set[str], within: float) -> None:
        """Stop once everything that was acknowledged was heard, or the time is over."""
        ends = time.monotonic() + within
        while acknowledged - set(self.heard.values()) and time.monotonic() < ends:
            time.sleep(0.05)
        self._enough.set()
        self.join(30)


@dataclass(frozen=True)
class Verdict:
    """What an outsider found."""

    acknowledged: int
    lost: set[str]
    """Acknowledged, and not to be read."""
    never_told: set[str]
    """Acknowledged, and told to nobody who listened."""
    told_twice: int
    refetched: int
    out_of_order: int

    @property
    def good(self) -> bool:
        """Whether every promise was kept."""
        return not (
            self.lost or self.never_told or self.told_twice or self.refetched or self.out_of_order
        )


class Checker:
    """People who talk in some channels, and somebody who follows all of it."""

    def __init__(self, live: Live, channels: int = 4, talkers: int = 8) -> None:
        owner, listener = live.sign_up("owner"), live.sign_up("listener")
        community = owner.found()["id"]
        self._owner = owner
        self._channels = [owner.open_channel(community, f"c{n}")["id"] for n in range(channels)]
        listener.accept(owner.invite(community))
        self._talkers = [
            Talker(owner, self._channels[number % channels], f"talker {number}")
            for number in range(talkers)
        ]
        self._follower = Follower(listener)

    def begin(self) -> None:
        """Talk, and listen."""
        self._follower.start()
        time.sleep(0.5)
        for talker in self._talkers:
            talker.start()

    def finish(self, within: float = 20) -> Verdict:
        """Stop talking, and compare."""
        for talker in self._talkers:
            talker.finish()
        acknowledged = {content for talker in self._talkers for content in talker.acknowledged}
        self._follower.finish(acknowledged, within)
        kept: set[str] = set()
        out_of_order = 0
        for channel in self._channels:
            messages = self._owner.messages(channel)
            kept |= {message["content"] for message in messages}
            numbers = [int(message["sequence"]) for message in messages]
            out_of_order += numbers != list(range(1, len(numbers) + 1))
            for talker in self._talkers:
                own = [m["content"] for m in messages if m["content"] in set(talker.acknowledged)]
                out_of_order += bool(own) and own != talker.acknowledged
        heard = set(self._follower.heard.values())
        return Verdict(
            len(acknowledged),
            acknowledged - kept,
            acknowledged - heard,
            self._follower.twice,
            self._follower.refetched,
            out_of_order,
        )
