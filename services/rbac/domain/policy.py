"""The policy of a community, and how it becomes another one.

A `Policy` is a value: each change makes a new one, so that what a change does is
the difference of two (`services.rbac.domain.rules` asks whether the caller may
make it).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import IntEnum
import hashlib
from types import MappingProxyType
from typing import Final, TypeAlias
from uuid import UUID

from chassis import ids
from services.rbac.domain.errors import Changed, LimitReached, Meaningless, RoleNotFound
from services.rbac.domain.permissions import IN_CHANNEL, IN_COMMUNITY, MEMBERS_MAY, Permission

INSTANCE: Final = UUID(int=0)
"""The instance, kept as if it were a community; `chassis.ids.INSTANCE` on the wire."""

MEMBER: Final = "member"
OWNER: Final = "owner"
ROLES: Final = 250
"""How many roles a community has at most."""
NUMBERS: Final = 16_384
"""How many roles it ever had at most: a binding on the wire has a bit for each."""

_LONG_AGO: Final = datetime.fromtimestamp(0, UTC)

Permissions: TypeAlias = frozenset[Permission]


class Kind(IntEnum):
    """What a role is to its community. The contract's numbers; a test compares."""

    MEMBER = 1
    CUSTOM = 2
    OWNER = 3


@dataclass(frozen=True, slots=True)
class Override:
    """What is allowed and denied otherwise in one channel; where it says both, it denies."""

    allow: Permissions = frozenset()
    deny: Permissions = frozenset()

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return bool(self.allow or self.deny)

    def says(self, permission: Permission) -> bool | None:
        """Whether the permission is allowed or denied; None when it is not spoken of."""
        if permission in self.deny:
            return False
        return True if permission in self.allow else None


SILENT: Final = Override()
Overrides: TypeAlias = Mapping[UUID, Override]
_NONE: Final[Overrides] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of permissions; where it says both, it denies."""

    id: UUID
    number: int
    """Its bit in the bindings of people: it keeps it wherever it is moved, and no other
    role of the community ever has it."""
    name: str
    kind: Kind
    allow: Permissions
    deny: Permissions = frozenset()
    color: int = 0
    """0xRRGGBB; 0 for none."""
    create_time: datetime = _LONG_AGO

    def says(self, permission: Permission) -> bool | None:
        """Whether the permission is allowed or denied; None when it is not spoken of."""
        if permission in self.deny:
            return False
        return True if permission in self.allow else None

    @property
    def etag(self) -> str:
        """Changes with the role; that others are put above or below it does not count."""
        allow, deny = ([int(p) for p in sorted(said)] for said in (self.allow, self.deny))
        said = repr((self.name, self.color, allow, deny))
        return hashlib.sha256(said.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Policy:
    """The roles of a community, the lowest first, and how channels override them."""

    community_id: UUID
    version: int
    roles: tuple[Role, ...]
    channels: Mapping[UUID, Overrides] = field(default_factory=dict)
    """Per channel and role. No override is silent, no channel empty, no owner overridden."""
    next_number: int = 0
    """The number of the next role."""

    def role(self, role_id: UUID) -> Role:
        """The role with this id. Raises `RoleNotFound`."""
        for role in self.roles:
            if role.id == role_id:
                return role
        raise RoleNotFound

    def position(self, role_id: UUID) -> int:
        """The place of a role, 0 for the lowest. Raises `RoleNotFound`."""
        return self.roles.index(self.role(role_id))

    def of_kind(self, kind: Kind) -> Role:
        """The role that is this to the community; each has one member and one owner role."""
        return next(role for role in self.roles if role.kind == kind)

    def override(self, channel_id: UUID, role_id: UUID) -> Override:
        """What a role is overridden with in a channel; silent where it is not."""
        return self.channels.get(channel_id, _NONE).get(role_id, SILENT)

    def highest(self, held: Iterable[UUID]) -> int:
        """The position of the highest role among those held; -1 for an outsider."""
        held = frozenset(held)
        return max((i for i, role in enumerate(self.roles) if role.id in held), default=-1)

    def ordered(self, held: Iterable[UUID]) -> list[Role]:
        """The roles among these, the highest first."""
        held = frozenset(held)
        return [role for role in reversed(self.roles) if role.id in held]


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a person has in a community."""

    roles: frozenset[UUID] = frozenset()
    overrides: Overrides = field(default_factory=dict)
    """The person's own, per channel."""
    timed_out_until: datetime | None = None
    """While that lasts; None when they are not timed out, or not any more."""
    pending: bool = False
    """Whether they are still to accept the rules, or to answer questions."""
    chosen: frozenset[UUID] = frozenset()
    """Those of the roles that they have by their answers alone: these lift nobody."""

    def rank(self, policy: Policy) -> int:
        """The position of their highest role that was given to them; -1 for an outsider."""
        return policy.highest(self.roles - self.chosen)

    def muted(self, policy: Policy) -> bool:
        """Whether the person may do nothing but see; an owner always may."""
        held_back = self.pending or self.timed_out_until is not None
        return held_back and not is_owner(policy, self.roles)

    def own(self, policy: Policy, channel_id: UUID | None) -> Override:
        """The person's own override in a channel; nothing overrides an owner."""
        if channel_id is None or not self.overrides or is_owner(policy, self.roles):
            return SILENT
        return self.overrides.get(channel_id, SILENT)


