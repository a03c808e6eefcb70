"""Page and resume tokens are good for what they were made for, and for nothing else."""

from __future__ import annotations

import string

from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import SecretStr
import pytest

from chassis.errors import Invalid
from chassis.testing import scratch_config
from chassis.tokens import Tokens, page_size

TOKENS = Tokens(scratch_config("chat"))

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
purposes = st.lists(
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1),
    min_size=1,
    max_size=3,
)


@given(values, purposes)
def test_a_token_brings_its_value_back(value: object, purpose: list[str]) -> None:
    token = TOKENS.next_page(value, *purpose)
    assert TOKENS.page_start(token, *purpose) == value


@given(purposes, purposes)
def test_a_token_of_another_list_or_person_is_refused(mine: list[str], other: list[str]) -> None:
    assume(mine != other)
    with pytest.raises(Invalid) as refused:
        TOKENS.page_start(TOKENS.next_page(7, *mine), *other)
    assert refused.value.reason == "INVALID_PAGE_TOKEN"
    assert refused.value.fields[0][0] == "page_token"


@given(st.data())
def test_a_tampered_token_never_says_something_else(data: st.DataObject) -> None:
    value = ["2026-01-01", 12]
    token = TOKENS.next_page(value, "communities", "usr_a")
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("abcXYZ019-_.=!\x00é"))
    tampered = token[:place] + letter + token[place + 1 :]
    try:
        opened = TOKENS.page_start(tampered, "communities", "usr_a")
    except Invalid:
        return
    assert opened == value  # spare bits of the last letter decode alike


def test_a_token_with_another_value_under_its_signature_is_refused() -> None:
    _, _, signature = TOKENS.next_page(12, "messages").rpartition(".")
    payload, _, _ = TOKENS.next_page(13, "messages").rpartition(".")
    with pytest.raises(Invalid) as refused:
        TOKENS.page_start(f"{payload}.{signature}", "messages")
    assert refused.value.reason == "INVALID_PAGE_TOKEN"


def test_a_token_counts_to_its_last_character() -> None:
    letters = string.ascii_letters + string.digits + "-_"
    token = TOKENS.next_page(7, "list")
    for other in (token[:-1] + last for last in letters if last != token[-1]):
        with pytest.raises(Invalid):
            TOKENS.page_start(other, "list")


@given(st.text(min_size=1))
def test_garbage_is_refused(garbage: str) -> None:
    with pytest.raises(Invalid) as refused:
        TOKENS.page_start(garbage, "communities", "usr_a")
    assert refused.value.reason == "INVALID_PAGE_TOKEN"


def test_a_token_of_another_service_is_refused() -> None:
    other = Tokens(scratch_config("chat").model_copy(update={"token_key": SecretStr("k" * 44)}))
    with pytest.raises(Invalid):
        TOKENS.page_start(other.next_page(7, "messages"), "messages")


def test_a_page_token_is_no_other_token() -> None:
    with pytest.raises(Invalid):
        TOKENS.open(TOKENS.next_page(7, "usr_a"), "resume", "usr_a", error=lambda: Invalid("no"))


def test_no_token_begins_at_the_beginning() -> None:
    assert TOKENS.page_start("", "messages") is None


def test_fifty_are_returned_unless_asked() -> None:
    assert (page_size(0), page_size(7), page_size(100)) == (50, 7, 100)
