"""Accounts and sessions, by their rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
import string

from hypothesis import given
from hypothesis import strategies as st

from chassis import ids
from creavio.auth.v1.account_service_pb2 import CreateAccountRequest
from creavio.user.v1.user_service_pb2 import CreateUserRequest
from services.auth import domain
from tests.tools.enforced import refused_fields

NOW = datetime(2026, 1, 1, tzinfo=UTC)
edge = st.sampled_from(string.ascii_letters + string.digits)
middle = st.text(alphabet=string.ascii_letters + string.digits + "_.-", max_size=30)
handles = st.tuples(edge, middle, edge).map("".join)


@given(handles, st.text(max_size=80))
def test_an_account_is_kept_in_the_form_that_is_compared(handle: str, name: str) -> None:
    account = domain.new_account(handle, "Ada@Example.ORG", name, "hash", NOW)
    assert account.handle == handle.lower()
    assert account.email == "ada@example.org"
    assert account.display_name == (name.strip() or handle)
    assert account.standing == domain.Standing.COMING


@given(handles, st.text(max_size=70))
def test_what_makes_an_account_makes_its_profile(handle: str, name: str) -> None:
    # Else the account would wait for its profile for ever.
    asked = CreateAccountRequest(
        handle=handle, email="ada@example.org", password="long enough", display_name=name
    )
    if not refused_fields(asked):
        account = domain.new_account(handle, asked.email, asked.display_name, "hash", NOW)
        profile = CreateUserRequest(
            user_id=ids.text(ids.Kind.USER, account.id),
            handle=account.handle,
            display_name=account.display_name,
        )
        assert not refused_fields(profile)


@given(st.text())
def test_a_handle_is_never_taken_for_an_address(handle: str) -> None:
    asked = CreateAccountRequest(handle=handle, email="ada@example.org", password="long enough")
    if "handle" not in refused_fields(asked):
        assert not domain.is_address(handle)
    assert domain.is_address(f"{handle}@example.org")


@given(handles)
def test_the_contract_takes_every_good_handle(handle: str) -> None:
    asked = CreateAccountRequest(handle=handle, email="ada@example.org", password="long enough")
    assert refused_fields(asked) == set()


def test_a_session_lasts_for_thirty_days_from_its_latest_use() -> None:
    session = domain.new_session(ids.new(), b"first", ids.new(), NOW)
    assert session.expire_time == NOW + timedelta(days=30)
    later = NOW + timedelta(days=20)
    renewed = domain.refreshed(session, b"second", later)
    assert (renewed.refresh_hash, renewed.expire_time) == (b"second", later + timedelta(days=30))
    assert (renewed.id, renewed.create_time) == (session.id, NOW)


moments = st.timedeltas(timedelta(0), timedelta(seconds=20))


@given(moments)
def test_a_spent_refresh_token_has_ten_seconds(later: timedelta) -> None:
    session = domain.new_session(ids.new(), b"first", ids.new(), NOW)
    assert domain.presented(session, b"first", NOW + later) is domain.Presented.CURRENT
    assert domain.presented(session, b"other", NOW + later) is domain.Presented.REPLAYED
    renewed = domain.refreshed(session, b"second", NOW)
    assert domain.presented(renewed, b"second", NOW + later) is domain.Presented.CURRENT
    expected = (
        domain.Presented.JUST_SPENT if later <= timedelta(seconds=10) else domain.Presented.REPLAYED
    )
    assert domain.presented(renewed, b"first", NOW + later) is expected
    again = domain.refreshed(renewed, b"third", NOW)
    assert domain.presented(again, b"first", NOW + later) is domain.Presented.REPLAYED


def test_mail_is_tried_for_a_day_and_ever_more_rarely() -> None:
    waits = [domain.due_again(attempts) for attempts in range(1, 30)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (timedelta(minutes=1), timedelta(hours=2))
    assert sum(waits[:16], timedelta()) < domain.MAIL_LASTS
