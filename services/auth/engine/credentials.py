"""Passwords, and the tokens a session is used with."""

from __future__ import annotations

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
import hashlib
import hmac
import secrets
from typing import Any, Final, Protocol
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from joserfc import jwt
from joserfc.jwk import ECKey, KeySetSerialization

from chassis import ids
from chassis.auth import ALGORITHM, UNVERIFIED
from chassis.config import Config
from chassis.errors import Invalid
from chassis.tokens import Tokens
from services.auth import domain
from services.auth.domain import Credentials, InvalidLink, InvalidRefreshToken, Purpose
from services.auth.domain.tokens import Token

SESSION_REFRESH: Final = "refresh"
APP_REFRESH: Final = "app refresh"
"""What refresh tokens are made for: those of people and those of apps are not the same."""


class Passwords:
    """Hashes and checks passwords with argon2id, beside the event loop.

    Parameters are OWASP's minimum (19 MiB, two passes): 21 ms of one core.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        # As many as there are cores to hash on; the others wait their turn.
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")
        self._nobody = self._hasher.hash(secrets.token_hex())

    async def hash(self, password: str) -> str:
        """The hash to keep."""
        return str(await self._beside(self._hasher.hash, password))

    async def matches(self, password: str, kept: str | None) -> bool:
        """Whether this is the password; without one kept, no, in the same time."""
        matched = await self._beside(self._verify, kept or self._nobody, password)
        return bool(matched) and kept is not None

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except VerificationError:
            return False

    async def _beside(self, work: Any, *args: str) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *args)


class SigningKey:
    """A key access tokens are signed with."""

    def __init__(self, private: bytes) -> None:
        key = ECKey.import_key(private)
        self.private = private
        """The private key (PEM)."""
        self._kid = key.thumbprint()
        self._key = key
        public = key.as_dict(private=False)
        self._public = {
            **{name: str(public[name]) for name in ("kty", "crv", "x", "y")},
            "kid": self._kid,
            "use": "sig",
            "alg": ALGORITHM,
        }

    @classmethod
    def made(cls) -> SigningKey:
        """A new one."""
        return cls(ECKey.generate_key("P-256").as_pem(private=True))

    @property
    def id(self) -> str:
        """Its thumbprint (RFC 7638)."""
        return self._kid

    @property
    def public(self) -> dict[str, str]:
        """The public half, as a JSON Web Key."""
        return self._public

    async def key_set(self) -> KeySetSerialization:
        """The key set, for auth's own verifier."""
        return {"keys": [dict(self._public)]}

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT with these claims."""
        return jwt.encode({"alg": ALGORITHM, "kid": self._kid, "typ": "JWT"}, claims, self._key)


class Signs(Protocol):
    """Whoever signs access tokens."""

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT with these claims."""


class Issuer:
    """Issues access and refresh tokens."""

    def __init__(self, config: Config, key: Signs, tokens: Tokens) -> None:
        self._issuer, self._audience = config.jwt_issuer, config.jwt_audience
        self._key = key
        self._tokens = tokens
        self._chain = config.token_key.get_secret_value().encode()

    def issue(
        self,
        account_id: UUID,
        session_id: UUID,
        now: datetime,
        *,
        after: str | None = None,
        purpose: str = SESSION_REFRESH,
        unverified: bool = False,
        **claims: str,
    ) -> Credentials:
        """New credentials for a session, with more claims if need be.

        A refresh token follows from the one it comes `after`: who spends that one
        again a moment later goes on with the same next one.
        """
        expires = now + domain.ACCESS_LASTS
        session = ids.text(ids.Kind.SESSION, session_id)
        held_back = {UNVERIFIED: True} if unverified else {}
        access = self._sign(account_id, session, now, expires, **claims, **held_back)
        unguessable = secrets.token_urlsafe(24) if after is None else self._next(after)
        refresh = self._tokens.seal([session, unguessable], purpose)
        return Credentials(access, refresh, digest(refresh), expires.replace(microsecond=0))

    def access_token(self, token: Token) -> str:
        """The secret of a token, which is kept nowhere."""
        return self._sign(
            token.user_id,
            ids.text(ids.Kind.SESSION, token.id),
            token.create_time,
            token.expire_time,
            scope=" ".join(token.scopes),
        )

    def _sign(
        self, user_id: UUID, session: str, now: datetime, expires: datetime, **more: str | bool
    ) -> str:
        return self._key.sign(
            {
                "iss": self._issuer,
                "aud": self._audience,
                "sub": ids.text(ids.Kind.USER, user_id),
                "sid": session,
                "iat": int(now.timestamp()),
                "exp": int(expires.timestamp()),
                "jti": secrets.token_urlsafe(12),
                **more,
            }
        )

    def _next(self, spent: str) -> str:
        following = hmac.digest(
            self._chain, b"the refresh token after\0" + spent.encode(), "sha256"
        )
        return base64.urlsafe_b64encode(following[:24]).decode()

    def session_of(self, refresh_token: str, purpose: str = SESSION_REFRESH) -> UUID:
        """The session a refresh token was issued for. Raises `InvalidRefreshToken`."""
        try:
            session, _ = self._tokens.open(
                refresh_token, purpose, error=lambda: Invalid("not a refresh token")
            )
        except Invalid:
            raise InvalidRefreshToken from None
        return ids.parse(ids.Kind.SESSION, session, field="refresh_token")


class Links:
    """The tokens that are mailed. What is kept of one cannot be turned into it."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def token(self, purpose: Purpose, proof_id: UUID) -> str:
        """The token of a proof."""
        return self._tokens.seal(proof_id.hex, "mailed", purpose)

    def proof_of(self, purpose: Purpose, token: str) -> UUID:
        """The proof a token was mailed for. Raises `InvalidLink`."""
        try:
            found = self._tokens.open(
                token, "mailed", purpose, error=lambda: Invalid("not a mailed token")
            )
        except Invalid:
            raise InvalidLink from None
        return UUID(hex=found)


def digest(token: str) -> bytes:
    """What is kept of a refresh token, or of one that was mailed."""
    return hashlib.sha256(token.encode()).digest()
