"""What a message asks its readers, and how they answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from chassis.errors import Denied, FailedPrecondition, Invalid
from services.chat.domain.text import shows

OPEN_HOURS: Final = 24
"""For how many hours people choose, unless somebody says."""


class NoPoll(FailedPrecondition):
    """The message asks nothing."""

    reason = "NO_POLL"

    def __init__(self) -> None:
        super().__init__("this message is no poll")


class PollClosed(FailedPrecondition):
    """People choose no longer."""

    reason = "POLL_CLOSED"

    def __init__(self) -> None:
        super().__init__("this poll is closed")


@dataclass(frozen=True, slots=True)
class Poll:
    """A question, what there is to choose from, and how many chose what."""

    question: str
    options: tuple[str, ...]
    multiple: bool
    anonymous: bool
    close_time: datetime
    counts: tuple[int, ...]
    voters: int = 0


def ask(
    question: str,
    options: Sequence[str],
    *,
    multiple: bool,
    anonymous: bool,
    open_hours: int,
    now: datetime,
) -> Poll:
    """A poll about to begin. Raises `Invalid` when something in it would show nothing."""
    if not all(map(shows, (question, *options))):
        why = "must ask something, with options that show"
        raise Invalid(f"poll {why}", fields=(("poll", why),))
    ends = now + timedelta(hours=open_hours or OPEN_HOURS)
    return Poll(question, tuple(options), multiple, anonymous, ends, (0,) * len(options))


def alike(poll: Poll | None, other: Poll | None) -> bool:
    """Whether two polls ask the same, whatever was answered and until when."""
    if poll is None or other is None:
        return poll is other
    return (poll.question, poll.options, poll.multiple, poll.anonymous) == (
        other.question,
        other.options,
        other.multiple,
        other.anonymous,
    )


def vote(
    poll: Poll | None, before: Collection[int], chosen: Collection[int], now: datetime
) -> Poll:
    """The poll after somebody, who had chosen so before, chose anew.

    Raises `NoPoll`, `PollClosed`, and `Invalid` for what there is not to choose.
    """
    if poll is None:
        raise NoPoll
    if now >= poll.close_time:
        raise PollClosed
    if any(option >= len(poll.options) for option in chosen):
        raise _not_so("must name what there is to choose from")
    if len(chosen) > 1 and not poll.multiple:
        raise _not_so("must be one at most in this poll")
    counts = list(poll.counts)
    for option in before:
        counts[option] -= 1
    for option in chosen:
        counts[option] += 1
    voters = poll.voters + bool(chosen) - bool(before)
    return replace(poll, counts=tuple(counts), voters=voters)


def close(poll: Poll | None, now: datetime) -> Poll:
    """The poll, closed; a closed one stays as it is. Raises `NoPoll`."""
    if poll is None:
        raise NoPoll
    return replace(poll, close_time=min(poll.close_time, now))


def look(poll: Poll | None) -> None:
    """Return when it may be told who chose what. Raises `NoPoll`, and `Denied`."""
    if poll is None:
        raise NoPoll
    if poll.anonymous:
        raise Denied("who chose what in this poll is told to nobody")


def _not_so(why: str) -> Invalid:
    return Invalid(f"options {why}", fields=(("options", why),))
