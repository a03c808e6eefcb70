"""Event streams read in the background, and what they told when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
import json
import socket
import threading
import time
from typing import Any

import httpx

from tests.live import TRUST, Person


class Reader:
    """One open stream of a person: every event, and when it came."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self.events: list[tuple[float, dict[str, Any]]] = []
        self.resume_token = ""
        self.ended: float | None = None
        """When the stream ended."""
        self._ready = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)

    @contextmanager
    def open(self, resume_token: str = "") -> Iterator[Reader]:
        """Read, from `ready` on, until the block ends."""
        self.resume_token = resume_token
        self._thread.start()
        assert self._ready.wait(15), "the stream did not open"
        try:
            yield self
        finally:
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)
            self._thread.join(20)

    def _read(self) -> None:
        query = {"resume_token": self.resume_token} if self.resume_token else {}
        headers = {
            "authorization": f"Bearer {self._person.token}",
            "accept": "application/x-ndjson",
        }
        url = f"{self._person.live.url}/v1/events"
        try:
            with httpx.stream(
                "GET", url, params=query, headers=headers, timeout=20, verify=TRUST
            ) as reply:
                self._socket = reply.extensions["network_stream"].get_extra_info("socket")
                for line in reply.iter_lines():
                    if line:
                        self._take(json.loads(line))
        except httpx.HTTPError:
            pass  # It was cut, by whom it may.
        self.ended = time.monotonic()

    def _take(self, batch: dict[str, Any]) -> None:
        now = time.monotonic()
        for event in batch["events"]:
            self.events.append((now, event))
            if "ready" in event:
                self._ready.set()
        self.resume_token = batch["resume_token"]

    def told(self, kind: str) -> list[tuple[float, dict[str, Any]]]:
        """When something of a kind was told, and what."""
        return [(at, event[kind]) for at, event in list(self.events) if kind in event]

    def texts(self) -> list[str]:
        """What the messages said, in the order they were told."""
        return [told["message"]["content"] for _, told in self.told("message_created")]


@contextmanager
def reading(person: Person, streams: int) -> Iterator[list[Reader]]:
    """So many open streams of a person."""
    with ExitStack() as stack:
        yield [stack.enter_context(Reader(person).open()) for _ in range(streams)]


def eventually(check: Callable[[], bool], within: float, what: str) -> float:
    """Wait until `check` holds; how long it took. Fails the test when it does not."""
    started = time.monotonic()
    while not check():
        assert time.monotonic() - started < within, what
        time.sleep(0.01)
    return time.monotonic() - started
