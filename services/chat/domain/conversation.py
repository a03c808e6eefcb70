"""Conversations, and who is in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.errors import Denied, FailedPrecondition, Invalid
from services.chat.domain.place import LimitReached, PlaceNotFound

MAX_MEMBERS: Final = 25
"""People in a group."""
MAX_TALKED_IN: Final = 500
"""Conversations that are looked at for whom somebody talks to."""


class NotAGroup(FailedPrecondition):
    """A conversation of two has no name, no owner, and its members stay."""

    reason = "NOT_A_GROUP"

    def __init__(self) -> None:
        super().__init__("this is a conversation of two, and no group")


class NotReachable(Denied):
    """Somebody takes no direct messages from the caller, and is not asked why."""

    reason = "NOT_REACHABLE"

    def __init__(self) -> None:
        super().__init__("this person takes no direct messages from you")


class AccountDeactivated(FailedPrecondition):
    """Somebody is away, and takes no direct messages until they are back."""

    reason = "ACCOUNT_DEACTIVATED"

    def __init__(self) -> None:
        super().__init__("this person deactivated their account")


class AccountDeleted(FailedPrecondition):
    """The other one of a conversation is no more."""

    reason = "ACCOUNT_DELETED"

    def __init__(self) -> None:
        super().__init__("this person deleted their account")


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom of some people somebody may begin to talk to: all but these."""

    unreachable: frozenset[UUID] = frozenset()
    deactivated: frozenset[UUID] = frozenset()

    def require(self, others: Collection[UUID]) -> None:
        """Return when all of these are reached. Raises `NotReachable`, `AccountDeactivated`."""
        if not self.unreachable.isdisjoint(others):
            raise NotReachable
        if not self.deactivated.isdisjoint(others):
            raise AccountDeactivated


@dataclass(frozen=True, slots=True)
class Conversation:
    """Some people who write to each other: two who have this one, or a group."""

    id: UUID
    member_ids: tuple[UUID, ...]
    """In the order of their ids."""
    create_time: datetime
    owner_id: UUID | None = None
    """Whose group it is; None for a conversation of two, whose members never change."""
    name: str = ""
    icon_id: str = ""
    revision: int = 0
    """The number of the latest change of the group itself."""

    @property
    def group(self) -> bool:
        """Whether it is a group."""
        return self.owner_id is not None

    @property
    def pair(self) -> tuple[UUID, UUID] | None:
        """The two people of a conversation of two, which is the only one they have."""
        match self.member_ids:
            case (first, second) if not self.group:
                return first, second
        return None


def begin(
    creator_id: UUID,
    others: Iterable[UUID],
    now: datetime,
    *,
    group: bool = False,
    name: str = "",
    icon_id: str = "",
) -> Conversation:
    """A conversation about to begin.

    Raises `Invalid` when a person talks to themselves, and `NotAGroup` when what is none
    is given a name.
    """
    members = {creator_id}
    for other in others:
        if other == creator_id:
            why = "must name others, not yourself"
            raise Invalid(f"user_ids {why}", fields=(("user_ids", why),))
        members.add(other)
    owner_id = creator_id if group or len(members) != 2 else None
    if owner_id is None and (name or icon_id):
        raise NotAGroup
    return Conversation(ids.new(), tuple(sorted(members)), now, owner_id, name, icon_id)


def member_of(conversation: Conversation | None, user_id: UUID) -> Conversation:
    """A group its member may change. Raises `NotAGroup`, and `PlaceNotFound` for outsiders."""
    if conversation is None or user_id not in conversation.member_ids:
        raise PlaceNotFound
    if not conversation.group:
        raise NotAGroup
    return conversation


def take_in(conversation: Conversation, others: Collection[UUID]) -> Conversation:
    """The group with more members. Raises `LimitReached`."""
    members = tuple(sorted({*conversation.member_ids, *others}))
    if len(members) > MAX_MEMBERS:
        raise LimitReached(f"a group has {MAX_MEMBERS} members at most")
    return replace(conversation, member_ids=members)


def take_out(
    conversation: Conversation, user_id: UUID, by: UUID, heirs: Iterable[UUID]
) -> Conversation:
    """The group without a member, who leaves or is taken out by its owner.

    `heirs` are the members, who belongs longest first: one of them owns it when its
    owner leaves. Raises `Denied`.
    """
    if by not in (user_id, conversation.owner_id):
        raise Denied("only its owner takes others out of a group")
    members = tuple(member for member in conversation.member_ids if member != user_id)
    owner_id = conversation.owner_id
    if owner_id == user_id:
        owner_id = next((heir for heir in heirs if heir in members), owner_id)
    return replace(conversation, member_ids=members, owner_id=owner_id)


def hand_over(conversation: Conversation, to: UUID, by: UUID) -> Conversation:
    """The group, owned by another member. Raises `Denied`, and `PlaceNotFound`."""
    if by != conversation.owner_id:
        raise Denied("only its owner hands a group over")
    if to not in conversation.member_ids:
        raise PlaceNotFound
    return replace(conversation, owner_id=to)
