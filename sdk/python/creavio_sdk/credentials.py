"""Whom calls are made for: a session that renews itself, or a token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from creavio_sdk.contracts.creavio.auth.v1 import Session

_BEFORE = timedelta(seconds=30)


class Credentials:
    """The access token to call with."""

    def __init__(self, token: str, refresh_token: str) -> None:
        self._token = token
        self._refresh_token = refresh_token
        self._expires: datetime | None = None
        self._lock = asyncio.Lock()
        self.session: Session | None = None
        self.on_session: Callable[[Session], None] | None = None

    def hold(self, session: Session) -> None:
        """Call for this session from now on, if it is one and not a challenge."""
        if not session.access_token:
            return
        self.session = session
        self._token = session.access_token
        self._refresh_token = session.refresh_token
        self._expires = session.expire_time
        if self.on_session is not None:
            self.on_session(session)

    def forget(self) -> None:
        """Call for nobody from now on."""
        self._token = self._refresh_token = ""
        self._expires = self.session = None

    async def token(self, refresh: Callable[[str], Awaitable[Session]], refused: str = "") -> str:
        """The token to call with, renewed when it is about to expire or was refused.

        However many ask at once, one call is made. Empty for nobody.
        """
        if self._fresh(refused):
            return self._token
        async with self._lock:
            if not self._fresh(refused) and self._refresh_token:
                self.hold(await refresh(self._refresh_token))
            return self._token

    def _fresh(self, refused: str) -> bool:
        if not self._token or self._token == refused:
            return False
        return self._expires is None or datetime.now(UTC) < self._expires - _BEFORE
