"""The secrets of an instance: generated at first start, kept in files.

Every secret is a file of its own below `secrets/`, readable by the owner alone.
Existing files are never changed.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
import os
from pathlib import Path
import secrets


@dataclass(frozen=True, slots=True)
class Credentials:
    """Reads secrets, making the missing ones."""

    folder: Path

    def password(self, name: str) -> str:
        """A password of letters, digits, `-` and `_` (256 bits)."""
        return self._read(f"{name}.password", lambda: secrets.token_urlsafe(32).encode()).decode()

    def key(self, name: str) -> str:
        """32 random bytes, base64."""
        return self._read(f"{name}.key", lambda: base64.b64encode(secrets.token_bytes(32))).decode()

    def signing_key(self, name: str) -> Path:
        """The file of an ES256 private key (PEM, PKCS 8)."""
        file = f"{name}.pem"
        self._read(file, _new_signing_key)
        return self.folder / file

    def _read(self, file: str, make: Callable[[], bytes]) -> bytes:
        path = self.folder / file
        try:
            return path.read_bytes()
        except FileNotFoundError:
            secret = make()
            write_secret(path, secret)
            return secret


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _new_signing_key() -> bytes:
    # Imported at the first start only: it takes as long as the whole of this.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
