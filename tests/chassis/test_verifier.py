"""Only a current token of auth's own key is a person."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey
from joserfc.jws import serialize_compact
import pytest

from chassis.auth import Verifier, bearer
from chassis.errors import Error, Unauthenticated, Unavailable
from tests.chassis.serving import PERSON, Keys

REFETCH_SECONDS = 5.0


class Clock:
    """Time that passes when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passed = 0.0
        real, monotonic = time.time, time.monotonic
        monkeypatch.setattr("chassis.auth.time.time", lambda: real() + self.passed)
        monkeypatch.setattr("chassis.auth.time.monotonic", lambda: monotonic() + self.passed)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def verifier(keys: Keys) -> Verifier:
    return Verifier("creavio", "creavio", keys.fetch)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def with_header(token: str, **header: object) -> str:
    """The token under another header, its signature left as it was."""
    _, claims, signature = token.split(".")
    return f"{part(header)}.{claims}.{signature}"


def signed(keys: Keys, claims: bytes) -> str:
    """Whatever it is, under auth's own signature."""
    header = {"alg": "ES256", "kid": keys.public["kid"]}
    return serialize_compact(header, claims, keys.private)


def signed_with_public_key(keys: Keys, claims: str) -> str:
    """HS256, the public key taken for the secret: what a careless verifier accepts."""
    signing = f"{part({'alg': 'HS256', 'kid': keys.public['kid']})}.{claims}".encode()
    pem = keys.private.as_pem(private=False)
    mac = hmac.new(pem, signing, hashlib.sha256).digest()
    return f"{signing.decode()}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


async def refused(verifier: Verifier, token: str) -> bool:
    try:
        await verifier.verify(token)
    except Unauthenticated as error:
        return error.reason == "UNAUTHENTICATED"
    return False


async def test_a_good_token_is_its_person(verifier: Verifier, keys: Keys) -> None:
    token = keys.token()
    person = await verifier.verify(token)
    assert (person.user_id, person.token) == (PERSON, token)
    assert person.session_id.startswith("ses_")
    assert await verifier.verify(token) is person
    assert keys.fetched == 1


async def test_no_other_token_is_anybody(verifier: Verifier, keys: Keys) -> None:
    good = keys.token()
    head, claims, signature = good.split(".")
    later = part({"iss": "creavio", "aud": "creavio", "sub": "usr_x", "exp": time.time() + 9e9})
    now = int(time.time())
    bad = {
        "alg none": with_header(good, alg="none"),
        "alg none, unsigned": f"{part({'alg': 'none'})}.{claims}.",
        "HS256 with the public key": signed_with_public_key(keys, claims),
        "another audience": keys.token(aud="other"),
        "several audiences, not ours": keys.token(aud=["a", "b"]),
        "another issuer": keys.token(iss="https://creavio"),
        "no issuer": keys.token(iss=None),
        "no audience": keys.token(aud=None),
        "nobody": keys.token(sub=None),
        "no end": keys.token(exp=None),
        "expired": keys.token(exp=now - 60),
        "ended by text": keys.token(exp="tomorrow"),
        "not yet": keys.token(nbf=now + 60),
        "other claims": f"{head}.{later}.{signature}",
        "no signature": f"{head}.{claims}.",
        "two parts": f"{head}.{claims}",
        "somebody else's key": Keys().token(),
        "somebody else's key, our key id": Keys().token(header={"kid": keys.public["kid"]}),
        "claims too deep to read": signed(keys, b"[" * 10_000),
        "a critical extension": with_header(good, alg="ES256", crit=["exp"]),
    }
    for what, token in bad.items():
        assert await refused(verifier, token), what
    assert (await verifier.verify(good)).user_id == PERSON


async def test_a_clock_that_is_ahead_does_no_harm(verifier: Verifier, keys: Keys) -> None:
    now = int(time.time())
    for early in (2, 4):
        assert (await verifier.verify(keys.token(iat=now + early, nbf=now + early))).user_id
    assert (await verifier.verify(keys.token(exp=now - 2))).user_id == PERSON


