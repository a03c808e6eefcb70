"""Resume tokens: where a person's stream stood, signed for that person.

A token goes out with every write, so it has to be cheap: the places are packed
once for all streams, and each stream adds its person's signature of their digest
(BLAKE2b, keyed). The key follows from the service's secret and the person, so
that every replica can read it and nobody else's token passes.

The first releases gave out tokens of another form (`chassis.tokens`). Who comes back
with one of those goes on where it stood, or is told to fetch anew, as with any other.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
import binascii
from collections.abc import Mapping
from hashlib import blake2b
import hmac
import struct
from typing import TYPE_CHECKING, Final

from chassis.config import Config
from chassis.positions import FIRST_EPOCH, Position
from chassis.tokens import Tokens
from services.gateway import convert
from services.gateway.domain import InvalidResumeToken, Positions

if TYPE_CHECKING:
    from services.gateway.engine.community import Person

_FORM: Final = b"\x01"
"""What follows is packed as below; another form gets another byte."""
_PURPOSE: Final = b"resume"
_SIGNATURE: Final = 18
"""Bytes; as base64 they need no padding, and stand in front of what they sign."""
_SIGNED: Final = _SIGNATURE * 4 // 3
_PLACE: Final = struct.Struct(">IQ")


class ResumeTokens:
    """Makes and reads the resume tokens of one service."""

    def __init__(self, config: Config) -> None:
        secret = config.token_key.get_secret_value().encode()
        self._secret = blake2b(secret, digest_size=32, person=_PURPOSE).digest()
        self._first_form = Tokens(config)
        self._of: Mapping[str, Position] | None = None
        self._head = self._packed = self._digest = b""

    def sealed(self, person: Person, positions: Positions) -> bytes:
        """The token of a person's stream that was told everything up to these positions.

        Encoded as it is written. The same positions are packed once.
        """
        if self._of is not positions:
            packed = _FORM + _pack(positions)
            self._packed = urlsafe_b64encode(packed).rstrip(b"=")
            self._digest = blake2b(packed, digest_size=32).digest()
            size = _SIGNED + len(self._packed)
            self._head = convert.resume_token("-" * size)[:-size]
            self._of = positions
        if not person.key:
            person.key = self._key(person.user_id)
        signature = urlsafe_b64encode(self._sign(person.key, self._digest))
        return self._head + signature + self._packed

    def open(self, token: str, user_id: str) -> Positions:
        """Where a token says the stream stood. Raises `InvalidResumeToken`."""
        if "." in token:  # Base64 has no such character.
            said = self._first_form.open(token, "resume", user_id, error=InvalidResumeToken)
            return {service: _first_form(*at) for service, at in said.items()}
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            raise InvalidResumeToken from None
        # Base64 passes over what is none of its letters: only what was given out counts.
        if urlsafe_b64encode(raw).decode().rstrip("=") != token:
            raise InvalidResumeToken
        signature, packed = raw[:_SIGNATURE], raw[_SIGNATURE:]
        digest = blake2b(packed, digest_size=32).digest()
        expected = self._sign(self._key(user_id), digest)
        if not hmac.compare_digest(signature, expected) or packed[:1] != _FORM:
            raise InvalidResumeToken
        return _unpack(packed[1:])

    def _key(self, user_id: str) -> bytes:
        return blake2b(user_id.encode(), digest_size=32, key=self._secret).digest()

    def _sign(self, key: bytes, digest: bytes) -> bytes:
        return blake2b(digest, digest_size=_SIGNATURE, key=key).digest()


def _first_form(*at: int | str) -> Position:
    """A place as the first form had it: number and event id, later with the epoch in front."""
    *epoch, number, event_id = at
    return Position(int(epoch[0]) if epoch else FIRST_EPOCH.number, int(number), str(event_id))


def _pack(positions: Positions) -> bytes:
    """Per service its name, epoch, number and event id; texts after their length."""
    parts: list[bytes] = []
    for service, at in positions.items():
        parts += (_short(service), _PLACE.pack(at.epoch, at.number), _short(at.event_id))
    return b"".join(parts)


def _short(text: str) -> bytes:
    encoded = text.encode()
    return bytes((len(encoded),)) + encoded


def _unpack(packed: bytes) -> dict[str, Position]:
    """The reverse; what is signed was packed by us."""
    positions: dict[str, Position] = {}
    at = 0

    def text() -> str:
        nonlocal at
        begin, at = at + 1, at + 1 + packed[at]
        return packed[begin:at].decode()

    while at < len(packed):
        service = text()
        epoch, number = _PLACE.unpack_from(packed, at)
        at += _PLACE.size
        positions[service] = Position(epoch, number, text())
    return positions
