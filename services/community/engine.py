"""Memberships, owners, private and deleted channels: what spans this service and rbac.

Whoever joins or leaves does so in both or in neither. The intent is kept first,
rbac is told (again, if need be: it takes the same change twice without harm),
and only then the change counts and is acknowledged. Roles are granted last and
revoked first; whether somebody may be removed by whom rbac decides in the moment it
takes their roles, and where they may not, they stay. What a crash left half-way is
finished by `resume`. A call that rbac took late, after the opposite change was done
with, is made good at once: what stands here is what counts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.calls import changed_at
from chassis.clients import Clients
from chassis.database import Database, Transaction
from chassis.errors import Denied, FailedPrecondition, NotFound
from chassis.unfinished import finish_each
from creavio.rbac.v1 import access_service_pb2 as access
from creavio.rbac.v1 import membership_service_pb2 as rbac
from creavio.rbac.v1 import policy_shape_pb2
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub
from creavio.rbac.v1.membership_service_pb2_grpc import MembershipServiceStub
from services.community import events, store
from services.community.convert import templates
from services.community.domain import (
    Ban,
    Channel,
    Community,
    Member,
    MemberNotFound,
    RoleTooHigh,
    Standing,
)
from services.community.domain.audit import Action, Deed, Difference
from services.community.domain.onboarding import Newcomer
from services.community.domain.questions import given
from services.community.store import person

_ABANDONED_AFTER: Final = timedelta(seconds=20)
"""Longer than any call lives, so that nobody else is still at it."""
_BATCH: Final = 100
_ALL: Final = 10_000
"""More channels than a community has."""
_FORGOTTEN_AFTER: Final = timedelta(days=30)
"""Far longer than events are kept: while one can still be told, rbac knows who could see
the channel, and nobody else is ever told what was said in a private one."""


class Memberships:
    """Carries changes of membership through to their end."""

    def __init__(self, database: Database, clients: Clients) -> None:
        self._database = database
        self._clients = clients
        self._rbac = MembershipServiceStub(clients.channel)
        self._access = AccessServiceStub(clients.channel)

    async def outranks(self, community_id: UUID, user_id: UUID, other_id: UUID) -> None:
        """Return when one person's highest role is above another's. Raises `RoleTooHigh`."""
        request = access.OutranksRequest(
            community_id=_community(community_id), user_id=_user(user_id), other_id=_user(other_id)
        )
        if not (await self._clients.call(self._access.Outranks, request)).outranks:
            raise RoleTooHigh

    async def finish_founding(self, community_id: UUID, owner_id: UUID) -> None:
        """Give a community its roles, then let it, its channels and its owner count."""
        async with self._database.reading() as tx:
            founding = await store.founding(tx, community_id)
        request = rbac.ProvisionCommunityRequest(
            community_id=_community(community_id),
            owner_id=_user(owner_id),
            shape=None if founding is None else templates.policy(founding),
        )
        changed_at((await self._clients.call(self._rbac.ProvisionCommunity, request)).revision)
        async with self._database.transaction() as tx:
            if await store.settle_community(tx, community_id):
                member = await store.settle_member(tx, community_id, owner_id)
                community = await store.community(tx, community_id)
                tx.emit(events.community_created(community))
                if member is not None:
                    tx.emit(events.member_joined(member))
                for category in await store.categories_of(tx, community_id):
                    tx.emit(events.category_created(category))
                for channel in await store.channels_of(tx, community_id, None, _ALL):
                    tx.emit(events.channel_created(channel))

    async def policy_shape(
        self, community_id: UUID, channel_ids: Sequence[str]
    ) -> policy_shape_pb2.PolicyShape:
        """What the roles of a community are like, and how these channels override them."""
        request = rbac.GetPolicyShapeRequest(
            community_id=_community(community_id), channel_ids=channel_ids
        )
        return await self._clients.call(self._rbac.GetPolicyShape, request)

    async def finish_joining(self, community_id: UUID, user_id: UUID) -> None:
        """Give a person the member role, then let the membership count."""
        async with self._database.reading() as tx:
            newcomer = await store.newcomer(tx, community_id, user_id)
            if newcomer is None:
                pending = (await store.onboarding(tx, community_id)).holds_back()
                newcomer = Newcomer(pending=pending)
        request = rbac.BindMemberRequest(
            community_id=_community(community_id),
            user_id=_user(user_id),
            pending=newcomer.pending,
            number=newcomer.number,
        )
        changed_at((await self._clients.call(self._rbac.BindMember, request)).revision)
        async with self._database.transaction() as tx:
            member = await store.settle_member(tx, community_id, user_id)
            if member is not None:
                tx.emit(events.member_joined(member))
            overtaken = member is None and await store.take_back(tx, community_id, user_id)
        if overtaken:
            await self.finish_leaving(community_id, user_id)

    async def may_offer(
        self, community_id: UUID, user_id: UUID, role_ids: Collection[UUID]
    ) -> None:
        """Return when a person may let everybody give themselves these roles.

        Raises as rbac's CheckOffer.
        """
        request = access.CheckOfferRequest(
            community_id=_community(community_id),
            user_id=_user(user_id),
            role_ids=[ids.text(ids.Kind.ROLE, role_id) for role_id in role_ids],
        )
        await self._clients.call(self._access.CheckOffer, request)

    async def finish_onboarding(self, community_id: UUID, user_id: UUID) -> None:
        """Let rbac know what follows from what a member accepted and answered."""
        async with self._database.reading() as tx:
            newcomer = await store.newcomer(tx, community_id, user_id)
            met = await store.onboarding(tx, community_id)
        if newcomer is None:
            return
        # By the questions as they are now: what is offered no more is given no more.
        role_ids = given(met.questions, newcomer.answer_ids)
        request = rbac.AdmitMemberRequest(
            community_id=_community(community_id),
            user_id=_user(user_id),
            number=newcomer.number,
            pending=newcomer.pending,
            role_ids=[ids.text(ids.Kind.ROLE, role_id) for role_id in role_ids],
        )
        changed_at((await self._clients.call(self._rbac.AdmitMember, request)).revision)
        async with self._database.transaction() as tx:
            await store.settle_newcomer(tx, community_id, user_id, newcomer.number)

    async def finish_opening(self, channel: Channel) -> None:
        """Let a private channel's few in, then let it exist.

        Raises `FailedPrecondition`, the channel given up, when there can be no more, and
        `ChannelNotFound` when it was given up meanwhile.
        """
        assert channel.creator_id is not None, "who made a private channel is known"
        request = rbac.ProvisionChannelRequest(
            community_id=_community(channel.community_id),
            channel_id=ids.text(ids.Kind.CHANNEL, channel.id),
            creator_id=_user(channel.creator_id),
        )
        try:
            reply = await self._clients.call(self._rbac.ProvisionChannel, request)
        except FailedPrecondition:
            # Kept, it would be tried for ever, and those after it never.
            async with self._database.transaction() as tx:
                await store.drop_channel(tx, channel.id)
            raise
        changed_at(reply.revision)
        async with self._database.transaction() as tx:
            settled = await store.settle_channel(tx, channel.id)
            if settled is not None:
                tx.emit(events.channel_created(settled))
                deed = deed_of(settled, channel.creator_id, Action.CHANNEL_CREATED)
                await store.write_down(tx, deed)
            else:
                await store.channel(tx, channel.id)

    async def finish_leaving(
        self, community_id: UUID, user_id: UUID, remover_id: UUID | None = None
    ) -> None:
        """Take a person's roles, then end the membership.

        Raises `RoleTooHigh`, the membership as it was, when somebody removes them who
        does not stand above them.
        """
        await self._take_roles(community_id, user_id, remover_id)
        async with self._database.transaction() as tx:
            gone = await self._end(tx, community_id, user_id)
            if gone and remover_id is not None:
                deed = Deed(community_id, remover_id, Action.MEMBER_REMOVED, _user(user_id))
                await store.write_down(tx, deed)
            overtaken = not gone and await store.give_back(tx, community_id, user_id)
        if overtaken:
            await self.finish_joining(community_id, user_id)

    async def finish_banning(self, ban: Ban) -> Ban:
        """Take a member's roles, then end the membership and let the ban count.

        Returns the ban that counts. Raises as `finish_leaving`, the ban given up.
        """
        await self._take_roles(ban.community_id, ban.user_id, ban.creator_id)
        async with self._database.transaction() as tx:
            await self._end(tx, ban.community_id, ban.user_id)
            return await write_ban(tx, ban)

    async def _take_roles(self, community_id: UUID, user_id: UUID, remover_id: UUID | None) -> None:
        request = rbac.UnbindMemberRequest(
            community_id=_community(community_id),
            user_id=_user(user_id),
            remover_id="" if remover_id is None else _user(remover_id),
        )
        try:
            reply = await self._clients.call(self._rbac.UnbindMember, request)
        except Denied as refused:
            if remover_id is None or refused.reason != RoleTooHigh.reason:
                raise
            async with self._database.transaction() as tx:
                await store.reinstate(tx, community_id, user_id, remover_id)
                await store.drop_ban(tx, community_id, user_id, remover_id)
            raise RoleTooHigh from None
        changed_at(reply.revision)

    async def _end(self, tx: Transaction, community_id: UUID, user_id: UUID) -> bool:
        gone = await store.remove_member(tx, community_id, user_id)
        if gone:
            tx.emit(events.member_removed(community_id, user_id))
            await store.forget_answers(tx, community_id, user_id)
        return gone

    async def finish_transfer(self, community: Community, heir: UUID, number: int) -> None:
        """Give a person the owner's role, and nobody else, then let them own the community.

        `community` is what it was before. Raises `MemberNotFound`, the transfer given up,
        when rbac knows of no such member.
        """
        request = rbac.TransferOwnershipRequest(
            community_id=_community(community.id), owner_id=_user(heir), number=number
        )
        try:
            reply = await self._clients.call(self._rbac.TransferOwnership, request)
        except NotFound:
            async with self._database.transaction() as tx:
                await store.drop_transfer(tx, community.id, number)
            raise MemberNotFound from None
        changed_at(reply.revision)
        async with self._database.transaction() as tx:
            now = await store.settle_transfer(tx, community.id, number)
            if now is not None:
                tx.emit(events.community_updated(now))
                deed = Deed(
                    community.id, community.owner_id, Action.OWNERSHIP_TRANSFERRED, _user(heir)
                )
                await store.write_down(tx, deed)

    async def forget_person(self, user_id: UUID) -> None:
        """Hand over or close what a person owns, then end their memberships."""
        async with self._database.reading() as tx:
            owned = await person.owned_by(tx, user_id)
        for community_id in owned:
            await self._find_an_owner(community_id, user_id)
        async with self._database.reading() as tx:
            places = await person.belongs_to(tx, user_id)
        for community_id in places:
            async with self._database.transaction() as tx:
                belongs = await store.shut_out(tx, community_id, user_id)
            if belongs:
                await self.finish_leaving(community_id, user_id)

    async def _find_an_owner(self, community_id: UUID, owner_id: UUID) -> None:
        """Give a community to who belongs to it longest; close it when nobody does."""
        async with self._database.transaction() as tx:
            community = await store.community_to_change(tx, community_id)
            heir = await person.heir(tx, community_id, owner_id)
            if heir is None:
                for channel in await store.channels_of(tx, community_id, None, _ALL):
                    gone = await store.delete_channel(tx, community_id, channel.id)
                    if gone is not None:
                        tx.emit(events.channel_deleted(gone))
                await person.close(tx, community_id)
                tx.emit(events.member_removed(community_id, owner_id))
                return
            number = await store.begin_transfer(tx, community, heir)
        await self.finish_transfer(community, heir, number)

    async def forget_deleted(self) -> None:
        """Forget channels that were deleted long ago, and who could see them."""
        async with self._database.reading() as tx:
            channels = await store.deleted_channels(tx, _FORGOTTEN_AFTER, _BATCH)
        await finish_each(channels, self._forget)

    async def _forget(self, channel: Channel) -> None:
        request = rbac.ForgetChannelRequest(
            community_id=_community(channel.community_id),
            channel_id=ids.text(ids.Kind.CHANNEL, channel.id),
        )
        await self._clients.call(self._rbac.ForgetChannel, request)
        async with self._database.transaction() as tx:
            await store.forget_channel(tx, channel.id)

    async def resume(self) -> None:
        """Finish what a crash left half-way."""
        async with self._database.reading() as tx:
            left = await store.unsettled(tx, _ABANDONED_AFTER, _BATCH)
            channels = await store.unsettled_channels(tx, _ABANDONED_AFTER, _BATCH)
            transfers = await store.unsettled_transfers(tx, _ABANDONED_AFTER, _BATCH)
            bans = await store.unsettled_bans(tx, _ABANDONED_AFTER, _BATCH)
            untold = await store.untold(tx, _ABANDONED_AFTER, _BATCH)
        unfinished = [partial(self._finish, member, founds=founds) for member, founds in left]
        unfinished += [partial(self._finish_banning, ban) for ban in bans]
        unfinished += [partial(self._finish_opening, channel) for channel in channels]
        unfinished += [partial(self._finish_transfer, community) for community in transfers]
        unfinished += [partial(self.finish_onboarding, *member) for member in untold]
        await finish_each(unfinished, lambda finish: finish())

    async def _finish(self, member: Member, *, founds: bool) -> None:
        if member.standing == Standing.LEAVING:
            by_themselves = member.user_id in member.removers
            for remover_id in (None,) if by_themselves else member.removers:
                with suppress(RoleTooHigh):
                    await self.finish_leaving(member.community_id, member.user_id, remover_id)
                    break
        elif founds:
            await self.finish_founding(member.community_id, member.user_id)
        else:
            await self.finish_joining(member.community_id, member.user_id)

    async def _finish_banning(self, ban: Ban) -> None:
        with suppress(RoleTooHigh):
            await self.finish_banning(ban)

    async def _finish_opening(self, channel: Channel) -> None:
        with suppress(FailedPrecondition):
            await self.finish_opening(channel)

    async def _finish_transfer(self, community: Community) -> None:
        assert community.next_owner_id is not None, "it is being handed over"
        with suppress(MemberNotFound):
            await self.finish_transfer(community, community.next_owner_id, community.transfers)


def _community(value: UUID) -> str:
    return ids.text(ids.Kind.COMMUNITY, value)


def _user(value: UUID) -> str:
    return ids.text(ids.Kind.USER, value)


async def write_ban(tx: Transaction, ban: Ban) -> Ban:
    """Let a ban count, and write it down; the one that counts already when there is one."""
    kept = await store.add_ban(tx, ban)
    if kept == ban:
        deed = Deed(
            ban.community_id,
            ban.creator_id,
            Action.BAN_CREATED,
            _user(ban.user_id),
            reason=ban.reason,
        )
        await store.write_down(tx, deed)
    return kept


def deed_of(
    channel: Channel, actor_id: UUID, action: Action, said: tuple[Difference, ...] = ()
) -> Deed:
    """What somebody did to a channel."""
    return Deed(
        channel.community_id,
        actor_id,
        action,
        ids.text(ids.Kind.CHANNEL, channel.id),
        channel.name,
        differences=said,
    )
