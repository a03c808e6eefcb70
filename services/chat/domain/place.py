"""Where messages stand."""

from __future__ import annotations

from dataclasses import dataclass
import math
from uuid import UUID

from chassis.errors import Exhausted, FailedPrecondition, NotFound


class PlaceNotFound(NotFound):
    """There is no such channel or conversation."""

    def __init__(self) -> None:
        super().__init__("there is no such channel or conversation")


class LimitReached(FailedPrecondition):
    """There are as many of something as there can be."""

    reason = "LIMIT_REACHED"


class PostsOnly(FailedPrecondition):
    """The channel is a forum: what is said there is said in posts."""

    reason = "POSTS_ONLY"

    def __init__(self) -> None:
        super().__init__("this channel is a forum: begin a post, or write in one")


class TooSoon(Exhausted):
    """The channel is in slow mode, and the person wrote in it a moment ago."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"this channel is in slow mode: write again in {math.ceil(seconds)} seconds",
            retry_after=seconds,
        )


@dataclass(frozen=True, slots=True)
class Place:
    """A channel of a community, a conversation or a thread: everything below treats them alike."""

    id: UUID
    conversation: bool = False
    thread: bool = False


@dataclass(frozen=True, slots=True)
class Home:
    """What a place belongs to."""

    community_id: UUID | None = None
    """None for a conversation."""
    channel_id: UUID | None = None
    """The channel a thread is in; None for other places."""
    forum: bool = False
    """Whether the place itself is a forum, in which nothing stands but posts."""
