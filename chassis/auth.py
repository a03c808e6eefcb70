"""Access tokens: who a call is made by.

Tokens are JWTs signed with ES256 (RFC 7515, 7519). The edge verifies them, and
every service does so again: a caller inside the mesh proves the service it is,
never the person.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
import hashlib
import time
from typing import Final, TypeAlias

from cachetools import LRUCache
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from chassis.calls import Principal
from chassis.errors import Error, Unauthenticated

ALGORITHM: Final = "ES256"
UNVERIFIED: Final = "unverified"
"""The claim of somebody who is to verify their e-mail address first."""
_CLOCK_SKEW: Final = 5
"""Seconds by which clocks of the platform may differ."""
_REFETCH_AFTER: Final = 5.0
"""Seconds between two fetches of the keys, so that forged key ids cost nothing."""

_RENEW_AFTER: Final = 30.0
"""Seconds after which the keys are asked for again, so that one that was withdrawn is."""

_NOT_OURS: Final = (JoseError, ValueError, TypeError, RecursionError)
"""What joserfc raises for a token that is none; TypeError for a header like `{"crit": null}`,
RecursionError for claims that are nested deeply."""

FetchKeys: TypeAlias = Callable[[], Awaitable[KeySetSerialization]]


def bearer(header: str) -> str:
    """The token in an `authorization` header (RFC 6750, 2.1).

    Raises `Unauthenticated` when there is none.
    """
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("sign in first: send `authorization: Bearer <access token>`")
    return token


class _Claims(jwt.JWTClaimsRegistry):
    def validate_iat(self, value: object) -> None:
        """When a token was made decides nothing (RFC 7519, 4.1.6), as at the edge."""


class Verifier:
    """Verifies access tokens against auth's key set, each token once."""

    def __init__(self, issuer: str, audience: str, fetch_keys: FetchKeys) -> None:
        self._claims = _Claims(
            leeway=_CLOCK_SKEW,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        self._fetch_keys = fetch_keys
        self._keys: KeySet | None = None
        self._asked_at = 0.0
        self._fetching = asyncio.Lock()
        self._renewing: asyncio.Future[KeySet] | None = None
        self._verified: LRUCache[bytes, Principal] = LRUCache(20_000)

    async def verify(self, token: str) -> Principal:
        """The person a token stands for.

        Raises `Unauthenticated` for anything but a valid, current token of ours,
        and `Unavailable` while the keys were never to be had.
        """
        self._renew_keys()
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known is None:
            known = self._verified[digest] = await self._decode(token)
        if known.expires_at + _CLOCK_SKEW < time.time():
            raise Unauthenticated("the access token has expired; refresh the session")
        return known

    async def _decode(self, token: str) -> Principal:
        keys = self._keys or await self._load_keys()
        try:
            decoded = jwt.decode(token, keys, algorithms=[ALGORITHM])
        except _NOT_OURS:
            # Perhaps signed with a key that is newer than the set we hold.
            keys = await self._load_keys()
            try:
                decoded = jwt.decode(token, keys, algorithms=[ALGORITHM])
            except _NOT_OURS as error:
                raise Unauthenticated("the access token is not valid") from error
        try:
            self._claims.validate(decoded.claims)
        except JoseError as error:
            raise Unauthenticated("the access token is not valid, or has expired") from error
        claims = decoded.claims
        return Principal(
            user_id=str(claims["sub"]),
            session_id=str(claims.get("sid", "")),
            token=token,
            expires_at=float(claims["exp"]),
            unverified=claims.get(UNVERIFIED) is True,
            scopes=frozenset(str(claims["scope"]).split()) if "scope" in claims else None,
        )

    def _renew_keys(self) -> None:
        """Ask for the keys beside the call when that was long ago: nobody waits for it."""
        due = time.monotonic() - self._asked_at > _RENEW_AFTER
        if self._keys is not None and due and not self._fetching.locked():
            self._renewing = asyncio.ensure_future(self._load_keys())

    async def _load_keys(self) -> KeySet:
        async with self._fetching:
            if self._keys is None or time.monotonic() - self._asked_at > _REFETCH_AFTER:
                try:
                    self._keep(KeySet.import_key_set(await self._fetch_keys()))
                except Error:
                    # With auth away, what the keys at hand do not verify is not valid.
                    if self._keys is None:
                        raise
                finally:
                    self._asked_at = time.monotonic()
            assert self._keys is not None
            return self._keys

    def _keep(self, keys: KeySet) -> None:
        before = set() if self._keys is None else {key.kid for key in self._keys}
        if before - {key.kid for key in keys}:
            # What a withdrawn key signed counts no more.
            self._verified.clear()
        self._keys = keys
