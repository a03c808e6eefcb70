"""Telling people who of those they share a community with is there.

What is told is bounded: of a person a second apart at the earliest, through
communities with 500 people there at most (who shares only larger ones asks), and
so much at a time that messages are never kept waiting.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from chassis.authz import Authorizer
from chassis.bus import Bus
from chassis.ids import INSTANCE
from chassis.masks import Policy, Roles
from creavio.gateway.v1 import presence_pb2 as g
from creavio.options.v1 import permission_pb2 as p
from services.gateway import convert
from services.gateway.domain import NotKnown
from services.gateway.engine.attendance import Attendance
from services.gateway.engine.crowd import Crowd
from services.gateway.engine.roster import Roster, Status, There
from services.gateway.engine.stream import Stream

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

_TICK_SECONDS: Final = 0.2
_APART_SECONDS: Final = 1.0
"""Of one person, this long after what was told before."""
MAX_THERE: Final = 500
"""More people of a community than this are not told of each other: they ask."""
MAX_LISTED: Final = 1_000
_PUSHES_A_TICK: Final = 20_000
_A_LOOK: Final = 10
"""Finding out who may know of somebody takes as long as so many pushes."""
_OFFLINE: Final = g.PRESENCE_STATUS_OFFLINE
_VIEW: Final = p.PERMISSION_VIEW_COMMUNITY


class Presence:
    """Who is there, for those who may know it."""

    def __init__(
        self, bus: Bus, authorizer: Authorizer, crowd: Crowd, telemetry: Telemetry
    ) -> None:
        self._authorizer = authorizer
        self._crowd = crowd
        self._log = telemetry.log
        self._due: dict[str, None] = {}
        self._welcome: dict[tuple[str, str], None] = {}
        self._policies: dict[str, Policy] = {}
        """Of communities whose policy changed: by which people were told last."""
        self._void = False
        self._roster = Roster(self._note, self._note_moved)
        self._attendance = Attendance(bus, self._roster, telemetry)
        crowd.watch(self._attendance)
        crowd.blocks.watch(self._part)
        authorizer.knowledge.follow(self)

    async def run(self) -> None:
        """Tell what changes, for as long as the service lives."""
        await self._attendance.follow()
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            try:
                await self._step()
            except Exception:
                self._log.exception("presence was not told")

    async def choose(self, user_id: str, status: Status) -> None:
        """Have somebody be there in this way, on all replicas.

        Raises `Unavailable` when those they are with cannot be told.
        """
        await self._attendance.chose(user_id, status)

    async def there(self, viewer_id: str, community_id: str) -> list[g.Presence]:
        """Those of a community who are there; 1,000 at most. The viewer may know it.

        Raises `Unavailable` when it is not known who belongs to it.
        """
        await self._attendance.learned()
        apart = await self._crowd.blocks.apart_from(viewer_id)
        knowledge = self._authorizer.knowledge
        known = knowledge.get(viewer_id, community_id, reading=True)
        policy = (known or await self._authorizer.fetch(viewer_id, community_id)).policy
        if self._void or not self._crowd.believed():
            raise NotKnown
        found: list[g.Presence] = []
        for user_id in self._roster.belonging_to(community_id):
            there = self._roster.get(user_id)
            if there is None or there.stale or there.seems == _OFFLINE or user_id in apart:
                continue
            if _shows(community_id, there.roles_in(community_id), policy):
                found.append(g.Presence(user_id=user_id, status=there.seems))
                if len(found) == MAX_LISTED:
                    break
        return found

    # What rbac announces.

    def policy_changed(self, community_id: str) -> None:
        """Somebody who is there may be for others to see only now."""
        community = self._crowd.community(community_id)
        if community is not None and community.policy is not None:
            self._policies.setdefault(community_id, community.policy)

    def roles_changed(self, user_id: str, community_id: str, roles: Roles) -> None:
        """Somebody who is there may belong somewhere else."""
        self._roster.moved(user_id, community_id, roles.version, roles.numbers)
        # Where their word comes later than this, it said what was so before.
        self._attendance.repeat(user_id)

    def forgotten(self) -> None:
        """Nothing is known of where anybody belongs, until everybody was asked for again."""
        self._void = True
        for community_id in self._roster.communities:
            self.policy_changed(community_id)

    # Telling.

    def _part(self, viewer_id: str, other_id: str) -> None:
        """Somebody is not to know of another any more: as far as they can tell, they went."""
        gone = convert.presence(other_id, _OFFLINE)
        for stream in self._crowd.streams_of(viewer_id):
            stream.push(gone)

    def _note(self, user_id: str) -> None:
        self._due[user_id] = None

    def _note_moved(self, user_id: str, community_id: str, before: int) -> None:
        community = self._crowd.community(community_id)
        known = None if community is None else community.policy
        # People were told by the policy before, until they are compared.
        policy = self._policies.get(community_id, known)
        if policy is None or not _shows(community_id, before, policy):
            self._welcome[user_id, community_id] = None

    async def _step(self) -> None:
        believed = self._crowd.believed()
        if self._void and believed:
            await self._begin_anew()
        await self._attendance.tick(settled=not self._void)
        if not self._void and self._crowd.believed():
            self._compare_policies()
            self._tell_welcome(self._tell_due())

    async def _begin_anew(self) -> None:
        self._void = False
        self._roster.doubt()
        for there in self._roster.on(self._attendance.id):
            person = self._crowd.person(there.user_id)
            if person is not None and person.streams:
                self._attendance.came(person)
        await self._attendance.begin()

    def _compare_policies(self) -> None:
        for community_id in list(filter(self._crowd.sure, self._policies)):
            before = self._policies.pop(community_id)
            people = self._roster.belonging_to(community_id)
            if len(people) > MAX_THERE:
                continue
            for there in filter(None, map(self._roster.get, people)):
                if not _shows(community_id, there.roles_in(community_id), before):
                    self._welcome[there.user_id, community_id] = None

    def _tell_due(self) -> int:
        """Tell of those who seem otherwise than told; how much more may be told now."""
        now = time.monotonic()
        left = _PUSHES_A_TICK
        for user_id in list(self._due):
            there = self._roster.get(user_id)
            if left <= 0 or there is None or (there.stale and there.replicas):
                continue
            if there.seems != there.told:
                if now - there.told_at < _APART_SECONDS or not self._sure(there):
                    continue
                there.told, there.told_at = there.seems, now
                left -= self._tell(there, self._audience(there))
            del self._due[user_id]
            if not there.replicas:
                self._roster.forget(user_id)
        return left

    def _tell_welcome(self, left: int) -> None:
        for user_id, community_id in list(self._welcome):
            there = self._roster.get(user_id)
            if there is None or there.told == _OFFLINE:
                del self._welcome[user_id, community_id]
            elif left > 0 and not there.stale and self._crowd.sure(community_id):
                del self._welcome[user_id, community_id]
                left -= self._tell(there, self._viewers(there, community_id))

    def _sure(self, there: There) -> bool:
        return all(self._crowd.sure(where) for where in there.belongings if there.roles_in(where))

    def _audience(self, there: There) -> set[Stream]:
        audience = set(self._crowd.streams_of(there.user_id))
        for community_id in there.belongings:
            audience |= self._viewers(there, community_id)
        return audience

    def _viewers(self, there: There, community_id: str) -> set[Stream]:
        """The streams of those who may see somebody through a community they share."""
        community = self._crowd.community(community_id)
        if (
            community is None
            or community.policy is None
            or len(self._roster.belonging_to(community_id)) > MAX_THERE
            or not _shows(community_id, there.roles_in(community_id), community.policy)
        ):
            return set()
        return community.audience(_VIEW)

    def _tell(self, there: There, audience: set[Stream]) -> int:
        told = convert.presence(there.user_id, there.told)
        for stream in audience:
            if not self._crowd.blocks.apart(stream.person.user_id, there.user_id):
                stream.push(told)
        return len(audience) + _A_LOOK


def _shows(community_id: str, numbers: int, policy: Policy) -> bool:
    """Whether members of a community may know of somebody who has these roles there."""
    if community_id == INSTANCE or not numbers:
        return False
    return policy.allows(Roles(0, numbers, {}), _VIEW)
