"""Where channels, conversations and people belong, as their services say."""

from __future__ import annotations

from typing import Final

from cachetools import LRUCache, TTLCache
from google.protobuf.message import Message

from chassis.clients import Clients
from chassis.errors import Invalid, NotFound, Unavailable
from creavio.chat.v1 import chat_events_pb2, conversation_pb2, conversation_service_pb2
from creavio.chat.v1.conversation_service_pb2_grpc import ConversationServiceStub
from creavio.community.v1 import channel_service_pb2, community_events_pb2
from creavio.community.v1.channel_service_pb2_grpc import ChannelServiceStub
from creavio.rbac.v1 import access_service_pb2
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub
from services.gateway.engine.blocks import Blocks
from services.gateway.engine.circles import Circles

_CHANNELS: Final = 50_000
_CONVERSATIONS: Final = 50_000
_NOBODY: Final[frozenset[str]] = frozenset()
_ABSENT_SECONDS: Final = 10.0
_PAIR: Final = 2
_TRIES: Final = 3


class Places:
    """Asks once and keeps the answer: for good where it never changes, else until it does."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.blocks = Blocks(clients)
        """Who is kept apart from whom."""
        self.circles = Circles(clients)
        """Who knows whom."""
        self._rbac = AccessServiceStub(clients.channel)
        self._channel_service = ChannelServiceStub(clients.channel)
        self._conversation_service = ConversationServiceStub(clients.channel)
        self._channels: LRUCache[str, str] = LRUCache(_CHANNELS)
        self._conversations: LRUCache[str, tuple[int, frozenset[str]]] = LRUCache(_CONVERSATIONS)
        self._changed: LRUCache[str, int] = LRUCache(_CONVERSATIONS)
        """The latest change of a group's members that was heard of."""
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
        known: tuple[int, frozenset[str]] | None = self._conversations.get(conversation_id)
        return self._absent.get(conversation_id) if known is None else known[1]

    async def members_of(self, conversation_id: str) -> frozenset[str]:
        """The members of a conversation; nobody when there is none.

        Raises `Unavailable` when chat cannot be asked.
        """
        known = self.known_members(conversation_id)
        if known is not None:
            return known
        request = conversation_service_pb2.ListConversationMembersRequest(
            conversation_id=conversation_id
        )
        for _ in range(_TRIES):
            try:
                reply = await self._clients.call(
                    self._conversation_service.ListConversationMembers, request
                )
            except (NotFound, Invalid):
                known = self._absent[conversation_id] = _NOBODY
                return known
            # What was answered before a change that was heard of meanwhile is asked again.
            if reply.revision >= self._changed.get(conversation_id, 0):
                members = frozenset(reply.member_ids)
                self._conversations[conversation_id] = (reply.revision, members)
                return members
        raise Unavailable("the members of a conversation change too fast")

    def learn(self, event: Message) -> None:
        """Keep what an event says of such things, so that nobody need be asked."""
        if isinstance(
            event,
            chat_events_pb2.ConversationCreated
            | chat_events_pb2.ConversationUpdated
            | chat_events_pb2.ConversationMemberRemoved,
        ):
            self._hear(event.conversation)
        elif isinstance(event, community_events_pb2.ChannelCreated):
            self._channels[event.channel.id] = event.channel.community_id
        else:
            self.blocks.learn(event)

    def _hear(self, conversation: conversation_pb2.Conversation) -> None:
        """Keep the members of two; of a group, that there may be others now.

        An event may be an old one, read again for somebody who was away.
        """
        revision, members = conversation.revision, frozenset(conversation.member_ids)
        if not conversation.group and len(members) == _PAIR:
            self._conversations[conversation.id] = (revision, members)
            return
        if revision > self._changed.get(conversation.id, 0):
            self._changed[conversation.id] = revision
        known = self._conversations.get(conversation.id)
        if known is not None and known[0] < revision:
            del self._conversations[conversation.id]
