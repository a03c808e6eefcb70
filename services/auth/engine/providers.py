"""Providers of identities: what they are asked, and what of their answers is believed.

OpenID Connect Core 1.0, code flow with PKCE, state and nonce. Only what whoever runs the
instance named is ever spoken to: an issuer, and the addresses its own metadata names over
TLS. Nothing is followed elsewhere, and nothing large is read.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
import hashlib
import hmac
from ipaddress import ip_address
import secrets
import time
from typing import Any, Final
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from pydantic import BaseModel, Field, SecretStr, field_validator

from chassis.config import Config
from chassis.database import Transaction
from chassis.errors import Invalid, Unavailable
from chassis.tokens import Tokens
from services.auth.domain.identities import (
    ANSWER_LASTS,
    PROOF_LASTS,
    Identity,
    InvalidProviderAnswer,
    ProviderNotFound,
)
from services.auth.engine.credentials import digest
from services.auth.store import identities, passkeys

_ALGORITHMS: Final = ["RS256", "ES256", "PS256", "EdDSA"]
"""By public keys alone: never `none`, never by what two share."""
_PURPOSE: Final = "provider"
_SIGN_UP: Final = "provider sign-up"
_PROOF: Final = "provider proof"
_LARGEST: Final = 256 * 1024
_PATIENCE: Final = 5.0
_KNOWN_FOR: Final = 3600.0
_SKEW: Final = 60
_NOT_ONE: Final = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What is raised for an answer that is none."""


def may_be_asked(address: str) -> bool:
    """Whether a provider is spoken to at an address: over TLS, or on this machine."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
        local = host == "localhost" or (bool(host) and _is_loopback(host))
    except ValueError:
        return False
    named = bool(host) and parts.username is None
    return named and (parts.scheme == "https" or (parts.scheme == "http" and local))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class ProviderSettings(BaseModel, frozen=True):
    """A provider, as whoever runs the instance names it."""

    id: str = Field(pattern="^[a-z0-9-]{1,32}$")
    name: str = Field(min_length=1, max_length=64)
    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: SecretStr

    @field_validator("issuer")
    @classmethod
    def _spoken_to(cls, value: str) -> str:
        if not may_be_asked(value):
            raise ValueError("an issuer is spoken to over https")
        return value


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where to send somebody."""

    url: str
    token: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Who came back, and where from."""

    provider: str
    issuer: str
    subject: str

    def linked_to(self, account_id: UUID) -> Identity:
        """The identity, as an account's."""
        return Identity(self.provider, self.issuer, self.subject, account_id, datetime.now(UTC))


@dataclass(slots=True)
class _Known:
    metadata: dict[str, Any]
    keys: KeySet
    until: float


