"""An outside checker: puts a platform under load, and says what it kept of its promises."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
import random
import threading
import time
from typing import Any, Final, TypeVar

import grpc
import httpx

from tests.checking.people import (
    ANSWER_SECONDS,
    OPTIONS,
    BidiSender,
    Follower,
    GrpcFollower,
    Lister,
    Place,
    RestFollower,
    Sender,
    UnarySender,
    everything,
)
from tests.checking.record import Message, Record, Stream, Verdict, judge
from tests.live import Live, Person

T = TypeVar("T")
STREAMS_A_CONNECTION: Final = 100
"""As many as the edge takes over one."""
STREAMS_A_PERSON: Final = 40
"""Fewer than the 50 that gateway allows one person."""
IN_HAND_SECONDS: Final = 60.0
"""How long the last message of each sender may take, and its telling: what was put off
while something was away is tried again after a minute at most (`chassis.outbox`)."""


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Where everybody lives, in a thread of its own.

    It stays: grpc.aio hands what is under way to the loop it began on, also later.
    """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True, name="people").start()
    return loop


@dataclass(frozen=True)
class Load:
    """How many people do what."""

    channels: int = 4
    unary: int = 6
    bidi: int = 4
    padding: int = 0
    """How many characters each message is longer than it need be."""
    streams: int = 0
    """How many follow besides the three who always do."""
    pause: float = 0.05
    """Seconds between two messages of somebody who sends over REST."""


USUAL: Final = Load()


