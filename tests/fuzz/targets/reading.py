"""Bytes, taken apart into what a target needs, and what targets share."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TypeVar

from chassis.errors import Invalid

T = TypeVar("T")


class Input:
    """Bytes that are read from the front. There is always more: zeros."""

    def __init__(self, data: bytes) -> None:
        self._left = data

    def __bool__(self) -> bool:
        """Whether anything was not read yet."""
        return bool(self._left)

    def byte(self) -> int:
        """A number below 256."""
        first, self._left = self._left[:1], self._left[1:]
        return first[0] if first else 0

    def one_of(self, things: Sequence[T]) -> T:
        """One of some things."""
        return things[(self.byte() << 8 | self.byte()) % len(things)]

    def part(self) -> bytes:
        """At most 255 bytes, after their number."""
        size = self.byte()
        part, self._left = self._left[:size], self._left[size:]
        return part

    def rest(self) -> bytes:
        """Whatever is left."""
        rest, self._left = self._left, b""
        return rest

    def text(self) -> str:
        """Whatever is left, as text."""
        return text(self.rest())

    def changed(self, given: str) -> str:
        """What was given out, some of it changed; or something else altogether."""
        if self.byte() % 2:
            return self.text()
        token = given
        while self:
            at, letter = self.byte() % (len(token) + 1), chr(self.byte() % 128)
            token = token[:at] + letter + token[at + self.byte() % 3 :]
        return token


def refuses(refused: Invalid, *fields: str, reason: str = "INVALID_FIELD") -> None:
    """Return when a refusal is about these fields, for this reason, and says what is wrong."""
    assert tuple(name for name, _ in refused.fields) == fields, refused.fields
    assert all(why for _, why in refused.fields), refused.fields
    assert refused.reason == reason, refused.reason


def text(data: bytes) -> str:
    """As protobuf and JSON have texts: any character but half of a surrogate pair."""
    return data.decode(errors="replace")


def at_once(work: Awaitable[T]) -> T:
    """What a coroutine returns that has nothing to wait for."""
    try:
        next(work.__await__())
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("it waits")
