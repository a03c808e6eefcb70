"""What an outsider wrote down of a platform, and what is to be said of it.

Senders note what was acknowledged, readers what they were told and what they listed.
The verdict compares them: it knows nothing of how the platform works, only what it
promises. Nothing acknowledged is lost, nothing is there twice, a channel has one order
that everybody sees, and whoever comes back with a token misses nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Message:
    """A message as somebody saw it. Each text is sent once, and so names its message."""

    channel: str
    sequence: int
    id: str
    content: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A message whose sending was answered."""

    message: Message
    began: float
    """When it was first sent."""
    ended: float
    """When the answer was there."""


@dataclass(frozen=True, slots=True)
class Told:
    """A message as an event stream told it."""

    event: str
    message: Message


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a channel, as REST answered it: the newest messages, newest first."""

    channel: str
    began: float
    """When it was asked for."""
    messages: tuple[Message, ...]
    whole: bool
    """Whether there was nothing older."""


@dataclass(slots=True)
class Stream:
    """What one reader was told, over all its connections."""

    told: list[Told] = field(default_factory=list)
    refetches: list[float] = field(default_factory=list)
    """When it was told of a gap: what was sent before, lists have to show it."""
    opened: int = 0


@dataclass(slots=True)
class Record:
    """Everything that was noted in one run."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    """What a sender was answered that was not acknowledged, and sent it again."""
    unexpected: list[str] = field(default_factory=list)
    """Answers that no fault explains."""
    streams: dict[str, Stream] = field(default_factory=dict)
    """By reader. Each was open before the first message was sent."""
    lists: list[Listed] = field(default_factory=list)
    """What was listed meanwhile."""
    kept: dict[str, list[Message]] = field(default_factory=dict)
    """What every channel holds in the end, oldest first."""

    def known_to(self, stream: Stream) -> set[Message]:
        """What a reader was told of, or was told to look for; a gap itself is another fault."""
        gap = max(stream.refetches, default=0.0)
        fetched = {each.message for each in self.acknowledged if each.began < gap}
        return fetched | {each.message for each in stream.told}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of a record; each set and list names what is wrong."""

    acknowledged: int
    seen: int
    """Messages that every reader saw in the end."""
    lost: tuple[str, ...]
    """Acknowledged, and not to be read, or not as it was acknowledged."""
    never_told: tuple[str, ...]
    """To be read, and not told to somebody who listened: a gap."""
    unlisted: tuple[str, ...]
    """Acknowledged, and missing from a list that was asked for afterwards."""
    doubled: tuple[str, ...]
    """There or told as two."""
    out_of_order: tuple[str, ...]
    """In another place than what came before or after it demands."""
    refetched: int
    """How often somebody was told that there is a gap."""
    repeated: int
    """How often an event was told to somebody who had been told of it: its id tells."""
    connections: int
    """How often a stream was opened."""
    listed: int
    """How many lists were compared."""
    untried: tuple[str, ...]
    """What nobody did, so that nothing is proved of it."""
    refused: tuple[tuple[str, int], ...]
    unexpected: tuple[str, ...]
    longest_wait: float
    """Seconds from a message's first attempt to its acknowledgement, the longest."""

    @property
    def faults(self) -> dict[str, int]:
        """How many of each kind of broken promise there are."""
        return {
            "lost": len(self.lost),
            "never told": len(self.never_told),
            "missing from a list": len(self.unlisted),
            "doubled": len(self.doubled),
            "out of order": len(self.out_of_order),
            "told to refetch": self.refetched,
            "refused without a reason": len(self.unexpected),
        }

    @property
    def good(self) -> bool:
        """Whether every promise was kept, and each of them tried."""
        return not any(self.faults.values()) and not self.untried


def judge(record: Record) -> Verdict:
    """Compare what was acknowledged with what everybody sees."""
    kept = {message for messages in record.kept.values() for message in messages}
    told = [record.known_to(stream) for stream in record.streams.values()]
    seen = kept.intersection(*told)
    acknowledged = {each.message for each in record.acknowledged}
    return Verdict(
        acknowledged=len(acknowledged),
        seen=len(seen),
        lost=_named(acknowledged - kept),
        never_told=_named((kept | acknowledged) - seen if told else ()),
        unlisted=tuple(_unlisted(record)),
        doubled=tuple(_doubled(record)),
        out_of_order=tuple(_out_of_order(record)),
        refetched=sum(len(stream.refetches) for stream in record.streams.values()),
        repeated=sum(_repeated(stream) for stream in record.streams.values()),
        connections=sum(stream.opened for stream in record.streams.values()),
        listed=len(record.lists),
        untried=tuple(_untried(record)),
        refused=tuple(record.refused.most_common()),
        unexpected=tuple(record.unexpected),
        longest_wait=max((each.ended - each.began for each in record.acknowledged), default=0.0),
    )