class Checker:
    """People who send in some channels, follow them, and list them, until it is enough."""

    def __init__(self, live: Live, load: Load = USUAL, seed: int = 0) -> None:
        self.record = Record()
        self._live = live
        self._load = load
        self._random = random.Random(seed)  # noqa: S311  # nothing secret: when to hang up
        self._owner = live.sign_up("owner")
        community = self._owner.found()["id"]
        self._channels = [
            self._owner.open_channel(community, f"c{number}")["id"]
            for number in range(load.channels)
        ]
        code = self._owner.invite(community)
        self._senders = [self._member(code) for _ in range(load.unary + load.bidi)]
        readers = 2 + -(-load.streams // STREAMS_A_PERSON)
        self._readers = [self._member(code) for _ in range(readers)]
        self._running = False
        self._enough = asyncio.Event()
        self._sending: list[asyncio.Task[None]] = []
        self._reading: list[asyncio.Task[None]] = []
        self._connections: list[grpc.aio.Channel] = []
        self._http: httpx.AsyncClient

    def _member(self, code: str) -> Person:
        person = self._live.sign_up("member")
        person.accept(code)
        return person

    @property
    def acknowledged(self) -> int:
        """How many messages were acknowledged so far."""
        return len(self.record.acknowledged)

    @property
    def patience(self) -> float:
        """Seconds that the last answer and the last telling may take, and that all streams
        may take to open: a minute, and as much for each thousand streams."""
        return IN_HAND_SECONDS * (1 + self._load.streams / 1_000)

    def sent_from_now(self, within: float) -> set[Message]:
        """Wait until a message of each sender that they begin from now on is acknowledged."""
        began, seen = time.monotonic(), self.acknowledged
        ends = began + within
        first: dict[str, Message] = {}
        while len(first) < len(self._senders):
            assert time.monotonic() < ends, f"only {[*first]} are served: {self.record.refused}"
            time.sleep(0.02)
            news = self.record.acknowledged[seen:]
            seen += len(news)
            for each in news:
                if each.began > began:
                    first.setdefault(each.message.content.partition(":")[0], each.message)
        return set(first.values())

    def await_told(self, messages: set[Message], within: float) -> None:
        """Return once every reader was told of messages."""
        ends = time.monotonic() + within
        while not self.told_everybody(messages):
            assert time.monotonic() < ends, f"somebody is not told: {self._untold(messages)}"
            time.sleep(0.05)

    def told_everybody(self, messages: set[Message]) -> bool:
        """Whether every reader was told of messages, or to look for them."""
        streams = self.record.streams.values()
        return all(messages <= self.record.known_to(stream) for stream in streams)

    def _untold(self, messages: set[Message]) -> dict[str, list[str]]:
        """What of messages each reader was not told of."""
        known = {name: self.record.known_to(s) for name, s in self.record.streams.items()}
        missing = {name: messages - theirs for name, theirs in known.items()}
        return {name: sorted(m.content for m in these) for name, these in missing.items() if these}

    def begin(self) -> None:
        """Read, then send. Returns once messages are acknowledged."""
        self._running = True
        self._do(self._begin())
        ends = time.monotonic() + IN_HAND_SECONDS
        while self.acknowledged < len(self._senders):
            assert time.monotonic() < ends, f"nothing is acknowledged: {self.record.refused}"
            time.sleep(0.02)

    def finish(self, within: float | None = None) -> Verdict:
        """Send no more, wait until everything was told or the time is over, and judge."""
        try:
            self._do(self._finish(within or self.patience))
        finally:
            self.abandon()
        return judge(self.record)

    def abandon(self) -> None:
        """Let everybody go."""
        if self._running:
            self._running = False
            self._do(self._close())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, _loop()).result(4 * self.patience)

    async def _begin(self) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._http = httpx.AsyncClient(
            base_url=self._live.url, timeout=ANSWER_SECONDS, limits=limits
        )
        followers = list(self._followers())
        for follower in followers:
            self._reading.append(asyncio.create_task(follower.run()))
        async with asyncio.timeout(self.patience):
            await asyncio.gather(*(follower.opened() for follower in followers))
        lister = Lister(self.record, self._readers[0], self._channels, self._http)
        self._reading.append(asyncio.create_task(lister.run()))
        for sender in self._sent_by():
            self._sending.append(asyncio.create_task(sender.run(self._enough)))

    def _followers(self) -> Iterator[Follower]:
        first, second, *others = self._readers
        yield GrpcFollower(self._stream("over gRPC"), first, self._connect())
        yield RestFollower(self._stream("over REST"), second, self._http)
        yield GrpcFollower(self._stream("restless"), second, self._connect(), self._random)
        for number in range(self._load.streams):
            if number % STREAMS_A_CONNECTION == 0:
                connection = self._connect()
            person = others[number % len(others)]
            yield GrpcFollower(self._stream(f"stream {number}"), person, connection)

    def _stream(self, name: str) -> Stream:
        return self.record.streams.setdefault(name, Stream())

    def _sent_by(self) -> Iterator[Sender]:
        connections = [self._connect() for _ in range(2)]
        for number, person in enumerate(self._senders):
            place = Place(person, self._channels[number % len(self._channels)])
            name, padding = f"sender {number}", self._load.padding
            if number < self._load.unary:
                pause = self._load.pause
                yield UnarySender(self.record, place, name, self._http, padding, pause)
            else:
                connection = connections[number % len(connections)]
                yield BidiSender(self.record, place, name, connection, padding)

    def _connect(self) -> grpc.aio.Channel:
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{self._live.port}", options=OPTIONS)
        self._connections.append(channel)
        return channel

    async def _finish(self, within: float) -> None:
        self._enough.set()
        done, late = await asyncio.wait(self._sending, timeout=IN_HAND_SECONDS)
        for task in done:
            task.result()
        assert not late, f"{len(late)} senders wait for an answer to this moment"
        for channel in self._channels:
            place = Place(self._owner, channel)
            self.record.kept[channel] = await everything(self._http, place)
        kept = {message for messages in self.record.kept.values() for message in messages}
        ends = time.monotonic() + within
        settled = time.monotonic()
        while not self.told_everybody(kept) and time.monotonic() < ends:  # noqa: ASYNC110  # many tell
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)  # What is told twice may come a little later.
        while not self._listed_since(settled) and time.monotonic() < ends:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        for task in self._reading:
            assert not task.done(), f"somebody reads no more: {task.exception()!r}"

    def _listed_since(self, moment: float) -> bool:
        """Whether every channel was listed as it is in the end."""
        listed = {page.channel for page in self.record.lists if page.began > moment}
        return listed == set(self._channels)

    async def _close(self) -> None:
        tasks = self._sending + self._reading
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
        for connection in self._connections:
            await connection.close()
        await self._http.aclose()


@contextmanager
def checking(live: Live, load: Load = USUAL, seed: int = 0) -> Iterator[Checker]:
    """A platform under load, until the block ends or the checker finishes."""
    checker = Checker(live, load, seed)
    try:
        checker.begin()
        yield checker
    finally:
        checker.abandon()