async def test_when_a_token_was_made_decides_nothing(verifier: Verifier, keys: Keys) -> None:
    for made in (int(time.time()) + 3600, None, 0):
        assert (await verifier.verify(keys.token(iat=made))).user_id == PERSON


async def test_a_token_ends_even_when_it_was_verified_before(
    verifier: Verifier, keys: Keys, clock: Clock
) -> None:
    token = keys.token()
    await verifier.verify(token)
    clock.passed = 700
    with pytest.raises(Unauthenticated, match="expired"):
        await verifier.verify(token)


async def test_a_new_key_is_learnt(verifier: Verifier, keys: Keys, clock: Clock) -> None:
    await verifier.verify(keys.token())
    keys.private = ECKey.generate_key("P-256")
    clock.passed = REFETCH_SECONDS + 0.1
    assert (await verifier.verify(keys.token())).user_id == PERSON
    assert keys.fetched == 2


async def test_forged_key_ids_fetch_at_most_once_in_five_seconds(
    verifier: Verifier, keys: Keys, clock: Clock
) -> None:
    await verifier.verify(keys.token())
    for second in range(1, 12):
        clock.passed = float(second)
        for _ in range(5):
            assert await refused(verifier, Keys().token(header={"kid": f"forged-{second}"}))
    assert keys.fetched == 1 + 2


async def test_without_keys_nobody_is_known_and_nobody_is_sent_away(keys: Keys) -> None:
    async def away() -> object:
        raise Unavailable("auth is away")

    verifier = Verifier("creavio", "creavio", away)  # type: ignore[arg-type]  # never returns
    with pytest.raises(Unavailable):
        await verifier.verify(keys.token())


async def test_with_auth_away_good_tokens_are_good_and_bad_ones_bad(
    keys: Keys, clock: Clock
) -> None:
    up, asked = True, 0

    async def fetch() -> object:
        nonlocal asked
        asked += 1
        if not up:
            raise Unavailable("auth is away")
        return await keys.fetch()

    verifier = Verifier("creavio", "creavio", fetch)  # type: ignore[arg-type]  # as fetch_keys
    await verifier.verify(keys.token())
    up, clock.passed = False, REFETCH_SECONDS + 0.1
    for _ in range(5):
        assert await refused(verifier, Keys().token())
    assert (await verifier.verify(keys.token())).user_id == PERSON
    assert asked == 2, "forged key ids cost nothing, also while auth is away"


letters = st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEF0123456789-_=.é\x00 ", max_size=40)
headers = st.dictionaries(
    st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "x5c", "zip", "enc"]),
    st.sampled_from(["ES256", "none", "HS256", "RS256", "dir", ""])
    | st.none()
    | st.integers()
    | st.lists(st.text(max_size=3), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
)
claims = st.dictionaries(st.sampled_from(["iss", "aud", "sub", "exp"]), st.text(max_size=5))


@given(
    letters
    | st.tuples(letters, letters, letters).map(".".join)
    | st.tuples(headers | st.lists(st.integers()) | st.integers(), claims, letters).map(
        lambda parts: f"{part(parts[0])}.{part(parts[1])}.{parts[2]}"
    )
)
async def test_garbage_is_nobody(garbage: str) -> None:
    verifier = Verifier("creavio", "creavio", Keys().fetch)
    with pytest.raises(Error) as raised:
        await verifier.verify(garbage)
    assert type(raised.value) is Unauthenticated


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "bearer", "Basic YTpi", "token"])
def test_a_header_without_a_bearer_token_is_refused(header: str) -> None:
    with pytest.raises(Unauthenticated):
        bearer(header)


def test_the_scheme_is_read_in_any_case() -> None:
    assert bearer("bEaReR abc") == "abc"
