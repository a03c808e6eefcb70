"""What browsers and their devices send: cookies, passkeys."""

from __future__ import annotations

from datetime import UTC, datetime
import json
from typing import Any, Final, cast
from uuid import UUID

from webauthn.helpers import base64url_to_bytes

from chassis.testing import scratch_config
from chassis.tokens import Tokens
from services.auth.domain import Account
from services.auth.domain.passkeys import InvalidPasskey
from services.auth.engine import cookies
from services.auth.engine.credentials import digest
from services.auth.engine.passkeys import Passkeys, _named
from tests.auth.authenticator import Authenticator
from tests.auth.authenticator import text as base64url
from tests.fuzz.targets.reading import Input, at_once, text

_SITE: Final = "talk.example.org"
_ORIGIN: Final = f"https://{_SITE}"
_TOKEN: Final = "a challenge"


def cookie(data: bytes) -> None:
    """The refresh token of a cookie header is one that stands in it, or none."""
    said = text(data)
    found = cookies._token(said)
    assert not found or cookies.NAME in said
    assert cookies._token(f"{cookies.NAME}=abc.DEF_0-9; other=1") == "abc.DEF_0-9"


class _Browsers(Passkeys):
    """The same, with a challenge that is always good."""

    async def _use(self, *_: Any) -> None:
        return None


_BROWSERS: Final = _Browsers(Tokens(scratch_config("auth")), _ORIGIN)
_DEVICE: Final = Authenticator(_ORIGIN, _SITE, credential_id=bytes(range(16)))
_ASKED: Final = json.dumps(
    {"challenge": base64url(digest(_TOKEN)), "user": {"id": base64url(UUID(int=1).bytes)}}
)
_MADE: Final = json.loads(_DEVICE.register(_ASKED))
_ATTESTED: Final = base64url_to_bytes(_MADE["response"]["attestationObject"])
_ACCOUNT: Final = cast("Account", type("Somebody", (), {"id": UUID(int=1)}))


def new_passkey(data: bytes) -> None:
    """What a browser says it made is a passkey of this site, or INVALID_PASSKEY."""
    told = Input(data)
    if told.byte() % 2:
        answer = told.text()
    else:
        made = {**_MADE, "response": {**_MADE["response"]}}
        made["response"]["attestationObject"] = base64url(_attested(told))
        answer = json.dumps(made)
    try:
        found = at_once(
            _BROWSERS.registered(cast("Any", None), _ACCOUNT, _TOKEN, answer, " A key ")
        )
    except InvalidPasskey:
        return
    assert found.name == "A key"
    assert found.account_id == UUID(int=1)
    assert json.loads(answer)["response"]["clientDataJSON"] == _MADE["response"]["clientDataJSON"]
    assert found.create_time <= datetime.now(UTC)


def _attested(told: Input) -> bytes:
    """The device's statement, some of it changed; or something else altogether."""
    if told.byte() % 2:
        return told.rest()
    statement = bytearray(_ATTESTED)
    while told:
        at = (told.byte() << 8 | told.byte()) % len(statement)
        size = told.byte() % 4
        statement[at : at + size] = told.part()
        if not statement:
            break
    return bytes(statement)


def shown_passkey(data: bytes) -> None:
    """The answer of a device names a passkey and perhaps a person, in bytes, or is none."""
    answer = text(data)
    try:
        credential, owner = _named(answer)
    except InvalidPasskey:
        return
    said = json.loads(answer)
    assert base64url_to_bytes(said["rawId"]) == credential
    assert bool(said["response"].get("userHandle")) or not owner
