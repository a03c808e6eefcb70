"""Finishing what a crash left half-way between two services."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from chassis.errors import Error

T = TypeVar("T")


async def finish_each(left: Iterable[T], finish: Callable[[T], Awaitable[object]]) -> None:
    """Finish one after another: one that cannot be finished stops no other.

    Raises the first failure, once all were tried.
    """
    failures: list[Error] = []
    for item in left:
        try:
            await finish(item)
        except Error as error:
            failures.append(error)
    if failures:
        raise failures[0]
