"""Refresh tokens in cookies, for browsers: no script there ever reads one.

A page that wants it says so in a header that no form and no other origin can send.
The cookie is for RefreshSession alone, by whichever of its two paths, and comes with
requests of our own pages only; where a request comes from is looked at besides.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import urlsplit

from chassis.calls import CURRENT, Call, answer_with
from chassis.errors import Denied
from creavio.auth.v1 import session_pb2
from services.auth import domain

NAME: Final = "creavio_refresh"
PATHS: Final = ("/v1/sessions:refresh", "/creavio.auth.v1.SessionService/RefreshSession")
MODE_HEADER: Final = "creavio-refresh-token"
_COOKIE: Final = "cookie"


class CrossSite(Denied):
    """A page of another site asks in the name of who is signed in here."""

    reason = "CROSS_SITE"

    def __init__(self) -> None:
        super().__init__("cookies work for the pages of this instance alone")


class Cookies:
    """Hands refresh tokens out as cookies to whoever asks for it, and reads them back."""

    def __init__(self, public_url: str) -> None:
        parts = urlsplit(public_url)
        self._origin = f"{parts.scheme}://{parts.netloc}".lower()
        self._attributes = f"; Max-Age={int(domain.REFRESH_LASTS.total_seconds())}"
        self._secure = "; HttpOnly; SameSite=Strict" + ("; Secure" * (parts.scheme == "https"))

    def check(self) -> None:
        """Return when the call in progress wants no cookie, or may have one.

        Raises `CrossSite`.
        """
        call = CURRENT.get()
        if call is not None and _wants(call):
            self._require_own(call)

    def hand_out(self, reply: session_pb2.Session, *, always: bool = False) -> session_pb2.Session:
        """The reply with its refresh token in a cookie, where that was asked for, or `always`."""
        call = CURRENT.get()
        if call is not None and (always or _wants(call)):
            self._set(reply.refresh_token, self._attributes)
            reply.refresh_token = ""
        return reply

    def shown(self) -> str:
        """The refresh token in the cookie of the call in progress; empty without one.

        Raises `CrossSite`.
        """
        call = CURRENT.get()
        if call is None or not (token := _token(call.metadata.get(_COOKIE, ""))):
            return ""
        self._require_own(call)
        return token

    def take_back(self) -> None:
        """Have the browser forget the cookie, where one is used."""
        call = CURRENT.get()
        if call is not None and _wants(call):
            self._set("", "; Max-Age=0")

    def _set(self, token: str, attributes: str) -> None:
        for path in PATHS:
            value = f"{NAME}={token}; Path={path}{attributes}{self._secure}"
            answer_with("set-cookie", value)

    def _require_own(self, call: Call) -> None:
        # Browsers say both by themselves; no script can say otherwise.
        if call.metadata.get("sec-fetch-site") == "same-origin":
            return
        if call.metadata.get("origin", "").lower() != self._origin:
            raise CrossSite


def _wants(call: Call) -> bool:
    return call.metadata.get(MODE_HEADER) == _COOKIE


def _token(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(NAME)
    except CookieError:
        return ""
    return "" if morsel is None else morsel.value
