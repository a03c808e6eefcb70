"""What somebody did to a policy, as the audit log of its community tells it.

A `Policy` is a value, so what a change did to roles and to what channels override is
the difference of two; only what was done to one person is said by who did it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from services.rbac.domain.policy import SILENT, Override, Permissions, Policy, Role


class Action(IntEnum):
    """What can be done. The contract's numbers; a test compares."""

    ROLE_CREATED = 1
    ROLE_UPDATED = 2
    ROLE_DELETED = 3
    ROLES_REORDERED = 4
    ROLE_GRANTED = 5
    ROLE_REVOKED = 6
    OVERRIDE_CHANGED = 7


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that was changed; what it said is for people to read."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What was done, and to which of these."""

    action: Action
    role: Role | None = None
    user_id: UUID | None = None
    channel_id: UUID | None = None
    differences: tuple[Difference, ...] = ()


def deeds_between(before: Policy, after: Policy) -> Iterator[Deed]:
    """What made one policy of a community out of another."""
    old = {role.id: role for role in before.roles}
    new = {role.id: role for role in after.roles}
    for role_id, role in new.items():
        was = old.get(role_id)
        if was is None:
            yield Deed(Action.ROLE_CREATED, role, differences=_of_roles(None, role))
        elif differences := _of_roles(was, role):
            yield Deed(Action.ROLE_UPDATED, role, differences=differences)
    for role_id, role in old.items():
        if role_id not in new:
            yield Deed(Action.ROLE_DELETED, role)
    if [i for i in old if i in new] != [i for i in new if i in old]:
        yield Deed(Action.ROLES_REORDERED)
    yield from _overrides_between(before, after)


def _overrides_between(before: Policy, after: Policy) -> Iterator[Deed]:
    for channel_id in before.channels.keys() | after.channels.keys():
        if before.channels.get(channel_id) == after.channels.get(channel_id):
            continue
        # With a role go its overrides: that is told by its deletion.
        for role in after.roles:
            was = before.override(channel_id, role.id)
            said = after.override(channel_id, role.id)
            if said != was:
                yield overridden(channel_id, was, said, role=role)


def overridden(
    channel_id: UUID,
    before: Override,
    after: Override,
    *,
    role: Role | None = None,
    user_id: UUID | None = None,
) -> Deed:
    """A role, or a person, may do something else in a channel."""
    return Deed(Action.OVERRIDE_CHANGED, role, user_id, channel_id, _of_said(before, after))


def _of_roles(before: Role | None, after: Role) -> tuple[Difference, ...]:
    named = (
        Difference("name", "" if before is None else before.name, after.name),
        Difference("color", _color(before), _color(after)),
    )
    return (*(one for one in named if one.before != one.after), *_of_said(before, after))


def _of_said(before: Role | Override | None, after: Role | Override) -> tuple[Difference, ...]:
    was = SILENT if before is None else before
    both = (
        Difference("allow", _names(was.allow), _names(after.allow)),
        Difference("deny", _names(was.deny), _names(after.deny)),
    )
    return tuple(one for one in both if one.before != one.after)


def _names(permissions: Permissions) -> str:
    return ", ".join(permission.name for permission in sorted(permissions))


def _color(role: Role | None) -> str:
    return f"#{role.color:06x}" if role is not None and role.color else ""
