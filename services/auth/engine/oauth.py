"""OAuth 2.0 for apps: Authlib's rules over what this service keeps.

RFC 6749 (codes and refreshing), 7636 (PKCE: S256, for every app), 7009, 7662, 9207, as
RFC 9700 wants them. Authlib cannot await, so it runs in a thread of its own, and asks
the database through `_Bridge`, in the one transaction of its call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
import re
from typing import Any, Final, TypeVar
from uuid import UUID

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    OAuth2Request,
    grants,
)
from authlib.oauth2.rfc6749.errors import (
    InvalidRequestError,
    InvalidScopeError,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6749.util import extract_basic_authorization
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oauth2.rfc9207 import IssuerParameter

from chassis import ids
from chassis.auth import Verifier
from chassis.database import Transaction
from services.auth import domain
from services.auth.domain import Credentials
from services.auth.domain.apps import (
    App,
    InvalidAuthorization,
)
from services.auth.domain.tokens import Scope
from services.auth.engine.credentials import Issuer
from services.auth.engine.ledger import (
    AUTH_METHODS,
    CHALLENGE,
    AppClient,
    HeldToken,
    Ledger,
    ShownCode,
)
from services.auth.engine.sessions import Revocations

T = TypeVar("T")

_HERE: Final = "https://edge/oauth2"
"""Authlib wants to see that calls are encrypted; that is the edge's business."""
_PATIENCE: Final = 10.0
_REPEATABLE: Final = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]*")
"""What an error may repeat of what was asked (RFC 6749, 4.1.2.1): Authlib's do."""


@dataclass
class Answer:
    """What an app is answered, as HTTP has it."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def location(self) -> str | None:
        """Where people are sent."""
        return self.headers.get("Location")

    @location.setter
    def location(self, value: str) -> None:
        self.headers["Location"] = value


@dataclass(frozen=True, slots=True)
class Asked:
    """What an app may be given, when the person it asks says yes."""

    app: App
    scopes: tuple[Scope, ...]


class OAuth:
    """Answers apps, each call in a transaction that is committed whatever the answer is."""

    def __init__(
        self, issuer: Issuer, revocations: Revocations, verifier: Verifier, public_url: str
    ) -> None:
        self._issuer = issuer
        self._revocations = revocations
        self._verifier = verifier
        self.url = public_url

    async def exchange(self, tx: Transaction, form: Mapping[str, str], basic: str) -> Answer:
        """Tokens for a code or a refresh token."""
        request = _Request("POST", form, basic)
        return await self._answer(tx, lambda server: server.create_token_response(request))

    async def revoke(self, tx: Transaction, form: Mapping[str, str], basic: str) -> Answer:
        """End what an app was given, by a token of it."""
        return await self._endpoint(tx, "revocation", form, basic)

    async def introspect(self, tx: Transaction, form: Mapping[str, str], basic: str) -> Answer:
        """What is known of a token."""
        return await self._endpoint(tx, "introspection", form, basic)

    async def review(self, tx: Transaction, query: Mapping[str, str], user_id: UUID) -> Asked:
        """What an app asks for. Raises `InvalidAuthorization`."""
        request = _asked(query)

        def ask(server: _Server) -> Asked:
            try:
                server.get_consent_grant(request, end_user=user_id)
            except OAuth2Error as error:
                raise InvalidAuthorization(error.description or error.error) from None
            return Asked(request.client.app, tuple(map(Scope, request.scope.split())))

        return await self._in_thread(tx, ask)

    async def decide(
        self, tx: Transaction, query: Mapping[str, str], user_id: UUID, *, approve: bool
    ) -> tuple[str, Asked | None]:
        """Where to send a person, and what the app may do now.

        Raises `InvalidAuthorization` when they are to be sent nowhere.
        """
        request = _asked(query)

        def ask(server: _Server) -> tuple[str, Asked | None]:
            asked = None
            try:
                grant = server.get_consent_grant(request, end_user=user_id)
            except OAuth2Error as error:
                answer = server.handle_error_response(request, error)
                if answer.location is None:
                    raise InvalidAuthorization(error.description or error.error) from None
                server.issuing.add_issuer_parameter(server, answer)
            else:
                answer = server.create_authorization_response(
                    request, user_id if approve else None, grant
                )
                if approve:
                    scopes = tuple(map(Scope, request.scope.split()))
                    asked = Asked(request.client.app, scopes)
            assert answer.location is not None, "everybody is sent somewhere"
            return answer.location, asked

        return await self._in_thread(tx, ask)

    async def _endpoint(
        self, tx: Transaction, name: str, form: Mapping[str, str], basic: str
    ) -> Answer:
        request = _Request("POST", form, basic)
        return await self._answer(tx, lambda server: server.create_endpoint_response(name, request))

    async def _answer(self, tx: Transaction, ask: Callable[[_Server], Any]) -> Answer:
        answer = await self._in_thread(tx, ask)
        assert isinstance(answer, Answer)
        return answer

    async def _in_thread(self, tx: Transaction, ask: Callable[[_Server], T]) -> T:
        ledger = Ledger(tx, self._issuer, self._revocations, self._verifier)
        server = _Server(_Bridge(), ledger, self.url)
        return await asyncio.to_thread(ask, server)


class _Bridge:
    """Lets a thread that cannot await wait for what has to be."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    def __call__(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)


