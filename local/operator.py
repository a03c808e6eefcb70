"""Acting for somebody who is not there, as whoever runs the instance may.

Who can read the home's secrets can sign an access token for anybody. It lasts a
minute, names a session that never was, and is used for the one call it was made for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
import secrets
import time
from typing import TYPE_CHECKING, Final
from uuid import UUID

from local.credentials import Credentials
from local.databases import connected, database_of
from local.home import Home

if TYPE_CHECKING:
    from joserfc.jwk import ECKey

_LASTS: Final = 60
_BACKDATED: Final = 1
_FIND: Final = "SELECT id FROM profile WHERE handle = %s"
_ADMINISTRATES: Final = """
SELECT user_id FROM binding WHERE community_id = %s ORDER BY user_id LIMIT 1
"""
"""The instance is kept as a community, and has the one role."""
_SIGNS: Final = """
SELECT sealed FROM signing_key WHERE sign_time <= now() ORDER BY sign_time DESC LIMIT 1
"""


_ASKS: Final = "creavio.user.v1.UserErased"
"""What a service consumes that keeps something of people."""
_ERASURES: Final = """
SELECT erasure.user_id, erasure.create_time, array_remove(array_agg(service), NULL)
FROM erasure LEFT JOIN erasure_confirmation USING (user_id)
GROUP BY erasure.user_id, erasure.create_time
ORDER BY array_length(array_remove(array_agg(service), NULL), 1) NULLS FIRST,
    erasure.create_time DESC
LIMIT 100
"""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Somebody who deleted their account."""

    user_id: str
    since: datetime
    forgotten: frozenset[str]
    """The services that have erased what they kept."""
    missing: tuple[str, ...]
    """Those that have not yet."""


class UnknownHandleError(Exception):
    """Nobody has this handle; the message says so."""


def user_of(home: Home, handle: str) -> str:
    """The id of a person, `usr_…`. Raises `UnknownHandleError`, and psycopg's errors."""
    from chassis import ids

    with connected(home, database_of("user")) as connection:
        row = connection.execute(_FIND, (handle.removeprefix("@").lower(),)).fetchone()
    if row is None:
        raise UnknownHandleError(f"nobody here is called {handle}")
    return ids.text(ids.Kind.USER, row[0])


def administrator(home: Home) -> str | None:
    """The id of the administrator whose account is the oldest; None when there is none yet.

    Raises psycopg's errors.
    """
    from chassis import ids

    with connected(home, database_of("rbac")) as connection:
        row = connection.execute(_ADMINISTRATES, (UUID(int=0),)).fetchone()
    return None if row is None else ids.text(ids.Kind.USER, row[0])


def erasures(home: Home) -> list[Erasure]:
    """Who deleted their account, those who are not forgotten everywhere first; 100 at most.

    Raises psycopg's errors.
    """
    from chassis import catalog as catalogs
    from chassis import ids

    services = catalogs.load()
    owner = services.owner_of(_ASKS)
    keeping = [n for n, e in services.services.items() if n == owner or _ASKS in e.consumes]
    with connected(home, database_of("user")) as connection:
        rows = connection.execute(_ERASURES).fetchall()
    return [
        Erasure(
            ids.text(ids.Kind.USER, user_id),
            since,
            frozenset(said),
            tuple(name for name in keeping if name not in said),
        )
        for user_id, since, said in rows
    ]


def token_for(home: Home, user_id: str) -> str:
    """An access token that makes a call one of this person's."""
    from joserfc import jwt

    from chassis import ids
    from chassis.auth import ALGORITHM
    from chassis.config import Config

    key = _signing_key(home)
    now = int(time.time()) - _BACKDATED
    claims = {
        "iss": Config.model_fields["jwt_issuer"].default,
        "aud": Config.model_fields["jwt_audience"].default,
        "sub": user_id,
        "sid": ids.text(ids.Kind.SESSION, ids.new()),
        "iat": now,
        "exp": now + _LASTS,
        "jti": secrets.token_urlsafe(12),
    }
    return jwt.encode({"alg": ALGORITHM, "kid": key.thumbprint(), "typ": "JWT"}, claims, key)


def _signing_key(home: Home) -> ECKey:
    from joserfc.jwk import ECKey

    from services.auth.engine.keys import SEALED_FOR
    from services.auth.engine.sealing import Sealing

    with connected(home, database_of("auth")) as connection:
        row = connection.execute(_SIGNS).fetchone()
    assert row is not None, "auth has a key before it answers"
    secret = Credentials(home.secrets).key("auth")
    return ECKey.import_key(Sealing(secret, SEALED_FOR).open(row[0]))
