"""What this service tells the others."""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from creavio.community.v1 import community_events_pb2
from services.community import convert
from services.community.domain import Channel, Community, Member


def community_created(community: Community) -> community_events_pb2.CommunityCreated:
    """A community was founded."""
    return community_events_pb2.CommunityCreated(community=convert.community(community))


def channel_created(channel: Channel) -> community_events_pb2.ChannelCreated:
    """A channel was created."""
    return community_events_pb2.ChannelCreated(channel=convert.channel(channel))


def member_joined(member: Member) -> community_events_pb2.MemberJoined:
    """A person joined."""
    return community_events_pb2.MemberJoined(member=convert.member(member))


def member_removed(community_id: UUID, user_id: UUID) -> community_events_pb2.MemberRemoved:
    """A person belongs to the community no longer."""
    return community_events_pb2.MemberRemoved(
        community_id=ids.text(ids.Kind.COMMUNITY, community_id),
        user_id=ids.text(ids.Kind.USER, user_id),
    )
