"""What the roles of a community are like, to give another one the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from services.rbac.domain.errors import LimitReached, Meaningless
from services.rbac.domain.policy import (
    Kind,
    Override,
    Permissions,
    Policy,
    first_policy,
    override_of,
    with_new_role,
    with_override,
)

OVERRIDES: Final = 1_000
"""How many go into a shape at most."""


@dataclass(frozen=True, slots=True)
class RoleShape:
    """A role without its identity."""

    name: str
    color: int
    allow: Permissions
    deny: Permissions
    role_id: UUID | None = None
    """Of the role it is like, or that is to be made by it; None for any."""


@dataclass(frozen=True, slots=True)
class OverrideShape:
    """A role, by its number in the shape, overridden in a channel."""

    channel_id: UUID
    role: int
    said: Override


@dataclass(frozen=True, slots=True)
class Shape:
    """The member role and those that people made, the lowest first, and their overrides."""

    roles: tuple[RoleShape, ...]
    overrides: tuple[OverrideShape, ...]


def shape_of(policy: Policy, channel_ids: Collection[UUID]) -> Shape:
    """What the roles of a policy are like, with these channels. Raises `LimitReached`."""
    roles = [role for role in policy.roles if role.kind != Kind.OWNER]
    overrides = tuple(
        OverrideShape(channel_id, number, said)
        for channel_id in channel_ids
        for number, role in enumerate(roles)
        if (said := policy.override(channel_id, role.id))
    )
    if len(overrides) > OVERRIDES:
        raise LimitReached(OVERRIDES, "overrides in a template")
    shapes = (RoleShape(r.name, r.color, r.allow, r.deny, r.id) for r in roles)
    return Shape(tuple(shapes), overrides)


def shaped_policy(community_id: UUID, shape: Shape) -> Policy:
    """The policy a community starts with, when its roles are to be so.

    Raises `Meaningless` for an override of a role that is not there, and `LimitReached`.
    """
    policy = first_policy(community_id)
    lowest, *others = shape.roles
    member, owner = policy.roles
    member = replace(
        member,
        id=lowest.role_id or member.id,
        allow=lowest.allow - lowest.deny,
        deny=lowest.deny,
    )
    policy = replace(policy, roles=(member, owner))
    # A new role comes right above the member role, below those before it.
    for role in reversed(others):
        policy, _ = with_new_role(
            policy, role.name, role.color, role.allow, role.deny, role.role_id
        )
    return _overridden(policy, shape.overrides)


def _overridden(policy: Policy, overrides: Iterable[OverrideShape]) -> Policy:
    shaped = policy.roles[:-1]
    for each in overrides:
        if each.role >= len(shaped):
            raise Meaningless("shape.overrides.role", "is the number of no role")
        said = override_of(each.said.allow, each.said.deny)
        policy = with_override(policy, each.channel_id, shaped[each.role].id, said)
    return policy