class _Request(OAuth2Request):
    """A call, as Authlib wants to see one."""

    def __init__(self, method: str, fields: Mapping[str, str], basic: str = "") -> None:
        said = {name: value for name, value in fields.items() if value}
        super().__init__(method, _HERE, headers={"Authorization": _readable(basic)})
        self.payload = BasicOAuth2Payload(said)
        self._said = said

    @property
    def args(self) -> dict[str, str]:
        """The query."""
        return self._said

    @property
    def form(self) -> dict[str, str]:
        """The body."""
        return self._said


def _readable(basic: str) -> str:
    """The header; empty where Authlib cannot read a name and a secret in it."""
    try:
        extract_basic_authorization({"Authorization": basic})
    except ValueError:
        return ""
    return basic


def _asked(query: Mapping[str, str]) -> _Request:
    for name, value in query.items():
        if name != "state" and not _REPEATABLE.fullmatch(value):
            raise InvalidAuthorization(f"{name} has characters that it cannot have")
    return _Request("GET", query)


class _Server(AuthorizationServer):
    """Authlib's server, over a ledger."""

    def __init__(self, wait: _Bridge, ledger: Ledger, url: str) -> None:
        super().__init__(scopes_supported=[scope.value for scope in Scope])
        self.wait, self.ledger, self.issuing = wait, ledger, _Issuing(url)
        self.register_grant(_CodeGrant, [_Pkce(required=True)])
        self.register_grant(_RefreshGrant)
        self.register_endpoint(_Revocation)
        self.register_endpoint(_Introspection)
        self.register_extension(self.issuing)

    def query_client(self, client_id: str) -> AppClient | None:
        return self.wait(self.ledger.client(client_id))

    def save_token(self, token: object, request: object) -> None:
        """It was kept when it was made."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: _Request) -> _Request:
        return request

    def handle_response(self, status: int, body: Any, headers: Any) -> Answer:
        return Answer(status, dict(body or {}), dict(headers))


class _Issuing(IssuerParameter):
    def __init__(self, url: str) -> None:
        self._url = url

    def get_issuer(self) -> str:
        return self._url


class _Pkce(CodeChallenge):
    """PKCE, for every app, and not by `plain`."""

    SUPPORTED_CODE_CHALLENGE_METHOD = (CHALLENGE,)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        said = grant.request.payload.data
        if not said.get("code_challenge") or said.get("code_challenge_method") != CHALLENGE:
            raise InvalidRequestError(f"PKCE is required: code_challenge, by {CHALLENGE}")
        super().validate_code_challenge(grant, redirect_uri)


class _CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = (*AUTH_METHODS, "none")

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        self.server.wait(self.server.ledger.keep_code(code, request))

    def query_authorization_code(self, code: str, client: AppClient) -> ShownCode | None:
        found: ShownCode | None = self.server.wait(self.server.ledger.code(code, client.app))
        return found

    def authenticate_user(self, authorization_code: ShownCode) -> UUID | None:
        found: UUID | None = self.server.wait(
            self.server.ledger.user(authorization_code.code.user_id)
        )
        return found

    def generate_token(self, **_: Any) -> dict[str, Any]:
        code = self.request.authorization_code.code
        made = self.server.wait(self.server.ledger.begin(code, self.request.client.app))
        return _told(made, " ".join(code.scopes))

    def delete_authorization_code(self, authorization_code: ShownCode) -> None:
        """It is kept as used, so that a second use is seen."""


class _RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = (*AUTH_METHODS, "none")

    def authenticate_refresh_token(self, refresh_token: str) -> HeldToken | None:
        held: HeldToken | None = self.server.wait(self.server.ledger.held(refresh_token))
        return held

    def authenticate_user(self, refresh_token: HeldToken) -> UUID | None:
        account_id = refresh_token.grant.session.account_id
        found: UUID | None = self.server.wait(self.server.ledger.user(account_id))
        return found

    def issue_token(self, user: UUID, refresh_token: HeldToken) -> dict[str, Any]:
        asked = (self.request.payload.scope or refresh_token.get_scope()).split()
        scopes = tuple(scope for scope in Scope if scope in asked)
        if not scopes:
            raise InvalidScopeError
        app = self.request.client.app
        made = self.server.wait(self.server.ledger.renew(refresh_token, app, scopes))
        return _told(made, " ".join(scopes))

    def revoke_old_credential(self, refresh_token: HeldToken) -> None:
        """It is spent already."""


class _Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = (*AUTH_METHODS, "none")

    def query_token(self, token_string: str, token_type_hint: str | None) -> HeldToken | None:
        held: HeldToken | None = self.server.wait(self.server.ledger.known(token_string))
        return held

    def revoke_token(self, token: HeldToken, request: object) -> None:
        self.server.wait(self.server.ledger.end(token))


class _Introspection(IntrospectionEndpoint):
    CLIENT_AUTH_METHODS = AUTH_METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> HeldToken | None:
        held: HeldToken | None = self.server.wait(self.server.ledger.known(token_string))
        return held

    def check_permission(self, token: HeldToken, client: AppClient, request: object) -> bool:
        return token.check_client(client)

    def introspect_token(self, token: HeldToken) -> dict[str, Any]:
        return {
            "scope": token.get_scope(),
            "client_id": ids.text(ids.Kind.APP, token.grant.app_id),
            "sub": ids.text(ids.Kind.USER, token.grant.session.account_id),
            "exp": token.ends,
        }


def _told(made: Credentials, scope: str) -> dict[str, Any]:
    return {
        "access_token": made.access_token,
        "token_type": "Bearer",
        "expires_in": int(domain.ACCESS_LASTS.total_seconds()),
        "refresh_token": made.refresh_token,
        "scope": scope,
    }
