"""Profiles, by their rules."""

from __future__ import annotations

from datetime import UTC, datetime
import string
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
import pytest

from chassis.errors import Invalid
from services.user import domain
from services.user.domain import Audience, Profile, Settings, Theme

NOW = datetime(2026, 1, 1, tzinfo=UTC)
names = st.text(min_size=1).filter(lambda name: name.strip())
changes = st.fixed_dictionaries(
    {},
    optional={"display_name": names} | {f: st.text() | st.none() for f in ("bio", "status_text")},
)


def profile() -> Profile:
    return domain.new_profile(uuid4(), "Ada-L", "Ada Lovelace", NOW)


@given(st.text(alphabet=string.ascii_letters + string.digits + "_.-"))
def test_a_handle_has_one_form(handle: str) -> None:
    form = domain.canonical_handle(handle)
    assert domain.canonical_handle(form) == form
    assert {domain.canonical_handle(other) for other in (handle.upper(), handle.lower())} == {form}


@pytest.mark.parametrize(
    ("one", "other"),
    [("ada1", "adal"), ("b0b", "bob"), ("BOB", "b0b"), ("mara", "rnara"), ("x1m", "xlrn")],
)
def test_handles_that_look_alike_have_one_skeleton(one: str, other: str) -> None:
    assert domain.skeleton(one) == domain.skeleton(other)


@given(st.text(alphabet=string.ascii_letters + string.digits + "_.-"))
def test_a_skeleton_is_its_own(handle: str) -> None:
    assert domain.skeleton(domain.skeleton(handle)) == domain.skeleton(handle)
    assert domain.skeleton(handle.upper()) == domain.skeleton(handle)


values = st.fixed_dictionaries(
    {},
    optional={
        "theme": st.sampled_from(Theme) | st.none(),
        "locale": st.sampled_from(["", "de", "ar-EG"]) | st.none(),
        "direct_messages": st.sampled_from(Audience) | st.none(),
        **{name: st.booleans() | st.none() for name in ("reduce_motion", "hide_typing", "compact")},
    },
)


@given(values, values)
def test_settings_change_as_they_are_told(one: dict[str, Any], two: dict[str, Any]) -> None:
    before = domain.set_up(Settings(), one)
    after = domain.set_up(before, two)
    for name in domain.SETTABLE:
        kept = two.get(name, getattr(before, name))
        assert getattr(after, name) == (getattr(Settings(), name) if kept is None else kept)


def test_nobody_blocks_themself() -> None:
    me = uuid4()
    with pytest.raises(Invalid):
        domain.may_block(me, me)
    domain.may_block(me, uuid4())


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
