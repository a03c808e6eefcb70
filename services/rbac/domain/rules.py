"""Who may change a policy: nobody rises by their own hand, nor reaches above themselves.

A change is judged by what it does, not by what it is called: the policies before
and after it are compared. Whatever decides otherwise afterwards, in the community
or in a channel, the actor must hold there themselves; whatever stands at or above
the actor's highest role stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID

from services.rbac.domain.errors import (
    AdministrativeRole,
    ClaimRefused,
    ExceedsOwnPermissions,
    LastAdministrator,
    LastOwner,
    LimitReached,
    Meaningless,
    RoleTooHigh,
)
from services.rbac.domain.permissions import ORDINARY, Permission
from services.rbac.domain.policy import SILENT, Holdings, Kind, Override, Policy, Role

ADMINISTRATORS: Final = 100
"""How many administrate an instance at most."""
CHANNEL_OVERRIDES: Final = 200
"""How many roles and members are overridden in one channel at most."""
CHANNELS: Final = 1_000
"""In how many channels of a community something is overridden at most."""

Place: TypeAlias = UUID | None
"""A channel, or the community as a whole."""
Holds: TypeAlias = Callable[[Permission, Place], bool]
_Cell: TypeAlias = tuple[Place, Permission]
_Spoken: TypeAlias = dict[_Cell, list[tuple[UUID, bool | None]]]
_Target: TypeAlias = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change, as they stand before it."""

    user_id: UUID
    highest: int
    """The position of their highest role."""
    holds: Holds
    """Whether they hold a permission in a place."""


def may_touch(actor: Actor, policy: Policy, role_id: UUID) -> None:
    """Return when a role is below the actor. Raises `RoleTooHigh` and `RoleNotFound`."""
    if policy.position(role_id) >= actor.highest:
        raise RoleTooHigh


def may_change(actor: Actor, before: Policy, after: Policy) -> None:
    """Return when the actor may turn one policy into the other.

    Raises `RoleTooHigh` and `ExceedsOwnPermissions`.
    """
    top = {role.id for role in before.roles[max(actor.highest, 0) :]}
    lower = after.roles[: len(after.roles) - len(top)]
    if _standing(before, top) != _standing(after, top) or any(r.id in top for r in lower):
        raise RoleTooHigh
    _must_hold(actor, _changed(_spoken(before), _spoken(after)))


def may_assign(actor: Actor, policy: Policy, role: Role, target_id: UUID, target: Holdings) -> None:
    """Return when the actor may give a role to a member, or take it from them.

    Raises `RoleTooHigh`, `ExceedsOwnPermissions`, and `Meaningless` for the member role.
    """
    may_give(actor, policy, role)
    if target_id != actor.user_id:
        _must_be_above(actor, policy, target)


def may_give(actor: Actor, policy: Policy, role: Role) -> None:
    """Return when the actor may give a role, whoever gets it.

    Raises `RoleTooHigh`, `ExceedsOwnPermissions`, and `Meaningless` for the member role.
    """
    if role.kind == Kind.MEMBER:
        raise Meaningless("role_id", "is the member role, which every member holds")
    may_touch(actor, policy, role.id)
    cells: set[_Cell] = {(None, permission) for permission in role.allow | role.deny}
    for channel_id in policy.channels:
        said = policy.override(channel_id, role.id)
        cells |= {(channel_id, permission) for permission in said.allow | said.deny}
    _must_hold(actor, cells)


def may_offer(actor: Actor, policy: Policy, role: Role) -> None:
    """Return when the actor may let everybody give themselves a role.

    Raises as `may_give`, and `AdministrativeRole`.
    """
    may_give(actor, policy, role)
    if not may_be_chosen(policy, role):
        raise AdministrativeRole(role.name)


def may_be_chosen(policy: Policy, role: Role) -> bool:
    """Whether members may give themselves a role: it allows nothing out of the ordinary, in
    the community or in a channel."""
    overrides = (policy.override(channel_id, role.id).allow for channel_id in policy.channels)
    allowed = role.allow.union(*overrides)
    return role.kind == Kind.CUSTOM and allowed <= ORDINARY


