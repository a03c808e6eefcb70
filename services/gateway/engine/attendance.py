"""What the replicas tell each other of who is there.

Each says who came to it and who left it, in numbered words, and again of whoever is
there with other roles or another status; one that missed a word asks for everything
anew. What a replica said is void when it was not heard for a while: its people are
somewhere else by then, or nowhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
import time
from typing import TYPE_CHECKING, Final

from nats.aio.msg import Msg

from chassis import ids
from chassis.bus import Bus
from chassis.errors import Unavailable
from chassis.subjects import LIVE, subject_root
from creavio.gateway.v1 import replica_pb2
from services.gateway.engine.community import Person
from services.gateway.engine.roster import Roster, Status, There

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

_CHANGED: Final = LIVE + subject_root(replica_pb2.AttendanceChanged.DESCRIPTOR.full_name)
_ASKED: Final = LIVE + subject_root(replica_pb2.AttendanceAsked.DESCRIPTOR.full_name)
_CHOSEN: Final = LIVE + subject_root(replica_pb2.PresenceChosen.DESCRIPTOR.full_name)

GRACE_SECONDS: Final = 5.0
"""How long after their last stream somebody is still taken to be there."""
_WORD_SECONDS: Final = 4.0
"""A replica with nothing to say says so this often."""
EXPIRE_SECONDS: Final = 13.0
"""A replica that was not heard for so long is gone."""
_DEAF_SECONDS: Final = 8.0
"""Who did not hear even themselves for so long knows nothing of others' silence."""
_ANSWER_SECONDS: Final = 1.0
"""Within so long, all replicas begin to answer one that asks who is there."""
_LEARN_SECONDS: Final = 5.0
"""For so long at most, a replica that began waits for all of their answers."""
_LOOK_SECONDS: Final = 0.05
_WORD_BYTES: Final = 256 * 1024
_LEFT_A_WORD: Final = 5_000
"""A word stays well under what NATS carries, however many people there are."""


class _Replica:
    """What is known of another replica."""

    def __init__(self) -> None:
        self.heard_at = time.monotonic()
        self.number = 0
        """Its last word; -1 while not everything is known that it said."""
        self.unsaid: set[str] | None = None
        """While it tells all anew: those who came before and were not told again yet."""


