"""InviteService."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.empty_pb2 import Empty

from chassis import idempotency
from chassis.authz import Authorizer
from chassis.calls import principal
from chassis.database import Database
from chassis.tokens import Tokens, page_size
from creavio.community.v1 import community_pb2, invite_pb2, invite_service_pb2
from creavio.community.v1.invite_service_pb2_grpc import InviteServiceServicer
from creavio.options.v1 import permission_pb2 as p
from services.community import convert, domain, store
from services.community.domain.audit import Action, Deed
from services.community.engine import Memberships


class InviteHandler(InviteServiceServicer):
    """Makes, accepts, shows and revokes invites."""

    def __init__(
        self,
        database: Database,
        memberships: Memberships,
        authorizer: Authorizer,
        tokens: Tokens,
    ) -> None:
        self._database = database
        self._memberships = memberships
        self._authorizer = authorizer
        self._tokens = tokens

    async def CreateInvite(
        self, request: invite_service_pb2.CreateInviteRequest, context: object
    ) -> invite_pb2.Invite:
        community_id = convert.community_id(request.community_id)
        creator_id, now = convert.user_id(principal().user_id), datetime.now(UTC)
        lifetime = domain.INVITE_LASTS
        if request.HasField("lifetime_seconds"):
            lifetime = timedelta(seconds=request.lifetime_seconds)
        invite = domain.new_invite(
            community_id, creator_id, now, lifetime=lifetime, max_uses=request.max_uses
        )
        async with self._database.transaction() as tx:
            claim = await idempotency.claim(tx, invite_pb2.Invite)
            if claim.reply is not None:
                return claim.reply
            await store.community_to_change(tx, community_id)
            domain.may_have_another_invite(await store.working_invites(tx, community_id, now))
            await store.add_invite(tx, invite)
            return await claim.keep(convert.invite(invite))

    async def AcceptInvite(
        self, request: invite_service_pb2.AcceptInviteRequest, context: object
    ) -> community_pb2.Community:
        user_id, now = convert.user_id(principal().user_id), datetime.now(UTC)
        async with self._database.transaction() as tx:
            community = await store.community_behind(tx, request.code, now)
            pending = (await store.onboarding(tx, community.id)).holds_back()
            joining = domain.new_member(community.id, user_id, now, pending=pending)
            member = await store.add_member(tx, joining)
            if member == joining:
                await store.use(tx, request.code, now)
        if member.standing != domain.Standing.SETTLED:
            await self._memberships.finish_joining(community.id, user_id)
        async with self._database.reading() as tx:
            return convert.community(await store.community(tx, community.id))

    async def ListInvites(
        self, request: invite_service_pb2.ListInvitesRequest, context: object
    ) -> invite_service_pb2.ListInvitesResponse:
        size = page_size(request.page_size)
        purpose = ("invites", principal().user_id, request.community_id)
        start = self._tokens.page_start(request.page_token, *purpose)
        before = None if start is None else (datetime.fromisoformat(start[0]), str(start[1]))
        async with self._database.reading() as tx:
            community_id, now = convert.community_id(request.community_id), datetime.now(UTC)
            invites = await store.invites_of(tx, community_id, before, size + 1, now)
        reply = invite_service_pb2.ListInvitesResponse(
            invites=[convert.invite(invite) for invite in invites[:size]]
        )
        if len(invites) > size:
            last = invites[size - 1]
            reply.next_page_token = self._tokens.next_page(
                [last.create_time.isoformat(), last.code], *purpose
            )
        return reply

    async def RevokeInvite(
        self, request: invite_service_pb2.RevokeInviteRequest, context: object
    ) -> Empty:
        community_id = convert.community_id(request.community_id)
        caller = convert.user_id(principal().user_id)
        manages = await self._authorizer.holds(
            principal().user_id, p.PERMISSION_MANAGE_COMMUNITY, request.community_id
        )
        async with self._database.transaction() as tx:
            invite = await store.invite_to_revoke(tx, community_id, request.code)
            if invite is not None and invite.creator_id != caller and not manages:
                raise domain.NotYourInvite
            if invite is not None:
                await store.revoke(tx, request.code)
                if invite.creator_id != caller:
                    maker = convert.user_text(invite.creator_id)
                    await store.write_down(
                        tx, Deed(community_id, caller, Action.INVITE_REVOKED, maker)
                    )
        return Empty()
