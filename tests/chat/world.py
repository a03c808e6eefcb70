"""chat as it runs, on a real PostgreSQL and NATS, in a world of stand-ins.

auth, rbac and community are servicers in memory, asked over gRPC as ever. People
call with tokens of theirs; several replicas may serve one database.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
import tempfile
from typing import Any

from google.protobuf.message import Message
import grpc
import sqlalchemy as sa

from chassis import catalog as catalogs
from chassis import ids, service
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database
from chassis.schema import OUTBOX
from chassis.subjects import LIVE, subject_root
from chassis.testing import Caller, scratch_database, standing_in
from chassis.wire import timestamp
from creavio.auth.v1 import (
    auth_events_pb2,
    key_service_pb2_grpc,
    revocation_service_pb2_grpc,
)
from creavio.chat.v1 import (
    bookmark_pb2,
    bookmark_service_pb2,
    conversation_pb2,
    conversation_service_pb2,
    draft_pb2,
    draft_service_pb2,
    message_pb2,
    message_service_pb2,
    pin_service_pb2,
    poll_pb2,
    poll_service_pb2,
    reaction_service_pb2,
    read_state_pb2,
    read_state_service_pb2,
    scheduled_message_pb2,
    scheduled_message_service_pb2,
    slow_mode_service_pb2,
    thread_pb2,
    thread_service_pb2,
)
from creavio.chat.v1.bookmark_service_pb2_grpc import BookmarkServiceStub
from creavio.chat.v1.conversation_service_pb2_grpc import ConversationServiceStub
from creavio.chat.v1.draft_service_pb2_grpc import DraftServiceStub
from creavio.chat.v1.message_service_pb2_grpc import MessageServiceStub
from creavio.chat.v1.pin_service_pb2_grpc import PinServiceStub
from creavio.chat.v1.poll_service_pb2_grpc import PollServiceStub
from creavio.chat.v1.reaction_service_pb2_grpc import ReactionServiceStub
from creavio.chat.v1.read_state_service_pb2_grpc import ReadStateServiceStub
from creavio.chat.v1.scheduled_message_service_pb2_grpc import ScheduledMessageServiceStub
from creavio.chat.v1.slow_mode_service_pb2_grpc import SlowModeServiceStub
from creavio.chat.v1.thread_service_pb2_grpc import ThreadServiceStub
from creavio.community.v1 import (
    channel_service_pb2_grpc,
)
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import (
    access_service_pb2_grpc,
    rbac_events_pb2,
    role_service_pb2_grpc,
)
from services.chat.app import app
from tests.chat.standins import Auth, Community, Rbac, Roles
from tests.scratch_nats import ScratchNats

MEMBER = frozenset(
    {
        p.PERMISSION_VIEW_COMMUNITY,
        p.PERMISSION_VIEW_CHANNEL,
        p.PERMISSION_SEND_MESSAGES,
        p.PERMISSION_ADD_REACTIONS,
        p.PERMISSION_PIN_MESSAGES,
    }
)
OWNER = MEMBER | {p.PERMISSION_MANAGE_MESSAGES}
READER = frozenset({p.PERMISSION_VIEW_COMMUNITY, p.PERMISSION_VIEW_CHANNEL})

_BEAT_SECONDS = 0.2


class Person(Caller):
    """Somebody signed in, at one replica of chat."""

    def __init__(self, channel: grpc.aio.Channel, token: str | None, user_id: str) -> None:
        super().__init__(channel, token)
        self.id = user_id
        self.messages = MessageServiceStub(channel)
        self.reactions = ReactionServiceStub(channel)
        self.pins = PinServiceStub(channel)
        self.conversations = ConversationServiceStub(channel)
        self.reading = ReadStateServiceStub(channel)
        self.slow_mode = SlowModeServiceStub(channel)
        self.threads = ThreadServiceStub(channel)
        self.drafts = DraftServiceStub(channel)
        self.polls = PollServiceStub(channel)
        self.bookmarks = BookmarkServiceStub(channel)
        self.scheduled = ScheduledMessageServiceStub(channel)

    async def send(
        self,
        channel: str,
        content: str,
        nonce: str = "",
        *,
        reply_to: message_pb2.Message | None = None,
        poll: poll_pb2.NewPoll | None = None,
    ) -> message_pb2.Message:
        request = message_service_pb2.CreateMessageRequest(
            poll=poll,
            channel_id=channel,
            content=content,
            nonce=nonce,
            reply_to_id="" if reply_to is None else reply_to.id,
        )
        return await self.call(self.messages.CreateMessage, request)

    async def edit(self, message: message_pb2.Message, content: str) -> message_pb2.Message:
        request = message_service_pb2.UpdateMessageRequest(
            channel_id=message.channel_id, message_id=message.id, content=content
        )
        return await self.call(self.messages.UpdateMessage, request)

    async def delete(self, message: message_pb2.Message) -> None:
        request = message_service_pb2.DeleteMessageRequest(
            channel_id=message.channel_id, message_id=message.id
        )
        await self.call(self.messages.DeleteMessage, request)

    async def delete_all(self, channel: str, *gone: message_pb2.Message) -> None:
        request = message_service_pb2.BulkDeleteMessagesRequest(
            channel_id=channel, message_ids=[message.id for message in gone]
        )
        await self.call(self.messages.BulkDeleteMessages, request)

    async def versions(self, message: message_pb2.Message) -> list[str]:
        """What a message said before, the latest first."""
        request = message_service_pb2.ListMessageVersionsRequest(
            channel_id=message.channel_id, message_id=message.id
        )
        reply = await self.call(self.messages.ListMessageVersions, request)
        return [version.content for version in reply.versions]

    async def listed(self, channel: str) -> list[message_pb2.Message]:
        """The latest hundred, oldest first."""
        request = message_service_pb2.ListMessagesRequest(channel_id=channel, page_size=100)
        return list((await self.call(self.messages.ListMessages, request)).messages)[::-1]

    async def changes(
        self, channel: str, after: int = 0, size: int = 100
    ) -> message_service_pb2.ListChangesResponse:
        request = message_service_pb2.ListChangesRequest(
            channel_id=channel, after_revision=after, page_size=size
        )
        return await self.call(self.messages.ListChanges, request)

    async def react(self, message: message_pb2.Message, emoji: str) -> message_pb2.Message:
        request = reaction_service_pb2.AddReactionRequest(
            channel_id=message.channel_id, message_id=message.id, emoji=emoji
        )
        return await self.call(self.reactions.AddReaction, request)

    async def unreact(self, message: message_pb2.Message, emoji: str) -> message_pb2.Message:
        request = reaction_service_pb2.RemoveReactionRequest(
            channel_id=message.channel_id, message_id=message.id, emoji=emoji
        )
        return await self.call(self.reactions.RemoveReaction, request)

    async def pin(self, message: message_pb2.Message) -> message_pb2.Message:
        request = pin_service_pb2.PinMessageRequest(
            channel_id=message.channel_id, message_id=message.id
        )
        return await self.call(self.pins.PinMessage, request)

    async def unpin(self, message: message_pb2.Message) -> message_pb2.Message:
        request = pin_service_pb2.UnpinMessageRequest(
            channel_id=message.channel_id, message_id=message.id
        )
        return await self.call(self.pins.UnpinMessage, request)

    async def pinned(self, channel: str) -> list[message_pb2.Message]:
        request = pin_service_pb2.ListPinsRequest(channel_id=channel)
        return list((await self.call(self.pins.ListPins, request)).messages)

    async def slow_down(self, channel: str, seconds: int) -> slow_mode_service_pb2.SlowMode:
        request = slow_mode_service_pb2.SetSlowModeRequest(channel_id=channel, seconds=seconds)
        return await self.call(self.slow_mode.SetSlowMode, request)

    async def mark(self, channel: str, sequence: int) -> read_state_pb2.ReadState:
        request = read_state_service_pb2.MarkReadRequest(channel_id=channel, sequence=sequence)
        return await self.call(self.reading.MarkRead, request)

    async def news(self, community: str) -> dict[str, tuple[int, int]]:
        """New messages and mentions, by channel; a hundred stands for more."""
        request = read_state_service_pb2.ListReadStatesRequest(community_id=community)
        return _counts((await self.call(self.reading.ListReadStates, request)).read_states)

    async def news_of_conversations(self) -> dict[str, tuple[int, int]]:
        """New messages and mentions, by conversation; a hundred stands for more."""
        request = read_state_service_pb2.ListConversationReadStatesRequest()
        reply = await self.call(self.reading.ListConversationReadStates, request)
        return _counts(reply.read_states)

    async def vote(self, message: message_pb2.Message, *options: int) -> message_pb2.Message:
        request = poll_service_pb2.VoteRequest(
            channel_id=message.channel_id, message_id=message.id, options=options
        )
        return await self.call(self.polls.Vote, request)

    async def close(self, message: message_pb2.Message) -> message_pb2.Message:
        request = poll_service_pb2.ClosePollRequest(
            channel_id=message.channel_id, message_id=message.id
        )
        return await self.call(self.polls.ClosePoll, request)

    async def save(self, channel: str, content: str, after: int = 0) -> draft_pb2.Draft:
        request = draft_service_pb2.SaveDraftRequest(
            channel_id=channel, content=content, after_revision=after
        )
        return await self.call(self.drafts.SaveDraft, request)

    async def saved(self) -> dict[str, str]:
        """What was begun, by where."""
        request = draft_service_pb2.ListDraftsRequest()
        found = (await self.call(self.drafts.ListDrafts, request)).drafts
        return {draft.channel_id: draft.content for draft in found}

    async def bookmark(self, message: message_pb2.Message) -> bookmark_pb2.Bookmark:
        request = bookmark_service_pb2.AddBookmarkRequest(
            channel_id=message.channel_id, message_id=message.id
        )
        return await self.call(self.bookmarks.AddBookmark, request)

    async def bookmarked(self) -> list[bookmark_pb2.Bookmark]:
        request = bookmark_service_pb2.ListBookmarksRequest()
        return list((await self.call(self.bookmarks.ListBookmarks, request)).bookmarks)

    async def schedule(
        self, channel: str, content: str, at: datetime, key: str = ""
    ) -> scheduled_message_pb2.ScheduledMessage:
        request = scheduled_message_service_pb2.ScheduleMessageRequest(
            channel_id=channel, content=content, send_time=timestamp(at), request_id=key
        )
        return await self.call(self.scheduled.ScheduleMessage, request)

    async def waiting(self) -> list[scheduled_message_pb2.ScheduledMessage]:
        request = scheduled_message_service_pb2.ListScheduledMessagesRequest()
        reply = await self.call(self.scheduled.ListScheduledMessages, request)
        return list(reply.scheduled_messages)

    async def begin(
        self, channel: str, at: message_pb2.Message | None = None, name: str = "talk", key: str = ""
    ) -> thread_pb2.Thread:
        request = thread_service_pb2.CreateThreadRequest(
            channel_id=channel,
            message_id="" if at is None else at.id,
            name=name,
            request_id=key,
        )
        return await self.call(self.threads.CreateThread, request)

    async def thread(self, thread: thread_pb2.Thread) -> thread_pb2.Thread:
        request = thread_service_pb2.GetThreadRequest(thread_id=thread.id)
        return await self.call(self.threads.GetThread, request)

    async def change(self, thread: thread_pb2.Thread, **changes: Any) -> thread_pb2.Thread:
        request = thread_service_pb2.UpdateThreadRequest(thread_id=thread.id, **changes)
        return await self.call(self.threads.UpdateThread, request)

    async def threads_of(self, channel: str, *, archived: bool = False) -> list[str]:
        """The threads of a channel, by their ids."""
        request = thread_service_pb2.ListThreadsRequest(channel_id=channel, archived=archived)
        return [t.id for t in (await self.call(self.threads.ListThreads, request)).threads]

    async def news_of_threads(self, community: str) -> dict[str, tuple[int, int]]:
        """New messages and mentions, by thread; a hundred stands for more."""
        request = read_state_service_pb2.ListThreadReadStatesRequest(community_id=community)
        return _counts((await self.call(self.reading.ListThreadReadStates, request)).read_states)

    async def converse(
        self, *others: Person, key: str = "", **group: Any
    ) -> conversation_pb2.Conversation:
        request = conversation_service_pb2.CreateConversationRequest(
            user_ids=[other.id for other in others], request_id=key, **group
        )
        return await self.call(self.conversations.CreateConversation, request)

    async def take_in(self, group: str, *others: Person) -> conversation_pb2.Conversation:
        request = conversation_service_pb2.AddConversationMembersRequest(
            conversation_id=group, user_ids=[other.id for other in others]
        )
        return await self.call(self.conversations.AddConversationMembers, request)

    async def take_out(self, group: str, other: Person) -> None:
        request = conversation_service_pb2.RemoveConversationMemberRequest(
            conversation_id=group, user_id=other.id
        )
        await self.call(self.conversations.RemoveConversationMember, request)

    async def hand_over(self, group: str, other: Person) -> conversation_pb2.Conversation:
        request = conversation_service_pb2.HandOverConversationRequest(
            conversation_id=group, user_id=other.id
        )
        return await self.call(self.conversations.HandOverConversation, request)

    async def rename(self, group: str, **changes: Any) -> conversation_pb2.Conversation:
        request = conversation_service_pb2.UpdateConversationRequest(
            conversation_id=group, **changes
        )
        return await self.call(self.conversations.UpdateConversation, request)

    async def conversation(self, identifier: str) -> conversation_pb2.Conversation:
        request = conversation_service_pb2.GetConversationRequest(conversation_id=identifier)
        return await self.call(self.conversations.GetConversation, request)


def _counts(states: Iterable[read_state_pb2.ReadState]) -> dict[str, tuple[int, int]]:
    return {
        s.channel_id: (s.unread_count + s.more_unread, s.mention_count + s.more_mentions)
        for s in states
    }


@dataclass
class World:
    """Everything around chat."""

    contract: Contract
    nats: ScratchNats
    database: Database
    auth: Auth = field(default_factory=Auth)
    rbac: Rbac = field(default_factory=Rbac)
    roles: Roles = field(default_factory=Roles)
    community: Community = field(default_factory=Community)
    replicas: list[grpc.aio.Channel] = field(default_factory=list)
    chassis: list[service.Chassis] = field(default_factory=list)
    sessions: dict[str, str] = field(default_factory=dict)

    def found(self) -> str:
        """A new community, empty."""
        community = ids.text(ids.Kind.COMMUNITY, ids.new())
        self.rbac.people[community] = {}
        return community

    def open_channel(self, community: str) -> str:
        """A new channel, of which chat has not heard."""
        channel = ids.text(ids.Kind.CHANNEL, ids.new())
        self.community.channels[channel] = community
        return channel

    def person(self, community: str | None = None, may: frozenset[Any] = MEMBER) -> Person:
        """Somebody new, signed in, perhaps a member of a community."""
        user_id = ids.text(ids.Kind.USER, ids.new())
        if community is not None:
            self.rbac.people[community][user_id] = may
        self.sessions[user_id] = ids.text(ids.Kind.SESSION, ids.new())
        return self.at(0, user_id)

    def at(self, replica: int, user_id: str) -> Person:
        """The same person, calling another replica."""
        token = self.auth.token(user_id, self.sessions[user_id])
        return Person(self.replicas[replica], token, user_id)

    async def told(self) -> list[Message]:
        """The events chat stored, in their order."""
        async with self.database.reading() as tx:
            rows = await tx.execute(sa.select(OUTBOX).order_by(OUTBOX.c.id))
            return [self.contract.events[r.type].message.FromString(r.body) for r in rows]

    async def happens(self, event: Message, *subject: str) -> None:
        """Another service says that something happened."""
        name = event.DESCRIPTOR.full_name
        identifier = ids.text(ids.Kind.EVENT, ids.new())
        async with self.nats.bus(name.split(".")[1]) as bus:
            await bus.jetstream.publish(
                ".".join((subject_root(name), *subject)),
                event.SerializeToString(),
                headers={
                    "ce-id": identifier,
                    "Nats-Msg-Id": identifier,
                    "ce-type": name,
                    "ce-time": "2026-01-01T00:00:00+00:00",
                },
            )

    def nobody(self) -> Person:
        """Somebody who is not signed in."""
        return Person(self.replicas[0], None, "")

    def gateway(self) -> Caller:
        """The service that may ask chat."""
        return _Service(self.replicas[0], "gateway")

    def another_service(self) -> Caller:
        """A service that may not."""
        return _Service(self.replicas[0], "user")


class _Service(Caller):
    def __init__(self, channel: grpc.aio.Channel, name: str) -> None:
        super().__init__(channel)
        self._name = name

    def metadata(self, **more: str) -> grpc.aio.Metadata:
        return super().metadata(x_creavio_caller=self._name, **more)


@asynccontextmanager
async def running_world(
    postgres: str, nats: ScratchNats, contract: Contract, replicas: int = 1
) -> AsyncIterator[World]:
    """chat, served by so many replicas, until the block ends."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(scratch_database(postgres, "chat"))
        world = World(contract, nats, database)
        await stack.enter_async_context(_beating(world))
        egress = await stack.enter_async_context(
            standing_in(
                contract,
                (key_service_pb2_grpc.add_KeyServiceServicer_to_server, world.auth),
                (
                    revocation_service_pb2_grpc.add_RevocationServiceServicer_to_server,
                    world.auth,
                ),
                (access_service_pb2_grpc.add_AccessServiceServicer_to_server, world.rbac),
                (role_service_pb2_grpc.add_RoleServiceServicer_to_server, world.roles),
                (channel_service_pb2_grpc.add_ChannelServiceServicer_to_server, world.community),
            )
        )
        for _ in range(replicas):
            await stack.enter_async_context(_replica(world, egress))
        yield world


