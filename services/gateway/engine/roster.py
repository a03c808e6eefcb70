"""Who is there, on any replica: where they belong, and how they wish to seem."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeAlias

from cachetools import TTLCache

from creavio.gateway.v1 import presence_pb2 as g

Status: TypeAlias = g.PresenceStatus.ValueType
Belongings: TypeAlias = Mapping[str, tuple[int, int]]
"""Per community, the version of the person's binding there and their roles by number."""

_CHOICE_SECONDS: Final = 10.0
_NOBODY: Final[frozenset[str]] = frozenset()
_UNCHOSEN: Final[tuple[Status, int]] = (g.PRESENCE_STATUS_UNSPECIFIED, 0)
_UNKNOWN: Final = (-1, 0)


class There:
    """Somebody with open streams, or whose last one just ended."""

    __slots__ = (
        "belongings",
        "chosen",
        "chosen_ms",
        "replicas",
        "stale",
        "told",
        "told_at",
        "user_id",
    )

    def __init__(self, user_id: str) -> None:
        self.user_id = user_id
        self.belongings: dict[str, tuple[int, int]] = {}
        """Those they left among them, without roles."""
        self.stale = False
        """Whether they may belong elsewhere by now: nothing is told of them until that is
        known again, or they are gone."""
        self.replicas: tuple[str, ...] = ()
        """Where their streams are open."""
        self.chosen, self.chosen_ms = _UNCHOSEN
        self.told: Status = g.PRESENCE_STATUS_OFFLINE
        """What others were told last."""
        self.told_at = float("-inf")

    @property
    def seems(self) -> Status:
        """How they are there, as others may know it."""
        if not self.replicas:
            return g.PRESENCE_STATUS_OFFLINE
        return self.chosen or g.PRESENCE_STATUS_ONLINE

    def roles_in(self, community_id: str) -> int:
        """Their roles in a community, by number; 0 when they do not belong there."""
        return self.belongings.get(community_id, _UNKNOWN)[1]


class Roster:
    """Everybody who is there.

    `changed` is told of whoever may seem otherwise than told; `moved` of whoever others
    were told of and has other roles in a community now, with those they had.
    """

    def __init__(
        self, changed: Callable[[str], None], moved: Callable[[str, str, int], None]
    ) -> None:
        self._changed = changed
        self._moved = moved
        self._people: dict[str, There] = {}
        self._communities: defaultdict[str, set[str]] = defaultdict(set)
        self._chosen: TTLCache[str, tuple[Status, int]] = TTLCache(10_000, _CHOICE_SECONDS)

    def get(self, user_id: str) -> There | None:
        """Somebody who is there, or was until a moment ago."""
        return self._people.get(user_id)

    def belonging_to(self, community_id: str) -> Collection[str]:
        """Those of a community who are there."""
        return self._communities.get(community_id, _NOBODY)

    @property
    def communities(self) -> Collection[str]:
        """Where anybody who is there belongs."""
        return self._communities.keys()

    def on(self, replica: str) -> list[There]:
        """Those whose streams are open on a replica."""
        return [there for there in self._people.values() if replica in there.replicas]

    def came(self, replica: str, user_id: str, belongings: Belongings, *, whole: bool) -> None:
        """Somebody's streams are open on a replica.

        They belong where it says and nowhere else if that is the `whole`; otherwise the
        latest version of each binding counts.
        """
        there = self._people.get(user_id)
        if there is None:
            there = self._people[user_id] = There(user_id)
        if not there.replicas:
            # What was chosen lasts until the last stream ends.
            there.chosen, there.chosen_ms = self._chosen.pop(user_id, _UNCHOSEN)
        if replica not in there.replicas:
            there.replicas += (replica,)
        whole |= there.stale
        there.stale = False
        if whole:
            for community_id in there.belongings.keys() - belongings.keys():
                self._move(there, community_id, 0, 0)
                del there.belongings[community_id]
        for community_id, (version, numbers) in belongings.items():
            if whole or version > there.belongings.get(community_id, _UNKNOWN)[0]:
                self._move(there, community_id, version, numbers)
        self._changed(user_id)

    def left(self, replica: str, user_id: str) -> None:
        """Somebody's streams on a replica are open no longer."""
        there = self._people.get(user_id)
        if there is not None and replica in there.replicas:
            there.replicas = tuple(other for other in there.replicas if other != replica)
            self._changed(user_id)

    def chose(self, user_id: str, status: Status, time_ms: int) -> None:
        """Somebody chose how to be there; who is not there yet may be in a moment."""
        there = self._people.get(user_id)
        if there is None or not there.replicas:
            if time_ms >= self._chosen.get(user_id, _UNCHOSEN)[1]:
                self._chosen[user_id] = status, time_ms
        elif (time_ms, status) > (there.chosen_ms, there.chosen):
            there.chosen, there.chosen_ms = status, time_ms
            self._changed(user_id)

    def moved(self, user_id: str, community_id: str, version: int, numbers: int) -> None:
        """Somebody's roles are others."""
        there = self._people.get(user_id)
        if there is not None and version > there.belongings.get(community_id, _UNKNOWN)[0]:
            self._move(there, community_id, version, numbers)

    def forget(self, user_id: str) -> None:
        """Keep nothing of somebody."""
        there = self._people.pop(user_id, None)
        if there is not None:
            for community_id in there.belongings:
                self._strike(community_id, user_id)

    def doubt(self) -> None:
        """Where anybody belongs has to be said anew, on whatever replica they are."""
        for there in self._people.values():
            there.stale = True

    def _move(self, there: There, community_id: str, version: int, numbers: int) -> None:
        before = there.roles_in(community_id)
        there.belongings[community_id] = version, numbers
        if not numbers:
            self._strike(community_id, there.user_id)
        elif numbers != before:
            self._communities[community_id].add(there.user_id)
            if there.told != g.PRESENCE_STATUS_OFFLINE:
                self._moved(there.user_id, community_id, before)

    def _strike(self, community_id: str, user_id: str) -> None:
        members = self._communities.get(community_id)
        if members is not None:
            members.discard(user_id)
            if not members:
                del self._communities[community_id]
