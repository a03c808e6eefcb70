"""What this service tells the others."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from chassis import ids
from creavio.chat.v1 import chat_events_pb2, draft_pb2, message_pb2
from services.chat import convert
from services.chat.domain.conversation import Conversation
from services.chat.domain.kept import Bookmark, Scheduled
from services.chat.domain.message import Message, Reference, count_of
from services.chat.domain.place import Home, Place
from services.chat.domain.thread import Thread


def drafted(message: message_pb2.Message, home: Home) -> chat_events_pb2.MessageCreated:
    """A message was sent; which number it has is said by `numbered`."""
    return chat_events_pb2.MessageCreated(
        message=message,
        community_id=convert.community_id(home),
        parent_channel_id=convert.parent_channel_id(home),
    )


def numbered(sequence: int) -> bytes:
    """What makes an encoded `drafted` whole, written after it.

    A field that is there twice is merged, and so says the number of the message in
    the one; the statement that gives the number writes the same bytes.
    """
    number = message_pb2.Message(sequence=sequence, revision=sequence)
    return chat_events_pb2.MessageCreated(message=number).SerializeToString()


def updated(
    message: Message, answered: Reference | None, thread: Thread | None, home: Home
) -> chat_events_pb2.MessageUpdated:
    """A message, that answers another perhaps, was edited, pinned or unpinned."""
    return chat_events_pb2.MessageUpdated(
        message=convert.message(message, answered=answered, thread=thread),
        community_id=convert.community_id(home),
        parent_channel_id=convert.parent_channel_id(home),
    )


def deleted(message: Message, home: Home) -> chat_events_pb2.MessageDeleted:
    """A message was deleted."""
    return chat_events_pb2.MessageDeleted(
        channel_id=convert.place_id(message.place),
        message_id=ids.text(ids.Kind.MESSAGE, message.id),
        revision=message.revision,
        community_id=convert.community_id(home),
        parent_channel_id=convert.parent_channel_id(home),
    )


def reaction_added(
    message: Message, user_id: str, emoji: str, home: Home
) -> chat_events_pb2.ReactionAdded:
    """Somebody reacted to a message."""
    return chat_events_pb2.ReactionAdded(
        channel_id=convert.place_id(message.place),
        message_id=ids.text(ids.Kind.MESSAGE, message.id),
        user_id=user_id,
        emoji=emoji,
        count=count_of(message, emoji),
        revision=message.revision,
        community_id=convert.community_id(home),
        parent_channel_id=convert.parent_channel_id(home),
    )


def reaction_removed(
    message: Message, user_id: str, emoji: str, home: Home
) -> chat_events_pb2.ReactionRemoved:
    """Somebody took a reaction back."""
    return chat_events_pb2.ReactionRemoved(
        channel_id=convert.place_id(message.place),
        message_id=ids.text(ids.Kind.MESSAGE, message.id),
        user_id=user_id,
        emoji=emoji,
        count=count_of(message, emoji),
        revision=message.revision,
        community_id=convert.community_id(home),
        parent_channel_id=convert.parent_channel_id(home),
    )


def conversation_created(conversation: Conversation) -> chat_events_pb2.ConversationCreated:
    """A conversation was begun."""
    return chat_events_pb2.ConversationCreated(conversation=convert.conversation(conversation))


def conversation_updated(group: Conversation) -> chat_events_pb2.ConversationUpdated:
    """A group is another, or has more members."""
    return chat_events_pb2.ConversationUpdated(conversation=convert.conversation(group))


def conversation_member_removed(
    group: Conversation, user_id: str
) -> chat_events_pb2.ConversationMemberRemoved:
    """Somebody belongs to a group no longer."""
    return chat_events_pb2.ConversationMemberRemoved(
        conversation=convert.conversation(group), user_id=user_id
    )


def read_on(user_id: str, place: Place, sequence: int) -> chat_events_pb2.ReadStateUpdated:
    """Somebody read a place up to a number."""
    return chat_events_pb2.ReadStateUpdated(
        user_id=user_id, channel_id=convert.place_id(place), read_sequence=sequence
    )


def slow_mode_changed(place: Place, seconds: int, home: Home) -> chat_events_pb2.SlowModeChanged:
    """How often people may write in a place was changed."""
    return chat_events_pb2.SlowModeChanged(
        channel_id=convert.place_id(place),
        seconds=seconds,
        community_id=convert.community_id(home),
    )


def thread_created(thread: Thread, revision: int, home: Home) -> chat_events_pb2.ThreadCreated:
    """A thread was begun."""
    return chat_events_pb2.ThreadCreated(
        thread=convert.thread(thread), revision=revision, community_id=convert.community_id(home)
    )


def thread_updated(thread: Thread, revision: int, home: Home) -> chat_events_pb2.ThreadUpdated:
    """A thread is another, or something was sent in it."""
    return chat_events_pb2.ThreadUpdated(
        thread=convert.thread(thread), revision=revision, community_id=convert.community_id(home)
    )


def thread_deleted(thread: Thread, revision: int, home: Home) -> chat_events_pb2.ThreadDeleted:
    """A thread was deleted."""
    known = convert.thread(thread)
    return chat_events_pb2.ThreadDeleted(
        channel_id=known.channel_id,
        thread_id=known.id,
        message_id=known.message_id,
        revision=revision,
        community_id=convert.community_id(home),
    )


def thread_followed(
    user_id: str, thread_id: UUID, *, following: bool
) -> chat_events_pb2.ThreadFollowChanged:
    """Somebody follows a thread, or follows it no longer."""
    return chat_events_pb2.ThreadFollowChanged(
        user_id=user_id, thread_id=convert.thread_id(thread_id), following=following
    )


def draft_saved(user_id: str, draft: draft_pb2.Draft) -> chat_events_pb2.DraftSaved:
    """Somebody began to write."""
    return chat_events_pb2.DraftSaved(user_id=user_id, draft=draft)


def draft_deleted(user_id: str, place: Place, revision: int) -> chat_events_pb2.DraftDeleted:
    """Somebody wrote no further."""
    return chat_events_pb2.DraftDeleted(
        user_id=user_id, channel_id=convert.place_id(place), revision=revision
    )


def bookmark_added(user_id: str, bookmark: Bookmark) -> chat_events_pb2.BookmarkAdded:
    """Somebody bookmarked a message."""
    return chat_events_pb2.BookmarkAdded(user_id=user_id, bookmark=convert.bookmark(bookmark))


def bookmark_removed(user_id: str, message_id: UUID) -> chat_events_pb2.BookmarkRemoved:
    """Somebody took a bookmark away."""
    return chat_events_pb2.BookmarkRemoved(
        user_id=user_id, message_id=ids.text(ids.Kind.MESSAGE, message_id)
    )


def scheduled_changed(
    message: Scheduled, failure: str = ""
) -> chat_events_pb2.ScheduledMessageChanged:
    """A message waits, or could not be sent."""
    told = convert.scheduled(replace(message, failure=failure))
    return chat_events_pb2.ScheduledMessageChanged(
        user_id=ids.text(ids.Kind.USER, message.user_id), scheduled_message=told
    )


def scheduled_removed(
    user_id: str, scheduled_id: UUID, message_id: str = ""
) -> chat_events_pb2.ScheduledMessageRemoved:
    """A message was sent, or is not to be."""
    return chat_events_pb2.ScheduledMessageRemoved(
        user_id=user_id,
        scheduled_message_id=convert.scheduled_id(scheduled_id),
        message_id=message_id,
    )


def poll_updated(message: Message, home: Home) -> chat_events_pb2.PollUpdated:
    """People chose in the poll of a message, or do no longer."""
    assert message.poll is not None, "the message is a poll"
    return chat_events_pb2.PollUpdated(
        channel_id=convert.place_id(message.place),
        message_id=ids.text(ids.Kind.MESSAGE, message.id),
        poll=convert.poll(message.poll),
        revision=message.revision,
        community_id=convert.community_id(home),
        parent_channel_id=convert.parent_channel_id(home),
    )
