"""Identifiers: what goes out comes back, and nothing else comes in."""

from __future__ import annotations

import string
from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st
import pytest

from chassis import ids
from chassis.errors import Invalid
from chassis.ids import Kind

kinds = st.sampled_from(Kind)
any_uuid = st.integers(0, 2**128 - 1).map(lambda value: UUID(int=value))
BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"


@given(kinds, any_uuid)
def test_an_identifier_comes_back_as_the_uuid_it_was(kind: Kind, value: UUID) -> None:
    written = ids.text(kind, value)
    assert written.startswith(f"{kind}_")
    assert ids.parse(kind, written, field="id") == value


@given(any_uuid, any_uuid)
def test_identifiers_sort_as_their_uuids(one: UUID, other: UUID) -> None:
    assert (ids.text(Kind.EVENT, one) < ids.text(Kind.EVENT, other)) == (one < other)


@given(kinds, kinds, any_uuid)
def test_an_identifier_of_another_kind_is_refused(kind: Kind, other: Kind, value: UUID) -> None:
    assume(kind != other)
    with pytest.raises(Invalid) as refused:
        ids.parse(kind, ids.text(other, value), field="channel_id")
    assert refused.value.fields[0][0] == "channel_id"
    assert refused.value.reason == "INVALID_FIELD"


@given(kinds, st.text() | st.text(alphabet=string.ascii_letters + string.digits + "_", max_size=40))
def test_garbage_is_refused(kind: Kind, garbage: str) -> None:
    suffix = garbage.removeprefix(f"{kind}_")
    assume(len(suffix) != 26 or not set(suffix) <= set(BASE32))
    with pytest.raises(Invalid):
        ids.parse(kind, garbage, field="id")


@given(kinds, st.text(alphabet=BASE32 + "ilouA!_ ", min_size=26, max_size=26))
def test_no_two_identifiers_name_one_thing(kind: Kind, suffix: str) -> None:
    try:
        value = ids.parse(kind, f"{kind}_{suffix}", field="id")
    except Invalid:
        return
    assert ids.text(kind, value) == f"{kind}_{suffix}"


def test_later_identifiers_sort_after_earlier_ones() -> None:
    made = [ids.new() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert all(value.version == 7 for value in made)