@asynccontextmanager
async def _replica(world: World, egress: str) -> AsyncIterator[None]:
    url = world.database._engine.url.render_as_string(hide_password=False)
    with tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp") as folder:
        listen = f"unix:{Path(folder) / 'in.sock'}"
        config = world.nats.config("chat", url).model_copy(
            update={"listen": listen, "egress": egress, "requests_per_second": 1e6}
        )
        chassis = service.Chassis(config, catalogs.load())
        stop, ready = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(service.run(chassis, app(chassis), stop, ready.set))
        opened = asyncio.create_task(ready.wait())
        await asyncio.wait((running, opened), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
        try:
            async with grpc.aio.insecure_channel(listen) as channel:
                world.replicas.append(channel)
                world.chassis.append(chassis)
                yield
        finally:
            stop.set()
            await running


@asynccontextmanager
async def _beating(world: World) -> AsyncIterator[None]:
    """rbac and auth say that nothing changed."""

    async def beat(rbac: Bus, auth: Bus) -> None:
        while True:
            await rbac.publish(
                LIVE + subject_root(rbac_events_pb2.Heartbeat.DESCRIPTOR.full_name),
                rbac_events_pb2.Heartbeat().SerializeToString(),
            )
            await auth.publish(
                LIVE + subject_root(auth_events_pb2.SessionsHeartbeat.DESCRIPTOR.full_name),
                world.auth.heartbeat.SerializeToString(),
            )
            await asyncio.sleep(_BEAT_SECONDS)

    async with world.nats.bus("rbac") as rbac, world.nats.bus("auth") as auth:
        beating = asyncio.create_task(beat(rbac, auth))
        try:
            yield
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating
