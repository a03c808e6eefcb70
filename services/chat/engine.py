"""The channels chat knows of, and the communities they belong to.

A channel is learnt from community's events; one that is not known yet is asked
for once. That a channel is unknown is never concluded from events: they may be
on their way.
"""

from __future__ import annotations

from cachetools import LRUCache

from chassis import ids
from chassis.clients import Clients
from chassis.database import Database
from chassis.errors import NotFound
from creavio.community.v1 import channel_service_pb2
from creavio.community.v1.channel_service_pb2_grpc import ChannelServiceStub
from services.chat import convert, store


class Channels:
    """Finds the community of a channel."""

    def __init__(self, database: Database, clients: Clients) -> None:
        self._database = database
        self._clients = clients
        self._community = ChannelServiceStub(clients.channel)
        self._known: LRUCache[str, str] = LRUCache(50_000)

    async def community_of(self, channel_id: str) -> str | None:
        """The community of a channel; None when there is no such channel."""
        known = self._known.get(channel_id)
        if known is None:
            known = await self._kept(channel_id) or await self._asked(channel_id)
            if known is not None:
                self._known[channel_id] = known
        return known

    async def _kept(self, channel_id: str) -> str | None:
        async with self._database.reading() as tx:
            community = await store.community_of(tx, convert.channel_id(channel_id))
        return None if community is None else ids.text(ids.Kind.COMMUNITY, community)

    async def _asked(self, channel_id: str) -> str | None:
        request = channel_service_pb2.GetChannelRequest(channel_id=channel_id)
        try:
            channel = await self._clients.call(self._community.GetChannel, request)
        except NotFound:
            return None
        community = ids.parse(ids.Kind.COMMUNITY, channel.community_id, field="community_id")
        async with self._database.transaction() as tx:
            await store.add_channel(tx, convert.channel_id(channel_id), community)
        return channel.community_id
