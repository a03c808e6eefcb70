"""What every change of a policy goes through.

The community's row is locked first; only then is read how things stand, the actor
included, and decided whether they may. So of two people who take each other's
powers at once, one comes second and no longer has them.

What changed gets a revision for each announcement, so that whoever follows can
tell that one is missing, and is told before the call is answered, so that the very
next call of whoever lost a role finds nobody who believes otherwise. The outbox
tells it once more, and surely.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from google.protobuf.message import Message

from chassis.announce import Tell
from chassis.calls import changed_at, principal
from chassis.database import Database, Transaction
from creavio.rbac.v1 import rbac_events_pb2
from services.rbac import convert, events
from services.rbac.domain.deeds import Deed, deeds_between
from services.rbac.domain.errors import MemberNotFound
from services.rbac.domain.permissions import Permission
from services.rbac.domain.policy import Holdings, Kind, Policy
from services.rbac.domain.rules import Actor
from services.rbac.engine.evaluator import PolicyEngine
from services.rbac.store import people, policies

_FOLLOWED: Final = (rbac_events_pb2.PolicyChanged, rbac_events_pb2.BindingChanged)


class Change:
    """One change of a community while nobody else changes it."""

    def __init__(self, tx: Transaction, policy: Policy, *, is_new: bool = False) -> None:
        self.tx = tx
        self.before = policy
        self.after = policy
        self.revision = 0
        """The last revision of this change, once it is announced."""
        self.actor_id: UUID | None = None
        """Who makes the change by the power of a role; None when another service asks."""
        self._rebound: list[UUID] = []
        self._deeds: list[Deed] = []
        self._events: list[Message] = []
        self.is_new = is_new
        """Whether the policy is the community's first one, and kept in this transaction."""

    def rebind(self, user_id: UUID) -> None:
        """What a person has changed."""
        self._rebound.append(user_id)

    def did(self, deed: Deed) -> None:
        """Tell the audit log what the actor did to a person; the rest is told by itself."""
        self._deeds.append(deed)

    def emit(self, *events: Message) -> None:
        """Tell people, after those who decide were told."""
        self._events += events

    async def holdings(self, user_id: UUID) -> Holdings:
        """What a person has."""
        standing = await people.standing(self.tx, self.before.community_id, user_id)
        return standing.holdings

    async def member(self, user_id: UUID) -> Holdings:
        """What a member has. Raises `MemberNotFound`."""
        holdings = await self.holdings(user_id)
        if self.before.of_kind(Kind.MEMBER).id not in holdings.roles:
            raise MemberNotFound
        return holdings

    async def save(self) -> None:
        """Keep the change and announce it, under the next revisions if there is something."""
        policy_changed = self.is_new or self.before != self.after
        count = len(self._rebound) + policy_changed
        if not count:
            self.revision = await policies.revision(self.tx)
            return
        community_id = self.before.community_id
        revisions = iter(await policies.take_revisions(self.tx, count))
        if policy_changed:
            self.revision = next(revisions)
            if self.is_new:
                await policies.note_revision(self.tx, community_id, self.revision)
            else:
                self.after = await policies.save(self.tx, self.before, self.after, self.revision)
            self.tx.emit(events.policy_changed(community_id, self.after.version, self.revision))
        for user_id in self._rebound:
            self.revision = next(revisions)
            binding = await people.rebound(self.tx, community_id, user_id, self.revision)
            self.tx.emit(events.binding_changed(binding, self.revision))
        for event in self._events:
            self.tx.emit(event)
        if self.actor_id is not None:
            of_policy = deeds_between(self.before, self.after) if policy_changed else ()
            for deed in (*of_policy, *self._deeds):
                self.tx.emit(events.policy_deed(community_id, self.actor_id, deed))


class Changes:
    """Makes changes, and tells of them."""

    def __init__(self, database: Database, engine: PolicyEngine, tell: Tell) -> None:
        self._database = database
        self._engine = engine
        self._tell = tell

    @asynccontextmanager
    async def of(self, community_id: UUID) -> AsyncIterator[Change]:
        """A change of a community: kept and told when the block ends, undone when it raises.

        Raises `CommunityNotProvisioned`.
        """
        async with self._database.transaction() as tx:
            yield (change := Change(tx, await policies.policy_to_change(tx, community_id)))
            await change.save()
        await self._told(change)

    @asynccontextmanager
    async def first(self, policy: Policy) -> AsyncIterator[Change]:
        """As `of`, with the policy for a community that has none: then the change is new."""
        async with self._database.transaction() as tx:
            is_new = await policies.add_policy(tx, policy)
            yield (change := Change(tx, policy, is_new=is_new))
            await change.save()
        await self._told(change)

    async def actor(self, change: Change, needs: Permission = Permission.MANAGE_ROLES) -> Actor:
        """Who makes the call, as they stand now.

        Raises as an authorizer does when they do not hold what the call needs.
        """
        user_id = convert.user(principal().user_id)
        holdings = await change.holdings(user_id)
        change.actor_id = user_id
        return self._engine.actor(change.before, user_id, holdings, needs)

    async def _told(self, change: Change) -> None:
        await self._tell([event for event in change.tx.events if isinstance(event, _FOLLOWED)])
        changed_at(change.revision)
