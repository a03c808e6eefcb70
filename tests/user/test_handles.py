"""Of handles that look alike, one is anybody's: properties of canonical forms and skeletons."""

from __future__ import annotations

import re
import string

from hypothesis import given
from hypothesis import strategies as st
import pytest

from buf.validate import validate_pb2
from creavio.user.v1 import user_service_pb2
from services.user.domain import canonical_handle, skeleton

_RULES = user_service_pb2.CreateUserRequest.DESCRIPTOR.fields_by_name["handle"].GetOptions()
PATTERN = re.compile(_RULES.Extensions[validate_pb2.field].string.pattern.strip("^$"))
"""What a handle is, as the contract says it."""
CHARACTERS = string.ascii_letters + string.digits
HANDLES = st.builds(
    lambda first, middle, last: first + middle + last,
    st.sampled_from(CHARACTERS),
    st.text(CHARACTERS + "_.-", max_size=30),
    st.sampled_from(CHARACTERS),
)
ALIKE = (("0", "o"), ("1", "l"), ("m", "rn"), ("o", "0"), ("l", "1"), ("rn", "m"))
"""What UTS #39 takes for each other among the characters a handle may have."""


@given(HANDLES)
def test_case_makes_no_other_handle(handle: str) -> None:
    assert PATTERN.fullmatch(handle)
    for other in (handle.upper(), handle.lower(), handle.swapcase(), canonical_handle(handle)):
        assert canonical_handle(other) == canonical_handle(handle)
        assert skeleton(other) == skeleton(handle)


@given(HANDLES)
def test_a_skeleton_is_its_own_skeleton(handle: str) -> None:
    assert skeleton(skeleton(handle)) == skeleton(handle)


@given(HANDLES, st.lists(st.tuples(st.sampled_from(ALIKE), st.integers(1, 3)), max_size=8))
def test_replacing_by_what_looks_alike_makes_no_other_skeleton(
    handle: str, changes: list[tuple[tuple[str, str], int]]
) -> None:
    other = canonical_handle(handle)
    for (one, another), count in changes:
        other = other.replace(one, another, count)
    assert skeleton(other) == skeleton(handle)


@given(HANDLES, HANDLES)
def test_what_does_not_look_alike_is_not_taken_for_each_other(one: str, other: str) -> None:
    plain = [canonical_handle(handle) for handle in (one, other)]
    if not set("01mrnol") & set("".join(plain)):
        assert (skeleton(one) == skeleton(other)) == (plain[0] == plain[1])


@pytest.mark.parametrize(
    "homoglyph",
    [
        "\u0430da",  # Cyrillic a
        "ad\u0251",  # Latin alpha
        "\uff41da",  # fullwidth
        "a\u200dda",  # zero width joiner
        "\u202eada",  # right-to-left override
        "ad\u0101",  # with macron
        "ada\n",
        "ada\u00a0",
    ],
)
def test_characters_that_only_look_like_ours_are_in_no_handle(homoglyph: str) -> None:
    assert PATTERN.fullmatch(homoglyph) is None
