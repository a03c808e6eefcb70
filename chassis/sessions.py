"""Sessions that were ended before their tokens were.

auth announces every revocation with a revision that rises by one, and says
several times a second where it stands. A service reads what was revoked before
it serves, follows the announcements, and asks for what it missed. While auth was
not heard for five seconds, calls that write ask it first; when it cannot be
asked, the answer is UNAVAILABLE.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
import time
from typing import TYPE_CHECKING, Final, Protocol

from nats.aio.msg import Msg

from chassis.bus import Bus
from chassis.calls import Principal
from chassis.clients import Clients
from chassis.errors import Error, Unauthenticated
from chassis.subjects import LIVE, subject_root
from creavio.auth.v1 import auth_events_pb2
from creavio.auth.v1 import revocation_service_pb2 as revocations
from creavio.auth.v1.revocation_service_pb2_grpc import RevocationServiceStub

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

HEARTBEAT_SUBJECT: Final = LIVE + subject_root(
    auth_events_pb2.SessionsHeartbeat.DESCRIPTOR.full_name
)
_FRESH_SECONDS: Final = 5.0
_RETRY_SECONDS: Final = 0.2
_SKEW_SECONDS: Final = 60.0
"""How much longer than its tokens a revocation is kept: clocks differ."""
_FORGET_SECONDS: Final = 60.0
_GRACE_SECONDS: Final = 0.3


class Revocations(Protocol):
    """auth, as this needs it. Raises `Unavailable` when it cannot be asked."""

    async def list_revocations(
        self, request: revocations.ListRevocationsRequest
    ) -> revocations.ListRevocationsResponse:
        """What was revoked since a revision."""


class RemoteRevocations:
    """auth, through the mesh."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._auth = RevocationServiceStub(clients.channel)

    async def list_revocations(
        self, request: revocations.ListRevocationsRequest
    ) -> revocations.ListRevocationsResponse:
        """Ask auth."""
        return await self._clients.call(self._auth.ListRevocations, request)


def revoked() -> Unauthenticated:
    """What a call in an ended session is answered."""
    return Unauthenticated("this session was ended; sign in again", reason="SESSION_REVOKED")


class Sessions:
    """Which sessions are over, as far as their tokens may still be about."""

    def __init__(self, source: Revocations, telemetry: Telemetry) -> None:
        self._source = source
        self._log = telemetry.log
        self._over: dict[str, float] = {}
        self._watched: defaultdict[str, set[Callable[[], object]]] = defaultdict(set)
        self._revision = 0
        self._known_at = float("-inf")
        self._asking = asyncio.Lock()
        self._wake = asyncio.Event()

    async def follow(self, bus: Bus) -> None:
        """Follow auth's announcements from now on."""

        async def heartbeat(message: Msg) -> None:
            told = auth_events_pb2.SessionsHeartbeat.FromString(message.data).revision
            if told == self._revision:
                self._known_at = time.monotonic()
            else:
                self._wake.set()

        async def ended(message: Msg) -> None:
            event = auth_events_pb2.SessionRevoked.FromString(message.data)
            self._end(event.session_id, event.expire_time.seconds)
            if event.revision == self._revision + 1:
                self._revision = event.revision
            elif event.revision > self._revision:
                self._wake.set()

        await bus.follow(HEARTBEAT_SUBJECT, heartbeat)
        root = subject_root(auth_events_pb2.SessionRevoked.DESCRIPTOR.full_name)
        await bus.follow(f"{LIVE}{root}.>", ended)

    async def load(self) -> None:
        """Learn what was revoked, however long it takes."""
        while True:
            try:
                await self._ask()
            except Error as error:
                self._log.warning("revoked sessions are not known yet", error=str(error))
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def run(self) -> None:
        """Ask for what was missed and forget what is past, for as long as the service lives."""
        while True:
            try:
                async with asyncio.timeout(_FORGET_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                past = time.time() - _SKEW_SECONDS
                self._over = {s: ends for s, ends in self._over.items() if ends > past}
                continue
            self._wake.clear()
            await self.load()

    async def require(self, principal: Principal, *, writing: bool) -> None:
        """Return when the session of a token lasts.

        Raises `Unauthenticated` (SESSION_REVOKED) when it is over, and
        `Unavailable` when a call that writes cannot know.
        """
        if writing and time.monotonic() - self._known_at > _FRESH_SECONDS:
            await self._ask()
        if principal.session_id in self._over:
            raise revoked()

    @contextmanager
    def watched(self, session_id: str, ended: Callable[[], object]) -> Iterator[None]:
        """A block during which `ended` is called when the session ends; at once if it is over."""
        mine = self._watched[session_id]
        mine.add(ended)
        try:
            if session_id in self._over:
                ended()
            yield
        finally:
            mine.discard(ended)
            if not mine:
                self._watched.pop(session_id, None)

    @asynccontextmanager
    async def lasting(self, principal: Principal) -> AsyncIterator[None]:
        """A block that does not outlast the session: SESSION_REVOKED ends it.

        It has a moment to end by itself, and to say so in its own words.
        """
        task = asyncio.current_task()
        assert task is not None
        loop, mine = asyncio.get_running_loop(), task
        ending: list[asyncio.TimerHandle] = []

        def end() -> None:
            ending.append(loop.call_later(_GRACE_SECONDS, mine.cancel))

        with self.watched(principal.session_id, end):
            try:
                yield
            except asyncio.CancelledError:
                if ending and ending[0].when() <= loop.time() and task.uncancel() == 0:
                    raise revoked() from None
                raise
            finally:
                for handle in ending:
                    handle.cancel()

    async def _ask(self) -> None:
        asked_at = time.monotonic()
        async with self._asking:
            if self._known_at > asked_at:
                return  # Somebody asked while this waited.
            more = True
            while more:
                started, after = time.monotonic(), self._revision
                reply = await self._source.list_revocations(
                    revocations.ListRevocationsRequest(after_revision=after)
                )
                if reply.revision < after:
                    self._revision = 0  # auth's database was restored: all of it anew.
                    continue
                for revocation in reply.revocations:
                    self._end(revocation.session_id, revocation.expire_time.seconds)
                self._revision, more = reply.revision, reply.more
                self._known_at = started

    def _end(self, session_id: str, expires: float) -> None:
        if session_id in self._over:
            return
        self._over[session_id] = expires
        for ended in list(self._watched.get(session_id, ())):
            ended()
