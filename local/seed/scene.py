"""What a demo community consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Someone:
    """A person. The key they have in the scene is no handle yet."""

    handle: str
    name: str
    bio: str


@dataclass(frozen=True, slots=True)
class Part:
    """A role, who plays it, and what it allows beyond what members may."""

    name: str
    color: int
    players: tuple[str, ...]
    allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """Something said."""

    who: str
    text: str
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By emoji, the people."""
    pinned: bool = False
    answers: str = ""
    """How the text of an earlier line begins, which this one answers."""


@dataclass(frozen=True, slots=True)
class Room:
    """A channel, and what was said in it."""

    name: str
    topic: str
    lines: tuple[Line, ...]
    only: str = ""
    """The role that alone may enter; empty for everybody."""


@dataclass(frozen=True, slots=True)
class Aside:
    """A conversation outside the community; the first of its people began it."""

    people: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Scene:
    """A community: the first of its people founded it."""

    name: str
    about: str
    people: Mapping[str, Someone]
    parts: tuple[Part, ...]
    rooms: tuple[Room, ...]
    asides: tuple[Aside, ...]

    @property
    def founder(self) -> str:
        """Who founded it."""
        return next(iter(self.people))
