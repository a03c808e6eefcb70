"""What a text mentions.

Texts are Markdown (https://spec.commonmark.org). What is shown as code mentions
nothing: fenced blocks, and spans between runs of backticks of the same length within
a paragraph. A backslash takes the meaning from what follows it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
import re
from typing import Final
from uuid import UUID

from chassis import ids
from chassis.errors import Invalid

MAX_MENTIONS: Final = 50
"""Different people, roles and channels in a text."""

_FENCE: Final = re.compile(r" {0,3}(?:(`{3,})[^`]*|(~{3,}).*)\Z", re.DOTALL)
_TOKEN: Final = re.compile(
    r"\\[!-/:-@\[-`{-~]"
    r"|(?P<ticks>`+)"
    r"|<@(?P<user>usr_[0-9a-z]{26})>"
    r"|<@&(?P<role>rol_[0-9a-z]{26})>"
    r"|<\#(?P<channel>chn_[0-9a-z]{26})>"
    r"|(?<![\w@])@(?P<everyone>everyone)(?!\w)"
)
_KINDS: Final = {"user": ids.Kind.USER, "role": ids.Kind.ROLE, "channel": ids.Kind.CHANNEL}


@dataclass(frozen=True, slots=True)
class Mentions:
    """Whom and what a text mentions, each once and in the order of the text."""

    users: tuple[UUID, ...] = ()
    roles: tuple[UUID, ...] = ()
    channels: tuple[UUID, ...] = ()
    everyone: bool = False

    def __bool__(self) -> bool:
        """Whether anything is mentioned."""
        return bool(self.users or self.roles or self.channels or self.everyone)


NONE: Final = Mentions()


def mentions_in(content: str) -> Mentions:
    """What a text mentions, `everyone` as it is written: who may is asked elsewhere.

    Raises `Invalid` when it is more than `MAX_MENTIONS`.
    """
    if "@" not in content and "#" not in content:
        return NONE
    found: dict[str, dict[UUID, None]] = {kind: {} for kind in _KINDS}
    everyone = False
    for text in _paragraphs(content):
        for token in _tokens(text):
            kind = token.lastgroup
            if kind == "everyone":
                everyone = True
            elif kind in found:
                try:
                    found[kind][ids.parse(_KINDS[kind], token[kind], field="content")] = None
                except Invalid:  # looks like an id, and is none
                    continue
    if sum(map(len, found.values())) > MAX_MENTIONS:
        why = f"must not mention more than {MAX_MENTIONS} people, roles and channels"
        raise Invalid(f"content {why}", fields=(("content", why),))
    users, roles, channels = (tuple(some) for some in found.values())
    return Mentions(users, roles, channels, everyone)


def _paragraphs(content: str) -> Iterator[str]:
    """What is not in a fenced block, parted where no span of code goes on."""
    lines: list[str] = []
    fence = ""
    for line in re.split(r"\r\n|\n|\r", content):
        opening = _FENCE.match(line)
        if fence:
            bare = line.strip(" ")
            closes = bare.startswith(fence) and not bare.strip(fence[0])
            if opening is not None and closes:
                fence = ""
        elif opening is not None:
            fence = opening[1] or opening[2]
            yield "\n".join(lines)
            lines.clear()
        elif line.strip():
            lines.append(line)
        else:
            yield "\n".join(lines)
            lines.clear()
    yield "\n".join(lines)


def _tokens(text: str) -> Iterator[re.Match[str]]:
    """What means something in a paragraph, outside of code."""
    runs: dict[int, list[int]] = {}
    for run in re.finditer(r"`+", text):
        runs.setdefault(len(run[0]), []).append(run.start())
    place = 0
    while (token := _TOKEN.search(text, place)) is not None:
        place = token.end()
        ticks = token["ticks"]
        if ticks is None:
            yield token
            continue
        alike = runs.get(len(ticks), [])
        closing = bisect_left(alike, place)
        if closing < len(alike):
            place = alike[closing] + len(ticks)


_USER, _ROLE, _CHANNEL, _EVERYONE = range(1, 5)
_SIZE: Final = 17
_NOBODY: Final = UUID(int=0)


def user_target(user_id: UUID) -> bytes:
    """How somebody is named in what is stored of mentions."""
    return bytes((_USER,)) + user_id.bytes


def role_target(role_id: UUID) -> bytes:
    """How a role is named in what is stored of mentions."""
    return bytes((_ROLE,)) + role_id.bytes


EVERYONE_TARGET: Final = bytes((_EVERYONE,)) + _NOBODY.bytes
"""How everybody is named in what is stored of mentions. The first byte is what no id
that somebody writes can counterfeit."""


def packed(mentions: Mentions) -> bytes | None:
    """Mentions as they are stored: 17 bytes each, of which the first says the kind."""
    if not mentions:
        return None
    channels = (bytes((_CHANNEL,)) + channel.bytes for channel in mentions.channels)
    return b"".join((*targets(mentions), *channels))


def targets(mentions: Mentions) -> tuple[bytes, ...]:
    """Who is meant; nobody is by a channel."""
    return (
        *((EVERYONE_TARGET,) if mentions.everyone else ()),
        *map(user_target, mentions.users),
        *map(role_target, mentions.roles),
    )


def unpacked(stored: bytes | None) -> Mentions:
    """Mentions as they were before they were stored."""
    if not stored:
        return NONE
    kinds: dict[int, list[UUID]] = {kind: [] for kind in (_USER, _ROLE, _CHANNEL, _EVERYONE)}
    for at in range(0, len(stored), _SIZE):
        kinds[stored[at]].append(UUID(bytes=stored[at + 1 : at + _SIZE]))
    return Mentions(
        tuple(kinds[_USER]), tuple(kinds[_ROLE]), tuple(kinds[_CHANNEL]), bool(kinds[_EVERYONE])
    )
