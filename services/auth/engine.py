"""Passwords, tokens, and the account that comes with a profile."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
import hashlib
from pathlib import Path
import secrets
from typing import Any, Final
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from joserfc import jwt
from joserfc.jwk import ECKey, KeySetSerialization

from chassis import ids
from chassis.auth import ALGORITHM
from chassis.clients import Clients
from chassis.config import Config
from chassis.database import Database
from chassis.errors import AlreadyExists, Invalid
from chassis.tokens import Tokens
from chassis.unfinished import finish_each
from creavio.user.v1 import user_pb2, user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import UserServiceStub
from services.auth import domain, store
from services.auth.domain import Account, Credentials, HandleTaken, InvalidRefreshToken

_ABANDONED_AFTER: Final = timedelta(seconds=20)
"""Longer than any call lives, so that nobody else is still at it."""
_BATCH: Final = 100


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
    """The key access tokens are signed with."""

    def __init__(self, file: Path) -> None:
        key = ECKey.import_key(file.read_bytes())
        self._kid = key.thumbprint()
        self._key = key
        public = key.as_dict(private=False)
        self._public = {
            **{name: str(public[name]) for name in ("kty", "crv", "x", "y")},
            "kid": self._kid,
            "use": "sig",
            "alg": ALGORITHM,
        }

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


class Issuer:
    """Issues access and refresh tokens."""

    def __init__(self, config: Config, key: SigningKey, tokens: Tokens) -> None:
        self._issuer, self._audience = config.jwt_issuer, config.jwt_audience
        self._key = key
        self._tokens = tokens

    def issue(self, account_id: UUID, session_id: UUID, now: datetime) -> Credentials:
        """New credentials for a session."""
        expires = now + domain.ACCESS_LASTS
        session = ids.text(ids.Kind.SESSION, session_id)
        access = self._key.sign(
            {
                "iss": self._issuer,
                "aud": self._audience,
                "sub": ids.text(ids.Kind.USER, account_id),
                "sid": session,
                "iat": int(now.timestamp()),
                "exp": int(expires.timestamp()),
                "jti": secrets.token_urlsafe(12),
            }
        )
        refresh = self._tokens.seal([session, secrets.token_urlsafe(24)], "refresh")
        return Credentials(access, refresh, digest(refresh), expires.replace(microsecond=0))

    def session_of(self, refresh_token: str) -> UUID:
        """The session a refresh token was issued for. Raises `InvalidRefreshToken`."""
        try:
            session, _ = self._tokens.open(
                refresh_token, "refresh", error=lambda: Invalid("not a refresh token")
            )
        except Invalid:
            raise InvalidRefreshToken from None
        return ids.parse(ids.Kind.SESSION, session, field="refresh_token")


def digest(refresh_token: str) -> bytes:
    """What is kept of a refresh token."""
    return hashlib.sha256(refresh_token.encode()).digest()


class Accounts:
    """Carries the creation of an account through: with its profile, or not at all."""

    def __init__(self, database: Database, clients: Clients) -> None:
        self._database = database
        self._clients = clients
        self._users = UserServiceStub(clients.channel)

    async def finish_creating(self, account: Account) -> user_pb2.User:
        """Create the profile, then let the account count.

        Raises `HandleTaken`, the account given up, when the profile cannot be.
        """
        request = user_service_pb2.CreateUserRequest(
            user_id=ids.text(ids.Kind.USER, account.id),
            handle=account.handle,
            display_name=account.display_name,
        )
        try:
            user = await self._clients.call(self._users.CreateUser, request)
        except AlreadyExists:
            async with self._database.transaction() as tx:
                await store.drop_account(tx, account.id)
            raise HandleTaken(account.handle) from None
        async with self._database.transaction() as tx:
            await store.settle_account(tx, account.id)
        return user

    async def user(self, account_id: UUID) -> user_pb2.User:
        """The profile of an account."""
        request = user_service_pb2.GetUserRequest(user_id=ids.text(ids.Kind.USER, account_id))
        return await self._clients.call(self._users.GetUser, request)

    async def resume(self) -> None:
        """Finish the accounts a crash left half-way, and drop the sessions that are over."""
        async with self._database.transaction() as tx:
            left = await store.unsettled(tx, _ABANDONED_AFTER, _BATCH)
            await store.forget_expired(tx)
        await finish_each(left, self._finish)

    async def _finish(self, account: Account) -> None:
        with suppress(HandleTaken):
            await self.finish_creating(account)
