"""Between the contract's messages and the domain."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import ids
from chassis.wire import timestamp
from creavio.chat.v1 import (
    bookmark_pb2,
    conversation_pb2,
    draft_pb2,
    message_pb2,
    poll_pb2,
    read_state_pb2,
    scheduled_message_pb2,
    thread_pb2,
)
from creavio.community.v1 import channel_pb2
from services.chat.domain.conversation import Conversation
from services.chat.domain.forward import Forward
from services.chat.domain.kept import Begun, Bookmark, Scheduled
from services.chat.domain.mentions import Mentions
from services.chat.domain.message import Draft, Message, Reference, Version
from services.chat.domain.place import Home, Place
from services.chat.domain.poll import Poll, ask
from services.chat.domain.post import Forum, NotAForum, Sort
from services.chat.domain.reading import ReadState
from services.chat.domain.thread import ARCHIVE_HOURS, Change, Thread

_CONVERSATION = f"{ids.Kind.CONVERSATION.value}_"
_THREAD = f"{ids.Kind.THREAD.value}_"


def names_conversation(identifier: str) -> bool:
    """Whether the place a request names is a conversation."""
    return identifier.startswith(_CONVERSATION)


def names_thread(identifier: str) -> bool:
    """Whether the place a request names is a thread."""
    return identifier.startswith(_THREAD)


def place(identifier: str, field: str = "channel_id") -> Place:
    """The channel, conversation or thread a request names."""
    if names_conversation(identifier):
        return Place(ids.parse(ids.Kind.CONVERSATION, identifier, field=field), conversation=True)
    if names_thread(identifier):
        return Place(ids.parse(ids.Kind.THREAD, identifier, field=field), thread=True)
    return Place(ids.parse(ids.Kind.CHANNEL, identifier, field=field))


def place_id(value: Place) -> str:
    """How a place is called on the wire."""
    if value.conversation:
        return ids.text(ids.Kind.CONVERSATION, value.id)
    return ids.text(ids.Kind.THREAD if value.thread else ids.Kind.CHANNEL, value.id)


def message_id(identifier: str, field: str = "message_id") -> UUID:
    """The message a request names."""
    return ids.parse(ids.Kind.MESSAGE, identifier, field=field)


def user_id(identifier: str, field: str = "user_id") -> UUID:
    """A person."""
    return ids.parse(ids.Kind.USER, identifier, field=field)


def community(identifier: str) -> UUID:
    """The community a request names."""
    return ids.parse(ids.Kind.COMMUNITY, identifier, field="community_id")


def community_id(value: Home) -> str:
    """The community of a place as events name it: empty for a conversation."""
    return "" if value.community_id is None else ids.text(ids.Kind.COMMUNITY, value.community_id)


def parent_channel_id(value: Home) -> str:
    """The channel a thread is in as events name it: empty for other places."""
    return "" if value.channel_id is None else ids.text(ids.Kind.CHANNEL, value.channel_id)


def is_forum(channel: channel_pb2.Channel) -> bool:
    """Whether community says that a channel is a forum."""
    return channel.type == channel_pb2.CHANNEL_TYPE_FORUM


def forum(channel: channel_pb2.Channel) -> Forum:
    """What community says of the posts of a channel. Raises `NotAForum`."""
    if not is_forum(channel):
        raise NotAForum
    said = channel.forum
    tags = {tag_id(tag.id): tag.moderated for tag in said.tags}
    return Forum(tags, said.tag_required, Sort(said.default_sort or Sort.ACTIVITY))


def tag_id(identifier: str) -> UUID:
    """The tag a request names."""
    return ids.parse(ids.Kind.TAG, identifier, field="tag_ids")


def draft(value: Draft) -> message_pb2.Message:
    """A message as it will stand on the wire, but for its number."""
    return message_pb2.Message(
        id=ids.text(ids.Kind.MESSAGE, value.id),
        channel_id=place_id(value.place),
        author_id=ids.text(ids.Kind.USER, value.author_id),
        content=value.content,
        nonce=value.nonce,
        create_time=timestamp(value.create_time),
        reply_to=_reference(value.reply_to),
        mentions=_mentions(value.mentions),
        poll=None if value.poll is None else poll(value.poll),
        forward=_forward(value.forward),
    )


def message(
    value: Message,
    reacted: Collection[str] = (),
    answered: Reference | None = None,
    thread: Thread | None = None,
    chosen: Collection[int] = (),
) -> message_pb2.Message:
    """A message as it stands on the wire.

    `reacted` is what the caller reacted with, `answered` the message it answers,
    `thread` the thread that began at it, `chosen` what they chose in its poll.
    """
    gone = value.delete_time is not None
    return message_pb2.Message(
        id=ids.text(ids.Kind.MESSAGE, value.id),
        channel_id=place_id(value.place),
        author_id=ids.text(ids.Kind.USER, value.author_id),
        content=value.content,
        sequence=value.sequence,
        nonce=value.nonce,
        create_time=timestamp(value.create_time),
        edit_time=_moment(value.edit_time),
        revision=value.revision,
        pin_time=_moment(value.pin_time),
        reactions=[
            message_pb2.Reaction(emoji=r.emoji, count=r.count, reacted=r.emoji in reacted)
            for r in value.reactions
        ],
        reply_to=None if gone else _reference(answered),
        mentions=_mentions(value.mentions),
        thread=None if thread is None or gone else _message_thread(thread),
        poll=None if value.poll is None else poll(value.poll, chosen),
        forward=_forward(value.forward),
    )


def version(value: Version) -> message_pb2.MessageVersion:
    """What a message said, as it stands on the wire."""
    return message_pb2.MessageVersion(
        content=value.content, create_time=timestamp(value.create_time)
    )


def _forward(value: Forward | None) -> message_pb2.Forward | None:
    """What a message brings along: for whoever reads it, so not where from."""
    if value is None:
        return None
    return message_pb2.Forward(content=value.content, create_time=timestamp(value.create_time))


def _reference(value: Reference | None) -> message_pb2.MessageReference | None:
    if value is None:
        return None
    author = "" if value.author_id is None else ids.text(ids.Kind.USER, value.author_id)
    return message_pb2.MessageReference(
        message_id=ids.text(ids.Kind.MESSAGE, value.message_id),
        author_id=author,
        excerpt=value.excerpt,
    )


def _mentions(value: Mentions) -> message_pb2.Mentions | None:
    if not value:
        return None
    return message_pb2.Mentions(
        user_ids=[ids.text(ids.Kind.USER, user) for user in value.users],
        role_ids=[ids.text(ids.Kind.ROLE, role) for role in value.roles],
        channel_ids=[ids.text(ids.Kind.CHANNEL, channel) for channel in value.channels],
        everyone=value.everyone,
    )


def read_state(value: ReadState) -> read_state_pb2.ReadState:
    """How far somebody has read, as it stands on the wire."""
    return read_state_pb2.ReadState(
        channel_id=place_id(value.place),
        read_sequence=value.sequence,
        unread_count=value.unread.count,
        more_unread=value.unread.more,
        mention_count=value.mentions.count,
        more_mentions=value.mentions.more,
    )


def conversation(value: Conversation) -> conversation_pb2.Conversation:
    """A conversation as it stands on the wire."""
    return conversation_pb2.Conversation(
        id=ids.text(ids.Kind.CONVERSATION, value.id),
        member_ids=[ids.text(ids.Kind.USER, member) for member in value.member_ids],
        create_time=timestamp(value.create_time),
        group=value.group,
        owner_id="" if value.owner_id is None else ids.text(ids.Kind.USER, value.owner_id),
        name=value.name,
        icon_id=value.icon_id,
        revision=value.revision,
    )


def thread(value: Thread, *, following: bool = False) -> thread_pb2.Thread:
    """A thread as it stands on the wire."""
    return thread_pb2.Thread(
        id=thread_id(value.id),
        channel_id=ids.text(ids.Kind.CHANNEL, value.channel_id),
        message_id=_message_id(value.message_id),
        creator_id=ids.text(ids.Kind.USER, value.creator_id),
        name=value.name,
        create_time=timestamp(value.create_time),
        reply_count=value.reply_count,
        last_reply_time=_moment(value.last_reply_time),
        archive_time=_moment(value.archive_time),
        locked=value.locked,
        archive_after_hours=value.archive_hours,
        following=following,
        post=None if value.tags is None else _post(value, value.tags),
    )


def _post(value: Thread, tags: Collection[UUID]) -> thread_pb2.Post:
    named = [ids.text(ids.Kind.TAG, tag) for tag in sorted(tags)]
    return thread_pb2.Post(tag_ids=named, pinned=value.pinned)


def thread_id(value: UUID) -> str:
    """How a thread is called on the wire."""
    return ids.text(ids.Kind.THREAD, value)


def thread_change(changes: Mapping[str, Any]) -> Change:
    """What a request asks to have changed in a thread; what it clears is as it began."""
    cleared: dict[str, Any] = {
        "name": "",
        "archived": False,
        "locked": False,
        "archive_after_hours": ARCHIVE_HOURS,
    }
    wanted = {name: cleared[name] if value is None else value for name, value in changes.items()}
    return Change(
        name=wanted.get("name"),
        archived=wanted.get("archived"),
        locked=wanted.get("locked"),
        archive_hours=wanted.get("archive_after_hours"),
    )


def _message_thread(value: Thread) -> message_pb2.MessageThread:
    return message_pb2.MessageThread(
        thread_id=thread_id(value.id),
        reply_count=value.reply_count,
        last_reply_time=_moment(value.last_reply_time),
    )


def _moment(value: datetime | None) -> Timestamp | None:
    return None if value is None else timestamp(value)


def begun(value: Begun, revision: int) -> draft_pb2.Draft:
    """What somebody began to write, as it stands on the wire."""
    return draft_pb2.Draft(
        channel_id=place_id(value.place),
        content=value.content,
        reply_to_id=_message_id(value.reply_to),
        update_time=timestamp(value.update_time),
        revision=revision,
    )


def bookmark(value: Bookmark, told: message_pb2.Message | None = None) -> bookmark_pb2.Bookmark:
    """A bookmark as it stands on the wire, with its message where it may be read."""
    return bookmark_pb2.Bookmark(
        message_id=_message_id(value.message_id),
        channel_id=place_id(value.place),
        create_time=timestamp(value.create_time),
        message=told,
    )


def scheduled(value: Scheduled) -> scheduled_message_pb2.ScheduledMessage:
    """A message that waits, as it stands on the wire."""
    return scheduled_message_pb2.ScheduledMessage(
        id=scheduled_id(value.id),
        channel_id=place_id(value.place),
        content=value.content,
        reply_to_id=_message_id(value.reply_to),
        send_time=timestamp(value.send_time),
        failure_reason=value.failure,
    )


def scheduled_id(value: UUID) -> str:
    """How a message that waits is called on the wire; also the nonce it is sent under."""
    return ids.text(ids.Kind.SCHEDULED_MESSAGE, value)


def scheduled_message_id(identifier: str) -> UUID:
    """The message that waits a request names."""
    return ids.parse(ids.Kind.SCHEDULED_MESSAGE, identifier, field="scheduled_message_id")


def named_message(value: UUID) -> str:
    """How a message is called on the wire."""
    return ids.text(ids.Kind.MESSAGE, value)


def named_user(value: UUID) -> str:
    """How somebody is called on the wire."""
    return ids.text(ids.Kind.USER, value)


def _message_id(value: UUID | None) -> str:
    return "" if value is None else ids.text(ids.Kind.MESSAGE, value)


def poll(value: Poll, chosen: Collection[int] = ()) -> poll_pb2.Poll:
    """A poll as it stands on the wire."""
    return poll_pb2.Poll(
        question=value.question,
        options=[
            poll_pb2.PollOption(text=text, vote_count=count)
            for text, count in zip(value.options, value.counts, strict=True)
        ],
        multiple=value.multiple,
        anonymous=value.anonymous,
        close_time=timestamp(value.close_time),
        voter_count=value.voters,
        chosen=chosen,
    )


def new_poll(value: poll_pb2.NewPoll) -> Poll:
    """What a message is to ask. Raises `Invalid`."""
    return ask(
        value.question,
        value.options,
        multiple=value.multiple,
        anonymous=value.anonymous,
        open_hours=value.open_hours,
        now=datetime.now(UTC),
    )
