"""The channels, threads and conversations chat knows of, and whose they are.

A channel is learnt from community's events; one that is not known yet is asked
for once. That a channel is unknown is never concluded from events: they may be
on their way. Conversations and threads are chat's own. A channel stays in its
community, a thread in its channel, and a conversation of two keeps its members; who
belongs to a group is looked up every time. That something was deleted is heard of at
once, looked up every few seconds, and by every statement that writes to it.
"""

from __future__ import annotations

import asyncio
from typing import Final

from cachetools import LRUCache, TTLCache
from nats.aio.msg import Msg

from chassis import ids
from chassis.bus import Bus
from chassis.clients import Clients
from chassis.database import Database
from chassis.errors import Invalid, NotFound
from chassis.subjects import LIVE, subject_root
from creavio.chat.v1 import chat_events_pb2
from creavio.community.v1 import channel_service_pb2, community_events_pb2
from creavio.community.v1.channel_service_pb2_grpc import ChannelServiceStub
from services.chat import convert
from services.chat.domain.place import Home, PlaceNotFound, PostsOnly
from services.chat.store import conversations, places
from services.chat.store.conversations import Belonging

_KEPT: Final = 50_000
_KEPT_SECONDS: Final = 5.0
"""How long a deleted channel may still be read where NATS could not tell that it is."""
_GONE_SECONDS: Final = 600.0
"""Longer than what is deleted may take to be so in the table."""


class Places:
    """Finds the community of a channel, the channel of a thread, and who is in a conversation."""

    def __init__(self, database: Database, clients: Clients) -> None:
        self._database = database
        self._clients = clients
        self._community = ChannelServiceStub(clients.channel)
        self._homes: TTLCache[str, Home] = TTLCache(_KEPT, _KEPT_SECONDS)
        self._channels: TTLCache[str, str] = TTLCache(_KEPT, _KEPT_SECONDS)
        self._gone: TTLCache[str, bool] = TTLCache(_KEPT, _GONE_SECONDS)
        self._belonging: LRUCache[tuple[str, str], bool] = LRUCache(_KEPT)

    async def community_of(self, channel_id: str) -> str | None:
        """The community of a channel; None when there is no such channel.

        Raises `Unavailable` when it is not known and community cannot be asked.
        """
        home = await self._home(channel_id)
        return None if home is None else convert.community_id(home)

    async def belongs(self, user_id: str, conversation_id: str) -> bool:
        """Whether somebody is a member of a conversation; False when there is none."""
        if (user_id, conversation_id) in self._belonging:
            return True
        try:
            place = convert.place(conversation_id)
        except Invalid:  # looks like a name, and names nothing
            return False
        async with self._database.reading() as tx:
            how = await conversations.belonging(tx, place.id, convert.user_id(user_id))
        if how is Belonging.FOR_GOOD:
            self._belonging[user_id, conversation_id] = True
        return how is not None

    async def channel_of(self, thread_id: str) -> str | None:
        """The channel a thread is in; None when there is no such thread."""
        if thread_id in self._gone:
            return None
        known = self._channels.get(thread_id)
        if known is None:
            try:
                thread = convert.place(thread_id)
            except Invalid:  # looks like a name, and names nothing
                return None
            async with self._database.reading() as tx:
                channel = await places.channel_of(tx, thread.id)
            if channel is None:
                return None
            known = self._channels[thread_id] = ids.text(ids.Kind.CHANNEL, channel)
        return known

    async def scope_of(self, identifier: str) -> Home:
        """What a channel, a conversation or a thread belongs to. Raises `PlaceNotFound`."""
        if convert.names_conversation(identifier):
            return Home()
        channel_id: str | None = identifier
        if convert.names_thread(identifier):
            channel_id = await self.channel_of(identifier)
        home = None if channel_id is None else await self._home(channel_id)
        if channel_id is None or home is None:
            raise PlaceNotFound
        if channel_id == identifier:
            return home
        return Home(home.community_id, convert.place(channel_id).id)

    async def writable(self, identifier: str) -> Home:
        """What a place belongs to in which messages stand.

        Raises `PlaceNotFound`, and `PostsOnly` for a forum.
        """
        home = await self.scope_of(identifier)
        if home.forum:
            raise PostsOnly
        return home

    def gone(self, identifier: str) -> None:
        """Take a channel or a thread as deleted from now on, whatever was kept of it."""
        self._gone[identifier] = True
        self._homes.pop(identifier, None)
        self._channels.pop(identifier, None)

    async def follow(self, bus: Bus) -> None:
        """Hear at once of what is deleted, for as long as the service lives."""

        async def channel(message: Msg) -> None:
            event = community_events_pb2.ChannelDeleted.FromString(message.data)
            self.gone(event.channel_id)

        async def thread(message: Msg) -> None:
            self.gone(chat_events_pb2.ThreadDeleted.FromString(message.data).thread_id)

        for kind, handle in (
            (community_events_pb2.ChannelDeleted, channel),
            (chat_events_pb2.ThreadDeleted, thread),
        ):
            await bus.follow(f"{LIVE}{subject_root(kind.DESCRIPTOR.full_name)}.>", handle)
        await asyncio.Event().wait()

    async def _home(self, channel_id: str) -> Home | None:
        """The community of a channel, and whether it is a forum; as `community_of`."""
        if channel_id in self._gone:
            return None
        known = self._homes.get(channel_id)
        if known is None:
            try:
                known = await self._kept(channel_id) or await self._asked(channel_id)
            except PlaceNotFound:  # deleted
                return None
            if known is not None and channel_id not in self._gone:
                self._homes[channel_id] = known
        return known

    async def _kept(self, channel_id: str) -> Home | None:
        async with self._database.reading() as tx:
            return await places.home_of(tx, convert.place(channel_id).id)

    async def _asked(self, channel_id: str) -> Home | None:
        request = channel_service_pb2.GetChannelRequest(channel_id=channel_id)
        try:
            channel = await self._clients.call(self._community.GetChannel, request)
        except NotFound:
            return None
        community = ids.parse(ids.Kind.COMMUNITY, channel.community_id, field="community_id")
        place = convert.place(channel_id)
        async with self._database.transaction() as tx:
            await places.add_channel(tx, place.id, community, forum=convert.is_forum(channel))
            # What it is here already, it stays: a conversation is nobody's channel.
            return await places.home_of(tx, place.id)
