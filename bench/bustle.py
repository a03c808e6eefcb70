"""People who do everything there is to do, without end, at a pace that stays the same."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
import itertools
import random
import time
from typing import Any, Final

import grpc
import httpx

from bench import people, send
from tests.checking.people import OPTIONS, GrpcFollower
from tests.checking.record import Stream
from tests.live import Live, Person

_CHANNELS: Final = 8
_PEOPLE: Final = 16
_STREAMS: Final = 40
_STAY_SECONDS: Final = 15.0
"""How long somebody follows before they hang up and come back with their token."""
_UNDER_WAY_SECONDS: Final = 20.0
"""Longer than a call takes that was begun with the token of the session before."""
_REMEMBERED: Final = 200


class _Forgetful(list[Any]):
    """What a stream was told is of no interest here."""

    def append(self, told: Any) -> None:
        """Keep nothing."""


class Resident:
    """Somebody who lives on the platform, with a token that is good."""

    def __init__(self, person: Person) -> None:
        self.person = person
        self._since = time.monotonic()
        self._signing_in = asyncio.Lock()

    @property
    def stale(self) -> bool:
        """Whether it is time to sign in again."""
        return time.monotonic() - self._since > people.FRESH_SECONDS

    async def sign_in(self) -> None:
        """Begin another session, and end those before; one at a time, or one ends the other's."""
        async with self._signing_in:
            before = self.person
            self.person = await asyncio.to_thread(before.live.sign_in, before.handle)
            self._since = time.monotonic()
            await asyncio.sleep(_UNDER_WAY_SECONDS)
            sessions = await asyncio.to_thread(self.person.do, "GET", "/v1/sessions")
            for session in sessions["sessions"]:
                if not session["current"]:
                    path = f"/v1/sessions/{session['id']}"
                    await asyncio.to_thread(self.person.ask, "DELETE", path)


