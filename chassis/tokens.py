"""Tokens a client carries back unchanged: page tokens, resume tokens.

Signed and opaque. A token is good for the purpose and the person it was made
for, and for nothing else, so a cursor from another list is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from chassis.config import Config
from chassis.errors import Invalid


class Tokens:
    """Makes and reads the tokens of one service."""

    def __init__(self, config: Config) -> None:
        self._key = config.token_key.get_secret_value()

    def seal(self, value: Any, *purpose: str) -> str:
        """The token that carries a JSON value for a purpose."""
        sealed = self._serializer(purpose).dumps(value)
        assert isinstance(sealed, str)
        return sealed

    def open(self, token: str, *purpose: str, error: Callable[[], Invalid]) -> Any:
        """The value in a token. Raises `error()` when it is not one for this purpose."""
        serializer = self._serializer(purpose)
        try:
            value = serializer.loads(token)
        except BadData:
            raise error() from None
        # Base64 reads several last characters as the same: one of them was given out.
        if serializer.dumps(value) != token:
            raise error()
        return value

    def next_page(self, value: Any, *purpose: str) -> str:
        """The page token that continues a list after `value`."""
        return self.seal(value, "page", *purpose)

    def page_start(self, token: str, *purpose: str) -> Any:
        """Where a page begins: None for the first.

        Raises `Invalid` (INVALID_PAGE_TOKEN) for a token of another list or person.
        """
        if not token:
            return None
        return self.open(token, "page", *purpose, error=_invalid_page)

    def _serializer(self, purpose: tuple[str, ...]) -> URLSafeSerializer:
        return URLSafeSerializer(self._key, salt="\x00".join(purpose))


def page_size(asked: int) -> int:
    """How many to return: 50 when nothing was asked (AIP-158)."""
    return asked or 50


def _invalid_page() -> Invalid:
    return Invalid(
        "page_token is damaged, or belongs to another list",
        fields=(("page_token", "must be the next_page_token of the page before"),),
        reason="INVALID_PAGE_TOKEN",
    )
