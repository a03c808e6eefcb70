"""Letting people in who cannot come in by themselves, as whoever runs the instance may.

What is made here is as if auth had made it, and works once.
"""

from __future__ import annotations

import secrets
from typing import Final

from local.databases import connected, database_of
from local.home import Home, Instance
from local.operator import UnknownHandleError

_ADMIT: Final = """
INSERT INTO sign_up_code (code, max_uses, uses, overrules, create_time, expire_time)
VALUES (%s, 1, 0, true, now(), now() + interval '1 minute')
"""
_PROVE: Final = """
INSERT INTO proof (id, account_id, purpose, email, token_hash, expire_time)
SELECT %s, id, %s, '', %s, now() + %s FROM account WHERE handle = %s RETURNING id
"""
_FORGET: Final = """
DELETE FROM second_factor USING account WHERE id = account_id AND handle = %s
"""


def sign_up_code(home: Home) -> str:
    """A code that somebody signs up with within a minute, whoever may. Raises psycopg's errors."""
    code = secrets.token_hex(16)
    with connected(home, database_of("auth")) as connection:
        connection.execute(_ADMIT, (code,))
    return code


def reset_link(home: Home, handle: str) -> str:
    """A link to set somebody's password with, to be handed to them; good for an hour.

    Raises `UnknownHandleError`, and psycopg's errors.
    """
    from chassis import ids
    from chassis.config import load
    from chassis.tokens import Tokens
    from services.auth.domain import Purpose
    from services.auth.engine.credentials import Links, digest
    from services.auth.engine.settings import Settings

    told = home.env_file(Instance("auth"))
    purpose, proof_id = Purpose.RESET_PASSWORD, ids.new()
    token = Links(Tokens(load(told))).token(purpose, proof_id)
    proof = (proof_id, purpose.value, digest(token), purpose.lasts, _plain(handle))
    with connected(home, database_of("auth")) as connection:
        if connection.execute(_PROVE, proof).fetchone() is None:
            raise UnknownHandleError(f"nobody here is called {handle}")
    public = Settings(_env_file=told).public_url  # type: ignore[call-arg]  # pydantic-settings'
    return f"{public}/reset-password#token={token}"


def forget_second_factor(home: Home, handle: str) -> None:
    """Let somebody sign in by password alone. Raises psycopg's errors."""
    with connected(home, database_of("auth")) as connection:
        connection.execute(_FORGET, (_plain(handle),))


def _plain(handle: str) -> str:
    return handle.removeprefix("@").lower()
