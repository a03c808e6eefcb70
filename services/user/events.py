"""What this service tells the others."""

from __future__ import annotations

from creavio.user.v1 import user_events_pb2
from services.user import convert
from services.user.domain import Profile


def updated(profile: Profile) -> user_events_pb2.UserUpdated:
    """A person changed their profile."""
    return user_events_pb2.UserUpdated(user=convert.user(profile))
