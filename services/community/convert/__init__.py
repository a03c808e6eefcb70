"""Between the contract's messages and the domain."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from typeid import TypeID
from typeid.codecs import base32
from typeid.core.errors import TypeIDException

from chassis import ids
from chassis.errors import Invalid
from chassis.wire import timestamp
from creavio.community.v1 import (
    audit_entry_pb2,
    audit_service_pb2,
    ban_pb2,
    category_pb2,
    channel_pb2,
    community_pb2,
    emoji_pb2,
    forum_pb2,
    invite_pb2,
    member_pb2,
)
from services.community.domain import (
    Ban,
    Category,
    Channel,
    Community,
    Invite,
    Member,
    Visibility,
)
from services.community.domain.audit import Action, Deed, Wanted
from services.community.domain.discovery import Order
from services.community.domain.emoji import Emoji
from services.community.domain.forum import Forum, Sort, Tag

_VISIBILITY: Final = {
    Visibility.PRIVATE: community_pb2.VISIBILITY_PRIVATE,
    Visibility.PUBLIC: community_pb2.VISIBILITY_PUBLIC,
}
_VISIBLE: Final = {number: visibility for visibility, number in _VISIBILITY.items()}
_CATEGORY: Final = "ctg"
_DEED: Final = "aud"
_EMOJI: Final = "emo"
_QUESTION: Final = "qst"
_ANSWER: Final = "ans"


def community_id(identifier: str) -> UUID:
    """The community a request names."""
    return ids.parse(ids.Kind.COMMUNITY, identifier, field="community_id")


def channel_id(identifier: str) -> UUID:
    """The channel a request names."""
    return ids.parse(ids.Kind.CHANNEL, identifier, field="channel_id")


def community_text(value: UUID) -> str:
    """A community's identifier on the wire."""
    return ids.text(ids.Kind.COMMUNITY, value)


def channel_text(value: UUID) -> str:
    """A channel's identifier on the wire."""
    return ids.text(ids.Kind.CHANNEL, value)


def user_text(value: UUID) -> str:
    """A person's identifier on the wire."""
    return ids.text(ids.Kind.USER, value)


def category_id(identifier: str, field: str = "category_id") -> UUID | None:
    """The category a request names; None for none."""
    return named(_CATEGORY, identifier, field) if identifier else None


def category_text(value: UUID) -> str:
    """A category's identifier on the wire."""
    return typed(_CATEGORY, value)


def emoji_id(identifier: str) -> UUID:
    """The emoji a request names."""
    return named(_EMOJI, identifier, "emoji_id")


def emoji_text(value: UUID) -> str:
    """An emoji's identifier on the wire."""
    return typed(_EMOJI, value)


def question_id(identifier: str) -> UUID:
    """The question a request names."""
    return named(_QUESTION, identifier, "questions.id")


def question_text(value: UUID) -> str:
    """A question's identifier on the wire."""
    return typed(_QUESTION, value)


def answer_id(identifier: str, field: str) -> UUID:
    """The answer a request names."""
    return named(_ANSWER, identifier, field)


def answer_text(value: UUID) -> str:
    """An answer's identifier on the wire."""
    return typed(_ANSWER, value)


def wanted(request: audit_service_pb2.ListAuditLogRequest) -> Wanted:
    """Which part of an audit log a request asks for."""
    after, before = request.after_time, request.before_time
    return Wanted(
        ids.parse(ids.Kind.USER, request.actor_id, field="actor_id") if request.actor_id else None,
        Action(request.action) if request.action else None,
        request.target_id or None,
        after.ToDatetime(UTC) if request.HasField("after_time") else None,
        before.ToDatetime(UTC) if request.HasField("before_time") else None,
    )


def visibility(number: community_pb2.Visibility.ValueType) -> Visibility:
    """Who may find a community, as a request says it."""
    return _VISIBLE[number]


def fields_to_change(
    request: Message, update_mask: FieldMask, editable: Collection[str]
) -> frozenset[str]:
    """The fields a request changes: those of its mask, else those present.

    Raises `Invalid` for one that cannot be changed.
    """
    if not request.HasField("update_mask"):
        return frozenset(f.name for f, _ in request.ListFields() if f.name in editable)
    for name in sorted(set(update_mask.paths) - set(editable)):
        raise Invalid(
            f"update_mask names {name}, which cannot be changed",
            fields=(("update_mask", f"names {name}, which cannot be changed"),),
        )
    return frozenset(update_mask.paths)


def user_id(identifier: str) -> UUID:
    """The person a request names."""
    return ids.parse(ids.Kind.USER, identifier, field="user_id")


def community(value: Community) -> community_pb2.Community:
    """A community as it stands on the wire."""
    return community_pb2.Community(
        id=ids.text(ids.Kind.COMMUNITY, value.id),
        name=value.name,
        owner_id=ids.text(ids.Kind.USER, value.owner_id),
        create_time=timestamp(value.create_time),
        description=value.description,
        visibility=_VISIBILITY[value.visibility],
        icon=value.icon,
        etag=value.etag,
        member_count=value.members,
        tags=value.tags,
        language=value.language,
    )


def category(value: Category) -> category_pb2.Category:
    """A category as it stands on the wire."""
    return category_pb2.Category(
        id=category_text(value.id),
        community_id=ids.text(ids.Kind.COMMUNITY, value.community_id),
        name=value.name,
        position=value.position,
        create_time=timestamp(value.create_time),
        etag=value.etag,
    )


