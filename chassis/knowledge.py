"""What a service keeps of rbac's policy, and whether it may be believed.

rbac announces every change with a revision that rises by one, and says several
times a second where it stands and what time it is. While it was heard within a second
and nothing is missing in between, what is kept decides. Whoever missed a change asks
what changed; when that is too long ago, everything kept is void.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import time
from typing import Final, Protocol

from cachetools import LRUCache

from chassis.masks import Permission, Policy, Roles, policy_of, roles_of
from creavio.rbac.v1 import access_service_pb2 as access
from creavio.rbac.v1 import rbac_events_pb2

FRESH_SECONDS: Final = 1.0
READABLE_SECONDS: Final = 30.0
"""How old what is kept may be for a call that only reads, while rbac is silent."""
_POLICIES: Final = 10_000
_PEOPLE: Final = 50_000


@dataclass(slots=True)
class Known:
    """What decides for a person in a community."""

    policy: Policy
    roles: Roles
    fetched_at: float
    bits: int

    def allows(self, permission: Permission, channel: str = "", *, now: float) -> bool:
        """Whether the person holds the permission there; `now` is `Knowledge.now`."""
        return self.policy.decides(self.bits, self.roles, permission, channel, now=now)


class Follower(Protocol):
    """Somebody who keeps more than this does, and has to know of every change."""

    def policy_changed(self, community_id: str) -> None:
        """The masks of a community are others now."""

    def roles_changed(self, user_id: str, community_id: str, roles: Roles) -> None:
        """A person's roles in a community are these now."""

    def forgotten(self) -> None:
        """Anything may have changed."""


class Knowledge:
    """Policies and people's roles, as far as they were needed."""

    def __init__(self) -> None:
        self._policies: LRUCache[str, Policy] = LRUCache(_POLICIES)
        self._people: LRUCache[tuple[str, str], Known] = LRUCache(_PEOPLE)
        self._touched: dict[str, int] = {}
        self._floor = 0
        self._heard_at = float("-inf")
        self._missing = False
        self._followers: list[Follower] = []
        self._ahead = time.time() - time.monotonic()
        self.revision = 0
        """The last revision everything is known of."""

    def follow(self, follower: Follower) -> None:
        """Tell somebody of every change from now on."""
        self._followers.append(follower)

    def now(self) -> float:
        """What time it is by rbac's clock, in seconds since 1970.

        So a timeout ends everywhere at one moment, whatever the clock of a machine says;
        until rbac was heard, that has to do.
        """
        return time.monotonic() + self._ahead

    @property
    def missing(self) -> bool:
        """Whether a change was missed: `revision` says since when."""
        return self._missing

    def fresh(self, *, reading: bool = False, since: float = float("-inf")) -> bool:
        """Whether what is kept may be believed; `since` is when it was fetched."""
        now = time.monotonic()
        if self._missing:
            return False
        if now - self._heard_at <= FRESH_SECONDS:
            return True
        return reading and now - max(self._heard_at, since) <= READABLE_SECONDS

    def get(
        self, user_id: str, community_id: str, *, reading: bool = False, at_least: int = 0
    ) -> Known | None:
        """What is kept of a person in a community, while it may be believed.

        `at_least` is a revision that the caller knows of.
        """
        known = self._people.get((user_id, community_id))
        if known is None or at_least > self.revision:
            return None
        if not self.fresh(reading=reading, since=known.fetched_at):
            return None
        policy = self._policies.get(community_id)
        if policy is None:
            return None
        if policy is not known.policy:
            known.policy, known.bits = policy, policy.bits(known.roles)
        return known

    def policy_version(self, community_id: str) -> int:
        """The version of the masks kept of a community; 0 for none."""
        policy = self._policies.get(community_id)
        return 0 if policy is None else policy.version

    def keep(self, reply: access.GetAccessResponse) -> Known | None:
        """Keep what rbac said, unless a later change is known already.

        None when the reply leaves out masks that were forgotten meanwhile.
        """
        community, roles = reply.binding.community_id, roles_of(reply.binding)
        policy = (
            policy_of(reply.masks) if reply.HasField("masks") else self._policies.get(community)
        )
        if policy is None:
            return None
        known = Known(policy, roles, time.monotonic(), policy.bits(roles))
        if reply.revision >= max(self._floor, self._touched.get(community, 0)):
            self._policies[community] = policy
            self._people[reply.binding.user_id, community] = known
        return known

    def drop(self, user_id: str, community_id: str) -> None:
        """Forget a person in a community, and its masks."""
        self._people.pop((user_id, community_id), None)
        self._policies.pop(community_id, None)

    def heartbeat(self, revision: int, now: float | None = None) -> None:
        """rbac lives, and stands at `revision`; its clock says `now`."""
        self._heard_at = time.monotonic()
        if now is not None:
            self._ahead = now - self._heard_at
        if revision < self.revision:
            self._forget(revision)  # The database was restored.
        elif revision > self.revision:
            self._missed(revision)

    def policy_changed(self, event: rbac_events_pb2.PolicyChanged) -> None:
        """A community's masks changed."""
        with self._announced(event.revision, event.community_id):
            self._drop_policy(event.community_id, event.version)

    def binding_changed(self, event: rbac_events_pb2.BindingChanged) -> None:
        """A person's roles in a community changed."""
        with self._announced(event.revision, event.community_id):
            self._take(event.binding.user_id, event.community_id, roles_of(event.binding))

    def caught_up(self, changes: access.ListChangesResponse) -> None:
        """What was missed is this."""
        if not changes.complete:
            self._forget(changes.revision)
            return
        for binding in changes.bindings:
            self._touch(binding.community_id, changes.revision)
            self._take(binding.user_id, binding.community_id, roles_of(binding))
        for policy in changes.policies:
            self._touch(policy.community_id, changes.revision)
            self._drop_policy(policy.community_id, policy.version)
        self.revision = max(self.revision, changes.revision)
        self._missing = False

    @contextmanager
    def _announced(self, revision: int, community_id: str) -> Iterator[None]:
        if revision > self.revision + 1:
            self._missed(revision)
        self._touch(community_id, revision)
        yield
        if not self._missing:
            self.revision = max(self.revision, revision)

    def _take(self, user_id: str, community_id: str, roles: Roles) -> None:
        known = self._people.get((user_id, community_id))
        if known is not None and known.roles.version < roles.version:
            known.roles, known.bits = roles, known.policy.bits(roles)
        for follower in self._followers:
            follower.roles_changed(user_id, community_id, roles)

    def _drop_policy(self, community_id: str, version: int) -> None:
        kept = self._policies.get(community_id)
        if kept is not None and kept.version < version:
            del self._policies[community_id]
        for follower in self._followers:
            follower.policy_changed(community_id)

    def _touch(self, community_id: str, revision: int) -> None:
        if len(self._touched) >= _POLICIES:
            self._touched.clear()
            self._floor = max(self._floor, self.revision)
        self._touched[community_id] = max(revision, self._touched.get(community_id, 0))

    def _missed(self, revision: int) -> None:
        if self._people or self._policies or (self._followers and self.revision):
            self._missing = True
        else:
            # Nothing is kept, so nothing was missed; what is on its way may be older.
            self._floor = self.revision = revision

    def _forget(self, revision: int) -> None:
        self._policies.clear()
        self._people.clear()
        self._touched.clear()
        self._floor = self.revision = revision
        self._missing = False
        for follower in self._followers:
            follower.forgotten()
