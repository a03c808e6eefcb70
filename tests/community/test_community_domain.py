"""Communities, by their rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
import string
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
import pytest

from chassis.errors import Invalid
from creavio.community.v1.invite_service_pb2 import AcceptInviteRequest
from services.community import domain
from services.community.domain import LastOwner, Standing
from tests.tools.enforced import refused_fields

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BLANK = st.text(alphabet=" \t\n\r\u00a0\u2003\u3000")


@given(st.text())
def test_a_name_is_kept_without_the_space_around_it(name: str) -> None:
    if name.strip():
        assert domain.new_community(name, uuid4(), NOW).name == name.strip()
        assert domain.new_channel(uuid4(), name, uuid4(), NOW).name == name.strip()


@given(BLANK)
def test_a_blank_name_is_none(name: str) -> None:
    for make in (
        lambda: domain.new_community(name, uuid4(), NOW),
        lambda: domain.new_channel(uuid4(), name, uuid4(), NOW),
    ):
        with pytest.raises(Invalid) as refused:
            make()
        assert refused.value.fields[0][0] == "name"


def test_an_invite_works_for_seven_days_and_cannot_be_guessed() -> None:
    invites = [domain.new_invite(uuid4(), uuid4(), NOW) for _ in range(2000)]
    assert {invite.expire_time for invite in invites} == {NOW + timedelta(days=7)}
    codes = {invite.code for invite in invites}
    assert len(codes) == 2000
    assert {len(code) for code in codes} == {10}
    letters = set("".join(codes))
    assert letters == set(string.ascii_letters + string.digits)


def test_every_code_is_one_that_can_be_accepted() -> None:
    for _ in range(200):
        code = domain.new_invite(uuid4(), uuid4(), NOW).code
        assert not refused_fields(AcceptInviteRequest(code=code))


def test_a_member_comes_before_it_counts() -> None:
    assert domain.new_member(uuid4(), uuid4(), NOW).standing == Standing.COMING


def test_a_community_keeps_its_owner() -> None:
    owner, member = uuid4(), uuid4()
    community = domain.new_community("Table", owner, NOW)
    domain.may_be_removed(community, member)
    with pytest.raises(LastOwner) as refused:
        domain.may_be_removed(community, owner)
    assert refused.value.reason == "LAST_OWNER"


def test_a_community_has_only_so_many_channels() -> None:
    domain.may_have_another(domain.CHANNELS - 1)
    with pytest.raises(domain.LimitReached) as raised:
        domain.may_have_another(domain.CHANNELS)
    assert raised.value.reason == "LIMIT_REACHED"