def emoji(value: Emoji) -> emoji_pb2.Emoji:
    """An emoji as it stands on the wire."""
    return emoji_pb2.Emoji(
        id=emoji_text(value.id),
        community_id=ids.text(ids.Kind.COMMUNITY, value.community_id),
        name=value.name,
        file_id=value.file_id,
        creator_id=ids.text(ids.Kind.USER, value.creator_id),
        create_time=timestamp(value.create_time),
    )


def deed(value: Deed) -> audit_entry_pb2.AuditEntry:
    """What somebody did, as it stands on the wire."""
    return audit_entry_pb2.AuditEntry(
        id=typed(_DEED, value.id),
        community_id=ids.text(ids.Kind.COMMUNITY, value.community_id),
        actor_id=ids.text(ids.Kind.USER, value.actor_id),
        action=audit_entry_pb2.AuditAction.ValueType(value.action),
        target_id=value.target_id,
        target_name=value.target_name,
        reason=value.reason,
        changes=[
            audit_entry_pb2.AuditChange(field=d.field, before=d.before, after=d.after)
            for d in value.differences
        ],
        create_time=timestamp(value.create_time),
    )


def channel(value: Channel) -> channel_pb2.Channel:
    """A channel as it stands on the wire."""
    return channel_pb2.Channel(
        id=ids.text(ids.Kind.CHANNEL, value.id),
        community_id=ids.text(ids.Kind.COMMUNITY, value.community_id),
        name=value.name,
        create_time=timestamp(value.create_time),
        private=value.private,
        topic=value.topic,
        category_id="" if value.category_id is None else category_text(value.category_id),
        position=value.position,
        etag=value.etag,
        type=channel_pb2.CHANNEL_TYPE_FORUM if value.forum else channel_pb2.CHANNEL_TYPE_TEXT,
        forum=None if value.forum is None else forum_message(value.forum),
    )


def forum(message: forum_pb2.Forum) -> Forum:
    """The forum a request describes."""
    return Forum(
        message.guidelines.strip(),
        tuple(_tag(tag) for tag in message.tags),
        message.tag_required,
        Sort(message.default_sort or Sort.ACTIVITY),
    )


def _tag(message: forum_pb2.ForumTag) -> Tag:
    known = ids.parse(ids.Kind.TAG, message.id, field="forum.tags.id") if message.id else None
    return Tag(known, message.name, message.emoji.strip(), message.moderated)


def forum_message(value: Forum) -> forum_pb2.Forum:
    """What holds for the posts of a channel, as it stands on the wire."""
    return forum_pb2.Forum(
        guidelines=value.guidelines,
        tags=[
            forum_pb2.ForumTag(
                id="" if tag.id is None else ids.text(ids.Kind.TAG, tag.id),
                name=tag.name,
                emoji=tag.emoji,
                moderated=tag.moderated,
            )
            for tag in value.tags
        ],
        tag_required=value.tag_required,
        default_sort=forum_pb2.ForumSort.ValueType(value.sort),
    )


def ban(value: Ban) -> ban_pb2.Ban:
    """A ban as it stands on the wire."""
    return ban_pb2.Ban(
        community_id=ids.text(ids.Kind.COMMUNITY, value.community_id),
        user_id=ids.text(ids.Kind.USER, value.user_id),
        creator_id=ids.text(ids.Kind.USER, value.creator_id),
        reason=value.reason,
        create_time=timestamp(value.create_time),
    )


def invite(value: Invite) -> invite_pb2.Invite:
    """An invite as it stands on the wire."""
    return invite_pb2.Invite(
        code=value.code,
        community_id=ids.text(ids.Kind.COMMUNITY, value.community_id),
        creator_id=ids.text(ids.Kind.USER, value.creator_id),
        create_time=timestamp(value.create_time),
        expire_time=timestamp(value.expire_time),
        max_uses=value.max_uses,
        uses=value.uses,
    )


def member(value: Member) -> member_pb2.Member:
    """A member as it stands on the wire."""
    return member_pb2.Member(
        community_id=ids.text(ids.Kind.COMMUNITY, value.community_id),
        user_id=ids.text(ids.Kind.USER, value.user_id),
        join_time=timestamp(value.join_time),
    )


def place(page_start: list[str] | None) -> tuple[datetime, UUID] | None:
    """Where a page begins of what is listed by time."""
    if page_start is None:
        return None
    moment, identifier = page_start
    return datetime.fromisoformat(moment), UUID(identifier)


def discovered(order: Order, page_start: list[Any] | None) -> tuple[Any, UUID] | None:
    """Where a page begins of communities in an order."""
    if page_start is None:
        return None
    key, identifier = page_start
    return datetime.fromisoformat(key) if order == Order.NEWEST else key, UUID(identifier)


def typed(prefix: str, value: UUID) -> str:
    """An identifier of a kind that this service alone has."""
    return f"{prefix}_{base32.encode(value.bytes)}"


def named(prefix: str, identifier: str, field: str) -> UUID:
    """What a request names of such a kind. Raises `Invalid`."""
    try:
        typeid = TypeID.from_string(identifier)
        if typeid.prefix == prefix:
            return UUID(bytes=typeid.uuid.bytes)
    except TypeIDException:
        pass
    what = f"must be an identifier of the form {prefix}_…"
    raise Invalid(f"{field} {what}", fields=((field, what),))
