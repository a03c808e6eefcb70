"""Where channels, conversations and people belong, as their services say."""

from __future__ import annotations

from typing import Final

from cachetools import LRUCache, TTLCache
from google.protobuf.message import Message

from chassis.clients import Clients
from chassis.errors import Invalid, NotFound
from creavio.chat.v1 import chat_events_pb2, conversation_service_pb2
from creavio.chat.v1.conversation_service_pb2_grpc import ConversationServiceStub
from creavio.community.v1 import channel_service_pb2, community_events_pb2
from creavio.community.v1.channel_service_pb2_grpc import ChannelServiceStub
from creavio.rbac.v1 import access_service_pb2
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub

_CHANNELS: Final = 50_000
_CONVERSATIONS: Final = 50_000
_NOBODY: Final[frozenset[str]] = frozenset()
_ABSENT_SECONDS: Final = 10.0


class Places:
    """Asks once and keeps the answer where it can never change."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._rbac = AccessServiceStub(clients.channel)
        self._channel_service = ChannelServiceStub(clients.channel)
        self._conversation_service = ConversationServiceStub(clients.channel)
        self._channels: LRUCache[str, str] = LRUCache(_CHANNELS)
        self._conversations: LRUCache[str, frozenset[str]] = LRUCache(_CONVERSATIONS)
        self._absent: TTLCache[str, frozenset[str]] = TTLCache(1_000, _ABSENT_SECONDS)

    async def bindings_of(self, user_id: str) -> access_service_pb2.ListBindingsResponse:
        """A person's roles in every community they belong to, as they are now."""
        request = access_service_pb2.ListBindingsRequest(user_id=user_id)
        return await self._clients.call(self._rbac.ListBindings, request)

    async def community_of(self, channel_id: str) -> str | None:
        """The community of a channel; None when there is no such channel."""
        known = self._channels.get(channel_id)
        if known is None:
            request = channel_service_pb2.GetChannelRequest(channel_id=channel_id)
            try:
                channel = await self._clients.call(self._channel_service.GetChannel, request)
            except (NotFound, Invalid):
                return None
            known = self._channels[channel_id] = channel.community_id
        return known

    async def belongs(self, user_id: str, conversation_id: str) -> bool:
        """Whether somebody is a member of a conversation."""
        return user_id in await self.members_of(conversation_id)

    async def channel_of(self, thread_id: str) -> str | None:
        """Nothing is asked of gateway about threads."""
        return None

    def known_members(self, conversation_id: str) -> frozenset[str] | None:
        """The members of a conversation, if they were asked for before."""
        members: frozenset[str] | None = self._conversations.get(conversation_id)
        return self._absent.get(conversation_id) if members is None else members

    async def members_of(self, conversation_id: str) -> frozenset[str]:
        """The members of a conversation; nobody when there is none.

        Raises `Unavailable` when chat cannot be asked.
        """
        known = self.known_members(conversation_id)
        if known is None:
            request = conversation_service_pb2.ListConversationMembersRequest(
                conversation_id=conversation_id
            )
            try:
                reply = await self._clients.call(
                    self._conversation_service.ListConversationMembers, request
                )
            except (NotFound, Invalid):
                known = self._absent[conversation_id] = _NOBODY
                return known
            known = self._conversations[conversation_id] = frozenset(reply.member_ids)
        return known

    def learn(self, event: Message) -> None:
        """Keep what an event says of such things, so that nobody need be asked."""
        if isinstance(event, chat_events_pb2.ConversationCreated):
            conversation = event.conversation
            self._conversations[conversation.id] = frozenset(conversation.member_ids)
        elif isinstance(event, community_events_pb2.ChannelCreated):
            self._channels[event.channel.id] = event.channel.community_id