class Bustle:
    """A fixed number of people in a fixed number of places: what grows is not theirs."""

    def __init__(self, live: Live, seed: int = 0) -> None:
        self.done: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self._live = live
        self._random = random.Random(seed)  # noqa: S311  # nothing secret
        self._place = people.found(live, _CHANNELS)
        self._code = self._place.owner.invite(self._place.community)
        self._people = [Resident(one) for one in people.members(live, self._place, _PEOPLE)]
        self._guest = Resident(live.sign_up("guest"))
        self._caller = live.sign_up("caller")
        self._numbers = itertools.count()
        self._sequences: dict[str, int] = {}
        self._recent: deque[tuple[Resident, str, str]] = deque(maxlen=_REMEMBERED)

    async def fill(self, seconds: float) -> None:
        """As many messages as go: what keeps the latest of something keeps all it ever will."""
        senders = [resident.person for resident in self._people]
        async with people.connected(self._live, 2) as channels:
            await send.over_streams(channels, self._place, senders, seconds)

    @asynccontextmanager
    async def going_on(self, *, hurry: bool = False) -> AsyncIterator[None]:
        """Everybody does what they do, until the block ends; in a hurry, without a pause."""
        limits = httpx.Limits(max_connections=None)
        connection = grpc.aio.insecure_channel(f"127.0.0.1:{self._live.port}", options=OPTIONS)
        async with httpx.AsyncClient(base_url=self._live.url, timeout=15, limits=limits) as http:
            self._http, enough = http, asyncio.Event()
            doing = [
                asyncio.create_task(self._again(name, deed, 0.0 if hurry else pause, enough))
                for name, deed, pause in (
                    *[("send", self._send, 0.25)] * 6,
                    ("edit", self._edit, 0.5),
                    ("delete", self._delete, 1.0),
                    ("react", self._react, 0.4),
                    ("unreact", self._unreact, 0.4),
                    ("read", self._read, 0.5),
                    *[("list", self._list, 0.3)] * 2,
                    ("join and leave", self._join_and_leave, 1.0),
                    *[("sign in", self._sign_in, 1.0)] * 4,
                    ("look in", self._look_in, 4.0),
                )
            ]
            following = [
                asyncio.create_task(self._follow(number, connection)) for number in range(_STREAMS)
            ]
            try:
                yield
            finally:
                for task in following:
                    task.cancel()
                await asyncio.gather(*following, return_exceptions=True)
                await connection.close()
                # What is begun is done: a leave that is cut off stands in the way of the next.
                enough.set()
                await asyncio.gather(*doing)

    async def _again(
        self, name: str, deed: Callable[[], Awaitable[None]], pause: float, enough: asyncio.Event
    ) -> None:
        while not enough.is_set():
            try:
                await deed()
            except httpx.HTTPStatusError as error:
                self.failed[f"{name}: {error.response.status_code}"] += 1
            except (httpx.HTTPError, AssertionError) as error:
                self.failed[f"{name}: {error!r}"[:200]] += 1
            else:
                self.done[name] += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(enough.wait(), pause * self._random.uniform(0.5, 1.5))

    async def _call(self, who: Resident, method: str, path: str, **options: Any) -> Any:
        headers = {"authorization": f"Bearer {who.person.token}"}
        reply = await self._http.request(method, path, headers=headers, **options)
        # What somebody else deleted meanwhile is not there.
        if reply.status_code != 404:
            reply.raise_for_status()
        return reply.json()

    def _somebody(self) -> Resident:
        return self._random.choice(self._people)

    def _channel(self) -> str:
        return self._random.choice(self._place.channels)

    async def _send(self) -> None:
        who, channel, number = self._somebody(), self._channel(), next(self._numbers)
        body = {"content": f"message {number}", "nonce": f"soak-{number}"}
        sent = await self._call(who, "POST", f"/v1/channels/{channel}/messages", json=body)
        self._recent.append((who, channel, sent["id"]))
        self._sequences[channel] = int(sent["sequence"])

    def _one(self) -> tuple[Resident, str, str] | None:
        return self._random.choice(self._recent) if self._recent else None

    async def _edit(self) -> None:
        if chosen := self._one():
            who, channel, message = chosen
            body = {"content": f"better {next(self._numbers)}"}
            await self._call(who, "PATCH", f"/v1/channels/{channel}/messages/{message}", json=body)

    async def _delete(self) -> None:
        if self._recent:
            who, channel, message = self._recent.popleft()
            await self._call(who, "DELETE", f"/v1/channels/{channel}/messages/{message}")

    async def _react(self) -> None:
        await self._reaction("react")

    async def _unreact(self) -> None:
        await self._reaction("unreact")

    async def _reaction(self, deed: str) -> None:
        if chosen := self._one():
            _, channel, message = chosen
            path = f"/v1/channels/{channel}/messages/{message}:{deed}"
            await self._call(self._somebody(), "POST", path, json={"emoji": "👍"})

    async def _read(self) -> None:
        who, channel = self._somebody(), self._channel()
        body = {"sequence": str(self._sequences.get(channel, 0))}
        await self._call(who, "POST", f"/v1/channels/{channel}:markRead", json=body)
        await self._call(who, "GET", f"/v1/communities/{self._place.community}/read-states")

    async def _list(self) -> None:
        path = f"/v1/channels/{self._channel()}/messages"
        who, query = self._somebody(), {"page_size": "50"}
        page = await self._call(who, "GET", path, params=query)
        if page["next_page_token"]:
            query["page_token"] = page["next_page_token"]
            await self._call(who, "GET", path, params=query)
        await self._call(who, "GET", f"/v1/communities/{self._place.community}/members")

    async def _join_and_leave(self) -> None:
        await self._call(self._guest, "POST", f"/v1/invites/{self._code}:accept", json={})
        await self._call(
            self._guest, "POST", f"/v1/communities/{self._place.community}:leave", json={}
        )

    async def _sign_in(self) -> None:
        everybody = [*self._people, self._guest]
        stale = [resident for resident in everybody if resident.stale]
        await (stale[0] if stale else self._somebody()).sign_in()

    async def _look_in(self) -> None:
        """Somebody signs in, looks around, and signs out."""
        session = Resident(await asyncio.to_thread(self._live.sign_in, self._caller.handle))
        await self._call(session, "GET", "/v1/users/me")
        await self._call(session, "DELETE", "/v1/sessions/current")

    async def _follow(self, number: int, connection: grpc.aio.Channel) -> None:
        stream = Stream(told=_Forgetful())
        token = ""
        while True:
            who = self._people[number % _PEOPLE]
            follower = GrpcFollower(stream, who.person, connection, token=token)
            try:
                async with asyncio.timeout(_STAY_SECONDS * self._random.uniform(0.5, 1.5)):
                    await follower.run()
            except TimeoutError:
                self.done["reconnect"] += 1
            token = follower.token
            if stream.refetches:
                self.failed["reconnect: told to refetch"] += len(stream.refetches)
                stream.refetches.clear()
