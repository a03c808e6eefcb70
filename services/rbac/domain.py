"""Roles, what they allow and deny, and what follows for a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from chassis import ids
from chassis.errors import FailedPrecondition, NotFound


class Permission(IntEnum):
    """What a person can be allowed to do. The contract's numbers; a test compares."""

    VIEW_COMMUNITY = 1
    VIEW_CHANNEL = 2
    SEND_MESSAGES = 3
    MANAGE_MESSAGES = 4
    CREATE_INVITES = 5
    MANAGE_CHANNELS = 6
    REMOVE_MEMBERS = 7


class CommunityNotProvisioned(NotFound):
    """The community has no roles: it was never provisioned."""

    def __init__(self) -> None:
        super().__init__("there is no such community")


class LastOwner(FailedPrecondition):
    """A community always has an owner."""

    reason = "LAST_OWNER"

    def __init__(self) -> None:
        super().__init__("the last owner cannot leave: hand the community over first")


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions. Positions in a community are unique; higher ones win."""

    id: UUID
    name: str
    position: int
    allows: frozenset[Permission]
    denies: frozenset[Permission] = frozenset()


@dataclass(frozen=True, slots=True)
class Policy:
    """The roles of a community, lowest position first, at one version."""

    community_id: UUID
    version: int
    roles: tuple[Role, ...]


OWNER = "owner"
MEMBER = "member"
_MEMBERS_MAY = frozenset(
    {
        Permission.VIEW_COMMUNITY,
        Permission.VIEW_CHANNEL,
        Permission.SEND_MESSAGES,
        Permission.CREATE_INVITES,
    }
)


def first_policy(community_id: UUID) -> Policy:
    """The roles a community starts with."""
    return Policy(
        community_id,
        version=1,
        roles=(
            Role(ids.new(), MEMBER, position=0, allows=_MEMBERS_MAY),
            Role(ids.new(), OWNER, position=1, allows=frozenset(Permission)),
        ),
    )


def role_bits(policy: Policy, held: Iterable[UUID]) -> int:
    """The roles held, as bits in order of position."""
    held = frozenset(held)
    return sum(1 << bit for bit, role in enumerate(policy.roles) if role.id in held)


def compile_masks(policy: Policy) -> Mapping[Permission, tuple[int, int]]:
    """Per permission, the roles that allow it and those that deny it, as bits.

    A role that says both is only among those that deny: no bit stands in both
    masks. A permission that no role speaks of is absent.
    """
    masks = {
        permission: (
            sum(
                1 << bit
                for bit, role in enumerate(policy.roles)
                if permission in role.allows - role.denies
            ),
            sum(1 << bit for bit, role in enumerate(policy.roles) if permission in role.denies),
        )
        for permission in Permission
    }
    return {permission: mask for permission, mask in masks.items() if any(mask)}


def role_named(policy: Policy, name: str) -> Role:
    """The role of that name; a community has its first roles for good."""
    return next(role for role in policy.roles if role.name == name)


def may_lose_roles(user_id: UUID, owners: frozenset[UUID]) -> None:
    """Return when somebody would still own the community. Raises `LastOwner`."""
    if owners == {user_id}:
        raise LastOwner
