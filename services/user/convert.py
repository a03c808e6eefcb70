"""Between the contract's messages and the domain."""

from __future__ import annotations

from chassis import ids
from chassis.wire import timestamp
from creavio.user.v1 import user_pb2
from services.user.domain import Profile


def user(profile: Profile) -> user_pb2.User:
    """The profile as it stands on the wire."""
    return user_pb2.User(
        id=ids.text(ids.Kind.USER, profile.id),
        handle=profile.handle,
        display_name=profile.display_name,
        bio=profile.bio,
        create_time=timestamp(profile.create_time),
    )
