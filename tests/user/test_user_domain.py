"""Profiles, by their rules."""

from __future__ import annotations

from datetime import UTC, datetime
import string
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
import pytest

from chassis.errors import Invalid
from services.user import domain
from services.user.domain import Profile

NOW = datetime(2026, 1, 1, tzinfo=UTC)
names = st.text(min_size=1).filter(lambda name: name.strip())
changes = st.fixed_dictionaries({}, optional={"display_name": names, "bio": st.text() | st.none()})


def profile() -> Profile:
    return domain.new_profile(uuid4(), "Ada-L", "Ada Lovelace", NOW)


@given(st.text(alphabet=string.ascii_letters + string.digits + "_.-"))
def test_a_handle_has_one_form(handle: str) -> None:
    form = domain.canonical_handle(handle)
    assert domain.canonical_handle(form) == form
    assert {domain.canonical_handle(other) for other in (handle.upper(), handle.lower())} == {form}


def test_a_new_profile_says_nothing_yet() -> None:
    ada = profile()
    assert (ada.handle, ada.display_name, ada.bio) == ("ada-l", "Ada Lovelace", "")


@given(changes)
def test_an_edit_changes_exactly_what_it_says(changed: dict[str, str | None]) -> None:
    before = profile()
    after = domain.edit(before, changed)
    for field in ("id", "handle", "create_time"):
        assert getattr(after, field) == getattr(before, field)
    for field in domain.EDITABLE:
        if field in changed:
            assert getattr(after, field) == (changed[field] or "").strip()
        else:
            assert getattr(after, field) == getattr(before, field)
    assert domain.edit(after, changed) == after


@pytest.mark.parametrize("name", ["", "   ", "\t\n", None])
def test_a_person_always_has_a_name(name: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        domain.edit(profile(), {"display_name": name})
    assert refused.value.fields[0][0] == "display_name"
