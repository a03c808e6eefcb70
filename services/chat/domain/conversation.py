"""Conversations, and who is in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis import ids
from chassis.errors import Invalid


@dataclass(frozen=True, slots=True)
class Conversation:
    """Some people who write to each other. Its members never change."""

    id: UUID
    member_ids: tuple[UUID, ...]
    """In the order of their ids."""
    create_time: datetime

    @property
    def pair(self) -> tuple[UUID, UUID] | None:
        """The two people of a conversation of two, which is the only one they have."""
        match self.member_ids:
            case (first, second):
                return first, second
        return None


def begin(creator_id: UUID, others: Iterable[UUID], now: datetime) -> Conversation:
    """A conversation about to begin. Raises `Invalid` when a person talks to themselves."""
    members = {creator_id}
    for other in others:
        if other == creator_id:
            why = "must name others, not yourself"
            raise Invalid(f"user_ids {why}", fields=(("user_ids", why),))
        members.add(other)
    return Conversation(ids.new(), tuple(sorted(members)), now)
