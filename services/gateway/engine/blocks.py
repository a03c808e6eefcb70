"""Who is kept apart from whom: neither sees that the other is there or writes.

Asked of user when somebody's first stream opens, and again whenever an event says that
it changed. What a new block says holds at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Final

from google.protobuf.message import Message

from chassis.clients import Clients
from chassis.errors import Error
from creavio.user.v1 import block_service_pb2, user_events_pb2
from creavio.user.v1.block_service_pb2_grpc import BlockServiceStub

_RETRY_SECONDS: Final = 0.2
_NOBODY: Final[frozenset[str]] = frozenset()


class Blocks:
    """Knows it of everybody with open streams here.

    `watch` has somebody told of people who are kept apart, or no longer: of whom, and
    from whom.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._users = BlockServiceStub(clients.channel)
        self._known: dict[str, frozenset[str]] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._following: list[str] = []
        """Of whom it is being asked for the first time."""
        self._again: set[str] = set()
        """Of whom something was heard since user was asked."""
        self._parted: Callable[[str, str], None] = lambda *_: None

    def watch(self, parted: Callable[[str, str], None]) -> None:
        """Tell somebody of whoever is kept apart from now on."""
        self._parted = parted

    async def apart_from(self, user_id: str) -> frozenset[str]:
        """Who is kept apart from somebody. Raises `Unavailable` when it cannot be known."""
        known = self._known.get(user_id)
        return await self._ask(user_id) if known is None else known

    async def follow(self, user_id: str) -> None:
        """Know it of somebody from now on, until `forget`. Raises `Unavailable`."""
        self._following.append(user_id)
        try:
            while user_id not in self._known:
                self._again.discard(user_id)
                found = await self._ask(user_id)
                if user_id not in self._again:
                    self._known.setdefault(user_id, found)
        finally:
            self._following.remove(user_id)

    def forget(self, user_id: str) -> None:
        """Know nothing of somebody any more."""
        self._known.pop(user_id, None)

    def apart(self, viewer_id: str, other_id: str) -> bool:
        """Whether somebody who is followed is not to know of another."""
        return other_id in self._known.get(viewer_id, _NOBODY)

    def learn(self, event: Message) -> None:
        """Hear of a block; an event may be an old one, so user is asked what is so now."""
        if isinstance(event, user_events_pb2.UserBlocked | user_events_pb2.UserUnblocked):
            pair = (event.user_id, event.blocked_id)
            for one, other in (pair, pair[::-1]):
                if one in self._known or one in self._following:
                    self._again.add(one)
                if one in self._known:
                    if isinstance(event, user_events_pb2.UserBlocked):
                        self._take(one, self._known[one] | {other})
                    self._renew(one)

    def _take(self, user_id: str, apart: frozenset[str]) -> None:
        before, self._known[user_id] = self._known[user_id], apart
        for other in apart - before:
            self._parted(user_id, other)

    def _renew(self, user_id: str) -> None:
        if user_id not in self._asking:
            # In no call's context: it outlasts the one that opened the stream.
            task = asyncio.get_running_loop().create_task(self._read(user_id), context=Context())
            self._asking[user_id] = task

    async def _read(self, user_id: str) -> None:
        try:
            while user_id in self._known and user_id in self._again:
                self._again.discard(user_id)
                try:
                    found = await self._ask(user_id)
                except Error:
                    self._again.add(user_id)
                    await asyncio.sleep(_RETRY_SECONDS)
                    continue
                if user_id not in self._again and user_id in self._known:
                    self._take(user_id, found)
        finally:
            self._asking.pop(user_id, None)
            if user_id not in self._known:
                self._again.discard(user_id)

    async def _ask(self, user_id: str) -> frozenset[str]:
        request = block_service_pb2.ListApartRequest(user_id=user_id)
        return frozenset((await self._clients.call(self._users.ListApart, request)).user_ids)
