"""Between the contract's messages and the domain."""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from chassis.wire import timestamp
from creavio.user.v1 import block_service_pb2, settings_service_pb2, user_pb2
from services.user.domain import Block, Profile, Settings


def user(profile: Profile) -> user_pb2.User:
    """The profile as it stands on the wire."""
    if profile.deactivated:
        # Nothing else of who is away leaves this service, whoever asks.
        return user_pb2.User(
            id=ids.text(ids.Kind.USER, profile.id),
            handle=profile.handle,
            display_name=profile.display_name,
            deactivated=True,
        )
    return user_pb2.User(
        id=ids.text(ids.Kind.USER, profile.id),
        handle=profile.handle,
        display_name=profile.display_name,
        bio=profile.bio,
        create_time=timestamp(profile.create_time),
        status_text=profile.status_text,
        avatar_id=profile.avatar_id,
        bio_audience=user_pb2.ProfileAudience.ValueType(profile.bio_audience),
        status_audience=user_pb2.ProfileAudience.ValueType(profile.status_audience),
        bot=profile.bot,
    )


def user_id(identifier: str, field: str = "user_id") -> UUID:
    """The person a request names."""
    return ids.parse(ids.Kind.USER, identifier, field=field)


def user_text(value: UUID) -> str:
    """A person as the wire names them."""
    return ids.text(ids.Kind.USER, value)


def block(value: Block) -> block_service_pb2.Block:
    """The block as it stands on the wire."""
    return block_service_pb2.Block(
        user_id=ids.text(ids.Kind.USER, value.blocked_id), create_time=timestamp(value.create_time)
    )


def settings(value: Settings) -> settings_service_pb2.Settings:
    """The settings as they stand on the wire."""
    return settings_service_pb2.Settings(
        theme=settings_service_pb2.Theme.ValueType(value.theme),
        locale=value.locale,
        reduce_motion=value.reduce_motion,
        hide_typing=value.hide_typing,
        compact=value.compact,
        direct_messages=settings_service_pb2.DirectMessages.ValueType(value.direct_messages),
    )
