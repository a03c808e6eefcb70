"""Lists that come in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
import copy
from typing import Protocol, TypeVar


class PageRequest(Protocol):
    """Asks for a page."""

    page_token: str


class Page(Protocol):
    """One page, and where the next begins."""

    next_page_token: str


R = TypeVar("R", bound=PageRequest)
P = TypeVar("P", bound=Page)
T = TypeVar("T")


async def pages(
    call: Callable[[R], Awaitable[P]], request: R, items: Callable[[P], Iterable[T]]
) -> AsyncIterator[T]:
    """Every item of a list, in its order; a page is fetched when the one before is used up.

    `items` says what of a page they are: `lambda page: page.messages`.
    """
    asked = copy.copy(request)
    while True:
        page = await call(asked)
        for item in items(page):
            yield item
        if not page.next_page_token:
            return
        asked.page_token = page.next_page_token
