"""What apps of others send: addresses, authorization requests, forms for tokens."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit
from uuid import UUID

import httpx

from chassis import ids
from services.auth.domain.apps import App, InvalidAuthorization, InvalidRedirectUri, may_be_sent_to
from services.auth.domain.tokens import Scope
from services.auth.engine import oauth
from services.auth.engine.credentials import digest
from services.auth.engine.ledger import AppClient, Ledger
from tests.fuzz.targets.reading import Input, at_once, refuses, text

T = TypeVar("T")

_BACK: Final = "https://app.example.org/back"
_SECRET: Final = "its secret"
_APP: Final = App(
    UUID(int=7),
    UUID(int=1),
    "An app",
    (_BACK,),
    (Scope.READ,),
    digest(_SECRET),
    datetime(2026, 1, 2, tzinfo=UTC),
)
_ID: Final = ids.text(ids.Kind.APP, _APP.id)


def redirect_uri(data: bytes) -> None:
    """An address people are sent to is read alike by others, and leads where it says."""
    uri = text(data)
    try:
        may_be_sent_to(uri)
    except InvalidRedirectUri as refused:
        refuses(refused, "redirect_uris", reason="INVALID_REDIRECT_URI")
        return
    assert uri.isascii()
    assert not set(uri) & set('#\\ \t\r\n"<>')
    parts, read = urlsplit(uri), httpx.URL(uri)
    assert (parts.scheme, not parts.netloc) == (read.scheme, not read.host), uri
    assert not read.userinfo
    if parts.scheme in ("http", "https"):
        assert (parts.hostname or "").strip("[]") == read.host
        assert (
            parts.scheme == "https"
            or read.host in ("::1", "0:0:0:0:0:0:0:1")
            or (read.host.startswith("127.") or ":" in read.host)
        )
    else:
        assert "." in parts.scheme


@dataclass
class _Kept:
    """A ledger that knows one app, and no codes and no tokens."""

    async def client(self, client_id: str) -> AppClient | None:
        return AppClient(_APP) if client_id == _ID else None

    async def code(self, code: str, app: App) -> None:
        return None

    async def held(self, token: str) -> None:
        return None

    async def known(self, token: str) -> None:
        return None


class _Nowhere:
    """Waits for what is there at once."""

    def __call__(self, work: Coroutine[Any, Any, T]) -> T:
        return at_once(work)


class _OAuth(oauth.OAuth):
    """The same, in this thread."""

    async def _in_thread(self, _: Any, ask: Any) -> Any:
        server = oauth._Server(
            cast("Any", _Nowhere()), cast("Ledger", _Kept()), "https://talk.example.org"
        )
        return ask(server)


_NONE: Final[Any] = None
_OAUTH: Final = _OAuth(_NONE, _NONE, _NONE, "https://talk.example.org")
_FIELDS: Final = (
    "grant_type",
    "code",
    "redirect_uri",
    "code_verifier",
    "refresh_token",
    "scope",
    "client_id",
    "client_secret",
    "token",
    "token_type_hint",
)
_ASKED: Final = {
    "response_type": "code",
    "client_id": _ID,
    "redirect_uri": _BACK,
    "scope": "read",
    "state": "what it was",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}


def authorization(data: bytes) -> None:
    """Who an app asks is asked what it asks, or it is refused: sent back, if it is that app."""
    told = Input(data)
    asked = dict(_ASKED)
    _change(asked, tuple(_ASKED), told)
    try:
        found = at_once(_OAUTH.review(_NONE, asked, UUID(int=1)))
    except InvalidAuthorization:
        pass
    else:
        assert asked["client_id"] == _ID
        assert asked["redirect_uri"] == _BACK
        assert set(found.scopes) <= {Scope.READ}
    try:
        where, _ = at_once(_OAUTH.decide(_NONE, asked, UUID(int=1), approve=False))
    except InvalidAuthorization:
        return
    assert where.startswith(f"{_BACK}?")
    back = httpx.URL(where).params
    assert back["error"]
    assert back["iss"] == "https://talk.example.org"
    assert back.get("state", "") == asked.get("state", "")


_ERRORS: Final = {
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_token_type",
    "invalid_scope",
}


def token_form(data: bytes) -> None:
    """A form without a code that counts gives no token, and an error of RFC 6749."""
    told = Input(data)
    form: dict[str, str] = {"client_id": _ID, "client_secret": _SECRET}
    basic = text(told.part())
    _change(form, _FIELDS, told)
    answer = at_once(_OAUTH.exchange(_NONE, form, basic))
    assert answer.status in (400, 401), answer
    assert answer.body["error"] in _ERRORS, answer
    for ask in (_OAUTH.revoke, _OAUTH.introspect):
        answer = at_once(ask(_NONE, form, basic))
        if answer.status == 200:
            assert answer.body in ({}, {"active": False})
        else:
            assert answer.body["error"] in _ERRORS, answer


def _change(form: dict[str, str], names: tuple[str, ...], told: Input) -> None:
    for _ in range(told.byte() % 6):
        form[told.one_of(names)] = text(told.part())
