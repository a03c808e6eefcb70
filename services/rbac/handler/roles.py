"""RoleService."""

from __future__ import annotations

from google.protobuf.empty_pb2 import Empty

from chassis import idempotency
from chassis.calls import principal
from creavio.rbac.v1 import role_pb2, role_service_pb2
from creavio.rbac.v1.role_service_pb2_grpc import RoleServiceServicer
from services.rbac import convert, events
from services.rbac.domain.deeds import Action, Deed
from services.rbac.domain.errors import Changed, MemberNotFound
from services.rbac.domain.policy import (
    Kind,
    in_community,
    reordered,
    with_new_role,
    with_role,
    without_role,
)
from services.rbac.domain.rules import may_assign, may_change, may_step_down, may_touch
from services.rbac.engine.moments import Moments
from services.rbac.handler.changes import Changes
from services.rbac.store import people


class RoleHandler(RoleServiceServicer):
    """Shows, makes, changes, orders, gives and takes roles."""

    def __init__(self, moments: Moments, changes: Changes) -> None:
        self._moments = moments
        self._changes = changes

    async def ListRoles(
        self, request: role_service_pb2.ListRolesRequest, context: object
    ) -> role_service_pb2.ListRolesResponse:
        caller = convert.user(principal().user_id)
        moment = await self._moments.of(convert.community(request.community_id), caller)
        return convert.roles(moment.policy)

    async def GetMemberRoles(
        self, request: role_service_pb2.GetMemberRolesRequest, context: object
    ) -> role_service_pb2.MemberRoles:
        user_id = convert.user(request.user_id)
        moment = await self._moments.of(convert.community(request.community_id), user_id)
        if not moment.holdings.roles:
            raise MemberNotFound
        return convert.member_roles(moment.policy, user_id, moment.holdings.roles)

    async def CreateRole(
        self, request: role_service_pb2.CreateRoleRequest, context: object
    ) -> role_pb2.Role:
        community_id = convert.community(request.community_id)
        allow, deny = in_community("allow", request.allow), in_community("deny", request.deny)
        async with self._changes.of(community_id) as change:
            claim = await idempotency.claim(change.tx, role_pb2.Role)
            if claim.reply is not None:
                return claim.reply
            actor = await self._changes.actor(change)
            change.after, role = with_new_role(
                change.before, request.name, request.color, allow, deny
            )
            may_change(actor, change.before, change.after)
            # It stands below all that people made before: their places are others now.
            change.emit(
                events.role_created(change.after, role), events.roles_reordered(change.after)
            )
            return await claim.keep(convert.role_message(change.after, role))

    async def UpdateRole(
        self, request: role_service_pb2.UpdateRoleRequest, context: object
    ) -> role_pb2.Role:
        community_id = convert.community(request.community_id)
        role_id = convert.role(request.role_id)
        async with self._changes.of(community_id) as change:
            actor = await self._changes.actor(change)
            before = change.before.role(role_id)
            may_touch(actor, change.before, role_id)
            if request.etag and request.etag != before.etag:
                raise Changed("the role")
            change.after = with_role(change.before, convert.updated(before, request))
            may_change(actor, change.before, change.after)
            if change.after != change.before:
                change.emit(events.role_updated(change.after, change.after.role(role_id)))
            return convert.role_message(change.after, change.after.role(role_id))

    async def ReorderRoles(
        self, request: role_service_pb2.ReorderRolesRequest, context: object
    ) -> role_service_pb2.ListRolesResponse:
        community_id = convert.community(request.community_id)
        order = [convert.role(role_id, "role_ids") for role_id in request.role_ids]
        async with self._changes.of(community_id) as change:
            actor = await self._changes.actor(change)
            change.after = reordered(change.before, order)
            may_change(actor, change.before, change.after)
            if change.after != change.before:
                change.emit(events.roles_reordered(change.after))
            return convert.roles(change.after)

    async def DeleteRole(
        self, request: role_service_pb2.DeleteRoleRequest, context: object
    ) -> Empty:
        community_id = convert.community(request.community_id)
        role_id = convert.role(request.role_id)
        async with self._changes.of(community_id) as change:
            actor = await self._changes.actor(change)
            if any(role.id == role_id for role in change.before.roles):
                may_touch(actor, change.before, role_id)
                change.after = without_role(change.before, role_id)
                may_change(actor, change.before, change.after)
                # Who had it is not told one by one: its number is in no mask any more,
                # and no other role ever gets it.
                change.emit(events.role_deleted(community_id, role_id))
        return Empty()

    async def GrantRole(
        self, request: role_service_pb2.GrantRoleRequest, context: object
    ) -> role_service_pb2.MemberRoles:
        community_id = convert.community(request.community_id)
        user_id, role_id = convert.user(request.user_id), convert.role(request.role_id)
        async with self._changes.of(community_id) as change:
            actor, policy = await self._changes.actor(change), change.before
            role, holdings = policy.role(role_id), await change.member(user_id)
            may_assign(actor, policy, role, user_id, holdings)
            held = holdings.roles | {role_id}
            if await people.bind(change.tx, community_id, user_id, [role_id]):
                change.rebind(user_id)
                change.emit(events.member_roles_changed(policy, user_id, held))
                change.did(Deed(Action.ROLE_GRANTED, role, user_id))
            return convert.member_roles(policy, user_id, held)

    async def RevokeRole(
        self, request: role_service_pb2.RevokeRoleRequest, context: object
    ) -> Empty:
        community_id = convert.community(request.community_id)
        user_id, role_id = convert.user(request.user_id), convert.role(request.role_id)
        async with self._changes.of(community_id) as change:
            actor, policy = await self._changes.actor(change), change.before
            role, holdings = policy.role(role_id), await change.member(user_id)
            if role.kind == Kind.OWNER and user_id == actor.user_id:
                may_step_down(actor, policy, await people.holders(change.tx, role_id))
            else:
                may_assign(actor, policy, role, user_id, holdings)
            if await people.take(change.tx, community_id, user_id, role_id):
                change.rebind(user_id)
                held = holdings.roles - {role_id}
                change.emit(events.member_roles_changed(policy, user_id, held))
                change.did(Deed(Action.ROLE_REVOKED, role, user_id))
        return Empty()
