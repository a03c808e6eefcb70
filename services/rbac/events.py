"""What this service tells the others."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from creavio.rbac.v1 import rbac_events_pb2
from services.rbac import convert
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
