"""Apps of others, and what people let them do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import ip_address
import re
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from chassis import ids
from chassis.errors import FailedPrecondition, Invalid, NotFound
from services.auth.domain import Session
from services.auth.domain.tokens import Scope

MOST_APPS: Final = 25
"""Of one person."""
CODE_LASTS: Final = timedelta(minutes=1)
CODE_REMEMBERED: Final = timedelta(days=1)
"""For so long it is known that a code was used, and what it gave."""

_HOST: Final = re.compile(r"[a-z0-9._-]+")


class TooManyApps(FailedPrecondition):
    """Somebody has as many apps as they may."""

    reason = "LIMIT_REACHED"

    def __init__(self) -> None:
        super().__init__(f"there are {MOST_APPS} apps; delete one first")


class AppNotFound(NotFound):
    """The caller has no such app."""

    def __init__(self) -> None:
        super().__init__("you have no such app")


class InvalidRedirectUri(Invalid):
    """Nobody may be sent there."""

    def __init__(self, uri: str, why: str) -> None:
        super().__init__(
            f"{uri}: {why}", fields=(("redirect_uris", why),), reason="INVALID_REDIRECT_URI"
        )


class InvalidAuthorization(Invalid):
    """What an app asks for is nothing that can be answered by sending people back to it."""

    def __init__(self, why: str) -> None:
        super().__init__(why, reason="INVALID_AUTHORIZATION")


@dataclass(frozen=True, slots=True)
class App:
    """An app somebody registered."""

    id: UUID
    owner_id: UUID
    name: str
    redirect_uris: tuple[str, ...]
    scopes: tuple[Scope, ...]
    secret_hash: bytes | None
    """SHA-256 of its secret; None when it keeps none."""
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Consent:
    """That somebody lets an app act for them."""

    user_id: UUID
    app_id: UUID
    scopes: tuple[Scope, ...]
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Code:
    """What an app shows to be given tokens."""

    code_hash: bytes
    app_id: UUID
    user_id: UUID
    redirect_uri: str
    scopes: tuple[Scope, ...]
    challenge: str
    """SHA-256 of what the app has to show besides (PKCE, S256)."""
    expire_time: datetime
    grant_id: UUID | None = None
    """What it gave when it was used."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What an app was given by a code: a session of its own, within scopes."""

    session: Session
    app_id: UUID
    scopes: tuple[Scope, ...]

    def under(self, session: Session) -> Grant:
        """The same with its session renewed."""
        return replace(self, session=session)


def new_app(
    owner_id: UUID,
    name: str,
    redirect_uris: Sequence[str],
    scopes: Collection[Scope],
    secret_hash: bytes | None,
    now: datetime,
) -> App:
    """An app about to be registered. Raises `InvalidRedirectUri`."""
    for uri in redirect_uris:
        may_be_sent_to(uri)
    return App(
        ids.new(),
        owner_id,
        name.strip(),
        tuple(redirect_uris),
        tuple(scope for scope in Scope if scope in scopes),
        secret_hash,
        now,
    )


def may_have(apps: int) -> None:
    """Return when somebody may have so many apps. Raises `TooManyApps`."""
    if apps > MOST_APPS:
        raise TooManyApps


def may_be_sent_to(uri: str) -> None:
    """Return when people may be sent to an address (RFC 9700, 2.1; RFC 8252, 7).

    Raises `InvalidRedirectUri`.
    """
    if not uri.isascii() or not uri.isprintable() or set(uri) & set(' \\*"<>'):
        raise InvalidRedirectUri(uri, "has characters that no address has")
    try:
        parts = urlsplit(uri)
        host = parts.hostname or ""
        port = parts.port
    except ValueError:
        raise InvalidRedirectUri(uri, "is no address") from None
    if "#" in uri:
        raise InvalidRedirectUri(uri, "must have no fragment")
    if parts.username is not None or parts.password is not None:
        raise InvalidRedirectUri(uri, "must name nobody")
    if parts.netloc and not _is_authority(parts.netloc.lower(), host, port):
        raise InvalidRedirectUri(uri, "is no address")
    if parts.scheme == "https" and host:
        return
    if parts.scheme == "http" and _is_loopback(host):
        return
    # A scheme of the app's own begins with a name its author has: `org.example.app:/back`.
    if "." in parts.scheme and not parts.netloc and parts.path.startswith("/"):
        return
    raise InvalidRedirectUri(uri, "must be https, or lead to this device")


def _is_authority(netloc: str, host: str, port: int | None) -> bool:
    """Whether it is a host and perhaps a port, and nothing else (RFC 3986, 3.2).

    Python takes any characters for a host, and passes over what stands around one in
    brackets: `http://example.org[::1]x/`.
    """
    if _HOST.fullmatch(host):
        return netloc in (host, f"{host}:{port}")
    try:
        return netloc in (f"[{host}]", f"[{host}]:{port}") and ip_address(host).version == 6
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