def _untried(record: Record) -> Iterator[str]:
    if not record.acknowledged:
        yield "nothing was acknowledged"
    if not any(stream.opened > 1 for stream in record.streams.values()):
        yield "nobody came back to a stream"
    if unread := record.kept.keys() - {page.channel for page in record.lists}:
        yield f"{len(unread)} channels were never listed"


def _named(messages: Iterable[Message]) -> tuple[str, ...]:
    return tuple(sorted(f"{m.content} ({m.id}, {m.sequence})" for m in messages))


def _unlisted(record: Record) -> Iterator[str]:
    """What a list lacks that was acknowledged before it was asked for, or was in one before."""
    known = {channel: _Known(record, channel) for channel in {p.channel for p in record.lists}}
    for page in record.lists:
        there = set(page.messages)
        oldest = 0 if page.whole else min(m.sequence for m in page.messages)
        due = known[page.channel].before(page.began, oldest)
        yield from _named(message for message in due if message not in there)
    kept = {message for messages in record.kept.values() for message in messages}
    listed = {message for page in record.lists for message in page.messages}
    yield from _named(listed - kept)


class _Known:
    """What was acknowledged in a channel, to be asked what was by when."""

    def __init__(self, record: Record, channel: str) -> None:
        here = [each for each in record.acknowledged if each.message.channel == channel]
        self._acknowledged = sorted(here, key=lambda each: each.message.sequence)
        self._sequences = [each.message.sequence for each in self._acknowledged]
        # The earliest answer from each place on: where to stop looking.
        self._earliest = list(accumulate((a.ended for a in reversed(self._acknowledged)), min))
        self._earliest.reverse()

    def before(self, moment: float, oldest: int) -> Iterator[Message]:
        """What was acknowledged before a moment, from a sequence on."""
        for index in range(bisect_left(self._sequences, oldest), len(self._sequences)):
            if self._earliest[index] >= moment:
                return
            if self._acknowledged[index].ended < moment:
                yield self._acknowledged[index].message


def _doubled(record: Record) -> Iterator[str]:
    """Texts that stand for two messages, and messages that two events tell of."""
    messages = {message for channel in record.kept.values() for message in channel}
    messages |= {each.message for each in record.acknowledged}
    messages |= {each.message for stream in record.streams.values() for each in stream.told}
    ids = Counter(content for content, _ in {(m.content, m.id) for m in messages})
    yield from (f"{content} is {number} messages" for content, number in ids.items() if number > 1)
    entries = Counter(message for channel in record.kept.values() for message in channel)
    yield from (f"{m.content} is listed {n} times" for m, n in entries.items() if n > 1)
    events = {(t.event, t.message.id) for stream in record.streams.values() for t in stream.told}
    tellings = Counter(message for _, message in events)
    yield from (f"{message} has {n} events" for message, n in tellings.items() if n > 1)


def _repeated(stream: Stream) -> int:
    return len(stream.told) - len({each.event for each in stream.told})


def _out_of_order(record: Record) -> Iterator[str]:
    for channel, messages in record.kept.items():
        numbers = [message.sequence for message in messages]
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"{channel} does not count from 1 without a gap"
        yield from _against_time(channel, record.acknowledged)
    for page in record.lists:
        numbers = [message.sequence for message in page.messages]
        if numbers != sorted(set(numbers), reverse=True):
            yield f"a list of {page.channel} does not count down"
    places = {(m.channel, m.sequence): m for channel in record.kept.values() for m in channel}
    for name, stream in record.streams.items():
        for each in stream.told:
            message = each.message
            there = places.get((message.channel, message.sequence), message)
            if there != message:
                yield f"{name} was told {message.content} where {there.content} stands"


def _against_time(channel: str, acknowledged: Iterable[Acknowledged]) -> Iterator[str]:
    """What stands before something that was answered before it was sent."""
    here = [each for each in acknowledged if each.message.channel == channel]
    latest: Acknowledged | None = None
    for each in sorted(here, key=lambda a: a.message.sequence):
        if latest is not None and each.ended < latest.began:
            yield f"{latest.message.content} stands before {each.message.content}"
        if latest is None or each.began > latest.began:
            latest = each
