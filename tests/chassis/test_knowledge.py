"""What is kept of rbac's policy is believed only while nothing newer can be true."""

from __future__ import annotations

import time

import pytest

from chassis.knowledge import Knowledge, Known
from chassis.masks import Policy, Roles, to_bytes
from creavio.options.v1 import permission_pb2
from creavio.rbac.v1 import access_pb2, rbac_events_pb2
from creavio.rbac.v1.access_service_pb2 import (
    GetAccessResponse,
    ListChangesResponse,
    PolicyVersion,
)

VIEW = permission_pb2.PERMISSION_VIEW_COMMUNITY


class Clock:
    """Monotonic time, which passes when a test says so."""

    now = 100.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("chassis.knowledge.time.monotonic", lambda: clock.now)
    return clock


@pytest.fixture
def knowledge(clock: Clock) -> Knowledge:
    """rbac stands at revision 10, and is heard."""
    knowledge = Knowledge()
    knowledge.heartbeat(10)
    return knowledge


def bound(user: str, community: str, version: int, *roles: int) -> access_pb2.Binding:
    """Somebody's roles, by number."""
    bits = sum(1 << role for role in roles)
    return access_pb2.Binding(
        community_id=community, user_id=user, version=version, roles=to_bytes(bits)
    )


def reply(
    user: str, community: str, revision: int, *, policy: int = 1, version: int = 1
) -> GetAccessResponse:
    """What rbac says of a person at a revision: role 5 may view, and they have it."""
    mask = access_pb2.PermissionMask(permission=VIEW, allow=to_bytes(1))
    return GetAccessResponse(
        masks=access_pb2.CommunityMasks(
            community_id=community, version=policy, masks=[mask], roles=[5]
        ),
        binding=bound(user, community, version, 5),
        revision=revision,
    )


def binding(
    user: str, community: str, revision: int, version: int, *roles: int
) -> rbac_events_pb2.BindingChanged:
    return rbac_events_pb2.BindingChanged(
        user_id=user,
        community_id=community,
        revision=revision,
        version=version,
        binding=bound(user, community, version, *roles),
    )


def policy(community: str, revision: int, version: int) -> rbac_events_pb2.PolicyChanged:
    return rbac_events_pb2.PolicyChanged(community_id=community, revision=revision, version=version)


def allowed(knowledge: Knowledge, user: str, community: str) -> bool | None:
    """What is decided from what is kept; None when nothing can be."""
    known = knowledge.get(user, community)
    return None if known is None else known.allows(VIEW, now=0)


