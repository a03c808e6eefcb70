"""Posts: the threads of forums, and what they are tagged with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from chassis.errors import Denied, FailedPrecondition, Invalid
from services.chat.domain.thread import Thread


class NotAForum(FailedPrecondition):
    """The channel has no posts."""

    reason = "NOT_A_FORUM"

    def __init__(self) -> None:
        super().__init__("this channel is no forum, and has no posts")


class TagRequired(FailedPrecondition):
    """A post of the forum needs a tag."""

    reason = "TAG_REQUIRED"

    def __init__(self) -> None:
        super().__init__("a post of this forum needs a tag")


class Sort(IntEnum):
    """An order of posts. The numbers of community's contract; a test compares."""

    ACTIVITY = 1
    NEWEST = 2


@dataclass(frozen=True, slots=True)
class Forum:
    """What holds for the posts of a channel, as community says."""

    tags: Mapping[UUID, bool]
    """What there is to tag with, and whether it takes a moderator."""
    tag_required: bool = False
    sort: Sort = Sort.ACTIVITY


def takes_moderator(forum: Forum, before: Collection[UUID], after: Collection[UUID]) -> bool:
    """Whether only a moderator changes the tags of a post so."""
    return any(forum.tags.get(tag, False) for tag in {*before} ^ {*after})


def tagged(
    forum: Forum, before: Collection[UUID], after: Collection[UUID], *, moderates: bool
) -> frozenset[UUID]:
    """The tags of a post that is to have these.

    Raises `Invalid` for one that the forum does not have, `TagRequired`, and `Denied`.
    """
    if not forum.tags.keys() >= {*after}:
        why = "must be of this forum"
        raise Invalid(f"tag_ids {why}", fields=(("tag_ids", why),))
    if forum.tag_required and not after:
        raise TagRequired
    if not moderates and takes_moderator(forum, before, after):
        raise _needs_moderator()
    return frozenset(after)


def tags_of(post: Thread) -> frozenset[UUID]:
    """What a post is tagged with. Raises `NotAForum` for another thread."""
    if post.tags is None:
        raise NotAForum
    return post.tags


def editable(post: Thread, by: UUID, *, moderates: bool) -> None:
    """Return when somebody may change the tags of a post. Raises `Denied`."""
    if not moderates and (post.locked or by != post.creator_id):
        raise _needs_moderator()


def _needs_moderator() -> Denied:
    return Denied("this needs the permission MANAGE_MESSAGES, which you do not have here")
