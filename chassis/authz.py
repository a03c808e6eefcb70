"""Who may do what: the contract's rule, decided here from rbac's masks.

The masks of a community and the roles of a person in it are fetched from rbac on
first need and kept (`chassis.knowledge`). A denial is never final from what is
kept: rbac is asked once more, so that what was granted a moment ago works at
once. While rbac is silent, calls that read may go by what was kept for half a
minute; for all others, when rbac cannot be asked, the answer is UNAVAILABLE,
never a guess.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias, TypeVar

from google.protobuf.message import Message
import grpc
from nats.aio.msg import Msg

from chassis.bus import Bus
from chassis.calls import CURRENT
from chassis.clients import Clients
from chassis.contract import Rpc, field_at
from chassis.errors import DeadlineExceeded, Denied, Error, NotFound, Unavailable
from chassis.ids import INSTANCE
from chassis.knowledge import Knowledge, Known
from chassis.masks import IN_CONVERSATION, Permission
from chassis.subjects import LIVE, subject_root
from creavio.options.v1 import permission_pb2 as p
from creavio.options.v1 import rpc_pb2
from creavio.rbac.v1 import access_service_pb2 as access
from creavio.rbac.v1 import rbac_events_pb2
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)
Scope: TypeAlias = p.Scope.ValueType

HEARTBEAT_SUBJECT: Final = LIVE + subject_root(rbac_events_pb2.Heartbeat.DESCRIPTOR.full_name)
_RULES_FIRST: Final = "accept the rules of the community first"
_CONVERSATION: Final = "cnv_"
_THREAD: Final = "thr_"
_CATCH_UP_SECONDS: Final = 0.2

_VIEW: Final[Mapping[Scope, Permission]] = {
    p.SCOPE_COMMUNITY: p.PERMISSION_VIEW_COMMUNITY,
    p.SCOPE_CHANNEL: p.PERMISSION_VIEW_CHANNEL,
}
"""Without this permission a thing does not exist for a person."""


class Places(Protocol):
    """Where channels and conversations belong."""

    async def community_of(self, channel_id: str) -> str | None:
        """The community of a channel; None when there is no such channel."""

    async def belongs(self, user_id: str, conversation_id: str) -> bool:
        """Whether somebody is a member of a conversation; False when there is none."""

    async def channel_of(self, thread_id: str) -> str | None:
        """The channel a thread is in; None when there is no such thread."""


class Access(Protocol):
    """rbac, as decisions need it. Raises `Unavailable` when it cannot be asked."""

    async def check(self, request: access.CheckRequest) -> access.CheckResponse:
        """The one answer that counts."""

    async def get_access(self, request: access.GetAccessRequest) -> access.GetAccessResponse:
        """What decides for a person in a community."""

    async def list_changes(self, request: access.ListChangesRequest) -> access.ListChangesResponse:
        """What changed since a revision."""


class RemoteAccess:
    """rbac, through the mesh."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._rbac = AccessServiceStub(clients.channel)

    async def check(self, request: access.CheckRequest) -> access.CheckResponse:
        """Ask rbac."""
        return await self._ask(self._rbac.Check, request)

    async def get_access(self, request: access.GetAccessRequest) -> access.GetAccessResponse:
        """Ask rbac."""
        return await self._ask(self._rbac.GetAccess, request)

    async def list_changes(self, request: access.ListChangesRequest) -> access.ListChangesResponse:
        """Ask rbac."""
        return await self._ask(self._rbac.ListChanges, request)

    async def _ask(self, method: grpc.aio.UnaryUnaryMultiCallable[Q, R], request: Q) -> R:
        try:
            return await self._clients.call(method, request)
        except DeadlineExceeded as error:
            # It did nothing, so its fate is known: it can be tried again.
            raise Unavailable("permissions cannot be looked up; try again") from error


