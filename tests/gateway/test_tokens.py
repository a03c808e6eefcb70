"""A resume token is good for the person it was made for, and for nobody else."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
import pytest

from chassis import ids
from chassis.positions import START, Position
from chassis.testing import scratch_config
from chassis.tokens import Tokens
from services.gateway.domain import InvalidResumeToken, Positions
from services.gateway.engine.community import Person
from services.gateway.engine.tokens import ResumeTokens
from tests.gateway.world import read

EVENT = ids.text(ids.Kind.EVENT, ids.new())
AT = {"chat": Position(2, 123_456_789, EVENT), "user": START}


@pytest.fixture
def tokens() -> ResumeTokens:
    return ResumeTokens(scratch_config("gateway"))


def token(tokens: ResumeTokens, at: Positions = AT, user: str = "ada") -> str:
    """As a client reads it from what is written."""
    return read(tokens.sealed(Person(user), at)).resume_token


@given(
    st.dictionaries(
        st.text("abcdefghijkl", min_size=1, max_size=12),
        st.builds(
            Position,
            st.integers(0, 2**31),
            st.integers(0, 2**40),
            st.sampled_from(["", EVENT]),
        ),
        max_size=15,
    )
)
def test_what_goes_in_comes_out(at: dict[str, Position]) -> None:
    tokens = ResumeTokens(scratch_config("gateway"))
    assert tokens.open(token(tokens, at), "ada") == at


def test_another_replica_reads_it(tokens: ResumeTokens) -> None:
    assert ResumeTokens(scratch_config("gateway")).open(token(tokens), "ada") == AT


def test_each_place_has_its_own(tokens: ResumeTokens) -> None:
    ada = Person("ada")
    later = {**AT, "chat": Position(2, 123_456_790, EVENT)}
    first, second = tokens.sealed(ada, AT), tokens.sealed(ada, later)
    assert tokens.open(read(first).resume_token, "ada") == AT
    assert tokens.open(read(second).resume_token, "ada") == later
    assert tokens.sealed(ada, AT) == first


def test_it_stays_short_with_fifteen_services(tokens: ResumeTokens) -> None:
    at = {f"notification{n}": Position(2**31, 2**40, EVENT) for n in range(15)}
    assert len(token(tokens, at)) <= 1_500


def first_form(user: str, *at: int | str) -> str:
    """A token as the first releases gave it out."""
    said = {"chat": list(at or (7, EVENT))}
    return Tokens(scratch_config("gateway")).seal(said, "resume", user)


def test_a_token_of_the_first_releases_is_read(tokens: ResumeTokens) -> None:
    assert tokens.open(first_form("ada"), "ada") == {"chat": Position(0, 7, EVENT)}
    assert tokens.open(first_form("ada", 2, 7, EVENT), "ada") == {"chat": Position(2, 7, EVENT)}


def test_nobody_elses_token_passes(tokens: ResumeTokens) -> None:
    mine = token(tokens)
    other_key = scratch_config("gateway").model_copy(update={"token_key": SecretStr("k" * 44)})
    bad = [
        token(tokens, user="bob"),
        token(ResumeTokens(other_key)),
        mine[1:],
        mine[:-1],
        mine[:20],
        mine[:24],
        "x",
        "====",
        "garbage",
        "\u202e😀",
        mine[:24] + token(tokens, {})[24:],
        mine[:24] + "\x00" + mine[24:],
        mine[:30] + ":" + mine[30:],
        f"{mine}=",
        # The form they had before, of another person and forged, and a cursor of a list.
        first_form("bob"),
        first_form("ada")[1:],
        Tokens(other_key).seal({"chat": [1, EVENT]}, "resume", "ada"),
        Tokens(scratch_config("gateway")).next_page([1], "messages", "ada"),
    ]
    for one in bad:
        with pytest.raises(InvalidResumeToken):
            tokens.open(one, "ada")
    assert InvalidResumeToken().reason == "INVALID_RESUME_TOKEN"


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_forged_byte_passes(place: int, flip: int) -> None:
    tokens = ResumeTokens(scratch_config("gateway"))
    mine = token(tokens)
    raw = bytearray(base64.urlsafe_b64decode(mine + "=" * (-len(mine) % 4)))
    raw[place % len(raw)] ^= flip
    with pytest.raises(InvalidResumeToken):
        tokens.open(base64.urlsafe_b64encode(raw).decode().rstrip("="), "ada")


def test_a_form_that_is_not_known_any_more_is_refused(
    tokens: ResumeTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    ancient = token(tokens)
    monkeypatch.setattr("services.gateway.engine.tokens._FORM", b"\x02")
    with pytest.raises(InvalidResumeToken):
        tokens.open(ancient, "ada")
