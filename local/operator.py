"""Acting for somebody who is not there, as whoever runs the instance may.

Who can read the home's secrets can sign an access token for anybody. It lasts a
minute, names a session that never was, and is used for the one call it was made for.
"""

from __future__ import annotations

import secrets
import time
from typing import Final
from uuid import UUID

from local.databases import connected, database_of
from local.home import Home

_LASTS: Final = 60
_BACKDATED: Final = 1
_FIND: Final = "SELECT id FROM profile WHERE handle = %s"
_ADMINISTRATES: Final = """
SELECT user_id FROM binding WHERE community_id = %s ORDER BY user_id LIMIT 1
"""
"""The instance is kept as a community, and has the one role."""


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


def token_for(home: Home, user_id: str) -> str:
    """An access token that makes a call one of this person's."""
    from joserfc import jwt
    from joserfc.jwk import ECKey

    from chassis import ids
    from chassis.auth import ALGORITHM
    from chassis.config import Config

    key = ECKey.import_key((home.secrets / "auth_signing_key.pem").read_bytes())
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
