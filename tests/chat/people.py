"""People who call chat in the tests."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import grpc

from chassis.testing import Caller
from chassis.wire import timestamp
from creavio.chat.v1 import (
    bookmark_pb2,
    bookmark_service_pb2,
    conversation_pb2,
    conversation_service_pb2,
    draft_pb2,
    draft_service_pb2,
    forward_service_pb2,
    message_pb2,
    message_service_pb2,
    pin_service_pb2,
    poll_pb2,
    poll_service_pb2,
    post_service_pb2,
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
from creavio.chat.v1.forward_service_pb2_grpc import ForwardServiceStub
from creavio.chat.v1.message_service_pb2_grpc import MessageServiceStub
from creavio.chat.v1.pin_service_pb2_grpc import PinServiceStub
from creavio.chat.v1.poll_service_pb2_grpc import PollServiceStub
from creavio.chat.v1.post_service_pb2_grpc import PostServiceStub
from creavio.chat.v1.reaction_service_pb2_grpc import ReactionServiceStub
from creavio.chat.v1.read_state_service_pb2_grpc import ReadStateServiceStub
from creavio.chat.v1.scheduled_message_service_pb2_grpc import ScheduledMessageServiceStub
from creavio.chat.v1.slow_mode_service_pb2_grpc import SlowModeServiceStub
from creavio.chat.v1.thread_service_pb2_grpc import ThreadServiceStub


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
        self.posts = PostServiceStub(channel)
        self.polls = PollServiceStub(channel)
        self.bookmarks = BookmarkServiceStub(channel)
        self.forwards = ForwardServiceStub(channel)
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

    async def forward(
        self, message: message_pb2.Message, channel: str, content: str = "", nonce: str = ""
    ) -> message_pb2.Message:
        """Send a message on to a channel, perhaps with a text beside it."""
        request = forward_service_pb2.ForwardMessageRequest(
            channel_id=channel,
            source_channel_id=message.channel_id,
            source_message_id=message.id,
            content=content,
            nonce=nonce,
        )
        return await self.call(self.forwards.ForwardMessage, request)

    async def source(self, message: message_pb2.Message) -> tuple[str, str]:
        """The place and the message that one was forwarded from."""
        request = forward_service_pb2.GetForwardSourceRequest(
            channel_id=message.channel_id, message_id=message.id
        )
        found = await self.call(self.forwards.GetForwardSource, request)
        return found.channel_id, found.message_id

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

    async def post(
        self, forum: str, name: str = "post", *tags: str, key: str = "", **said: Any
    ) -> thread_pb2.Thread:
        request = post_service_pb2.CreatePostRequest(
            channel_id=forum, name=name, tag_ids=tags, request_id=key, **{"content": "hi", **said}
        )
        return await self.call(self.posts.CreatePost, request)

    async def posts_of(
        self, forum: str, *tags: str, **asked: Any
    ) -> post_service_pb2.ListPostsResponse:
        request = post_service_pb2.ListPostsRequest(channel_id=forum, tag_ids=tags, **asked)
        return await self.call(self.posts.ListPosts, request)

    async def tag(self, post: thread_pb2.Thread, *tags: str) -> thread_pb2.Thread:
        request = post_service_pb2.SetPostTagsRequest(thread_id=post.id, tag_ids=tags)
        return await self.call(self.posts.SetPostTags, request)

    async def pin_post(self, post: thread_pb2.Thread) -> thread_pb2.Thread:
        request = post_service_pb2.PinPostRequest(thread_id=post.id)
        return await self.call(self.posts.PinPost, request)

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
