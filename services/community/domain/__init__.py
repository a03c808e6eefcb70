"""Communities and their rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
import secrets
import string
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.errors import Conflict, Denied, FailedPrecondition, NotFound
from services.community.domain import forum as forums
from services.community.domain.naming import etag_of, shown

CHANNELS: Final = 1_000
"""How many a community has at most: whoever lists those they see has all looked at."""
CATEGORIES: Final = 100
"""How many a community has at most: they are listed at once."""
INVITES: Final = 1_000
"""How many of a community work at once at most."""
INVITE_LASTS: Final = timedelta(days=7)
"""Unless its maker says otherwise."""
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


class CategoryNotFound(NotFound):
    """There is no such category."""

    def __init__(self) -> None:
        super().__init__("there is no such category")


class MemberNotFound(NotFound):
    """The person is no member."""

    def __init__(self) -> None:
        super().__init__("this person is not a member of the community")


class InviteNotFound(NotFound):
    """The invite does not exist, or does not work any more."""

    reason = "INVITE_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("this invite does not exist, has expired or is used up")


class LastOwner(FailedPrecondition):
    """A community always has its owner."""

    reason = "LAST_OWNER"

    def __init__(self) -> None:
        super().__init__("the owner cannot be removed from the community")


class Banned(Denied):
    """The person cannot be a member."""

    reason = "BANNED"

    def __init__(self) -> None:
        super().__init__("you are banned from this community")


class RoleTooHigh(Denied):
    """The member does not stand below the caller."""

    reason = "ROLE_TOO_HIGH"

    def __init__(self) -> None:
        super().__init__("this member's highest role is not below yours")


class LimitReached(FailedPrecondition):
    """A community has as many as it can have."""

    reason = "LIMIT_REACHED"

    def __init__(self, limit: int, what: str) -> None:
        super().__init__(f"there are never more than {limit:,} {what} in a community")


class NotTheOwner(Denied):
    """Only the owner may do this."""

    def __init__(self) -> None:
        super().__init__("only the owner of the community can hand it over")


class NotYourInvite(Denied):
    """Somebody else made the invite."""

    def __init__(self) -> None:
        super().__init__("only who made it, or has MANAGE_COMMUNITY, revokes an invite")


class BeingHandedOver(Conflict):
    """The community is being handed to somebody else at this very moment."""

    def __init__(self) -> None:
        super().__init__("the community is being handed over; try again")


class Changed(Conflict):
    """What the request speaks of is not what is there now."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} changed meanwhile: read it again")


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
    GONE = "gone"
    """Of a channel: deleted. Who could see it is kept until nobody can ask any more.

    Of a community: closed, as nobody belonged to it but an owner who was erased."""


class Visibility(StrEnum):
    """Who may find and join a community."""

    PRIVATE = "private"
    PUBLIC = "public"


@dataclass(frozen=True, slots=True)
class Community:
    """A group of people."""

    id: UUID
    name: str
    owner_id: UUID
    create_time: datetime
    description: str = ""
    visibility: Visibility = Visibility.PRIVATE
    icon: str = ""
    next_owner_id: UUID | None = None
    """Who is about to own it."""
    transfers: int = 0
    """The number of the last change of its owner, or of the one about to be."""
    members: int = 0
    """How many belong to it."""
    tags: tuple[str, ...] = ()
    language: str = ""

    @property
    def etag(self) -> str:
        """Changes with what people edit."""
        said = (self.name, self.description, self.visibility.value, self.icon)
        more = (self.tags, self.language)
        return etag_of(*said, *more) if any(more) else etag_of(*said)


@dataclass(frozen=True, slots=True)
class Category:
    """A heading that channels are listed under."""

    id: UUID
    community_id: UUID
    name: str
    position: int
    create_time: datetime

    @property
    def etag(self) -> str:
        """Changes with what people edit."""
        return etag_of(self.name, self.position)


@dataclass(frozen=True, slots=True)
class Channel:
    """A place in a community where messages are written."""

    id: UUID
    community_id: UUID
    name: str
    create_time: datetime
    creator_id: UUID | None = None
    """Unknown for the oldest channels."""
    private: bool = False
    standing: Standing = Standing.SETTLED
    """A private one exists for nobody before rbac lets its few in."""
    topic: str = ""
    category_id: UUID | None = None
    position: int = 0
    """Its place in the category, or among those in none."""
    forum: forums.Forum | None = None
    """What holds for its posts; None where it is no forum."""

    @property
    def etag(self) -> str:
        """Changes with what people edit."""
        said = (self.name, self.topic, self.category_id, self.position)
        return etag_of(*said) if self.forum is None else etag_of(*said, self.forum)


