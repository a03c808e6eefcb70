"""Forums: channels whose posts are threads, and what holds for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum
from uuid import UUID

from chassis import ids
from chassis.errors import Invalid
from services.community.domain.naming import folded, shown


class NoForum(Invalid):
    """The channel has no posts."""

    def __init__(self) -> None:
        why = "is only for a channel of the type CHANNEL_TYPE_FORUM"
        super().__init__(f"forum {why}", fields=(("forum", why),))


class Sort(IntEnum):
    """An order of posts. The contract's numbers; a test compares."""

    ACTIVITY = 1
    NEWEST = 2


@dataclass(frozen=True, slots=True)
class Tag:
    """What a post can be tagged with."""

    id: UUID | None
    """None until it is kept."""
    name: str
    emoji: str = ""
    moderated: bool = False
    """Whether only moderators tag with it."""


@dataclass(frozen=True, slots=True)
class Forum:
    """What holds for the posts of a channel."""

    guidelines: str = ""
    tags: tuple[Tag, ...] = ()
    tag_required: bool = False
    sort: Sort = Sort.ACTIVITY


def kept(forum: Forum, before: Iterable[Tag] = ()) -> Forum:
    """A forum as it is kept: new tags have ids, and the others are those there were.

    Raises `Invalid`.
    """
    known = {tag.id for tag in before}
    tags = tuple(replace(tag, id=tag.id or ids.new(), name=shown(tag.name)) for tag in forum.tags)
    said = [tag.id for tag in forum.tags if tag.id]
    if not known.issuperset(said) or len(set(said)) < len(said):
        raise _invalid("forum.tags", "name a tag that is not there, or one twice")
    if len({folded(tag.name) for tag in tags}) < len(tags):
        raise _invalid("forum.tags", "have two of one name")
    if forum.tag_required and not tags:
        raise _invalid("forum.tag_required", "asks for a tag where there is none")
    return replace(forum, tags=tags)


def _invalid(field: str, why: str) -> Invalid:
    return Invalid(f"{field} {why}", fields=((field, why),))
