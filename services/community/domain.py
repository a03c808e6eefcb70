"""Communities and their rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
import secrets
import string
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.errors import Conflict, FailedPrecondition, Invalid, NotFound

INVITE_LASTS: Final = timedelta(days=7)
_CODE_ALPHABET: Final = string.ascii_letters + string.digits
_CODE_LENGTH: Final = 10
"""62^10: at a thousand guesses a second, one in a million in 26 thousand years."""


class CommunityNotFound(NotFound):
    """There is no such community."""

    def __init__(self) -> None:
        super().__init__("there is no such community")


class ChannelNotFound(NotFound):
    """There is no such channel."""

    def __init__(self) -> None:
        super().__init__("there is no such channel")


class MemberNotFound(NotFound):
    """The person is no member."""

    def __init__(self) -> None:
        super().__init__("this person is not a member of the community")


class InviteNotFound(NotFound):
    """The invite does not exist, or does not work any more."""

    reason = "INVITE_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("this invite does not exist, or has expired")


class LastOwner(FailedPrecondition):
    """A community always has its owner."""

    reason = "LAST_OWNER"

    def __init__(self) -> None:
        super().__init__("the owner cannot be removed from the community")


class BeingRemoved(Conflict):
    """The person is being removed at this very moment."""

    def __init__(self) -> None:
        super().__init__("your membership is being ended; try again")


class Standing(StrEnum):
    """How far a change that spans two services has come.

    What is intended is kept first; rbac is told next; then it counts.
    """

    COMING = "coming"
    """Intended: rbac may not know yet."""
    SETTLED = "settled"
    LEAVING = "leaving"
    """To go: rbac may not know yet."""


@dataclass(frozen=True, slots=True)
class Community:
    """A group of people."""

    id: UUID
    name: str
    owner_id: UUID
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Channel:
    """A place in a community where messages are written."""

    id: UUID
    community_id: UUID
    name: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Invite:
    """A code that lets whoever holds it join."""

    code: str
    community_id: UUID
    creator_id: UUID
    create_time: datetime
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A person who belongs to a community, or is about to, or is about to leave."""

    community_id: UUID
    user_id: UUID
    join_time: datetime
    standing: Standing


def new_community(name: str, owner_id: UUID, now: datetime) -> Community:
    """A community about to be founded."""
    return Community(ids.new(), _name(name), owner_id, now)


def new_channel(community_id: UUID, name: str, now: datetime) -> Channel:
    """A channel about to be created."""
    return Channel(ids.new(), community_id, _name(name), now)


def new_invite(community_id: UUID, creator_id: UUID, now: datetime) -> Invite:
    """An invite with a code nobody can guess."""
    code = "".join(secrets.choice(_CODE_ALPHABET) for _ in range(_CODE_LENGTH))
    return Invite(code, community_id, creator_id, now, now + INVITE_LASTS)


def new_member(community_id: UUID, user_id: UUID, now: datetime) -> Member:
    """Somebody about to join."""
    return Member(community_id, user_id, now, Standing.COMING)


def may_be_removed(community: Community, user_id: UUID) -> None:
    """Return when the community can do without this member. Raises `LastOwner`."""
    if community.owner_id == user_id:
        raise LastOwner


def _name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Invalid("name must not be blank", fields=(("name", "must not be blank"),))
    return name
