"""Who knows a person: of whom an event is told that concerns everybody who shows their name.

Those who belong to a community the person belongs to, or talk to them. Asked of rbac and
chat when something of the person is to be told, at most every two seconds of one: what that
costs does not grow with who knows them, and little with where they belong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
import time
from typing import Final, NamedTuple

from cachetools import LRUCache

from chassis.clients import Clients
from creavio.chat.v1 import conversation_service_pb2
from creavio.chat.v1.conversation_service_pb2_grpc import ConversationServiceStub
from creavio.rbac.v1 import access_service_pb2
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub

_KEPT: Final = 1_000
_KEPT_SECONDS: Final = 2.0
_AT_ONCE: Final = 100
"""People rbac compares with one at a time."""


class Circle(NamedTuple):
    """Who knows a person."""

    communities: frozenset[str]
    """Where the person belongs."""
    talkers: frozenset[str]
    """Who is in a conversation with them, but of those they began long ago."""
    known_at: float


class Circles:
    """Knows whom something of a person is told to."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._rbac = AccessServiceStub(clients.channel)
        self._chat = ConversationServiceStub(clients.channel)
        self._known: LRUCache[str, Circle] = LRUCache(_KEPT)

    def get(self, user_id: str) -> Circle | None:
        """Who knows somebody, as it was when it was asked last."""
        return self._known.get(user_id)

    def fresh(self, user_id: str) -> bool:
        """Whether that was asked just now."""
        known = self._known.get(user_id)
        return known is not None and time.monotonic() - known.known_at < _KEPT_SECONDS

    async def ask(self, user_id: str) -> None:
        """Learn who knows somebody. Raises `Unavailable` when it cannot be known."""
        request = access_service_pb2.ListBindingsRequest(user_id=user_id)
        reply, talkers = await asyncio.gather(
            self._clients.call(self._rbac.ListBindings, request), self._talkers(user_id)
        )
        communities = frozenset(one.community_id for one in reply.bindings if one.roles)
        self._known[user_id] = Circle(communities, talkers, time.monotonic())

    async def known_to(self, user_id: str, among: Collection[str]) -> frozenset[str]:
        """Those of some people whom somebody knows. Raises `Unavailable`."""
        if not among:
            return frozenset()
        found = set(await self._talkers(user_id)).intersection(among)
        for some in _parts(sorted(set(among) - found)):
            request = access_service_pb2.ListFellowsRequest(user_id=user_id, among=some)
            found.update((await self._clients.call(self._rbac.ListFellows, request)).user_ids)
        return frozenset(found)

    async def _talkers(self, user_id: str) -> frozenset[str]:
        request = conversation_service_pb2.ListTalkersRequest(user_id=user_id)
        return frozenset((await self._clients.call(self._chat.ListTalkers, request)).user_ids)


def _parts(people: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(people), _AT_ONCE):
        yield people[start : start + _AT_ONCE]
