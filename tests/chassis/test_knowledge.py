"""What is kept of rbac's policy is believed only while nothing newer can be true."""

from __future__ import annotations

import pytest

from chassis.authz import Knowledge
from chassis.masks import to_bytes
from creavio.options.v1 import permission_pb2
from creavio.rbac.v1 import access_pb2, rbac_events_pb2
from creavio.rbac.v1.access_service_pb2 import GetAccessResponse

VIEW = permission_pb2.PERMISSION_VIEW_COMMUNITY


class Clock:
    """Monotonic time, which passes when a test says so."""

    now = 100.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("chassis.authz.time.monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def knowledge(clock: Clock) -> Knowledge:
    """rbac stands at revision 10, and is heard."""
    knowledge = Knowledge()
    knowledge.heartbeat(10)
    return knowledge


def reply(user: str, community: str, revision: int, roles: int = 1) -> GetAccessResponse:
    """What rbac says of a person at a revision: role 0 may view."""
    mask = access_pb2.PermissionMask(permission=VIEW, allow=to_bytes(1))
    return GetAccessResponse(
        masks=access_pb2.CommunityMasks(community_id=community, version=1, masks=[mask]),
        binding=access_pb2.Binding(community_id=community, user_id=user, roles=to_bytes(roles)),
        revision=revision,
    )


def binding(user: str, community: str, revision: int) -> rbac_events_pb2.BindingChanged:
    return rbac_events_pb2.BindingChanged(user_id=user, community_id=community, revision=revision)


def policy(community: str, revision: int) -> rbac_events_pb2.PolicyChanged:
    return rbac_events_pb2.PolicyChanged(community_id=community, revision=revision)


def test_what_was_fetched_is_kept(knowledge: Knowledge) -> None:
    assert knowledge.get("ada", "table") is None
    fetched = knowledge.keep(reply("ada", "table", 10))
    assert fetched.masks.allow(fetched.roles, VIEW)
    assert knowledge.get("ada", "table") == fetched


def test_a_changed_binding_drops_that_person_there_and_nobody_else(knowledge: Knowledge) -> None:
    for user, community in (("ada", "table"), ("bob", "table"), ("ada", "chair")):
        knowledge.keep(reply(user, community, 10))
    knowledge.binding_changed(binding("ada", "table", 11))
    assert knowledge.get("ada", "table") is None
    assert knowledge.get("bob", "table") is not None
    assert knowledge.get("ada", "chair") is not None


def test_a_changed_policy_drops_everybody_there(knowledge: Knowledge) -> None:
    for user, community in (("ada", "table"), ("bob", "table"), ("ada", "chair")):
        knowledge.keep(reply(user, community, 10))
    knowledge.policy_changed(policy("table", 11))
    assert knowledge.get("ada", "table") is None
    assert knowledge.get("bob", "table") is None
    assert knowledge.get("ada", "chair") is not None


def test_two_announcements_of_one_revision_are_no_gap(knowledge: Knowledge) -> None:
    knowledge.keep(reply("ada", "chair", 10))
    knowledge.policy_changed(policy("table", 11))
    knowledge.binding_changed(binding("bob", "table", 11))
    assert knowledge.get("ada", "chair") is not None


def test_a_missed_announcement_forgets_everything(knowledge: Knowledge) -> None:
    knowledge.keep(reply("ada", "chair", 10))
    knowledge.binding_changed(binding("bob", "table", 12))
    assert knowledge.get("ada", "chair") is None


def test_a_heartbeat_ahead_forgets_everything(knowledge: Knowledge) -> None:
    knowledge.keep(reply("ada", "table", 10))
    knowledge.heartbeat(10)
    assert knowledge.get("ada", "table") is not None
    knowledge.heartbeat(11)
    assert knowledge.get("ada", "table") is None


def test_a_reply_from_before_an_announcement_is_not_kept(knowledge: Knowledge) -> None:
    # Asked at revision 10; the change to 11 was announced while the answer was on its way.
    knowledge.binding_changed(binding("ada", "table", 11))
    stale = knowledge.keep(reply("ada", "table", 10))
    assert stale.roles == 1, "the question that was asked is answered"
    assert knowledge.get("ada", "table") is None
    knowledge.keep(reply("ada", "chair", 10))
    assert knowledge.get("ada", "chair") is not None, "nothing changed there"
    knowledge.keep(reply("ada", "table", 11, roles=0))
    kept = knowledge.get("ada", "table")
    assert kept is not None
    assert not kept.masks.allow(kept.roles, VIEW)


def test_a_reply_from_before_a_gap_is_not_kept(knowledge: Knowledge) -> None:
    knowledge.heartbeat(15)
    knowledge.keep(reply("ada", "table", 14))
    assert knowledge.get("ada", "table") is None
    knowledge.keep(reply("ada", "table", 15))
    assert knowledge.get("ada", "table") is not None


def test_late_announcements_do_not_turn_time_back(knowledge: Knowledge) -> None:
    knowledge.heartbeat(12)
    knowledge.keep(reply("ada", "table", 12))
    knowledge.keep(reply("bob", "table", 12))
    knowledge.binding_changed(binding("bob", "table", 11))
    assert knowledge.get("ada", "table") is not None
    knowledge.binding_changed(binding("bob", "table", 13))
    assert knowledge.get("ada", "table") is not None, "12 was known: 13 is the next"


def test_unheard_for_a_second_nothing_is_believed(knowledge: Knowledge, clock: Clock) -> None:
    knowledge.keep(reply("ada", "table", 10))
    clock.now += 0.99
    assert knowledge.get("ada", "table") is not None
    clock.now += 0.02
    assert knowledge.get("ada", "table") is None
    # Heard again, and nothing was missed: it is true still.
    knowledge.heartbeat(10)
    assert knowledge.get("ada", "table") is not None


def test_before_the_first_heartbeat_nothing_is_believed(clock: Clock) -> None:
    knowledge = Knowledge()
    knowledge.keep(reply("ada", "table", 10))
    assert knowledge.get("ada", "table") is None
    # Something may have changed between the answer and the first that was heard.
    knowledge.heartbeat(11)
    assert knowledge.get("ada", "table") is None


def test_an_announcement_is_no_heartbeat(knowledge: Knowledge, clock: Clock) -> None:
    knowledge.keep(reply("ada", "table", 10))
    clock.now += 2
    knowledge.binding_changed(binding("bob", "chair", 11))
    assert knowledge.get("ada", "table") is None
