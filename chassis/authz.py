"""Who may do what: the contract's rule, decided here from rbac's masks.

The masks of a community and the roles of a person in it are fetched from rbac on
first need and kept. rbac announces every change with a revision that rises by
one, and says several times a second where it stands; whoever missed one forgets
everything. While rbac was not heard for a second, nothing kept is believed. A
denial is never final from what is kept: rbac is asked once more, so that what
was granted a moment ago works at once. When rbac cannot be asked, the answer is
UNAVAILABLE, never a guess.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
import time
from typing import Final, TypeAlias

from cachetools import LRUCache
from nats.aio.msg import Msg

from chassis.bus import Bus
from chassis.clients import Clients
from chassis.errors import Denied, NotFound
from chassis.masks import Masks, masks_of, roles_of
from chassis.subjects import LIVE, subject_root
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import access_service_pb2 as access
from creavio.rbac.v1 import rbac_events_pb2
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub

Permission: TypeAlias = p.Permission.ValueType
Scope: TypeAlias = p.Scope.ValueType
Resolver: TypeAlias = Callable[[str], Awaitable[str | None]]
"""Finds the community a thing belongs to; None when there is no such thing."""

HEARTBEAT_SUBJECT: Final = LIVE + subject_root(rbac_events_pb2.Heartbeat.DESCRIPTOR.full_name)
_FRESH_SECONDS: Final = 1.0

_VIEW: Final[Mapping[Scope, Permission]] = {
    p.SCOPE_COMMUNITY: p.PERMISSION_VIEW_COMMUNITY,
    p.SCOPE_CHANNEL: p.PERMISSION_VIEW_CHANNEL,
}
"""Without this permission a thing does not exist for a person."""


@dataclass(frozen=True, slots=True)
class _Known:
    masks: Masks
    roles: int


class Knowledge:
    """What is known of rbac's policy, and whether it may be believed."""

    def __init__(self) -> None:
        self._entries: LRUCache[tuple[str, str], _Known] = LRUCache(50_000)
        self._touched: LRUCache[str, int] = LRUCache(10_000)
        self._floor = 0
        self._revision = 0
        self._heard_at = float("-inf")

    def get(self, user_id: str, community_id: str) -> _Known | None:
        """What is kept of a person in a community, while it may be believed."""
        if time.monotonic() - self._heard_at > _FRESH_SECONDS:
            return None
        return self._entries.get((user_id, community_id))

    def keep(self, reply: access.GetAccessResponse) -> _Known:
        """Keep what rbac said, unless a later change is known already."""
        known = _Known(masks_of(reply.masks), roles_of(reply.binding))
        community = reply.binding.community_id
        if reply.revision >= max(self._floor, self._touched.get(community, 0)):
            self._entries[reply.binding.user_id, community] = known
        return known

    def drop(self, user_id: str, community_id: str) -> None:
        """Forget a person in a community."""
        self._entries.pop((user_id, community_id), None)

    def heartbeat(self, revision: int) -> None:
        """rbac lives, and stands at `revision`."""
        self._heard_at = time.monotonic()
        # Higher: an announcement was missed. Lower: the database was restored.
        if revision != self._revision:
            self._forget_all(revision)

    def policy_changed(self, event: rbac_events_pb2.PolicyChanged) -> None:
        """A community's masks changed."""
        self._announced(event.revision, event.community_id)
        for key in [key for key in self._entries if key[1] == event.community_id]:
            self._entries.pop(key, None)

    def binding_changed(self, event: rbac_events_pb2.BindingChanged) -> None:
        """A person's roles in a community changed."""
        self._announced(event.revision, event.community_id)
        self.drop(event.user_id, event.community_id)

    def _announced(self, revision: int, community_id: str) -> None:
        if revision > self._revision + 1:
            self._forget_all(revision)
        self._revision = max(self._revision, revision)
        self._touched[community_id] = max(revision, self._touched.get(community_id, 0))

    def _forget_all(self, revision: int) -> None:
        self._entries.clear()
        self._floor = self._revision = revision


class Authorizer:
    """Decides by the contract's rule for the calls of one service."""

    def __init__(self, clients: Clients, resolvers: Mapping[Scope, Resolver]) -> None:
        self._clients = clients
        self._rbac = AccessServiceStub(clients.channel)
        self._resolvers = dict(resolvers)
        self._knowledge = Knowledge()

    async def follow(self, bus: Bus) -> None:
        """Follow rbac's announcements from now on."""
        knowledge = self._knowledge

        async def heartbeat(message: Msg) -> None:
            knowledge.heartbeat(rbac_events_pb2.Heartbeat.FromString(message.data).revision)

        async def policy(message: Msg) -> None:
            knowledge.policy_changed(rbac_events_pb2.PolicyChanged.FromString(message.data))

        async def binding(message: Msg) -> None:
            knowledge.binding_changed(rbac_events_pb2.BindingChanged.FromString(message.data))

        await bus.follow(HEARTBEAT_SUBJECT, heartbeat)
        for kind, handle in (
            (rbac_events_pb2.PolicyChanged, policy),
            (rbac_events_pb2.BindingChanged, binding),
        ):
            await bus.follow(f"{LIVE}{subject_root(kind.DESCRIPTOR.full_name)}.>", handle)

    async def require(
        self, user_id: str, permission: Permission, scope: Scope, identifier: str
    ) -> None:
        """Return when the person holds the permission there.

        Raises `NotFound` when there is no such thing or the person may not know
        of it, and `Denied` when they may know but not do this.
        """
        community_id = await self._resolve(scope, identifier)
        if community_id is not None:
            if await self.holds(user_id, permission, community_id):
                return
            view = _VIEW[scope]
            if permission != view and await self.holds(user_id, view, community_id):
                name = p.Permission.Name(permission).removeprefix("PERMISSION_")
                raise Denied(f"this needs the permission {name}, which you do not have here")
        raise NotFound(f"there is no {identifier} here")

    async def allows(
        self, user_id: str, permission: Permission, scope: Scope, identifier: str
    ) -> bool:
        """Whether the person holds the permission there; False where there is nothing."""
        if scope == p.SCOPE_SELF:
            return user_id == identifier
        community_id = await self._resolve(scope, identifier)
        return community_id is not None and await self.holds(user_id, permission, community_id)

    async def holds(self, user_id: str, permission: Permission, community_id: str) -> bool:
        """Whether the person holds the permission in a community.

        Raises `Unavailable` when it is not known and rbac cannot be asked.
        """
        known = self._knowledge.get(user_id, community_id)
        if known is None:
            known = await self._fetch(user_id, community_id)
            return known.masks.allow(known.roles, permission)
        if known.masks.allow(known.roles, permission):
            return True
        request = access.CheckRequest(
            user_id=user_id, community_id=community_id, permission=permission
        )
        allowed = (await self._clients.call(self._rbac.Check, request)).allowed
        if allowed:
            self._knowledge.drop(user_id, community_id)
        return allowed

    async def _fetch(self, user_id: str, community_id: str) -> _Known:
        request = access.GetAccessRequest(user_id=user_id, community_id=community_id)
        return self._knowledge.keep(await self._clients.call(self._rbac.GetAccess, request))

    async def _resolve(self, scope: Scope, identifier: str) -> str | None:
        if scope == p.SCOPE_COMMUNITY:
            return identifier
        return await self._resolvers[scope](identifier)
