"""Everybody with an open stream here, where they belong, and what they may see there.

A person's roles are asked for once, when their first stream opens, and followed
from then on (`chassis.knowledge.Follower`), so that every event is decided from
what is kept here. A community's policy is asked for when somebody of it comes,
and again when it changed; until it is known, nothing of the community is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from contextvars import Context
import time
from typing import TYPE_CHECKING, Any, Final

from chassis.authz import Authorizer
from chassis.errors import Error, NotFound
from chassis.masks import Permission, Policy, Roles, roles_of
from services.gateway.domain import DOUBT_SECONDS, NotKnown
from services.gateway.engine.belief import Belief
from services.gateway.engine.births import Births
from services.gateway.engine.community import Community, Person, Watcher
from services.gateway.engine.places import Places
from services.gateway.engine.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from chassis.telemetry import Telemetry

_AT_ONCE: Final = 32
"""Questions to rbac under way at once: a crowd waits its turn."""
_RETRY_SECONDS: Final = 0.1
_LOOK_SECONDS: Final = 0.01
_NO_POLICY: Final = Policy(0, (), {}, {})
_NOBODY: Final[frozenset[Stream]] = frozenset()


class Crowd:
    """People, communities, and whether what is known of them may be believed.

    `changed` is told of a person who may see or do something else in a community
    than before; `lost` of streams that end because it cannot be known what they may see.
    """

    def __init__(
        self,
        authorizer: Authorizer,
        places: Places,
        changed: Callable[[Person, str], None],
        lost: Callable[[Iterable[Stream], Error], None],
        telemetry: Telemetry,
    ) -> None:
        self._authorizer = authorizer
        self._now = authorizer.knowledge.now
        self.belief = Belief(authorizer.knowledge)
        """Whether what rbac announces is heard."""
        self._places = places
        self.blocks = places.blocks
        self._changed = changed
        self._lost = lost
        self._log = telemetry.log
        self._watchers: list[Watcher] = []
        self._people: dict[str, Person] = {}
        self._communities: dict[str, Community] = {}
        self._rereading: asyncio.Task[None] | None = None
        self._asking = asyncio.Semaphore(_AT_ONCE)
        self.births = Births()
        """The channels people were told of."""
        authorizer.knowledge.follow(self)

    def watch(self, watcher: Watcher) -> None:
        """Tell somebody of everybody who comes and goes from now on."""
        self._watchers.append(watcher)

    async def meet(self, user_id: str) -> Person:
        """The person, once it is known where they belong; `leave` or `part` with them again.

        Raises `Unavailable` when it cannot be known.
        """
        person = self._people.get(user_id)
        if person is None:
            person = self._people[user_id] = Person(user_id)
        person.pins += 1
        try:
            while person.roles is None:
                await self._read_once(person)
            async with self._asking:
                await self.blocks.follow(user_id)
        except BaseException:
            self.part(person)
            raise
        return person

    def enter(self, stream: Stream) -> None:
        """Tell a stream of somebody who was met everything from here on.

        Raises `Unavailable` when their roles could not be read again meanwhile.
        """
        person = stream.person
        if self._people.get(person.user_id) is not person:
            raise NotKnown
        person.streams.append(stream)
        for community in self.communities_of(person):
            community.entered(person, stream)
        if len(person.streams) == 1:
            for watcher in self._watchers:
                watcher.came(person)

    def leave(self, stream: Stream) -> None:
        """Tell a stream nothing more."""
        person = stream.person
        if stream not in person.streams:
            return
        person.streams.remove(stream)
        for community in self.communities_of(person):
            community.left(stream)
        if not person.streams:
            for watcher in self._watchers:
                watcher.went(person)

    def part(self, person: Person) -> None:
        """Forget somebody as often as they were met: then nothing of them is kept."""
        person.pins -= 1
        if person.pins == 0:
            self._forget(person)

    # Who sees what.

    def streams_of(self, user_id: str) -> Collection[Stream]:
        """The open streams of a person."""
        person = self._people.get(user_id)
        return _NOBODY if person is None else person.streams

    def audience(
        self, community_id: str, permission: Permission, channel: str = ""
    ) -> Collection[Stream]:
        """The open streams of those who hold a permission; ask when it is `sure`."""
        community = self._communities.get(community_id)
        return _NOBODY if community is None else community.audience(permission, channel)

    def allows(
        self, user_id: str, community_id: str, permission: Permission, channel: str = ""
    ) -> bool:
        """Whether somebody with open streams holds a permission; ask when it is `sure`."""
        community = self._communities.get(community_id)
        return community is not None and community.allows(user_id, permission, channel)

    def communities_of(self, person: Person) -> list[Community]:
        """Where somebody has a seat."""
        roles = person.roles or {}
        found = (self._communities.get(identifier) for identifier, held in roles.items() if held)
        return [community for community in found if community is not None]

    def community(self, community_id: str) -> Community | None:
        """A community somebody has a seat in; ask it when it is `sure`."""
        return self._communities.get(community_id)

    def person(self, user_id: str) -> Person | None:
        """Somebody with open streams here, or about to have some."""
        return self._people.get(user_id)

    def sure(self, community_id: str) -> bool:
        """Whether what is known of a community is what rbac last announced."""
        if not self.believed():
            return False
        community = self._communities.get(community_id)
        return community is None or (community.doubted_at is None and community.policy is not None)

    def believed(self) -> bool:
        """Whether what is known of anybody may be believed."""
        return self.belief.holds() and self._rereading is None

    async def settled(self, community_id: str, since: float | None = None) -> bool:
        """Whether it is sure, waiting for it at most a second.

        That second began when it was doubted first, or `since` (`time.monotonic`).
        """
        while not self.sure(community_id):
            if self._rereading is not None:
                await asyncio.wait({self._rereading})  # ends by itself
                continue
            began = self._doubted_since(community_id) if since is None else since
            if time.monotonic() - began > DOUBT_SECONDS:
                return False
            await asyncio.sleep(_LOOK_SECONDS)
        return True

    def _doubted_since(self, community_id: str) -> float:
        community = self._communities.get(community_id)
        doubts = (self.belief.lost_at, None if community is None else community.doubted_at)
        return min((at for at in doubts if at is not None), default=time.monotonic())

    def drop(self, community_id: str) -> None:
        """End the streams of everybody in a community: it is not known what they may see."""
        community = self._communities.get(community_id)
        if community is not None:
            self._lost(
                [s for seat in community.seats.values() for s in seat.person.streams], NotKnown()
            )

    # What rbac announces.

    def policy_changed(self, community_id: str) -> None:
        """Ask for a policy anew, before anything more of its community is told."""
        community = self._communities.get(community_id)
        if community is not None:
            community.generation += 1
            self._doubt(community)

    def roles_changed(self, user_id: str, community_id: str, roles: Roles) -> None:
        """Somebody's roles are others from here on."""
        person = self._people.get(user_id)
        if person is None:
            return
        if person.reading is not None:
            news = person.news.get(community_id)
            if news is None or news.version < roles.version:
                person.news[community_id] = roles
        if person.roles is not None:
            kept = person.roles.get(community_id)
            if kept is None or kept.version < roles.version:
                self._give(person, community_id, roles)

    def forgotten(self) -> None:
        """Ask for everything anew, before anything more is told."""
        if self._rereading is not None:
            self._rereading.cancel()
        for community in self._communities.values():
            community.generation += 1
            self._doubt(community)
        self._rereading = self._start(self._reread())

    def _give(self, person: Person, community_id: str, roles: Roles) -> None:
        """Let somebody have these roles, and say so if they may see or do something else."""
        assert person.roles is not None
        before = person.roles.get(community_id)
        person.roles[community_id] = roles
        community = self._communities.get(community_id)
        if not roles:
            if community is not None:
                self._unseat(community, person)
            if before:
                self._changed(person, community_id)
            return
        if community is None:
            community = self._communities[community_id] = Community(
                community_id, self._authorizer.knowledge.now
            )
            self._doubt(community)
        seen = community.view(before, self.births.exists) if before and community.policy else None
        community.seat(person, roles)
        muted = before is not None and before.timeout_ends != roles.timeout_ends
        if seen is None or muted or community.view(roles, self.births.exists) != seen:
            self._changed(person, community_id)

    def _unseat(self, community: Community, person: Person) -> None:
        community.unseat(person)
        if not community.seats:
            self._communities.pop(community.id, None)

    def _forget(self, person: Person) -> None:
        if self._people.get(person.user_id) is person:
            del self._people[person.user_id]
            self.blocks.forget(person.user_id)
            for community in self.communities_of(person):
                self._unseat(community, person)

    async def _read_once(self, person: Person) -> None:
        """Ask for somebody's roles everywhere; who asks meanwhile shares the answer.

        Raises `Unavailable` when there is none.
        """
        if person.reading is None:
            person.reading = self._start(self._read(person))
        task = person.reading
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()

    async def _read(self, person: Person) -> None:
        try:
            async with self._asking:
                person.news = {}
                reply = await self._places.bindings_of(person.user_id)
            roles = {binding.community_id: roles_of(binding) for binding in reply.bindings}
            for community_id, news in person.news.items():
                kept = roles.get(community_id)
                if kept is None or kept.version < news.version:
                    roles[community_id] = news
            self._take(person, roles)
        finally:
            person.news = {}
            person.reading = None

    def _take(self, person: Person, roles: dict[str, Roles]) -> None:
        if self._people.get(person.user_id) is not person:
            return  # They left meanwhile.
        before = person.roles
        if before is None:
            person.roles = {}
            for community_id, held in roles.items():
                self._sit(person, community_id, held)
            return
        for community_id in before.keys() - roles.keys():
            roles[community_id] = Roles(0, 0, {})
        for community_id, held in roles.items():
            if before.get(community_id) != held:
                self._give(person, community_id, held)

    def _sit(self, person: Person, community_id: str, roles: Roles) -> None:
        """Seat somebody who was told nothing yet."""
        assert person.roles is not None
        person.roles[community_id] = roles
        if not roles:
            return
        community = self._communities.get(community_id)
        if community is None:
            community = self._communities[community_id] = Community(
                community_id, self._authorizer.knowledge.now
            )
            self._doubt(community)
        community.seat(person, roles)

    def _doubt(self, community: Community) -> None:
        if community.doubted_at is None:
            community.doubted_at = time.monotonic()
        if community.loading is None:
            community.loading = self._start(self._load(community))

    async def _load(self, community: Community) -> None:
        """Ask for a community's policy until it is known and nothing newer was announced."""
        try:
            while community.seats:
                generation = community.generation
                try:
                    policy = await self._policy(community)
                except Error as error:
                    self._log.warning("policy unknown", community=community.id, error=str(error))
                    await asyncio.sleep(_RETRY_SECONDS)
                    continue
                if generation == community.generation:
                    self._adopt(community, policy)
                    return
        finally:
            community.loading = None

    def _adopt(self, community: Community, policy: Policy) -> None:
        community.doubted_at = None
        if policy is not community.policy:
            for person in community.adopt(policy, self.births.exists):
                self._changed(person, community.id)

    async def _policy(self, community: Community) -> Policy:
        async with self._asking:
            somebody = next(iter(community.seats), None)
            if somebody is None:
                return _NO_POLICY
            try:
                return (await self._authorizer.fetch(somebody, community.id)).policy
            except NotFound:
                return _NO_POLICY  # The community is gone.

    async def _reread(self) -> None:
        """Ask for everybody's roles; whoever's cannot be known is told so and ends."""
        failing_at: float | None = None

        async def reread(person: Person) -> None:
            nonlocal failing_at
            while self._people.get(person.user_id) is person:
                if failing_at is not None and time.monotonic() - failing_at > DOUBT_SECONDS:
                    self._lost(list(person.streams), NotKnown())
                    self._forget(person)
                    return
                try:
                    await self._read_again(person)
                except Error:
                    failing_at = failing_at or time.monotonic()
                    await asyncio.sleep(_RETRY_SECONDS)
                else:
                    failing_at = None
                    return

        people = [person for person in self._people.values() if person.roles is not None]
        try:
            for start in range(0, len(people), _AT_ONCE):
                await asyncio.gather(*map(reread, people[start : start + _AT_ONCE]))
        finally:
            if self._rereading is asyncio.current_task():
                self._rereading = None

    async def _read_again(self, person: Person) -> None:
        if person.reading is not None:
            await asyncio.wait({person.reading})  # Asked before: its answer may be old.
        await self._read_once(person)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        # In no call's context: it is done for everybody, and outlasts the call.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Error):
            self._log.error("what somebody may see is not known", error=repr(error))
