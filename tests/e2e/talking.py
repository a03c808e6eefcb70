"""People who talk and listen on while parts are killed, and note what they were told."""

from __future__ import annotations

from threading import Event, Thread
import time
from typing import Any

import httpx

from tests.live import Person


class Talker(Thread):
    """Sends numbered messages one after the other and notes which were acknowledged.

    What is not acknowledged is sent again under the same nonce, as clients do.
    """

    def __init__(self, person: Person, channel: str) -> None:
        super().__init__(daemon=True)
        self._person = person
        self._channel = channel
        self._enough = Event()
        self.acknowledged: list[str] = []
        self.longest_silence = 0.0

    def run(self) -> None:
        number = 0
        while not self._enough.is_set():
            number += 1
            began = time.monotonic()
            while not self._sent(f"message {number}"):
                time.sleep(0.05)
            self.longest_silence = max(self.longest_silence, time.monotonic() - began)

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
        self.join(30)
        assert not self.is_alive()


class Hearer(Thread):
    """Listens, comes back with its token whenever the stream ends, and notes every message."""

    def __init__(self, person: Person) -> None:
        super().__init__(daemon=True)
        self._person = person
        self._enough = Event()
        self.listening = Event()
        self.heard: dict[str, str] = {}
        self.refetched = 0

    def run(self) -> None:
        token = ""
        while not self._enough.is_set():
            try:
                with self._person.listening(token, read_timeout=2) as listener:
                    self.listening.set()
                    token = self._hear(listener, token)
            except (httpx.HTTPError, AssertionError, StopIteration, KeyError):
                time.sleep(0.05)

    def _hear(self, listener: Any, token: str) -> str:
        token = listener.resume_token or token
        try:
            while not self._enough.is_set():
                event = listener.next()
                token = listener.resume_token or token
                if "refetch" in event:
                    self.refetched += 1
                if "message_created" in event:
                    self.heard[event["id"]] = event["message_created"]["message"]["content"]
        except (httpx.HTTPError, StopIteration, KeyError):
            pass
        return token

    def await_all(self, messages: list[str], within: float = 15) -> None:
        """Return once every message was heard."""
        ends = time.monotonic() + within
        while set(messages) - set(self.heard.values()) and time.monotonic() < ends:
            time.sleep(0.05)
        self._enough.set()
        self.join(10)
