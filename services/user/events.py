"""What this service tells the others."""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from creavio.user.v1 import user_events_pb2
from services.user import convert
from services.user.domain import Profile, Settings


def updated(profile: Profile) -> user_events_pb2.UserUpdated:
    """A person changed their profile."""
    return user_events_pb2.UserUpdated(user=convert.user(profile))


def profile_changed(profile: Profile) -> user_events_pb2.ProfileChanged:
    """What others see of a person is another."""
    seen = convert.user(profile)
    return user_events_pb2.ProfileChanged(
        user_id=seen.id,
        handle=seen.handle,
        display_name=seen.display_name,
        avatar_id=seen.avatar_id,
        deactivated=seen.deactivated,
    )


def blocked(blocker_id: UUID, blocked_id: UUID) -> user_events_pb2.UserBlocked:
    """A person blocked another."""
    return user_events_pb2.UserBlocked(
        user_id=ids.text(ids.Kind.USER, blocker_id),
        blocked_id=ids.text(ids.Kind.USER, blocked_id),
    )


def unblocked(blocker_id: UUID, blocked_id: UUID) -> user_events_pb2.UserUnblocked:
    """A person took a block back."""
    return user_events_pb2.UserUnblocked(
        user_id=ids.text(ids.Kind.USER, blocker_id),
        blocked_id=ids.text(ids.Kind.USER, blocked_id),
    )


def settings_updated(user_id: UUID, settings: Settings) -> user_events_pb2.SettingsUpdated:
    """A person changed their settings."""
    return user_events_pb2.SettingsUpdated(
        user_id=ids.text(ids.Kind.USER, user_id), settings=convert.settings(settings)
    )


def standing_changed(
    user_id: UUID, revision: int, *, deactivated: bool
) -> user_events_pb2.UserStandingChanged:
    """A person deactivated their account, or is back."""
    return user_events_pb2.UserStandingChanged(
        user_id=ids.text(ids.Kind.USER, user_id), deactivated=deactivated, revision=revision
    )


def erased(user_id: UUID) -> user_events_pb2.UserErased:
    """A person is to be forgotten everywhere."""
    return user_events_pb2.UserErased(user_id=ids.text(ids.Kind.USER, user_id))
