"""Tokens that clients carry: page tokens, resume tokens, access tokens."""

from __future__ import annotations

import json
import time
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jws import serialize_compact

from chassis.auth import Verifier
from chassis.errors import Invalid, Unauthenticated
from chassis.positions import Position
from chassis.testing import scratch_config
from chassis.tokens import Tokens
from services.gateway.domain import InvalidResumeToken, Positions
from services.gateway.engine.community import Person
from services.gateway.engine.tokens import ResumeTokens
from tests.chassis.serving import PERSON, Keys
from tests.fuzz.targets.reading import Input, at_once, refuses, text
from tests.gateway.world import read

_TOKENS: Final = Tokens(scratch_config("chat"))
_LIST: Final = ("messages", PERSON)


def page_token(data: bytes) -> None:
    """A page token is one that was given out for this list, or INVALID_PAGE_TOKEN."""
    told = Input(data)
    start = [told.byte(), text(told.part())]
    given = _TOKENS.next_page(start, *_LIST)
    shown = told.changed(given)
    try:
        opened = _TOKENS.page_start(shown, *_LIST)
    except Invalid as refused:
        assert shown not in ("", given)
        refuses(refused, "page_token", reason="INVALID_PAGE_TOKEN")
    else:
        # What opens was given out, if not for this start.
        assert not shown or _TOKENS.next_page(opened, *_LIST) == shown, f"{shown!r} opens"
        assert shown != given or opened == start
    _refused_elsewhere(shown)


def _refused_elsewhere(shown: str) -> None:
    for other in (("messages", "usr_another"), ("messages",), ("pins", PERSON)):
        try:
            opened = _TOKENS.page_start(shown, *other)
        except Invalid as refused:
            refuses(refused, "page_token", reason="INVALID_PAGE_TOKEN")
        else:
            assert opened is None, f"{shown!r} opens another list"


_RESUME: Final = ResumeTokens(scratch_config("gateway"))


def resume_token(data: bytes) -> None:
    """A resume token says the places it was made of, to its person alone."""
    told = Input(data)
    places = {}
    for _ in range(told.byte() % 4):
        number = int.from_bytes(told.part()[:8])
        places[text(told.part()[:60])] = Position(told.byte(), number, text(told.part()[:60]))
    given = _sealed(places)
    assert _opened(given, "ada") == places
    assert _opened(given, "grace") is None
    shown = told.changed(given)
    opened = _opened(shown, "ada")
    # What opens was given out, if not for these places.
    assert opened is None or "." in shown or _sealed(opened) == shown, f"{shown!r} opens"


def _sealed(places: Positions) -> str:
    return str(read(_RESUME.sealed(Person("ada"), places)).resume_token)


def _opened(shown: str, person: str) -> Any:
    try:
        return _RESUME.open(shown, person)
    except InvalidResumeToken:
        return None


_KEYS: Final = Keys()
_CLAIMS: Final = {"iss": "creavio", "aud": "creavio", "sub": PERSON, "exp": time.time() + 86_400}


def access_token(data: bytes) -> None:
    """A token is a person's who is named in it, signed by our key and still valid, or nobody's."""
    told = Input(data)
    kind = told.byte() % 3
    if kind == 0:
        given = _KEYS.token()
        _nobody(given, told.changed(given))
        return
    header = {"alg": "ES256", "kid": _KEYS.private.thumbprint()}
    claims = json.dumps(_CLAIMS).encode()
    if kind == 1:
        claims = told.rest()
    else:
        header |= _object(told.rest())
    try:
        token = serialize_compact(header, claims, _KEYS.private)
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
        return  # No such token can be signed.
    try:
        person = at_once(_verifier().verify(token))
    except Unauthenticated:
        return
    said = json.loads(claims)
    assert (said["iss"], person.user_id) == ("creavio", str(said["sub"]))
    assert said["aud"] == "creavio" or "creavio" in said["aud"]
    assert said["exp"] > time.time() - 10
    assert header["alg"] == "ES256"


def _nobody(given: str, shown: str) -> None:
    try:
        person = at_once(_verifier().verify(shown))
    except Unauthenticated:
        assert shown != given
    else:
        # Base64 reads several last characters as the same.
        assert shown[:-1] == given[:-1]
        assert person.user_id == PERSON


def _verifier() -> Verifier:
    # A new one: what was verified is kept, and keys are asked for anew after a while.
    return Verifier("creavio", "creavio", _KEYS.fetch)


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
