"""The order of what people put in order: places with gaps, so that a move changes one.

Whoever places something holds the lock of its community, so nobody else does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias
from uuid import UUID

GAP: Final = 1 << 16
_LOWEST: Final = -(1 << 31)
_HIGHEST: Final = (1 << 31) - 1
"""Positions are 32-bit integers, which JSON has as numbers."""

Standing: TypeAlias = tuple[UUID, int]
"""Something and its position."""


def appended(positions: Sequence[int]) -> int | None:
    """The position after all these, which rise; None when there is no room."""
    return between(positions[-1] if positions else None, None)


def between(before: int | None, after: int | None) -> int | None:
    """A position between two, None standing for either end; None when there is no room."""
    if after is None:
        found = GAP if before is None else before + GAP
    elif before is None:
        found = after - GAP
    else:
        found = (before + after) // 2
        if found <= before:
            return None
    return found if _LOWEST <= found <= _HIGHEST else None


def placed(others: Sequence[Standing], moved: UUID, after: UUID | None) -> Mapping[UUID, int]:
    """The positions that put one right after another, or first: its own, if there is room.

    `others` are those it stands among, in order. Where there is no room all get new
    positions. Raises `KeyError` when the one it is to follow is not among them.
    """
    ids = [identifier for identifier, _ in others]
    if after is not None and after not in ids:
        raise KeyError(after)
    place = 0 if after is None else ids.index(after) + 1
    found = between(
        others[place - 1][1] if place else None,
        others[place][1] if place < len(others) else None,
    )
    if found is not None:
        return {moved: found}
    ids.insert(place, moved)
    return {identifier: GAP * number for number, identifier in enumerate(ids, 1)}


def joined(others: Sequence[Standing], more: Sequence[UUID]) -> Mapping[UUID, int]:
    """The positions that put several after all others, in their order."""
    start = others[-1][1] if others else 0
    if start + GAP * len(more) <= _HIGHEST:
        return {identifier: start + GAP * number for number, identifier in enumerate(more, 1)}
    everybody = [*(identifier for identifier, _ in others), *more]
    return {identifier: GAP * number for number, identifier in enumerate(everybody, 1)}
