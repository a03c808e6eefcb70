"""What this service tells the others."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from chassis.wire import timestamp
from creavio.rbac.v1 import policy_deed_pb2, rbac_events_pb2
from services.rbac import convert
from services.rbac.domain.deeds import Deed
from services.rbac.domain.policy import Binding, Policy, Role
from services.rbac.domain.timeout import Timeout


def policy_changed(
    community_id: UUID, version: int, revision: int
) -> rbac_events_pb2.PolicyChanged:
    """A community's masks changed."""
    return rbac_events_pb2.PolicyChanged(
        community_id=convert.community_text(community_id), version=version, revision=revision
    )


def binding_changed(binding: Binding, revision: int) -> rbac_events_pb2.BindingChanged:
    """What a person has in a community changed."""
    return rbac_events_pb2.BindingChanged(
        community_id=convert.community_text(binding.community_id),
        user_id=convert.user_text(binding.user_id),
        version=binding.version,
        revision=revision,
        binding=convert.binding(binding),
    )


def role_created(policy: Policy, role: Role) -> rbac_events_pb2.RoleCreated:
    """A role was created."""
    return rbac_events_pb2.RoleCreated(role=convert.role_message(policy, role))


def role_updated(policy: Policy, role: Role) -> rbac_events_pb2.RoleUpdated:
    """A role was changed."""
    return rbac_events_pb2.RoleUpdated(role=convert.role_message(policy, role))


def roles_reordered(policy: Policy) -> rbac_events_pb2.RolesReordered:
    """The roles stand in this order."""
    return rbac_events_pb2.RolesReordered(
        community_id=convert.community_text(policy.community_id),
        role_ids=[convert.role_text(role.id) for role in reversed(policy.roles)],
    )


def role_deleted(community_id: UUID, role_id: UUID) -> rbac_events_pb2.RoleDeleted:
    """A role was deleted."""
    return rbac_events_pb2.RoleDeleted(
        community_id=convert.community_text(community_id), role_id=convert.role_text(role_id)
    )


def member_roles_changed(
    policy: Policy, user_id: UUID, held: Iterable[UUID]
) -> rbac_events_pb2.MemberRolesChanged:
    """A member was given a role, or lost one."""
    now = convert.member_roles(policy, user_id, held)
    return rbac_events_pb2.MemberRolesChanged(
        community_id=now.community_id, user_id=now.user_id, role_ids=now.role_ids
    )


def member_timed_out(timeout: Timeout) -> rbac_events_pb2.MemberTimedOut:
    """A member was timed out."""
    return rbac_events_pb2.MemberTimedOut(timeout=convert.timeout(timeout))


def member_timeout_ended(timeout: Timeout, actor_id: UUID) -> rbac_events_pb2.MemberTimeoutEnded:
    """A timeout was ended before its time."""
    return rbac_events_pb2.MemberTimeoutEnded(
        community_id=convert.community_text(timeout.community_id),
        user_id=convert.user_text(timeout.user_id),
        actor_id=convert.user_text(actor_id),
    )


def policy_deed(community_id: UUID, actor_id: UUID, deed: Deed) -> rbac_events_pb2.PolicyDeed:
    """Somebody did something to a policy."""
    return rbac_events_pb2.PolicyDeed(
        community_id=convert.community_text(community_id),
        actor_id=convert.user_text(actor_id),
        action=deed.action.value,  # type: ignore[arg-type]  # the contract's numbers
        role_id="" if deed.role is None else convert.role_text(deed.role.id),
        role_name="" if deed.role is None else deed.role.name,
        user_id="" if deed.user_id is None else convert.user_text(deed.user_id),
        channel_id="" if deed.channel_id is None else convert.channel_text(deed.channel_id),
        differences=[
            policy_deed_pb2.PolicyDifference(field=one.field, before=one.before, after=one.after)
            for one in deed.differences
        ],
        create_time=timestamp(datetime.now(UTC)),
    )
