"""What chat does about events of others."""

from __future__ import annotations

from datetime import UTC

from google.protobuf.message import Message

from chassis import ids
from chassis.database import Transaction
from creavio.community.v1 import community_events_pb2
from creavio.user.v1 import user_events_pb2
from services.chat import convert
from services.chat.store import blocks, places, posts, reading, standings


class CommunityConsumer:
    """Learns of channels, of what forums have no more, and of those who join a community."""

    async def handle(self, tx: Transaction, event: Message) -> None:
        """Begin a channel's sequence, or end it; have posts lose the tags of a forum.

        What was written before somebody became a member counts as read by them.
        """
        if isinstance(event, community_events_pb2.MemberJoined):
            member = event.member
            await reading.join(
                tx,
                convert.user_id(member.user_id),
                convert.community(member.community_id),
                member.join_time.ToDatetime(UTC),
            )
            return
        if isinstance(event, community_events_pb2.ChannelDeleted):
            channel = ids.parse(ids.Kind.CHANNEL, event.channel_id, field="channel_id")
            await places.remove_channel(tx, channel, convert.community(event.community_id))
            return
        assert isinstance(
            event, community_events_pb2.ChannelCreated | community_events_pb2.ChannelUpdated
        )
        channel = ids.parse(ids.Kind.CHANNEL, event.channel.id, field="channel_id")
        community = ids.parse(ids.Kind.COMMUNITY, event.channel.community_id, field="community_id")
        forum = convert.is_forum(event.channel)
        await places.add_channel(tx, channel, community, forum=forum)
        if forum and isinstance(event, community_events_pb2.ChannelUpdated):
            await posts.sweep_later(tx, channel)


class UserConsumer:
    """Learns who blocked whom, and who is away."""

    async def handle(self, tx: Transaction, event: Message) -> None:
        """Keep a block, or forget it; keep whether somebody is away."""
        if isinstance(event, user_events_pb2.UserStandingChanged):
            who = convert.user_id(event.user_id)
            await standings.keep(tx, who, event.revision, deactivated=event.deactivated)
            return
        assert isinstance(event, user_events_pb2.UserBlocked | user_events_pb2.UserUnblocked)
        change = blocks.add if isinstance(event, user_events_pb2.UserBlocked) else blocks.remove
        await change(
            tx, convert.user_id(event.user_id), convert.user_id(event.blocked_id, "blocked_id")
        )