@dataclass(frozen=True, slots=True)
class Invite:
    """A code that lets whoever holds it join."""

    code: str
    community_id: UUID
    creator_id: UUID
    create_time: datetime
    expire_time: datetime
    max_uses: int = 0
    """0 for any number."""
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Ban:
    """Somebody who cannot be a member."""

    community_id: UUID
    user_id: UUID
    creator_id: UUID
    reason: str
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A person who belongs to a community, or is about to, or is about to leave."""

    community_id: UUID
    user_id: UUID
    join_time: datetime
    standing: Standing
    removers: tuple[UUID, ...] = ()
    """Who wants to remove them; the person is among these who leaves by themselves."""
    pending: bool = False
    """Whether they are to accept or answer something before they do more than see."""


def new_community(name: str, owner_id: UUID, now: datetime) -> Community:
    """A community about to be founded."""
    return Community(ids.new(), shown(name), owner_id, now, members=1)


def new_channel(
    community_id: UUID,
    name: str,
    creator_id: UUID,
    now: datetime,
    *,
    private: bool = False,
    topic: str = "",
    category_id: UUID | None = None,
    forum: forums.Forum | None = None,
) -> Channel:
    """A channel about to be created."""
    standing = Standing.COMING if private else Standing.SETTLED
    return Channel(
        ids.new(),
        community_id,
        shown(name),
        now,
        creator_id,
        private=private,
        standing=standing,
        topic=topic.strip(),
        category_id=category_id,
        forum=forum and forums.kept(forum),
    )


def new_category(community_id: UUID, name: str, position: int, now: datetime) -> Category:
    """A category about to be created."""
    return Category(ids.new(), community_id, shown(name), position, now)


def edited(
    community: Community,
    *,
    name: str | None = None,
    description: str | None = None,
    visibility: Visibility | None = None,
    icon: str | None = None,
    tags: tuple[str, ...] | None = None,
    language: str | None = None,
) -> Community:
    """A community that says something else of itself, where something is given."""
    return replace(
        community,
        name=community.name if name is None else shown(name),
        description=community.description if description is None else description.strip(),
        visibility=visibility or community.visibility,
        icon=community.icon if icon is None else icon,
        tags=community.tags if tags is None else tags,
        language=community.language if language is None else language,
    )


def retitled(
    channel: Channel, *, name: str | None, topic: str | None, forum: forums.Forum | None
) -> Channel:
    """A channel that says something else of itself, where something is given.

    Raises `forum.NoForum` for one that is none.
    """
    if forum is not None:
        if channel.forum is None:
            raise forums.NoForum
        forum = forums.kept(forum, channel.forum.tags)
    return replace(
        channel,
        forum=forum or channel.forum,
        name=channel.name if name is None else shown(name),
        topic=channel.topic if topic is None else topic.strip(),
    )


def renamed(category: Category, name: str | None) -> Category:
    """A category with another name, if one is given."""
    return category if name is None else replace(category, name=shown(name))


def may_have_another(channels: int) -> None:
    """Return when a community that has so many channels may have one more.

    Raises `LimitReached`.
    """
    if channels >= CHANNELS:
        raise LimitReached(CHANNELS, "channels")


def may_have_another_category(categories: int) -> None:
    """Return when a community that has so many categories may have one more.

    Raises `LimitReached`.
    """
    if categories >= CATEGORIES:
        raise LimitReached(CATEGORIES, "categories")


def new_invite(
    community_id: UUID,
    creator_id: UUID,
    now: datetime,
    *,
    lifetime: timedelta = INVITE_LASTS,
    max_uses: int = 0,
) -> Invite:
    """An invite with a code nobody can guess."""
    return Invite(new_code(), community_id, creator_id, now, now + lifetime, max_uses)


def new_code() -> str:
    """A code nobody can guess."""
    return "".join(secrets.choice(_CODE_ALPHABET) for _ in range(_CODE_LENGTH))


def may_have_another_invite(invites: int) -> None:
    """Return when a community with so many invites that work may have one more.

    Raises `LimitReached`.
    """
    if invites >= INVITES:
        raise LimitReached(INVITES, "invites that work")


def may_be_joined(community: Community) -> None:
    """Return when anybody may join. Raises `CommunityNotFound`."""
    if community.visibility != Visibility.PUBLIC:
        raise CommunityNotFound


def new_member(
    community_id: UUID, user_id: UUID, now: datetime, *, pending: bool = False
) -> Member:
    """Somebody about to join."""
    return Member(community_id, user_id, now, Standing.COMING, pending=pending)


def may_be_removed(community: Community, user_id: UUID) -> None:
    """Return when the community can do without this member. Raises `LastOwner`."""
    if user_id in (community.owner_id, community.next_owner_id):
        raise LastOwner


def may_hand_over(community: Community, caller: UUID, heir: UUID) -> None:
    """Return when the caller may make somebody else the owner.

    Raises `NotTheOwner`, and `BeingHandedOver` while somebody else is about to be.
    """
    if community.owner_id != caller:
        raise NotTheOwner
    if community.next_owner_id not in (None, heir):
        raise BeingHandedOver


def unchanged(etag: str, now: str, what: str) -> None:
    """Return when what was read, if that is said, is still there. Raises `Changed`."""
    if etag and etag != now:
        raise Changed(what)
