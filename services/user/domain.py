"""Profiles and their rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from chassis.errors import AlreadyExists, Invalid, NotFound


class HandleTaken(AlreadyExists):
    """The handle belongs to somebody else."""

    reason = "HANDLE_TAKEN"

    def __init__(self, handle: str) -> None:
        super().__init__(f"the handle {handle} is taken")


class UserNotFound(NotFound):
    """There is no such person."""

    def __init__(self) -> None:
        super().__init__("there is no such person")


@dataclass(frozen=True, slots=True)
class Profile:
    """A person, as others see them."""

    id: UUID
    handle: str
    display_name: str
    bio: str
    create_time: datetime


def new_profile(user_id: UUID, handle: str, display_name: str, now: datetime) -> Profile:
    """The profile of somebody who just joined."""
    return Profile(user_id, canonical_handle(handle), display_name, bio="", create_time=now)


def canonical_handle(handle: str) -> str:
    """The form in which handles are compared and shown."""
    return handle.lower()


EDITABLE = frozenset({"display_name", "bio"})
"""The fields people change themselves."""


def edit(profile: Profile, changes: Mapping[str, str | None]) -> Profile:
    """The profile with some of the editable fields changed; None clears a field.

    Raises `Invalid` when the display name would be empty.
    """
    values = {field: (value or "").strip() for field, value in changes.items()}
    if values.get("display_name") == "":
        raise Invalid(
            "display_name must not be empty", fields=(("display_name", "must not be empty"),)
        )
    return replace(
        profile,
        display_name=values.get("display_name", profile.display_name),
        bio=values.get("bio", profile.bio),
    )
