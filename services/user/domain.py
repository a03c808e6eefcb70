"""Profiles and their rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any, Final
from uuid import UUID

from chassis.errors import AlreadyExists, FailedPrecondition, Invalid, NotFound

MAX_BLOCKS: Final = 1_000
MAX_BLOCKED_BY: Final = 19_000
"""As many of those who blocked somebody are told of: 20,000 with those they blocked."""
HANDLE_STAYS: Final = timedelta(days=14)
"""For so long somebody keeps the handle they changed to."""
HANDLE_HELD: Final = timedelta(days=90)
"""For so long nobody else gets the handle somebody had before."""
_LOOKS_LIKE: Final = str.maketrans({"0": "o", "1": "l", "m": "rn"})
"""The confusables of UTS #39 (Unicode 17, skeletons) among a handle's characters."""


class HandleTaken(AlreadyExists):
    """The handle belongs to somebody else."""

    reason = "HANDLE_TAKEN"

    def __init__(self, handle: str) -> None:
        super().__init__(f"the handle {handle} is taken")


class HandleChangedLately(FailedPrecondition):
    """Somebody changed their handle not long ago."""

    reason = "HANDLE_CHANGE_TOO_SOON"

    def __init__(self, again: datetime) -> None:
        super().__init__(f"the handle can be changed again on {again:%Y-%m-%d}")


class UserNotFound(NotFound):
    """There is no such person."""

    def __init__(self) -> None:
        super().__init__("there is no such person")


class TooManyBlocks(FailedPrecondition):
    """Somebody blocked as many as they may."""

    reason = "LIMIT_REACHED"

    def __init__(self) -> None:
        super().__init__(f"{MAX_BLOCKS} people are blocked; unblock one first")


class Audience(IntEnum):
    """Who may see something of a profile; the values are the contract's."""

    EVERYBODY = 0
    NOBODY = 1
    COMMUNITIES = 2
    """Whoever belongs to a community that the person belongs to."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A person, as others see them."""

    id: UUID
    handle: str
    display_name: str
    bio: str
    create_time: datetime
    status_text: str = ""
    bot: bool = False
    """Whether it is a program that somebody runs."""
    avatar_id: str = ""
    """`file_…`; empty for none."""
    bio_audience: Audience = Audience.EVERYBODY
    status_audience: Audience = Audience.EVERYBODY
    deactivated: bool = False
    """Whether its owner is away until they sign in again."""
    handle_change_time: datetime | None = None
    """When it was given another handle; None while it has its first."""

    @property
    def skeleton(self) -> str:
        """What handles that look like this one have in common with it."""
        return skeleton(self.handle)


@dataclass(frozen=True, slots=True)
class Block:
    """That somebody wants nothing to do with another."""

    number: int
    """Later ones are higher."""
    blocker_id: UUID
    blocked_id: UUID
    create_time: datetime


def looks_alike(one: Profile, other: Profile) -> bool:
    """Whether what everybody may see of a profile is the same."""
    return _seen(one) == _seen(other)


def _seen(profile: Profile) -> tuple[str, str, str, bool]:
    return profile.handle, profile.display_name, profile.avatar_id, profile.deactivated


def is_for_fellows(profile: Profile) -> bool:
    """Whether something of a profile depends on who belongs to its owner's communities."""
    return Audience.COMMUNITIES in (profile.bio_audience, profile.status_audience)


def seen_by_others(profile: Profile, *, blocked: bool, fellow: bool) -> Profile:
    """What is left of a profile for others; less for whom its owner blocked.

    A fellow is who belongs to a community that the owner belongs to.
    """
    seen = {Audience.EVERYBODY, Audience.COMMUNITIES} if fellow else {Audience.EVERYBODY}
    shown = replace(
        profile,
        bio=profile.bio if profile.bio_audience in seen else "",
        status_text=profile.status_text if profile.status_audience in seen else "",
        bio_audience=Audience.EVERYBODY,
        status_audience=Audience.EVERYBODY,
    )
    return replace(shown, bio="", status_text="", avatar_id="") if blocked else shown


class Theme(IntEnum):
    """In which light; the values are the contract's."""

    DEVICE = 0
    LIGHT = 1
    DARK = 2


@dataclass(frozen=True, slots=True)
class Settings:
    """How somebody's clients are."""

    theme: Theme = Theme.DEVICE
    locale: str = ""
    reduce_motion: bool = False
    hide_typing: bool = False
    compact: bool = False
    direct_messages: Audience = Audience.EVERYBODY
    """Who may begin to talk to them."""


def new_profile(
    user_id: UUID, handle: str, display_name: str, now: datetime, *, bot: bool = False
) -> Profile:
    """The profile of somebody who just joined."""
    return Profile(
        user_id, canonical_handle(handle), display_name, bio="", create_time=now, bot=bot
    )


def canonical_handle(handle: str) -> str:
    """The form in which handles are compared and shown."""
    return handle.lower()


def skeleton(handle: str) -> str:
    """What a handle has in common with all that look like it (UTS #39, section 4)."""
    return canonical_handle(handle).translate(_LOOKS_LIKE)


def rename(profile: Profile, handle: str, now: datetime) -> Profile:
    """The profile under another handle; the same when it has it.

    Raises `HandleChangedLately`.
    """
    wanted = canonical_handle(handle)
    if wanted == profile.handle:
        return profile
    last = profile.handle_change_time
    if last is not None and now < last + HANDLE_STAYS:
        raise HandleChangedLately(last + HANDLE_STAYS)
    return replace(profile, handle=wanted, handle_change_time=now)


_TEXTS: Final = frozenset({"display_name", "bio", "status_text", "avatar_id"})
_AUDIENCES: Final = frozenset({"bio_audience", "status_audience"})
EDITABLE: Final = _TEXTS | _AUDIENCES
"""The fields people change themselves."""


def edit(profile: Profile, changes: Mapping[str, Any]) -> Profile:
    """The profile with some of the editable fields changed; None clears a field.

    Raises `Invalid` when the display name would be empty.
    """
    values: dict[str, Any] = {
        field: (value or "").strip() if field in _TEXTS else Audience(value or 0)
        for field, value in changes.items()
    }
    if values.get("display_name") == "":
        raise Invalid(
            "display_name must not be empty", fields=(("display_name", "must not be empty"),)
        )
    return replace(profile, **values)


SETTABLE: Final = frozenset(field.name for field in fields(Settings))
"""The settings there are."""


def set_up(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with some of them changed; None is as if never set."""
    defaults = Settings()
    values = {
        name: getattr(defaults, name) if value is None else value for name, value in changes.items()
    }
    if "theme" in values:
        values["theme"] = Theme(values["theme"])
    if "direct_messages" in values:
        values["direct_messages"] = Audience(values["direct_messages"])
    return replace(settings, **values)


def takes_messages(audience: Audience, *, blocked: bool, fellow: bool) -> bool:
    """Whether somebody takes direct messages, who blocked whoever asks or belongs where they do."""
    if blocked or audience is Audience.NOBODY:
        return False
    return fellow or audience is Audience.EVERYBODY


def may_block(blocker_id: UUID, blocked_id: UUID) -> None:
    """Return when somebody may block somebody. Raises `Invalid` for themself."""
    if blocker_id == blocked_id:
        raise Invalid("nobody blocks themself", fields=(("user_id", "must be somebody else"),))
