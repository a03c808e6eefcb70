"""Between the contract's messages and the domain."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis import ids
from chassis.wire import timestamp
from creavio.community.v1 import channel_pb2, community_pb2, invite_pb2, member_pb2
from services.community.domain import Channel, Community, Invite, Member


def community_id(identifier: str) -> UUID:
    """The community a request names."""
    return ids.parse(ids.Kind.COMMUNITY, identifier, field="community_id")


def channel_id(identifier: str) -> UUID:
    """The channel a request names."""
    return ids.parse(ids.Kind.CHANNEL, identifier, field="channel_id")


def user_id(identifier: str) -> UUID:
    """The person a request names."""
    return ids.parse(ids.Kind.USER, identifier, field="user_id")


def community(value: Community) -> community_pb2.Community:
    """A community as it stands on the wire."""
    return community_pb2.Community(
        id=ids.text(ids.Kind.COMMUNITY, value.id),
        name=value.name,
        owner_id=ids.text(ids.Kind.USER, value.owner_id),
        create_time=timestamp(value.create_time),
    )


def channel(value: Channel) -> channel_pb2.Channel:
    """A channel as it stands on the wire."""
    return channel_pb2.Channel(
        id=ids.text(ids.Kind.CHANNEL, value.id),
        community_id=ids.text(ids.Kind.COMMUNITY, value.community_id),
        name=value.name,
        create_time=timestamp(value.create_time),
    )


def invite(value: Invite) -> invite_pb2.Invite:
    """An invite as it stands on the wire."""
    return invite_pb2.Invite(
        code=value.code,
        community_id=ids.text(ids.Kind.COMMUNITY, value.community_id),
        creator_id=ids.text(ids.Kind.USER, value.creator_id),
        create_time=timestamp(value.create_time),
        expire_time=timestamp(value.expire_time),
    )


def member(value: Member) -> member_pb2.Member:
    """A member as it stands on the wire."""
    return member_pb2.Member(
        community_id=ids.text(ids.Kind.COMMUNITY, value.community_id),
        user_id=ids.text(ids.Kind.USER, value.user_id),
        join_time=timestamp(value.join_time),
    )


def joined_after(page_start: list[str] | None) -> tuple[datetime, UUID] | None:
    """Where a page of the caller's communities begins."""
    if page_start is None:
        return None
    moment, identifier = page_start
    return datetime.fromisoformat(moment), UUID(identifier)
