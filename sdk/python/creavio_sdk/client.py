"""One connection to a platform."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit

from betterproto2.grpclib import ServiceStub
from grpclib.client import Channel

from creavio_sdk.calls import Calls
from creavio_sdk.contracts.creavio.auth.v1 import (
    AccountServiceStub,
    CompleteSessionRequest,
    CreateAccountRequest,
    CreateSessionRequest,
    RefreshSessionRequest,
    RevokeSessionRequest,
    Session,
    SessionServiceStub,
)
from creavio_sdk.contracts.creavio.gateway.v1 import GatewayServiceStub
from creavio_sdk.credentials import Credentials
from creavio_sdk.errors import Details, Requests
from creavio_sdk.events import EventStream
from creavio_sdk.retrying import Retries

S = TypeVar("S", bound=ServiceStub)
_SECURE = "https"


class Client:
    """Calls a platform, for whoever signs in or for whom the token stands.

    Use it as a context manager, or `close` it. It belongs to one event loop.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        refresh_token: str = "",
        retries: Retries | None = None,
        on_session: Callable[[Session], None] | None = None,
    ) -> None:
        """`url` is the platform's, such as `https://example.org`.

        A `token` of a program is used as it is. With a `refresh_token` the session it
        belongs to goes on. `on_session` is told every new session: keep its refresh
        token, the one before is spent.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"http", _SECURE} or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a platform")
        secure = parts.scheme == _SECURE
        self._channel = Channel(
            parts.hostname,
            parts.port or (443 if secure else 80),
            ssl=True if secure else None,
            codec=Requests(),
            status_details_codec=Details(),
        )
        self._credentials = Credentials(token, refresh_token)
        self._credentials.on_session = on_session
        self._retries = retries or Retries()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection. The session goes on: `sign_out` ends it."""
        self._channel.close()

    @property
    def session(self) -> Session | None:
        """Who is signed in, by this client."""
        return self._credentials.session

    def service(self, stub: type[S]) -> S:
        """A service of the platform: `client.service(MessageServiceStub)`."""
        calls = type(stub.__name__, (Calls, stub), {"tokens": self, "retries": self._retries})
        made = calls(self._channel)
        assert isinstance(made, stub)
        return made

    async def sign_up(self, handle: str, email: str, password: str, name: str = "") -> Session:
        """Create an account, and call for it from now on."""
        request = CreateAccountRequest(
            handle=handle, email=email, password=password, display_name=name
        )
        session = await self.service(AccountServiceStub).create_account(request)
        self._credentials.hold(session)
        return session

    async def sign_in(self, login: str, password: str) -> Session:
        """Call for this person from now on.

        Of an account with a second factor, what is returned has a `challenge_token` and
        nobody is signed in yet: `complete` it.
        """
        request = CreateSessionRequest(login=login, password=password)
        session = await self.service(SessionServiceStub).create_session(request)
        self._credentials.hold(session)
        return session

    async def complete(self, challenge_token: str, code: str) -> Session:
        """Complete a sign-in with a code of the second factor, and call for that person."""
        request = CompleteSessionRequest(challenge_token=challenge_token, code=code)
        session = await self.service(SessionServiceStub).complete_session(request)
        self._credentials.hold(session)
        return session

    async def sign_out(self) -> None:
        """End the session: its tokens are refused from now on."""
        request = RevokeSessionRequest(session_id="current")
        await self.service(SessionServiceStub).revoke_session(request)
        self._credentials.forget()

    def events(self, resume_token: str = "") -> EventStream:
        """What happens from now on, or from where the token was given."""
        return EventStream(self.service(GatewayServiceStub), resume_token)

    async def token(self, refused: str = "") -> str:
        """The access token to call with, renewed when it has to be; empty for nobody."""
        return await self._credentials.token(self._refresh, refused)

    async def _refresh(self, refresh_token: str) -> Session:
        request = RefreshSessionRequest(refresh_token=refresh_token)
        return await self.service(SessionServiceStub).refresh_session(request)
