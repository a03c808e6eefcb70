"""A community as a plain model: roles, members, overrides, and who may do what by them.

Its `masks` and `binding` are what rbac would serve; `allows` is the rule in words,
with which what streams are told is compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from chassis.masks import Permission, to_bytes
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import access_pb2

VIEW_COMMUNITY = p.PERMISSION_VIEW_COMMUNITY
VIEW_CHANNEL = p.PERMISSION_VIEW_CHANNEL
SEND = p.PERMISSION_SEND_MESSAGES
MEMBER, GUEST, BARRED = 0, 1, 2
"""Roles by number: who may all, who sees the community alone, and who nothing."""


@dataclass
class Says:
    """What a role, or a person's override, allows and denies."""

    allow: set[Permission] = field(default_factory=set)
    deny: set[Permission] = field(default_factory=set)

    def of(self, permission: Permission) -> bool | None:
        """Yes, no, or nothing."""
        if permission in self.deny:
            return False
        return True if permission in self.allow else None


@dataclass
class Role:
    """A role and what it says, everywhere and in channels."""

    number: int
    says: Says = field(default_factory=Says)
    channels: dict[str, Says] = field(default_factory=dict)


@dataclass
class Membership:
    """What a person has in a community; no roles when they belong no longer."""

    version: int = 0
    roles: set[int] = field(default_factory=set)
    channels: dict[str, Says] = field(default_factory=dict)


class Table:
    """A community with three roles to begin with, the lowest first."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.version = 1
        self.roles = [
            Role(MEMBER, Says(allow={VIEW_COMMUNITY, VIEW_CHANNEL, SEND})),
            Role(GUEST, Says(allow={VIEW_COMMUNITY}, deny={VIEW_CHANNEL})),
            Role(BARRED, Says(deny={VIEW_COMMUNITY})),
        ]
        self.members: dict[str, Membership] = {}

    def role(self, number: int) -> Role:
        """A role by its number."""
        return next(role for role in self.roles if role.number == number)

    def allows(self, user: str, permission: Permission, channel: str = "") -> bool:
        """Whether somebody holds a permission: the rule in words."""
        here = self.members.get(user, Membership())
        roles = [role for role in reversed(self.roles) if role.number in here.roles]

        def first(opinions: Iterable[bool | None]) -> bool | None:
            return next((said for said in opinions if said is not None), None)

        def at_large(asked: Permission) -> bool:
            return bool(first(role.says.of(asked) for role in roles))

        def in_channel(asked: Permission) -> bool:
            said = here.channels.get(channel, Says()).of(asked)
            if said is None:
                said = first(role.channels.get(channel, Says()).of(asked) for role in roles)
            return at_large(asked) if said is None else said

        if not at_large(VIEW_COMMUNITY):
            return False
        if not channel:
            return at_large(permission)
        return in_channel(VIEW_CHANNEL) and in_channel(permission)

    def masks(self) -> access_pb2.CommunityMasks:
        """As rbac compiles them."""
        channels = sorted({channel for role in self.roles for channel in role.channels})
        return access_pb2.CommunityMasks(
            community_id=self.name,
            version=self.version,
            roles=[role.number for role in self.roles],
            masks=_masks([role.says for role in self.roles]),
            channels=[
                access_pb2.ChannelMasks(
                    channel_id=channel,
                    masks=_masks([role.channels.get(channel, Says()) for role in self.roles]),
                )
                for channel in channels
            ],
        )

    def binding(self, user: str) -> access_pb2.Binding:
        """As rbac keeps it."""
        here = self.members.get(user, Membership())
        return access_pb2.Binding(
            community_id=self.name,
            user_id=user,
            version=here.version,
            roles=to_bytes(sum(1 << number for number in here.roles)),
            overrides=[
                access_pb2.MemberOverride(
                    channel_id=channel, allow=sorted(says.allow), deny=sorted(says.deny)
                )
                for channel, says in here.channels.items()
            ],
        )


def _masks(said: list[Says]) -> list[access_pb2.PermissionMask]:
    asked = sorted({one for says in said for one in says.allow | says.deny})
    return [
        access_pb2.PermissionMask(
            permission=one,
            allow=to_bytes(sum(1 << i for i, says in enumerate(said) if says.of(one) is True)),
            deny=to_bytes(sum(1 << i for i, says in enumerate(said) if says.of(one) is False)),
        )
        for one in asked
    ]