class Authorizer:
    """Decides by the contract's rule for the calls of one service."""

    def __init__(self, source: Access, places: Places | None, telemetry: Telemetry) -> None:
        self._source = source
        self._places = places
        self._log = telemetry.log
        self._wake = asyncio.Event()
        self.knowledge = Knowledge()
        """What is kept of rbac's policy."""

    async def follow(self, bus: Bus) -> None:
        """Follow rbac's announcements from now on."""
        knowledge = self.knowledge

        async def heartbeat(message: Msg) -> None:
            beat = rbac_events_pb2.Heartbeat.FromString(message.data)
            now = beat.time.seconds + beat.time.nanos / 1e9 if beat.HasField("time") else None
            knowledge.heartbeat(beat.revision, now)
            self._look()

        async def policy(message: Msg) -> None:
            knowledge.policy_changed(rbac_events_pb2.PolicyChanged.FromString(message.data))
            self._look()

        async def binding(message: Msg) -> None:
            knowledge.binding_changed(rbac_events_pb2.BindingChanged.FromString(message.data))
            self._look()

        await bus.follow(HEARTBEAT_SUBJECT, heartbeat)
        for kind, handle in (
            (rbac_events_pb2.PolicyChanged, policy),
            (rbac_events_pb2.BindingChanged, binding),
        ):
            await bus.follow(f"{LIVE}{subject_root(kind.DESCRIPTOR.full_name)}.>", handle)

    async def run(self) -> None:
        """Ask for what was missed, whenever something was, for as long as the service lives."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            request = access.ListChangesRequest(after_revision=self.knowledge.revision)
            try:
                self.knowledge.caught_up(await self._source.list_changes(request))
            except Error as error:
                self._log.warning("changes of rbac are missing", error=str(error))
                await asyncio.sleep(_CATCH_UP_SECONDS)  # The next heartbeat wakes this again.

    def _look(self) -> None:
        if self.knowledge.missing:
            self._wake.set()

    async def permit(self, rpc: Rpc, request: Message, user_id: str) -> str:
        """Return the place a request is about, when its rule lets the person do it there.

        Raises as `require` does.
        """
        rule = rpc.policy.permission
        place = str(field_at(request, rule.field)) if rule.field else ""
        reading = rpc.policy.idempotency == rpc_pb2.IDEMPOTENCY_READ
        await self.require(user_id, rule.require, rule.scope, place, reading=reading)
        return place

    async def require(
        self,
        user_id: str,
        permission: Permission,
        scope: Scope,
        identifier: str,
        *,
        reading: bool = False,
    ) -> None:
        """Return when the person holds the permission there.

        Raises `NotFound` when there is no such thing or the person may not know
        of it, and `Denied` when they may know but not do this: for the reason
        ONBOARDING_REQUIRED when they are to accept the rules first.
        """
        if await self.allows(user_id, permission, scope, identifier, reading=reading):
            return
        name = p.Permission.Name(permission).removeprefix("PERMISSION_")
        view = _VIEW.get(scope)
        if scope == p.SCOPE_INSTANCE or (
            view is not None
            and permission != view
            and await self.allows(user_id, view, scope, identifier, reading=reading)
        ):
            if await self._pending(user_id, scope, identifier):
                raise Denied(_RULES_FIRST, reason="ONBOARDING_REQUIRED")
            raise Denied(f"this needs the permission {name}, which you do not have here")
        raise NotFound(f"there is no {identifier} here")

    async def allows(
        self,
        user_id: str,
        permission: Permission,
        scope: Scope,
        identifier: str,
        *,
        reading: bool = False,
    ) -> bool:
        """Whether the person holds the permission there; False where there is nothing."""
        if scope == p.SCOPE_SELF:
            return user_id == identifier
        if scope == p.SCOPE_ACQUAINTANCES:
            return False  # Of events, and lets nobody in.
        if scope == p.SCOPE_INSTANCE:
            return await self.holds(user_id, permission, INSTANCE, reading=reading)
        if scope == p.SCOPE_COMMUNITY:
            if identifier == INSTANCE:
                return False  # Kept like a community, and none.
            return await self.holds(user_id, permission, identifier, reading=reading)
        assert self._places is not None, "the service serves no channels"
        if identifier.startswith(_CONVERSATION):
            return permission in IN_CONVERSATION and await self._places.belongs(user_id, identifier)
        community_id, channel_id = await self._channel(identifier)
        if not channel_id or not community_id:
            return False
        return await self.holds(user_id, permission, community_id, channel_id, reading=reading)

    async def _channel(self, identifier: str) -> tuple[str | None, str | None]:
        """The community and the channel of a channel or thread, where there are such."""
        assert self._places is not None, "the service serves no channels"
        channel_id: str | None = identifier
        if identifier.startswith(_THREAD):
            channel_id = await self._places.channel_of(identifier)
        return channel_id and await self._places.community_of(channel_id), channel_id

    async def _pending(self, user_id: str, scope: Scope, identifier: str) -> bool:
        """Whether somebody who sees a place is still to accept the rules there."""
        community_id: str | None = None
        if scope == p.SCOPE_COMMUNITY:
            community_id = identifier
        elif scope == p.SCOPE_CHANNEL and not identifier.startswith(_CONVERSATION):
            community_id, _ = await self._channel(identifier)
        known = community_id and self.knowledge.get(user_id, community_id, reading=True)
        return bool(known and known.roles.pending)

    async def holds(
        self,
        user_id: str,
        permission: Permission,
        community_id: str,
        channel_id: str = "",
        *,
        reading: bool = False,
    ) -> bool:
        """Whether the person holds the permission in a community, or in a channel of it.

        Raises `Unavailable` when it is not known and rbac cannot be asked.
        """
        at_least = _revision_demanded()
        known = self.knowledge.get(user_id, community_id, reading=reading, at_least=at_least)
        if known is None:
            known = await self.fetch(user_id, community_id)
            return known.allows(permission, channel_id, now=self.knowledge.now())
        if known.allows(permission, channel_id, now=self.knowledge.now()):
            return True
        request = access.CheckRequest(
            user_id=user_id,
            community_id=community_id,
            permission=permission,
            channel_id=channel_id,
        )
        allowed = (await self._source.check(request)).allowed
        if allowed:
            self.knowledge.drop(user_id, community_id)
        return allowed

    async def visible(
        self, user_id: str, community_id: str, channel_ids: Collection[str]
    ) -> frozenset[str]:
        """Those of a community's channels that the person sees.

        Raises `Unavailable` when it is not known and rbac cannot be asked.
        """
        kept = self.knowledge.get(
            user_id, community_id, reading=True, at_least=_revision_demanded()
        )
        known = kept or await self.fetch(user_id, community_id)
        now = self.knowledge.now()
        found = _seen(known, channel_ids, now)
        if kept is not None and len(found) < len(channel_ids):
            # A denial is never final from what is kept.
            found = _seen(await self.fetch(user_id, community_id), channel_ids, now)
        return found

    async def fetch(self, user_id: str, community_id: str) -> Known:
        """What rbac says now of a person in a community; it is kept."""
        version = self.knowledge.policy_version(community_id)
        while True:
            reply = await self._source.get_access(
                access.GetAccessRequest(
                    user_id=user_id, community_id=community_id, policy_version=version
                )
            )
            known = self.knowledge.keep(reply)
            if known is not None:
                return known
            version = 0


def _seen(known: Known, channel_ids: Collection[str], now: float) -> frozenset[str]:
    view = p.PERMISSION_VIEW_CHANNEL
    return frozenset(channel for channel in channel_ids if known.allows(view, channel, now=now))


def _revision_demanded() -> int:
    """The least revision the call in progress wants to be decided at."""
    call = CURRENT.get()
    return 0 if call is None else call.revision_demanded