class Attendance:
    """Tells the other replicas who is here, and the roster who is there."""

    def __init__(self, bus: Bus, roster: Roster, telemetry: Telemetry) -> None:
        self.id = ids.new().hex
        self._bus = bus
        self._roster = roster
        self._log = telemetry.log
        self._others: dict[str, _Replica] = {}
        self._leaving: dict[str, float] = {}
        self._came: dict[str, None] = {}
        self._number = 0
        self._said_at = float("-inf")
        self._asked_for_all = False
        self._began_at = self._echoed_at = time.monotonic()

    async def follow(self) -> None:
        """Follow the others from now on, and ask them who is there."""
        await self._bus.follow(_CHANGED, self._heard)
        await self._bus.follow(_ASKED, self._asked)
        await self._bus.follow(_CHOSEN, self._chosen)
        await self.begin()

    async def begin(self) -> None:
        """Ask all replicas who is there, and tell them who is here."""
        for replica in self._others.values():
            replica.number, replica.unsaid = -1, None
        self._began_at = time.monotonic()
        self._asked_for_all = True
        await self._ask("")

    async def learned(self) -> None:
        """Return once others' people are known, too: a few seconds after it began at most."""
        while True:
            if not self._learning():
                return
            await asyncio.sleep(_LOOK_SECONDS)

    def _learning(self) -> bool:
        elapsed = time.monotonic() - self._began_at
        return elapsed < _ANSWER_SECONDS or (
            elapsed < _LEARN_SECONDS
            and any(other.number < 0 or other.unsaid is not None for other in self._others.values())
        )

    def came(self, person: Person) -> None:
        """Somebody's first stream is open here."""
        belongings = {
            community_id: (roles.version, roles.numbers)
            for community_id, roles in (person.roles or {}).items()
        }
        self._roster.came(self.id, person.user_id, belongings, whole=True)
        self._leaving.pop(person.user_id, None)
        self._came[person.user_id] = None

    def repeat(self, user_id: str) -> None:
        """Tell the others of somebody again, if they are here: something of them changed."""
        there = self._roster.get(user_id)
        if there is not None and self.id in there.replicas:
            self._came[user_id] = None

    def went(self, person: Person) -> None:
        """Somebody's last stream here is open no longer; they may be back in a moment."""
        self._leaving[person.user_id] = time.monotonic() + GRACE_SECONDS

    async def chose(self, user_id: str, status: Status) -> None:
        """Somebody chose how to be there.

        Raises `Unavailable` when those they are with cannot be told.
        """
        there = self._roster.get(user_id)
        here = there is not None and self.id in there.replicas
        if not (here or self._bus.client.is_connected):
            raise Unavailable("other gateways cannot be reached at the moment; try again")
        now_ms = time.time_ns() // 1_000_000
        # Later than the choice before, whatever clock that was made by.
        time_ms = now_ms if there is None else max(now_ms, there.chosen_ms + 1)
        chosen = replica_pb2.PresenceChosen(user_id=user_id, status=status, time_ms=time_ms)
        self._choose(chosen)
        await self._bus.publish(_CHOSEN, chosen.SerializeToString())

    async def tick(self, *, settled: bool) -> None:
        """Say what changed, and draw conclusions from what is not heard.

        `settled` says whether it is known where people belong: all is told anew
        only then.
        """
        now = time.monotonic()
        left = [user_id for user_id, at in self._leaving.items() if at <= now]
        for user_id in left:
            del self._leaving[user_id]
            self._came.pop(user_id, None)
            self._roster.left(self.id, user_id)
        if self._asked_for_all and settled:
            self._asked_for_all = False
            await self._say_all()
        elif self._came or left:
            await self._say_changes(left)
        elif now - self._said_at > _WORD_SECONDS:
            await self._say(replica_pb2.AttendanceChanged())
        deaf = not self._bus.client.is_connected or now - self._echoed_at > _DEAF_SECONDS
        for replica_id, replica in list(self._others.items()):
            if deaf:
                replica.heard_at = now
            elif now - replica.heard_at > EXPIRE_SECONDS:
                self._expire(replica_id)

    async def _say_changes(self, left: list[str]) -> None:
        came, self._came = self._came, {}
        for start in range(0, len(left), _LEFT_A_WORD):
            gone = left[start : start + _LEFT_A_WORD]
            await self._say(replica_pb2.AttendanceChanged(left_user_ids=gone))
        for portion in self._portions(came):
            await self._say(replica_pb2.AttendanceChanged(came=portion))

    async def _say_all(self) -> None:
        self._came = {}
        first = True
        for portion in self._portions([there.user_id for there in self._roster.on(self.id)]):
            await self._say(replica_pb2.AttendanceChanged(came=portion, anew=True, first=first))
            first = False
        await self._say(replica_pb2.AttendanceChanged(anew=True, first=first, complete=True))

    def _portions(self, user_ids: Iterable[str]) -> Iterator[list[replica_pb2.Attendance]]:
        """What is known of people as each portion is taken, as much as fits into a word."""
        portion: list[replica_pb2.Attendance] = []
        size = 0
        for user_id in user_ids:
            there = self._roster.get(user_id)
            if there is None:
                continue
            portion.append(_attendance(there))
            size += portion[-1].ByteSize()
            if size > _WORD_BYTES:
                yield portion
                portion, size = [], 0
        if portion:
            yield portion

    async def _say(self, word: replica_pb2.AttendanceChanged) -> None:
        self._number += _tells(word)
        word.replica_id, word.number = self.id, self._number
        self._said_at = time.monotonic()
        await self._bus.publish(_CHANGED, word.SerializeToString())
        await asyncio.sleep(0)  # However many words there are, others have their turn.

    async def _ask(self, replica_id: str) -> None:
        asked = replica_pb2.AttendanceAsked(replica_id=replica_id)
        await self._bus.publish(_ASKED, asked.SerializeToString())

    async def _asked(self, message: Msg) -> None:
        asked = replica_pb2.AttendanceAsked.FromString(message.data)
        # However many ask until the next tick, they are answered once.
        self._asked_for_all |= asked.replica_id in ("", self.id)

    async def _chosen(self, message: Msg) -> None:
        self._choose(replica_pb2.PresenceChosen.FromString(message.data))

    def _choose(self, chosen: replica_pb2.PresenceChosen) -> None:
        self._roster.chose(chosen.user_id, chosen.status, chosen.time_ms)
        # Who did not hear the choice misses a word as well, and asks for it.
        self.repeat(chosen.user_id)

    async def _heard(self, message: Msg) -> None:
        word = replica_pb2.AttendanceChanged.FromString(message.data)
        if word.replica_id == self.id:
            self._echoed_at = time.monotonic()
            return
        # One that said nothing yet is known: its words begin with the first.
        replica = self._others.setdefault(word.replica_id, _Replica())
        replica.heard_at = time.monotonic()
        before = word.number - _tells(word)
        if word.first:
            replica.unsaid = {there.user_id for there in self._roster.on(word.replica_id)}
        elif replica.number != before:
            replica.number, replica.unsaid = -1, None
            await self._ask(word.replica_id)
            return
        replica.number = word.number
        self._take(replica, word)

    def _take(self, replica: _Replica, word: replica_pb2.AttendanceChanged) -> None:
        for came in word.came:
            self._roster.came(
                word.replica_id,
                came.user_id,
                {b.community_id: (b.version, int.from_bytes(b.roles)) for b in came.belongings},
                whole=word.anew,
            )
            self._roster.chose(came.user_id, came.status, came.time_ms)
        for user_id in word.left_user_ids:
            self._roster.left(word.replica_id, user_id)
        if replica.unsaid is not None:
            replica.unsaid.difference_update(came.user_id for came in word.came)
            if word.complete:
                for user_id in replica.unsaid:
                    self._roster.left(word.replica_id, user_id)
                replica.unsaid = None

    def _expire(self, replica_id: str) -> None:
        del self._others[replica_id]
        self._log.info("a replica is gone", replica=replica_id)
        for there in self._roster.on(replica_id):
            self._roster.left(replica_id, there.user_id)


def _tells(word: replica_pb2.AttendanceChanged) -> bool:
    """Whether a word says more than that its replica lives: such words are numbered."""
    return bool(word.came or word.left_user_ids or word.anew)


def _attendance(there: There) -> replica_pb2.Attendance:
    return replica_pb2.Attendance(
        user_id=there.user_id,
        belongings=[
            replica_pb2.Belonging(
                community_id=community_id,
                version=version,
                roles=numbers.to_bytes((numbers.bit_length() + 7) // 8),
            )
            for community_id, (version, numbers) in there.belongings.items()
        ],
        status=there.chosen,
        time_ms=there.chosen_ms,
    )
