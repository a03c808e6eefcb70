"""Memberships: the change that spans this service and rbac.

Whoever joins or leaves does so in both or in neither. The intent is kept first,
rbac is told (again, if need be: it takes the same change twice without harm),
and only then the change counts and is acknowledged. Roles are granted last and
revoked first. What a crash left half-way is finished by `resume`. A call that
rbac took late, after the opposite change was done with, is made good at once:
what stands here is what counts.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.clients import Clients
from chassis.database import Database
from chassis.unfinished import finish_each
from creavio.rbac.v1 import membership_service_pb2 as rbac
from creavio.rbac.v1.membership_service_pb2_grpc import MembershipServiceStub
from services.community import events, store
from services.community.domain import Member, Standing

_ABANDONED_AFTER: Final = timedelta(seconds=20)
"""Longer than any call lives, so that nobody else is still at it."""
_BATCH: Final = 100


class Memberships:
    """Carries changes of membership through to their end."""

    def __init__(self, database: Database, clients: Clients) -> None:
        self._database = database
        self._clients = clients
        self._rbac = MembershipServiceStub(clients.channel)

    async def finish_founding(self, community_id: UUID, owner_id: UUID) -> None:
        """Give a community its roles, then let it and its owner count."""
        request = rbac.ProvisionCommunityRequest(
            community_id=_community(community_id), owner_id=_user(owner_id)
        )
        await self._clients.call(self._rbac.ProvisionCommunity, request)
        async with self._database.transaction() as tx:
            if await store.settle_community(tx, community_id):
                community = await store.community(tx, community_id)
                tx.emit(events.community_created(community))
                member = await store.settle_member(tx, community_id, owner_id)
                if member is not None:
                    tx.emit(events.member_joined(member))

    async def finish_joining(self, community_id: UUID, user_id: UUID) -> None:
        """Give a person the member role, then let the membership count."""
        request = rbac.BindMemberRequest(
            community_id=_community(community_id), user_id=_user(user_id)
        )
        await self._clients.call(self._rbac.BindMember, request)
        async with self._database.transaction() as tx:
            member = await store.settle_member(tx, community_id, user_id)
            if member is not None:
                tx.emit(events.member_joined(member))
            overtaken = member is None and await store.take_back(tx, community_id, user_id)
        if overtaken:
            await self.finish_leaving(community_id, user_id)

    async def finish_leaving(self, community_id: UUID, user_id: UUID) -> None:
        """Take a person's roles, then end the membership."""
        request = rbac.UnbindMemberRequest(
            community_id=_community(community_id), user_id=_user(user_id)
        )
        await self._clients.call(self._rbac.UnbindMember, request)
        async with self._database.transaction() as tx:
            gone = await store.remove_member(tx, community_id, user_id)
            if gone:
                tx.emit(events.member_removed(community_id, user_id))
            overtaken = not gone and await store.give_back(tx, community_id, user_id)
        if overtaken:
            await self.finish_joining(community_id, user_id)

    async def resume(self) -> None:
        """Finish what a crash left half-way."""
        async with self._database.reading() as tx:
            left = await store.unsettled(tx, _ABANDONED_AFTER, _BATCH)
            owners = {
                m.community_id: (await store.community(tx, m.community_id)).owner_id for m in left
            }

        async def finish(member: Member) -> None:
            if member.standing == Standing.LEAVING:
                await self.finish_leaving(member.community_id, member.user_id)
            elif owners[member.community_id] == member.user_id:
                await self.finish_founding(member.community_id, member.user_id)
            else:
                await self.finish_joining(member.community_id, member.user_id)

        await finish_each(left, finish)


def _community(value: UUID) -> str:
    return ids.text(ids.Kind.COMMUNITY, value)


def _user(value: UUID) -> str:
    return ids.text(ids.Kind.USER, value)
