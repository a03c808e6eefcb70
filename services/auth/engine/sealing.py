"""Keeps secrets of use to this service alone from whoever reads its database."""

from __future__ import annotations

import hmac
from typing import Final

from joserfc import jwe
from joserfc.jwk import OctKey

_HEADER: Final = {"alg": "dir", "enc": "A256GCM"}


class Sealing:
    """Encrypts for one purpose (RFC 7516, AES-256-GCM), under a key of the service's secret."""

    def __init__(self, secret: str, purpose: str) -> None:
        self._key = OctKey.import_key(hmac.digest(secret.encode(), purpose.encode(), "sha256"))

    def seal(self, plain: str | bytes) -> str:
        """What may be kept of a secret."""
        return jwe.encrypt_compact(_HEADER, plain, self._key)

    def open(self, sealed: str) -> bytes:
        """The secret. Raises `JoseError` for what was sealed with another."""
        plain = jwe.decrypt_compact(sealed, self._key).plaintext
        assert plain is not None
        return plain