def may_override(
    actor: Actor, policy: Policy, channel_id: UUID, target: Holdings, after: Override
) -> None:
    """Return when the actor may override a member in a channel so.

    Raises `RoleTooHigh` for a member not below them, themselves included, and
    `ExceedsOwnPermissions`.
    """
    _must_be_above(actor, policy, target)
    before = target.overrides.get(channel_id, SILENT)
    _must_hold(actor, {(channel_id, p) for p in Permission if before.says(p) != after.says(p)})


def may_moderate(actor: Actor, policy: Policy, target: Holdings, set_by: int) -> None:
    """Return when the actor may time a member out, or undo what somebody did to them whose
    highest role stands at `set_by`.

    Raises `RoleTooHigh` for a member not below them, themselves included, and for what
    somebody above them decided.
    """
    _must_be_above(actor, policy, target)
    if set_by > actor.highest:
        raise RoleTooHigh


def may_remove(policy: Policy, remover: Holdings, target: Holdings) -> None:
    """Return when one person's highest role is above that of the other, who may have none.

    Raises `RoleTooHigh`.
    """
    if target.roles and target.rank(policy) >= remover.rank(policy):
        raise RoleTooHigh


def may_step_down(actor: Actor, policy: Policy, owners: frozenset[UUID]) -> None:
    """Return when the actor may stop being an owner. Raises `RoleTooHigh` for whoever is
    none, and `LastOwner`."""
    if policy.roles[actor.highest].kind != Kind.OWNER:
        raise RoleTooHigh
    may_lose_roles(actor.user_id, owners)


def may_lose_roles(user_id: UUID, owners: frozenset[UUID]) -> None:
    """Return when somebody would still own the community. Raises `LastOwner`."""
    if owners == {user_id}:
        raise LastOwner


def may_stop_administrating(user_id: UUID, administrators: frozenset[UUID]) -> None:
    """Return when somebody would still administrate. Raises `LastAdministrator`."""
    if administrators == {user_id}:
        raise LastAdministrator


def may_claim(user_id: UUID, administrators: frozenset[UUID]) -> None:
    """Return when nobody but this person administrates. Raises `ClaimRefused`."""
    if administrators and user_id not in administrators:
        raise ClaimRefused


def may_administrate(administrators: frozenset[UUID]) -> None:
    """Return when there may be one more. Raises `LimitReached`."""
    if len(administrators) >= ADMINISTRATORS:
        raise LimitReached(ADMINISTRATORS, "administrators")


def may_be_overridden(in_channel: int, channels: int) -> None:
    """Return when there may be one more override, in a channel that has so many and a
    community where so many channels have some. Raises `LimitReached`."""
    if in_channel >= CHANNEL_OVERRIDES:
        raise LimitReached(CHANNEL_OVERRIDES, "overrides in a channel")
    if not in_channel and channels >= CHANNELS:
        raise LimitReached(CHANNELS, "channels with overrides")


def _must_be_above(actor: Actor, policy: Policy, target: Holdings) -> None:
    if target.rank(policy) >= actor.highest:
        raise RoleTooHigh


def _must_hold(actor: Actor, cells: set[_Cell]) -> None:
    lacking = {permission for place, permission in cells if not actor.holds(permission, place)}
    if lacking:
        raise ExceedsOwnPermissions(lacking)


def _standing(policy: Policy, top: set[UUID]) -> tuple[list[Role], dict[_Target, Override]]:
    """The roles in `top`, in order, with what they say in the community and its channels."""
    overrides = {
        (channel_id, role_id): said
        for channel_id, said_here in policy.channels.items()
        for role_id, said in said_here.items()
        if role_id in top
    }
    return [role for role in policy.roles if role.id in top], overrides


def _spoken(policy: Policy) -> _Spoken:
    """Per place and permission, the roles that speak of it, in order, and what they say."""
    spoken: _Spoken = {}
    for role in policy.roles:
        _speak(spoken, None, role.id, role)
    for channel_id, overrides in policy.channels.items():
        for role in policy.roles:
            if role.id in overrides:
                _speak(spoken, channel_id, role.id, overrides[role.id])
    return spoken


def _speak(spoken: _Spoken, place: Place, role_id: UUID, said: Role | Override) -> None:
    for permission in said.allow | said.deny:
        spoken.setdefault((place, permission), []).append((role_id, said.says(permission)))


def _changed(before: _Spoken, after: _Spoken) -> set[_Cell]:
    return {cell for cell in before.keys() | after.keys() if before.get(cell) != after.get(cell)}
