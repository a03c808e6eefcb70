"""What a person can be allowed to do, and where it means something."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Permission(IntEnum):
    """What a person can be allowed to do. The contract's numbers; a test compares."""

    VIEW_COMMUNITY = 1
    VIEW_CHANNEL = 2
    SEND_MESSAGES = 3
    MANAGE_MESSAGES = 4
    CREATE_INVITES = 5
    MANAGE_CHANNELS = 6
    REMOVE_MEMBERS = 7
    MANAGE_ROLES = 8
    BAN_MEMBERS = 9
    ADD_REACTIONS = 10
    PIN_MESSAGES = 11
    ADMINISTRATE = 12
    MANAGE_COMMUNITY = 13
    VIEW_AUDIT_LOG = 14
    MENTION_EVERYONE = 16
    MODERATE_MEMBERS = 17
    MANAGE_EMOJI = 18
    MANAGE_EVENTS = 19


IN_COMMUNITY: Final = frozenset(Permission) - {Permission.ADMINISTRATE}
"""What can be held in a community, and what its owners hold everywhere in it."""

IN_CHANNEL: Final = frozenset(
    {
        Permission.VIEW_CHANNEL,
        Permission.SEND_MESSAGES,
        Permission.MANAGE_MESSAGES,
        Permission.ADD_REACTIONS,
        Permission.PIN_MESSAGES,
        Permission.MENTION_EVERYONE,
    }
)
"""What can be decided otherwise in one channel. `chassis.masks` has the same; a test compares."""

MEMBERS_MAY: Final = frozenset(
    {
        Permission.VIEW_COMMUNITY,
        Permission.VIEW_CHANNEL,
        Permission.SEND_MESSAGES,
        Permission.CREATE_INVITES,
        Permission.ADD_REACTIONS,
    }
)
"""What the member role of a new community allows."""

ORDINARY: Final = MEMBERS_MAY
"""All that a role may allow which members give themselves: whatever else there is, or will
be, is power over others."""

SEEING: Final = frozenset({Permission.VIEW_COMMUNITY, Permission.VIEW_CHANNEL})
"""What a timeout leaves to a member. `chassis.masks` has the same; a test compares."""
