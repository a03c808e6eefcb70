"""Events as the services emit them, in a few words."""

from __future__ import annotations

from google.protobuf.message import Message

from creavio.chat.v1 import chat_events_pb2, conversation_pb2, message_pb2
from creavio.community.v1 import channel_pb2, community_events_pb2, member_pb2
from creavio.user.v1 import user_events_pb2, user_pb2


def message(channel: str, content: str, community: str = "table") -> Message:
    """Somebody said something."""
    return chat_events_pb2.MessageCreated(
        message=message_pb2.Message(channel_id=channel, content=content), community_id=community
    )


def aside(channel: str, thread: str, content: str) -> Message:
    """Somebody said something in a thread of a channel."""
    return chat_events_pb2.MessageCreated(
        message=message_pb2.Message(channel_id=thread, content=content),
        community_id="table",
        parent_channel_id=channel,
    )


def whisper(conversation: str, content: str) -> Message:
    """Somebody said something in a conversation."""
    return message(conversation, content, community="")


def begun(conversation: str, *members: str) -> Message:
    """A conversation was begun."""
    return chat_events_pb2.ConversationCreated(
        conversation=conversation_pb2.Conversation(id=conversation, member_ids=members)
    )


def left(group: str, revision: int, user: str, *members: str) -> Message:
    """Somebody left a group, which is now of these."""
    conversation = conversation_pb2.Conversation(
        id=group, member_ids=members, group=True, revision=revision
    )
    return chat_events_pb2.ConversationMemberRemoved(conversation=conversation, user_id=user)


def joined(community: str, user: str) -> Message:
    """Somebody became a member."""
    member = member_pb2.Member(community_id=community, user_id=user)
    return community_events_pb2.MemberJoined(member=member)


def removed(community: str, user: str) -> Message:
    """Somebody is a member no longer."""
    return community_events_pb2.MemberRemoved(community_id=community, user_id=user)


def opened(community: str, channel: str) -> Message:
    """A channel was created."""
    return community_events_pb2.ChannelCreated(
        channel=channel_pb2.Channel(id=channel, community_id=community)
    )


def renamed(user: str) -> Message:
    """Somebody's profile changed."""
    return user_events_pb2.UserUpdated(user=user_pb2.User(id=user, display_name="New"))
