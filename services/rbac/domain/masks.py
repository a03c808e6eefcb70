"""A policy as masks: per permission, which roles allow and which deny, by position.

`chassis.masks` says how they decide; a property test holds both to Casbin's word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias
from uuid import UUID

from services.rbac.domain.permissions import IN_COMMUNITY, Permission
from services.rbac.domain.policy import Kind, Override, Policy, Role

Masks: TypeAlias = Mapping[Permission, tuple[int, int]]


def community_masks(policy: Policy) -> Masks:
    """What the roles say. A permission that no role speaks of is absent."""
    return _masks((1 << place, role) for place, role in enumerate(policy.roles))


def channel_masks(policy: Policy) -> Mapping[UUID, Masks]:
    """How the roles are overridden, channel by channel.

    The owner's bit allows whatever is overridden there: nothing outdoes an owner.
    """
    bits = {role.id: 1 << place for place, role in enumerate(policy.roles)}
    owners = sum(bits[role.id] for role in policy.roles if role.kind == Kind.OWNER)
    return {
        channel_id: {
            permission: (allow | owners if permission in IN_COMMUNITY else allow, deny)
            for permission, (allow, deny) in _masks(
                (bits[role_id], said) for role_id, said in overrides.items()
            ).items()
        }
        for channel_id, overrides in policy.channels.items()
    }


def _masks(said: Iterable[tuple[int, Role | Override]]) -> Masks:
    # Over what is said alone: all roles in all channels would hold the event loop up.
    allow: dict[Permission, int] = {}
    deny: dict[Permission, int] = {}
    for bit, by in said:
        for permission in by.deny:
            deny[permission] = deny.get(permission, 0) | bit
        for permission in by.allow - by.deny:
            allow[permission] = allow.get(permission, 0) | bit
    return {
        permission: (allow.get(permission, 0), deny.get(permission, 0))
        for permission in sorted(allow.keys() | deny.keys())
    }