class Providers:
    """Sends people to providers, and learns who they are when they come back."""

    def __init__(
        self,
        config: Config,
        tokens: Tokens,
        named: tuple[ProviderSettings, ...],
        public_url: str,
    ) -> None:
        self.named = {provider.id: provider for provider in named}
        self._tokens = tokens
        self._url = public_url
        self._key = hmac.digest(
            config.token_key.get_secret_value().encode(), b"providers", "sha256"
        )
        self._known: dict[str, _Known] = {}

    async def send(self, provider_id: str, meant: str = "", *, anew: bool = False) -> Redirect:
        """Where to send somebody: to sign in, or for what is `meant` by whoever is signed in.

        `anew` asks the provider to let nobody in by a session they have there. Raises
        `ProviderNotFound`, and `Unavailable` when the provider does not answer.
        """
        provider = self._named(provider_id)
        metadata = (await self._learn(provider)).metadata
        ends = int((datetime.now(UTC) + ANSWER_LASTS).timestamp())
        token = self._tokens.seal([provider_id, meant, ends, secrets.token_urlsafe(16)], _PURPOSE)
        query = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": self._back(provider_id),
            "scope": "openid",
            "state": self._derived("state", token),
            "nonce": self._derived("nonce", token),
            "code_challenge": _text(
                hashlib.sha256(self._derived("verifier", token).encode()).digest()
            ),
            "code_challenge_method": "S256",
        }
        if anew:
            query |= {"prompt": "login", "max_age": "0"}
        where = str(metadata["authorization_endpoint"])
        return Redirect(f"{where}{'&' if '?' in where else '?'}{urlencode(query)}", token)

    async def answered(
        self,
        token: str,
        state: str,
        code: str,
        iss: str,
        meant: str = "",
        *,
        anew: bool = False,
    ) -> Answered:
        """Who came back. Raises `InvalidProviderAnswer`, and `Unavailable`.

        `anew` wants them to have signed in since they were sent, as far as the provider says.
        """
        try:
            provider_id, for_what, ends, _ = self._tokens.open(
                token, _PURPOSE, error=lambda: Invalid("not a state")
            )
        except Invalid:
            raise InvalidProviderAnswer from None
        expected = self._derived("state", token)
        if for_what != meant or ends <= time.time() or provider_id not in self.named:
            raise InvalidProviderAnswer
        if not hmac.compare_digest(expected.encode(), state.encode()):
            raise InvalidProviderAnswer
        provider = self.named[provider_id]
        if iss and iss != provider.issuer:
            raise InvalidProviderAnswer
        known = await self._learn(provider)
        told = await self._exchange(provider, known, token, code)
        claims = await self._claims(provider, known, told)
        if claims.get("nonce") != self._derived("nonce", token):
            raise InvalidProviderAnswer
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 0 < len(subject) <= 255 or "\0" in subject:
            raise InvalidProviderAnswer
        sent = ends - ANSWER_LASTS.total_seconds()
        if anew and not _is_since(claims.get("auth_time"), sent):
            raise InvalidProviderAnswer
        return Answered(provider_id, provider.issuer, subject)

    async def use(self, tx: Transaction, token: str) -> None:
        """Use up a state. Raises `InvalidProviderAnswer`."""
        over = datetime.now(UTC) + ANSWER_LASTS
        if not await passkeys.use_challenge(tx, digest(token), over):
            raise InvalidProviderAnswer

    def sign_up_token(self, who: Answered) -> str:
        """What somebody who is linked to nobody signs up with."""
        ends = int((datetime.now(UTC) + ANSWER_LASTS).timestamp())
        return self._tokens.seal([who.provider, who.issuer, who.subject, ends], _SIGN_UP)

    def signing_up(self, token: str) -> Answered:
        """Who signs up. Raises `InvalidProviderAnswer`."""
        try:
            provider, issuer, subject, ends = self._tokens.open(
                token, _SIGN_UP, error=lambda: Invalid("not one to sign up with")
            )
        except Invalid:
            raise InvalidProviderAnswer from None
        if ends <= time.time() or provider not in self.named:
            raise InvalidProviderAnswer
        return Answered(str(provider), str(issuer), str(subject))

    def proof(self, who: Answered, meant: str) -> tuple[str, datetime]:
        """What somebody who signed in anew shows that by, for what is `meant`; and until when."""
        expires = (datetime.now(UTC) + PROOF_LASTS).replace(microsecond=0)
        told = [who.issuer, who.subject, meant, int(expires.timestamp()), secrets.token_urlsafe(16)]
        return self._tokens.seal(told, _PROOF), expires

    async def proven(self, tx: Transaction, token: str, meant: str) -> UUID:
        """Whose account it is that somebody signed in to anew, for what is `meant`.

        That is used up. Raises `InvalidProviderAnswer`, also when the identity is unlinked by
        now.
        """
        try:
            issuer, subject, for_what, ends, _ = self._tokens.open(
                token, _PROOF, error=lambda: Invalid("not a proof")
            )
        except Invalid:
            raise InvalidProviderAnswer from None
        expires = datetime.fromtimestamp(ends, UTC)
        if for_what != meant or expires <= datetime.now(UTC):
            raise InvalidProviderAnswer
        if not await passkeys.use_challenge(tx, digest(token), expires):
            raise InvalidProviderAnswer
        linked = await identities.identity_of(tx, issuer, subject)
        if linked is None:
            raise InvalidProviderAnswer
        return linked.account_id

    def _named(self, provider_id: str) -> ProviderSettings:
        if provider_id not in self.named:
            raise ProviderNotFound
        return self.named[provider_id]

    def _back(self, provider_id: str) -> str:
        return f"{self._url}/sign-in/{provider_id}"

    def _derived(self, use: str, token: str) -> str:
        # Whoever holds the token learns neither what it is checked by nor the verifier.
        return _text(hmac.digest(self._key, f"{use}\0{token}".encode(), "sha256"))

    async def _learn(self, provider: ProviderSettings, *, anew: bool = False) -> _Known:
        known = self._known.get(provider.id)
        if known is not None and known.until > time.monotonic() and not anew:
            return known
        where = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        metadata = await _fetch("GET", where)
        try:
            if metadata["issuer"] != provider.issuer:
                raise ValueError("another issuer")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not may_be_asked(metadata[name]):
                    raise ValueError(f"{name} is not spoken to")
            keys = KeySet.import_key_set(await _fetch("GET", metadata["jwks_uri"]))  # type: ignore[arg-type]  # looked at by joserfc
        except _NOT_ONE as error:
            raise Unavailable("the provider does not answer as it should") from error
        known = _Known(metadata, keys, time.monotonic() + _KNOWN_FOR)
        self._known[provider.id] = known
        return known

    async def _exchange(
        self, provider: ProviderSettings, known: _Known, token: str, code: str
    ) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back(provider.id),
            "code_verifier": self._derived("verifier", token),
        }
        proof = (provider.client_id, provider.client_secret.get_secret_value())
        try:
            told = await _fetch("POST", known.metadata["token_endpoint"], form, proof)
            return str(told["id_token"])
        except KeyError:
            raise InvalidProviderAnswer from None

    async def _claims(
        self, provider: ProviderSettings, known: _Known, token: str
    ) -> dict[str, Any]:
        registry = jwt.JWTClaimsRegistry(
            leeway=_SKEW,
            iss={"essential": True, "value": provider.issuer},
            aud={"essential": True, "value": provider.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
        try:
            decoded = jwt.decode(token, known.keys, algorithms=_ALGORITHMS)
        except _NOT_ONE:
            # Perhaps signed with a key that is newer than those we hold.
            known = await self._learn(provider, anew=True)
            try:
                decoded = jwt.decode(token, known.keys, algorithms=_ALGORITHMS)
            except _NOT_ONE:
                raise InvalidProviderAnswer from None
        claims = decoded.claims
        try:
            registry.validate(claims)
        except _NOT_ONE:
            raise InvalidProviderAnswer from None
        audience = claims["aud"]
        several = isinstance(audience, list) and len(audience) > 1
        if (several or "azp" in claims) and claims.get("azp") != provider.client_id:
            raise InvalidProviderAnswer
        return claims


async def _fetch(
    method: str,
    url: str,
    form: dict[str, str] | None = None,
    proof: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """What is at an address. Raises `Unavailable`, and `InvalidProviderAnswer` for a refusal."""
    try:
        async with (
            httpx.AsyncClient(timeout=_PATIENCE, trust_env=False) as client,
            client.stream(method, url, data=form, auth=proof) as reply,
        ):
            body = b""
            async for part in reply.aiter_bytes():
                body += part
                if len(body) > _LARGEST:
                    raise Unavailable("the provider answers too much")
            if form is not None and 400 <= reply.status_code < 500:
                raise InvalidProviderAnswer
            if reply.status_code != 200:
                raise Unavailable("the provider does not answer as it should; try again")
            told = httpx.Response(200, content=body).json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, RecursionError) as error:
        raise Unavailable("the provider does not answer; try again") from error
    if not isinstance(told, dict):
        raise Unavailable("the provider does not answer as it should; try again")
    return told


def _is_since(auth_time: object, moment: float) -> bool:
    """Whether `auth_time` is a time, and none before a moment."""
    if isinstance(auth_time, bool) or not isinstance(auth_time, int | float):
        return False
    return moment - _SKEW <= auth_time <= time.time() + _SKEW


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
