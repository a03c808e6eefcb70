"""Telling who writes: once in three seconds for each, whatever replica they say it on."""

from __future__ import annotations

import asyncio
from typing import Final

from cachetools import TTLCache
from nats.aio.msg import Msg

from chassis.bus import Bus
from chassis.ids import Kind
from chassis.subjects import LIVE, subject_root
from creavio.gateway.v1 import replica_pb2
from creavio.options.v1 import permission_pb2 as p
from services.gateway import convert
from services.gateway.engine.crowd import Crowd
from services.gateway.engine.places import Places

_SUBJECT: Final = LIVE + subject_root(replica_pb2.TypingHeard.DESCRIPTOR.full_name)
APART_SECONDS: Final = 3.0
MAX_TYPISTS: Final = 10
"""Of one channel, so many are told of within three seconds: nobody reads more names."""
_KEPT: Final = 50_000
_CONVERSATION: Final = f"{Kind.CONVERSATION.value}_"


class Typists:
    """Hears of them from every replica, this one included, and tells those here."""

    def __init__(self, bus: Bus, crowd: Crowd, places: Places) -> None:
        self._bus = bus
        self._crowd = crowd
        self._places = places
        self._told: TTLCache[tuple[str, str], bool] = TTLCache(_KEPT, APART_SECONDS)
        self._many: TTLCache[str, int] = TTLCache(_KEPT, APART_SECONDS)

    async def run(self) -> None:
        """Follow all replicas, for as long as the service lives."""
        await self._bus.follow(_SUBJECT, self._heard)
        await asyncio.get_running_loop().create_future()

    async def started(self, user_id: str, channel_id: str) -> None:
        """Somebody who may write in a channel does. Nothing is said of it while NATS is away.

        Raises `Unavailable` when it cannot be known who is to hear of it.
        """
        if (user_id, channel_id) in self._told:
            return
        heard = replica_pb2.TypingHeard(user_id=user_id, channel_id=channel_id)
        if channel_id.startswith(_CONVERSATION):
            heard.member_ids.extend(await self._places.members_of(channel_id))
        else:
            heard.community_id = await self._places.community_of(channel_id) or ""
        await self._bus.publish(_SUBJECT, heard.SerializeToString())

    async def _heard(self, message: Msg) -> None:
        heard = replica_pb2.TypingHeard.FromString(message.data)
        community_id, channel_id = heard.community_id, heard.channel_id
        key, many = (heard.user_id, channel_id), self._many.get(channel_id, 0)
        if key in self._told or many >= MAX_TYPISTS:
            return
        if community_id and not self._crowd.sure(community_id):
            return  # It is said again in a moment, when it is.
        self._told[key] = True
        self._many[channel_id] = many + 1
        told = convert.typing(channel_id, heard.user_id)
        audience = list(self._crowd.audience(community_id, p.PERMISSION_VIEW_CHANNEL, channel_id))
        for member in heard.member_ids:
            audience += self._crowd.streams_of(member)
        for stream in audience:
            listener = stream.person.user_id
            if listener != heard.user_id and not self._crowd.blocks.apart(listener, heard.user_id):
                stream.push(told)
