"""Permission masks: what rbac compiles, and how a service decides by it.

Roles of a community are numbered by position, lowest first; role i is bit i.
For each permission one integer holds the roles that allow it and one those that
deny it; a role that says both is only in the second. So the highest of a
person's roles that says anything decides, and where one role says both, no:

    (roles & allow) > (roles & deny)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from creavio.options.v1 import permission_pb2
from creavio.rbac.v1 import access_pb2


@dataclass(frozen=True, slots=True)
class Masks:
    """The compiled policy of a community."""

    by_permission: Mapping[permission_pb2.Permission.ValueType, tuple[int, int]]
    """Allow and deny, per permission; nobody holds one that is absent."""

    def allow(self, roles: int, permission: permission_pb2.Permission.ValueType) -> bool:
        """Whether somebody with these roles holds the permission."""
        allow, deny = self.by_permission.get(permission, (0, 0))
        return (roles & allow) > (roles & deny)


def to_bytes(bits: int) -> bytes:
    """Role bits as they stand on the wire: big-endian, as short as they can be."""
    return bits.to_bytes((bits.bit_length() + 7) // 8)


def roles_of(binding: access_pb2.Binding) -> int:
    """The role bits of a binding."""
    return int.from_bytes(binding.roles)


def masks_of(masks: access_pb2.CommunityMasks) -> Masks:
    """The masks rbac sent."""
    return Masks(
        {
            mask.permission: (int.from_bytes(mask.allow), int.from_bytes(mask.deny))
            for mask in masks.masks
        }
    )