def is_owner(policy: Policy, held: Iterable[UUID]) -> bool:
    """Whether one of the roles held is the owner's."""
    held = frozenset(held)
    return any(role.kind == Kind.OWNER and role.id in held for role in policy.roles)


def could_hold(policy: Policy, permission: Permission, channel_id: UUID | None) -> set[UUID]:
    """Roles of which everybody who holds the permission has one, or an override of their own."""
    overrides = policy.channels.get(channel_id, _NONE) if channel_id is not None else _NONE
    allow = {role.id for role in policy.roles if role.says(permission)}
    allow |= {role_id for role_id, said in overrides.items() if said.says(permission)}
    everybody = {role.id for role in policy.roles if role.kind == Kind.MEMBER}
    return everybody if allow & everybody else allow


def first_policy(community_id: UUID) -> Policy:
    """The roles a community starts with."""
    now = datetime.now(UTC)
    return Policy(
        community_id,
        version=1,
        roles=(
            Role(ids.new(), 0, MEMBER, Kind.MEMBER, MEMBERS_MAY, create_time=now),
            Role(ids.new(), 1, OWNER, Kind.OWNER, IN_COMMUNITY, create_time=now),
        ),
        next_number=2,
    )


def in_community(field_name: str, permissions: Iterable[int]) -> Permissions:
    """Permissions that a role may speak of. Raises `Meaningless`, naming the field."""
    said = frozenset(Permission(number) for number in permissions)
    if not said <= IN_COMMUNITY:
        raise Meaningless(field_name, "names ADMINISTRATE, which is held in the instance alone")
    return said


def in_channel(field_name: str, permissions: Iterable[int]) -> Permissions:
    """Permissions that a channel may override. Raises `Meaningless`, naming the field."""
    said = frozenset(Permission(number) for number in permissions)
    if not said <= IN_CHANNEL:
        names = ", ".join(sorted(permission.name for permission in said - IN_CHANNEL))
        raise Meaningless(field_name, f"names what is not decided in a channel: {names}")
    return said


def override_of(allow: Permissions, deny: Permissions) -> Override:
    """An override as it is kept: what it denies it does not allow."""
    return Override(allow - deny, deny)


def with_new_role(
    policy: Policy,
    name: str,
    color: int,
    allow: Permissions,
    deny: Permissions,
    role_id: UUID | None = None,
) -> tuple[Policy, Role]:
    """The policy with a role more, just above the member role. Raises `LimitReached`."""
    if len(policy.roles) >= ROLES:
        raise LimitReached(ROLES, "roles in a community")
    if policy.next_number >= NUMBERS:
        raise LimitReached(NUMBERS, "roles in the life of a community")
    role = Role(
        role_id or ids.new(),
        policy.next_number,
        name,
        Kind.CUSTOM,
        allow - deny,
        deny,
        color,
        datetime.now(UTC),
    )
    lowest, *others = policy.roles
    after = replace(policy, roles=(lowest, role, *others), next_number=policy.next_number + 1)
    return after, role


