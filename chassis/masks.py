"""Permission masks: what rbac compiles, and how a service decides by it.

Roles of a community stand in order of position, lowest first; the role at place
i is bit i. For each permission one integer holds the roles that allow it and one
those that deny it; a role that says both is only in the second. So the highest
of a person's roles that says anything decides, and where one role says both, no:

    (roles & allow) > (roles & deny)

In a channel the person's own override comes first, then the channel's masks
where one of the person's roles speaks in them, then the community's. A place
that a person cannot see holds nothing for them, and whoever is timed out, or still
to accept the rules, holds nothing but to see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from types import MappingProxyType
from typing import Final, TypeAlias

from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import access_pb2

Permission: TypeAlias = p.Permission.ValueType
Mask: TypeAlias = tuple[int, int]
"""The roles that allow, and those that deny."""
Masks: TypeAlias = Mapping[Permission, Mask]
"""Per permission; nobody holds one that is absent."""

IN_CONVERSATION: Final = frozenset(
    {
        p.PERMISSION_VIEW_CHANNEL,
        p.PERMISSION_SEND_MESSAGES,
        p.PERMISSION_ADD_REACTIONS,
        p.PERMISSION_PIN_MESSAGES,
    }
)
"""What the members of a conversation may do in it."""

IN_CHANNEL: Final = frozenset(
    {
        p.PERMISSION_VIEW_CHANNEL,
        p.PERMISSION_SEND_MESSAGES,
        p.PERMISSION_MANAGE_MESSAGES,
        p.PERMISSION_ADD_REACTIONS,
        p.PERMISSION_PIN_MESSAGES,
        p.PERMISSION_MENTION_EVERYONE,
    }
)
"""What can be decided otherwise in one channel."""

WHILE_TIMED_OUT: Final = frozenset({p.PERMISSION_VIEW_COMMUNITY, p.PERMISSION_VIEW_CHANNEL})
"""What a timeout leaves to a member."""

_NOTHING: Final[Masks] = MappingProxyType({})
_SILENT: Final[Mask] = (0, 0)
_NO_PERMISSIONS: Final[frozenset[Permission]] = frozenset()


@dataclass(frozen=True, slots=True)
class Roles:
    """What a person has in a community: roles by number, and overrides of their own."""

    version: int
    numbers: int
    """Bit n for the role with the number n; a role keeps its number when it moves."""
    overrides: Mapping[str, tuple[frozenset[Permission], frozenset[Permission]]]
    """Per channel, what the person is allowed there and what denied."""
    timeout_ends: float = 0.0
    """When a timeout ends, in seconds of rbac's clock since 1970; what is over is none, and
    whoever is pending has one without an end."""

    @property
    def pending(self) -> bool:
        """Whether the person is still to accept the rules."""
        return self.timeout_ends == inf

    def __bool__(self) -> bool:
        """Whether the person belongs to the community at all."""
        return bool(self.numbers)


@dataclass(frozen=True, slots=True)
class Policy:
    """The compiled policy of a community."""

    version: int
    order: tuple[int, ...]
    """The numbers of the roles, the lowest position first."""
    masks: Masks
    channels: Mapping[str, Masks]
    """The channels where roles are overridden."""

    def bits(self, roles: Roles) -> int:
        """A person's roles in order of position, as the masks count them."""
        numbers = roles.numbers
        return sum(1 << place for place, number in enumerate(self.order) if numbers >> number & 1)

    def allows(
        self, roles: Roles, permission: Permission, channel: str = "", *, now: float = 0.0
    ) -> bool:
        """Whether somebody with these roles holds the permission; in a channel, if one is named.

        `now` is rbac's time (`Knowledge.now`): by none, every timeout still lasts.
        """
        return self.decides(self.bits(roles), roles, permission, channel, now=now)

    def decides(
        self,
        bits: int,
        roles: Roles,
        permission: Permission,
        channel: str = "",
        *,
        now: float = 0.0,
    ) -> bool:
        """`allows`, for whoever keeps the bits of the roles."""
        if roles.timeout_ends > now and permission not in WHILE_TIMED_OUT:
            return False
        masks = self.masks
        allow, deny = masks.get(p.PERMISSION_VIEW_COMMUNITY, _SILENT)
        if (bits & allow) <= (bits & deny):
            return False
        if not channel:
            allow, deny = masks.get(permission, _SILENT)
            return (bits & allow) > (bits & deny)
        here = self.channels.get(channel, _NOTHING)
        own = roles.overrides.get(channel)
        if permission != p.PERMISSION_VIEW_CHANNEL and not self._in_channel(
            bits, here, own, p.PERMISSION_VIEW_CHANNEL
        ):
            return False
        return self._in_channel(bits, here, own, permission)

    def held(
        self, bits: int, roles: Roles, permissions: Iterable[Permission], channel: str = ""
    ) -> frozenset[Permission]:
        """Those of some permissions that somebody holds, or would if they were not timed out."""
        if not self.decides(bits, roles, p.PERMISSION_VIEW_COMMUNITY):
            return _NO_PERMISSIONS
        if not channel:
            masks = ((each, self.masks.get(each, _SILENT)) for each in permissions)
            return frozenset(each for each, (yes, no) in masks if (bits & yes) > (bits & no))
        here, own = self.channels.get(channel, _NOTHING), roles.overrides.get(channel)
        if not self._in_channel(bits, here, own, p.PERMISSION_VIEW_CHANNEL):
            return _NO_PERMISSIONS
        return frozenset(each for each in permissions if self._in_channel(bits, here, own, each))

    def _in_channel(
        self,
        bits: int,
        here: Masks,
        own: tuple[frozenset[Permission], frozenset[Permission]] | None,
        permission: Permission,
    ) -> bool:
        if own is not None:
            if permission in own[1]:
                return False
            if permission in own[0]:
                return True
        allow, deny = here.get(permission, _SILENT)
        if bits & (allow | deny):
            return (bits & allow) > (bits & deny)
        allow, deny = self.masks.get(permission, _SILENT)
        return (bits & allow) > (bits & deny)


def to_bytes(bits: int) -> bytes:
    """Role bits as they stand on the wire: big-endian, as short as they can be."""
    return bits.to_bytes((bits.bit_length() + 7) // 8)


def numbers_in(bits: int) -> Iterator[int]:
    """The places of the bits that are set, lowest first."""
    return (number for number in range(bits.bit_length()) if bits >> number & 1)


def roles_of(binding: access_pb2.Binding) -> Roles:
    """A binding as rbac sent it."""
    return Roles(
        binding.version,
        int.from_bytes(binding.roles),
        {
            override.channel_id: (frozenset(override.allow), frozenset(override.deny))
            for override in binding.overrides
        },
        # Unset is the beginning of 1970, which is over.
        inf
        if binding.pending
        else binding.timeout_expire_time.seconds + binding.timeout_expire_time.nanos / 1e9,
    )


def policy_of(masks: access_pb2.CommunityMasks) -> Policy:
    """The masks of a community as rbac sent them."""
    return Policy(
        masks.version,
        tuple(masks.roles),
        _masks(masks.masks),
        {channel.channel_id: _masks(channel.masks) for channel in masks.channels},
    )


def _masks(masks: Sequence[access_pb2.PermissionMask]) -> Masks:
    return {
        mask.permission: (int.from_bytes(mask.allow), int.from_bytes(mask.deny)) for mask in masks
    }