class Witness:
    """Hears of every change."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def policy_changed(self, community_id: str) -> None:
        self.heard.append(community_id)

    def roles_changed(self, user_id: str, community_id: str, roles: Roles) -> None:
        self.heard.append(f"{user_id} {community_id} {roles.numbers}")

    def forgotten(self) -> None:
        self.heard.append("forgotten")


def test_what_was_fetched_is_kept(knowledge: Knowledge) -> None:
    assert allowed(knowledge, "ada", "table") is None
    knowledge.keep(reply("ada", "table", 10))
    assert allowed(knowledge, "ada", "table") is True


def test_a_lost_role_is_lost_with_the_announcement(knowledge: Knowledge) -> None:
    for user in ("ada", "bob"):
        knowledge.keep(reply(user, "table", 10))
    knowledge.binding_changed(binding("ada", "table", 11, 2))
    assert allowed(knowledge, "ada", "table") is False
    assert allowed(knowledge, "bob", "table") is True
    assert knowledge.revision == 11


def test_an_older_binding_changes_nothing(knowledge: Knowledge) -> None:
    knowledge.keep(reply("ada", "table", 10, version=4))
    knowledge.binding_changed(binding("ada", "table", 9, 3))
    assert allowed(knowledge, "ada", "table") is True


def test_a_changed_policy_voids_its_community_alone(knowledge: Knowledge) -> None:
    for community in ("table", "chair"):
        knowledge.keep(reply("ada", community, 10))
    knowledge.policy_changed(policy("table", 11, 2))
    assert allowed(knowledge, "ada", "table") is None
    assert allowed(knowledge, "ada", "chair") is True


def test_the_masks_are_shared_and_not_sent_twice(knowledge: Knowledge) -> None:
    knowledge.keep(reply("ada", "table", 10))
    assert knowledge.policy_version("table") == 1
    without = GetAccessResponse(binding=bound("bob", "table", 1, 5), revision=10)
    assert knowledge.keep(without) is not None
    assert allowed(knowledge, "bob", "table") is True
    knowledge.policy_changed(policy("table", 11, 2))
    assert knowledge.keep(without) is None


def test_new_masks_count_for_whom_they_were_not_fetched(knowledge: Knowledge) -> None:
    knowledge.keep(reply("ada", "table", 10))
    knowledge.policy_changed(policy("table", 11, 2))
    newer = reply("bob", "table", 11, policy=2)
    newer.masks.masks[0].allow = b""
    knowledge.keep(newer)
    assert allowed(knowledge, "ada", "table") is False


def test_an_answer_older_than_an_announcement_is_not_kept(knowledge: Knowledge) -> None:
    late = reply("ada", "table", 10)
    knowledge.binding_changed(binding("ada", "table", 11, 2))
    assert knowledge.keep(late) is not None
    assert knowledge.get("ada", "table") is None
    knowledge.keep(reply("ada", "table", 11))
    assert allowed(knowledge, "ada", "table") is True


def test_a_silent_rbac_is_believed_for_a_second_and_by_readers_for_thirty(
    knowledge: Knowledge, clock: Clock
) -> None:
    knowledge.keep(reply("ada", "table", 10))
    clock.now += 0.9
    assert knowledge.get("ada", "table") is not None
    clock.now += 0.2
    assert knowledge.get("ada", "table") is None
    assert knowledge.get("ada", "table", reading=True) is not None
    clock.now += 28
    assert knowledge.get("ada", "table", reading=True) is not None
    clock.now += 2
    assert knowledge.get("ada", "table", reading=True) is None


def test_what_was_fetched_in_the_silence_is_readable_from_then(
    knowledge: Knowledge, clock: Clock
) -> None:
    clock.now += 100
    knowledge.keep(reply("ada", "table", 10))
    clock.now += 29
    assert knowledge.get("ada", "table", reading=True) is not None
    assert knowledge.get("ada", "table") is None
    clock.now += 2
    assert knowledge.get("ada", "table", reading=True) is None


@pytest.mark.parametrize("missed", ["heartbeat", "announcement"])
def test_nothing_is_believed_while_a_change_is_missing(knowledge: Knowledge, missed: str) -> None:
    knowledge.keep(reply("ada", "table", 10))
    if missed == "heartbeat":
        knowledge.heartbeat(12)
    else:
        knowledge.binding_changed(binding("bob", "chair", 12, 1, 5))
    assert knowledge.missing
    assert knowledge.revision == 10
    assert knowledge.get("ada", "table") is None
    assert knowledge.get("ada", "table", reading=True) is None


def test_who_keeps_nothing_has_missed_nothing(knowledge: Knowledge) -> None:
    """auth and user decide nothing by permissions, and may not ask rbac."""
    knowledge.heartbeat(12)
    knowledge.binding_changed(binding("bob", "chair", 14, 1, 5))
    assert not knowledge.missing
    assert knowledge.revision == 14
    knowledge.keep(reply("ada", "table", 13))  # was on its way: who knows what it missed
    assert knowledge.get("ada", "table") is None
    knowledge.keep(reply("ada", "table", 14))
    assert allowed(knowledge, "ada", "table") is True


def test_what_was_missed_is_made_up_for(knowledge: Knowledge) -> None:
    for user, community in (("ada", "table"), ("bob", "table"), ("ada", "chair")):
        knowledge.keep(reply(user, community, 10))
    knowledge.heartbeat(13)
    knowledge.caught_up(
        ListChangesResponse(
            complete=True,
            bindings=[bound("ada", "table", 2)],
            policies=[PolicyVersion(community_id="chair", version=2)],
            revision=13,
        )
    )
    assert not knowledge.missing
    assert knowledge.revision == 13
    assert allowed(knowledge, "ada", "table") is False
    assert allowed(knowledge, "bob", "table") is True
    assert allowed(knowledge, "ada", "chair") is None


def test_what_cannot_be_made_up_for_is_forgotten(knowledge: Knowledge) -> None:
    knowledge.keep(reply("ada", "table", 10))
    knowledge.heartbeat(5_000)
    knowledge.caught_up(ListChangesResponse(complete=False, revision=5_000))
    assert not knowledge.missing
    assert allowed(knowledge, "ada", "table") is None
    knowledge.keep(reply("ada", "table", 4_999))
    assert allowed(knowledge, "ada", "table") is None
    knowledge.keep(reply("ada", "table", 5_000))
    assert allowed(knowledge, "ada", "table") is True


def test_a_restored_database_voids_everything(knowledge: Knowledge) -> None:
    knowledge.keep(reply("ada", "table", 10))
    knowledge.heartbeat(4)
    assert allowed(knowledge, "ada", "table") is None
    assert knowledge.revision == 4


def test_a_demanded_revision_is_not_decided_from_before_it(knowledge: Knowledge) -> None:
    knowledge.keep(reply("ada", "table", 10))
    assert knowledge.get("ada", "table", at_least=10) is not None
    assert knowledge.get("ada", "table", at_least=11) is None
    knowledge.binding_changed(binding("bob", "chair", 11, 1, 5))
    assert knowledge.get("ada", "table", at_least=11) is not None


def test_followers_hear_of_every_change(knowledge: Knowledge) -> None:
    witness = Witness()
    knowledge.follow(witness)
    knowledge.policy_changed(policy("table", 11, 2))
    knowledge.binding_changed(binding("ada", "table", 12, 2, 0))
    knowledge.heartbeat(14)
    knowledge.caught_up(
        ListChangesResponse(complete=True, bindings=[bound("bob", "chair", 1, 1)], revision=14)
    )
    knowledge.heartbeat(3)
    assert witness.heard == ["table", "ada table 1", "bob chair 2", "forgotten"]


def test_a_community_dropped_from_memory_is_still_not_taken_for_older(
    knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.knowledge._POLICIES", 2)
    knowledge.binding_changed(binding("ada", "table", 11, 2))
    for revision, community in enumerate(("a", "b", "c"), start=12):
        knowledge.binding_changed(binding("bob", community, revision, 1, 5))
    knowledge.keep(reply("ada", "table", 10))
    assert knowledge.get("ada", "table") is None


def test_a_timeout_ends_by_rbacs_clock_and_not_by_this_machines() -> None:
    knowledge = Knowledge()
    for ahead in (-3_600, 3_600):
        theirs = time.time() + ahead
        knowledge.heartbeat(1, theirs)
        assert theirs <= knowledge.now() < theirs + 60
    roles = Roles(1, 1, {}, timeout_ends=theirs + 60)
    policy = Policy(1, (0,), {VIEW: (1, 0), permission_pb2.PERMISSION_SEND_MESSAGES: (1, 0)}, {})
    known = Known(policy, roles, 0.0, policy.bits(roles))
    assert known.allows(VIEW, now=knowledge.now())
    assert not known.allows(permission_pb2.PERMISSION_SEND_MESSAGES, now=knowledge.now())
    knowledge.heartbeat(1, theirs + 60)
    assert known.allows(permission_pb2.PERMISSION_SEND_MESSAGES, now=knowledge.now())
    knowledge.heartbeat(1)  # of an older release
    assert known.allows(permission_pb2.PERMISSION_SEND_MESSAGES, now=knowledge.now())
