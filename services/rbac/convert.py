"""Between the contract's messages and the domain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.masks import to_bytes
from chassis.wire import timestamp
from creavio.options.v1 import permission_pb2
from creavio.rbac.v1 import (
    access_pb2,
    policy_service_pb2,
    policy_shape_pb2,
    role_pb2,
    role_service_pb2,
    timeout_pb2,
)
from services.rbac.domain.decision import Step
from services.rbac.domain.errors import CommunityNotProvisioned, Meaningless
from services.rbac.domain.masks import Masks, channel_masks, community_masks
from services.rbac.domain.permissions import Permission
from services.rbac.domain.policy import (
    INSTANCE,
    Binding,
    Holdings,
    Override,
    Policy,
    Role,
    in_channel,
    in_community,
)
from services.rbac.domain.shape import OverrideShape, RoleShape, Shape
from services.rbac.domain.timeout import Timeout

_UPDATED: Final = frozenset({"name", "color", "allow", "deny"})


def place(identifier: str) -> UUID:
    """The community a request names; the instance is one of them."""
    return ids.parse(ids.Kind.COMMUNITY, identifier, field="community_id")


def community(identifier: str) -> UUID:
    """The community a request names. Raises `CommunityNotProvisioned` for the instance."""
    community_id = place(identifier)
    if community_id == INSTANCE:
        raise CommunityNotProvisioned
    return community_id


def user(identifier: str, field: str = "user_id") -> UUID:
    """The person a request names."""
    return ids.parse(ids.Kind.USER, identifier, field=field)


def role(identifier: str, field: str = "role_id") -> UUID:
    """The role a request names."""
    return ids.parse(ids.Kind.ROLE, identifier, field=field)


def channel(identifier: str) -> UUID:
    """The channel a request names."""
    return ids.parse(ids.Kind.CHANNEL, identifier, field="channel_id")


def optional_channel(identifier: str) -> UUID | None:
    """The channel a request names; None for the community as a whole."""
    return channel(identifier) if identifier else None


def target(identifier: str) -> tuple[UUID | None, UUID | None]:
    """The role or the person that an override is for; the other one is None."""
    if identifier.startswith(ids.Kind.ROLE.value):
        return role(identifier, "target_id"), None
    return None, user(identifier, "target_id")


def community_text(community_id: UUID) -> str:
    """A community on the wire."""
    return ids.text(ids.Kind.COMMUNITY, community_id)


def user_text(user_id: UUID) -> str:
    """A person on the wire."""
    return ids.text(ids.Kind.USER, user_id)


def role_text(role_id: UUID) -> str:
    """A role on the wire."""
    return ids.text(ids.Kind.ROLE, role_id)


def channel_text(channel_id: UUID) -> str:
    """A channel on the wire."""
    return ids.text(ids.Kind.CHANNEL, channel_id)


def numbers(permissions: Iterable[Permission]) -> list[permission_pb2.Permission.ValueType]:
    """Permissions on the wire, by number."""
    return [permission.value for permission in sorted(permissions)]  # type: ignore[misc]  # the contract's numbers


def masks(policy: Policy) -> access_pb2.CommunityMasks:
    """The compiled policy as it stands on the wire."""
    return access_pb2.CommunityMasks(
        community_id=community_text(policy.community_id),
        version=policy.version,
        masks=_masks(community_masks(policy)),
        roles=[role.number for role in policy.roles],
        channels=[
            access_pb2.ChannelMasks(channel_id=channel_text(channel_id), masks=_masks(said))
            for channel_id, said in channel_masks(policy).items()
        ],
    )


def _masks(masks: Masks) -> list[access_pb2.PermissionMask]:
    return [
        access_pb2.PermissionMask(
            permission=permission.value,  # type: ignore[arg-type]  # the contract's numbers
            allow=to_bytes(allow),
            deny=to_bytes(deny),
        )
        for permission, (allow, deny) in masks.items()
    ]


def binding(binding: Binding) -> access_pb2.Binding:
    """What a person has as it stands on the wire."""
    return access_pb2.Binding(
        community_id=community_text(binding.community_id),
        user_id=user_text(binding.user_id),
        version=binding.version,
        roles=to_bytes(binding.numbers),
        overrides=[
            access_pb2.MemberOverride(
                channel_id=channel_text(channel_id),
                allow=numbers(said.allow),
                deny=numbers(said.deny),
            )
            for channel_id, said in binding.overrides.items()
        ],
        timeout_expire_time=(
            None if binding.timed_out_until is None else timestamp(binding.timed_out_until)
        ),
        pending=binding.pending,
    )


def role_message(policy: Policy, role: Role) -> role_pb2.Role:
    """A role of a policy on the wire."""
    return role_pb2.Role(
        id=role_text(role.id),
        community_id=community_text(policy.community_id),
        name=role.name,
        color=role.color,
        position=policy.position(role.id),
        kind=role.kind.value,  # type: ignore[arg-type]  # the contract's numbers
        allow=numbers(role.allow),
        deny=numbers(role.deny),
        etag=role.etag,
        create_time=timestamp(role.create_time),
    )


def updated(role: Role, request: role_service_pb2.UpdateRoleRequest) -> Role:
    """A role as it is to be: changed in the fields of the mask, else in those present.

    Raises `Meaningless` for a field that cannot be changed.
    """
    fields = set(request.update_mask.paths)
    if not request.HasField("update_mask"):
        fields = {name for name in _UPDATED if _present(request, name)}
    for name in sorted(fields - _UPDATED):
        raise Meaningless("update_mask", f"names {name}, which cannot be changed")
    if "name" in fields and not request.HasField("name"):
        raise Meaningless("name", "must be given")
    deny = in_community("deny", request.deny) if "deny" in fields else role.deny
    allow = in_community("allow", request.allow) if "allow" in fields else role.allow
    return replace(
        role,
        name=request.name if "name" in fields else role.name,
        color=request.color if "color" in fields else role.color,
        allow=allow - deny,
        deny=deny,
    )


def _present(request: role_service_pb2.UpdateRoleRequest, name: str) -> bool:
    return name in {field.name for field, _ in request.ListFields()}


def roles(policy: Policy) -> role_service_pb2.ListRolesResponse:
    """Every role of a policy on the wire, the highest first."""
    return role_service_pb2.ListRolesResponse(
        roles=[role_message(policy, role) for role in reversed(policy.roles)]
    )


def member_roles(
    policy: Policy, user_id: UUID, held: Iterable[UUID]
) -> role_service_pb2.MemberRoles:
    """The roles of a member on the wire, the highest first."""
    return role_service_pb2.MemberRoles(
        community_id=community_text(policy.community_id),
        user_id=user_text(user_id),
        role_ids=[role_text(role.id) for role in policy.ordered(held)],
    )


def override(
    community_id: UUID, channel_id: UUID, target_id: str, said: Override
) -> role_pb2.ChannelOverride:
    """An override on the wire."""
    return role_pb2.ChannelOverride(
        community_id=community_text(community_id),
        channel_id=channel_text(channel_id),
        target_id=target_id,
        allow=numbers(said.allow),
        deny=numbers(said.deny),
    )


def timeout(timeout: Timeout) -> timeout_pb2.Timeout:
    """A timeout on the wire."""
    return timeout_pb2.Timeout(
        community_id=community_text(timeout.community_id),
        user_id=user_text(timeout.user_id),
        creator_id=user_text(timeout.creator_id),
        reason=timeout.reason,
        create_time=timestamp(timeout.create_time),
        expire_time=timestamp(timeout.expire_time),
    )


def shape(message: policy_shape_pb2.PolicyShape) -> Shape:
    """What roles are to be like. Raises `Meaningless`."""
    roles = (
        RoleShape(
            each.name,
            each.color,
            in_community("shape.roles.allow", each.allow),
            in_community("shape.roles.deny", each.deny),
            role(each.role_id, "shape.roles.role_id") if each.role_id else None,
        )
        for each in message.roles
    )
    overrides = (
        OverrideShape(
            channel(each.channel_id),
            each.role,
            Override(
                in_channel("shape.overrides.allow", each.allow),
                in_channel("shape.overrides.deny", each.deny),
            ),
        )
        for each in message.overrides
    )
    return Shape(tuple(roles), tuple(overrides))


def shape_message(shape: Shape) -> policy_shape_pb2.PolicyShape:
    """What roles are like on the wire."""
    return policy_shape_pb2.PolicyShape(
        roles=[
            policy_shape_pb2.RoleShape(
                name=each.name,
                color=each.color,
                allow=numbers(each.allow),
                deny=numbers(each.deny),
                role_id="" if each.role_id is None else role_text(each.role_id),
            )
            for each in shape.roles
        ],
        overrides=[
            policy_shape_pb2.OverrideShape(
                channel_id=channel_text(each.channel_id),
                role=each.role,
                allow=numbers(each.said.allow),
                deny=numbers(each.said.deny),
            )
            for each in shape.overrides
        ],
    )


def moment_and_id(page_start: list[str] | None) -> tuple[datetime, UUID] | None:
    """Where a page begins of what is listed by time."""
    if page_start is None:
        return None
    moment, identifier = page_start
    return datetime.fromisoformat(moment), UUID(identifier)


def step(step: Step, user_id: UUID, holdings: Holdings) -> policy_service_pb2.Step:
    """One step of a decision about a person, who has these, on the wire."""
    until = holdings.timed_out_until if step.muted else None
    by = user_text(user_id) if step.own else ""
    return policy_service_pb2.Step(
        permission=step.permission.value,  # type: ignore[arg-type]  # the contract's numbers
        channel_id="" if step.channel_id is None else channel_text(step.channel_id),
        decided_by=by if step.role is None else role_text(step.role.id),
        role_name="" if step.role is None else step.role.name,
        allowed=step.allowed,
        timeout_expire_time=None if until is None else timestamp(until),
        pending=step.muted and holdings.pending,
    )