def with_role(policy: Policy, changed: Role) -> Policy:
    """The policy with a role changed. Raises `RoleNotFound`, and `Meaningless` for what
    the member role cannot be."""
    before = policy.role(changed.id)
    if before.kind == Kind.MEMBER:
        for field_name in ("name", "color"):
            if getattr(before, field_name) != getattr(changed, field_name):
                raise Meaningless(field_name, "of the member role cannot be changed")
    changed = replace(changed, allow=changed.allow - changed.deny)
    roles = tuple(changed if role.id == changed.id else role for role in policy.roles)
    return replace(policy, roles=roles)


def without_role(policy: Policy, role_id: UUID) -> Policy:
    """The policy without a role and its overrides. Raises `Meaningless` for the member role."""
    if policy.role(role_id).kind == Kind.MEMBER:
        raise Meaningless("role_id", "is the member role, which every member holds")
    channels = {
        channel: {role: said for role, said in overrides.items() if role != role_id}
        for channel, overrides in policy.channels.items()
    }
    return replace(
        policy,
        roles=tuple(role for role in policy.roles if role.id != role_id),
        channels={channel: overrides for channel, overrides in channels.items() if overrides},
    )


def reordered(policy: Policy, highest_first: Iterable[UUID]) -> Policy:
    """The policy with the roles people made in another order.

    Raises `Changed` when these are not exactly those roles.
    """
    custom = {role.id: role for role in policy.roles if role.kind == Kind.CUSTOM}
    order = list(highest_first)
    if len(order) != len(custom) or custom.keys() != set(order):
        raise Changed("the roles of the community")
    lowest, *_, highest = policy.roles
    return replace(policy, roles=(lowest, *(custom[i] for i in reversed(order)), highest))


def with_override(policy: Policy, channel_id: UUID, role_id: UUID, said: Override) -> Policy:
    """The policy with a role overridden in a channel; by what is silent, no longer.

    Raises `RoleNotFound`.
    """
    policy.role(role_id)
    overrides = {**policy.channels.get(channel_id, _NONE), role_id: said}
    if not said:
        del overrides[role_id]
    channels = {**policy.channels, channel_id: overrides}
    if not overrides:
        del channels[channel_id]
    return replace(policy, channels=channels)


def without_channel(policy: Policy, channel_id: UUID) -> Policy:
    """The policy with nothing overridden in a channel."""
    channels = {place: said for place, said in policy.channels.items() if place != channel_id}
    return replace(policy, channels=channels)


@dataclass(frozen=True, slots=True)
class Binding:
    """What a person has in a community, as others keep it beside its masks."""

    community_id: UUID
    user_id: UUID
    version: int
    numbers: int
    """Bit n for the role with the number n."""
    overrides: Overrides
    """The person's own, per channel; an owner has none."""
    timed_out_until: datetime | None = None
    """Also when that is over; an owner is not timed out."""
    pending: bool = False
    """Whether they are still to accept the rules; an owner never is."""


def binding_of(
    community_id: UUID,
    user_id: UUID,
    version: int,
    roles: Iterable[tuple[int, Kind]],
    overrides: Overrides,
    timed_out_until: datetime | None = None,
    *,
    pending: bool = False,
) -> Binding:
    """The binding of a person who has the roles with these numbers and kinds."""
    roles = list(roles)
    owns = any(kind == Kind.OWNER for _, kind in roles)
    numbers = sum(1 << number for number, _ in roles)
    if owns:
        return Binding(community_id, user_id, version, numbers, _NONE)
    return Binding(community_id, user_id, version, numbers, overrides, timed_out_until, pending)
