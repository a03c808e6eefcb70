"""What browsers are asked for, and what they answer (WebAuthn, level 3).

A challenge is the hash of a token that says what it is for and until when; answers carry
the token. So nobody makes this service keep anything by asking, and one that was answered
is remembered until it would be over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import json
import secrets
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from chassis import ids
from chassis.database import Transaction
from chassis.errors import Invalid
from chassis.tokens import Tokens
from services.auth.domain import Account
from services.auth.domain.passkeys import CHALLENGE_LASTS, InvalidPasskey, Passkey
from services.auth.engine.credentials import digest
from services.auth.store import passkeys

_PURPOSE: Final = "passkey"
_NOBODY: Final = ""
_NOT_ONE: Final = (
    WebAuthnException,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RecursionError,
)
"""What the library raises for an answer that is none: its own, and what CBOR and JSON do."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser is asked for."""

    options: str
    token: str


class Passkeys:
    """Asks browsers for passkeys of one site, and looks at what they answer."""

    def __init__(self, tokens: Tokens, public_url: str) -> None:
        parts = urlsplit(public_url)
        self._tokens = tokens
        self._site = parts.hostname or ""
        self._origin = f"{parts.scheme}://{parts.netloc}"

    def ask_to_register(self, account: Account, have: Sequence[Passkey]) -> Asked:
        """Ask the browser of somebody for a passkey they do not have yet."""
        token = self._token(account.id.hex)
        options = generate_registration_options(
            rp_id=self._site,
            rp_name="Creavio",
            user_id=account.id.bytes,
            user_name=account.handle,
            user_display_name=account.display_name,
            challenge=digest(token),
            timeout=int(CHALLENGE_LASTS.total_seconds() * 1000),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=one.credential_id) for one in have
            ],
        )
        return Asked(options_to_json(options), token)

    def ask_to_sign_in(self) -> Asked:
        """Ask a browser for whatever passkey is at hand."""
        token = self._token(_NOBODY)
        options = generate_authentication_options(
            rp_id=self._site,
            challenge=digest(token),
            timeout=int(CHALLENGE_LASTS.total_seconds() * 1000),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return Asked(options_to_json(options), token)

    async def registered(
        self, tx: Transaction, account: Account, token: str, answer: str, name: str
    ) -> Passkey:
        """The passkey a browser made for somebody. Raises `InvalidPasskey`."""
        await self._use(tx, token, account.id.hex)
        try:
            made = verify_registration_response(
                credential=answer,
                expected_challenge=digest(token),
                expected_rp_id=self._site,
                expected_origin=self._origin,
                require_user_verification=True,
            )
        except _NOT_ONE:
            raise InvalidPasskey from None
        return Passkey(
            ids.new(),
            account.id,
            name.strip(),
            made.credential_id,
            made.credential_public_key,
            made.sign_count,
            made.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
            datetime.now(UTC),
        )

    async def proven(self, tx: Transaction, token: str, answer: str) -> UUID:
        """The account whose passkey answered. Raises `InvalidPasskey`."""
        credential_id, owner = _named(answer)
        kept = await passkeys.passkey_to_use(tx, credential_id)
        if kept is None or owner not in (b"", kept.account_id.bytes):
            raise InvalidPasskey
        await self._use(tx, token, _NOBODY)
        try:
            shown = verify_authentication_response(
                credential=answer,
                expected_challenge=digest(token),
                expected_rp_id=self._site,
                expected_origin=self._origin,
                credential_public_key=kept.public_key,
                credential_current_sign_count=kept.sign_count,
                require_user_verification=True,
            )
        except _NOT_ONE:
            raise InvalidPasskey from None
        await passkeys.passkey_is_used(tx, kept.id, shown.new_sign_count, datetime.now(UTC))
        return kept.account_id

    def _token(self, account: str) -> str:
        ends = int((datetime.now(UTC) + CHALLENGE_LASTS).timestamp())
        return self._tokens.seal([account, ends, secrets.token_urlsafe(16)], _PURPOSE)

    async def _use(self, tx: Transaction, token: str, account: str) -> None:
        try:
            meant, ends, _ = self._tokens.open(
                token, _PURPOSE, error=lambda: Invalid("not a challenge")
            )
        except Invalid:
            raise InvalidPasskey from None
        expires = datetime.fromtimestamp(ends, UTC)
        if meant != account or expires <= datetime.now(UTC):
            raise InvalidPasskey
        if not await passkeys.use_challenge(tx, digest(token), expires):
            raise InvalidPasskey


def _named(answer: str) -> tuple[bytes, bytes]:
    """The passkey that answers, and whose it says to be."""
    try:
        said: dict[str, Any] = json.loads(answer)
        owner = said["response"].get("userHandle") or ""
        return base64url_to_bytes(said["rawId"]), base64url_to_bytes(owner)
    except _NOT_ONE:
        raise InvalidPasskey from None
