"""What chat does about events of others."""

from __future__ import annotations

from google.protobuf.message import Message

from chassis import ids
from chassis.database import Transaction
from creavio.community.v1 import community_events_pb2
from services.chat import convert, store


class CommunityConsumer:
    """Learns of new channels."""

    async def handle(self, tx: Transaction, event: Message) -> None:
        """Begin the channel's sequence."""
        assert isinstance(event, community_events_pb2.ChannelCreated)
        community = ids.parse(ids.Kind.COMMUNITY, event.channel.community_id, field="community_id")
        await store.add_channel(tx, convert.channel_id(event.channel.id), community)
