"""Masks, Casbin and the plain rule always agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st
import pytest

from chassis import ids
from chassis.masks import to_bytes
from creavio.options.v1 import permission_pb2
from creavio.rbac.v1 import role_pb2
from services.rbac import convert
from services.rbac.domain.permissions import IN_COMMUNITY, Permission
from services.rbac.domain.policy import (
    Holdings,
    Kind,
    Override,
    Policy,
    Role,
    first_policy,
    with_override,
)
from services.rbac.engine.evaluator import PolicyEngine
from tests.rbac.policies import NOW, World, bound, plainly, sent, worlds

EVERYTHING = (*Permission,)


@settings(max_examples=300, deadline=None)
@given(worlds())
def test_masks_casbin_and_the_plain_rule_agree(world: World) -> None:
    engine, masks = PolicyEngine(), sent(world.policy)
    for person in world.people:
        roles = bound(world.policy, person)
        for channel in (None, *world.channels):
            text = "" if channel is None else ids.text(ids.Kind.CHANNEL, channel)
            for permission in EVERYTHING:
                expected = plainly(world.policy, person, permission, channel)
                number: permission_pb2.Permission.ValueType = permission.value
                now = NOW.timestamp()
                assert masks.allows(roles, number, text, now=now) == expected, "masks"
                assert engine.allows(world.policy, person, permission, channel) == expected, (
                    "casbin"
                )


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_an_explanation_is_the_decision(world: World) -> None:
    engine, policy = PolicyEngine(), world.policy
    for person in world.people:
        for channel in (None, *world.channels):
            for permission in EVERYTHING:
                steps = engine.decide(policy, person, permission, channel)
                assert steps[-1].allowed == plainly(policy, person, permission, channel)
                assert all(step.allowed for step in steps[:-1]), "the first denial ends it"
                assert steps[-1].permission == permission or not steps[-1].allowed
                for step in steps:
                    if step.role is not None:
                        assert step.role.id in person.roles
                        rule: Role | Override = step.role
                        if step.channel_id is not None:
                            rule = policy.channels[step.channel_id][step.role.id]
                        assert rule.says(step.permission) == step.allowed
                    elif step.own:
                        assert channel is not None
                        assert person.overrides[channel].says(step.permission) == step.allowed
                    elif step.muted:
                        assert person.pending or person.timed_out_until is not None
                        assert not step.allowed
                    else:
                        assert not step.allowed, "what nobody speaks of is denied"


def test_an_owner_holds_everything_everywhere_and_nothing_denies_it() -> None:
    policy, channel = first_policy(uuid4()), uuid4()
    member, owner = policy.roles
    no = Override(deny=frozenset(Permission))
    policy = with_override(policy, channel, member.id, no)
    person = Holdings(frozenset({member.id, owner.id}), {channel: no})
    engine, masks, roles = PolicyEngine(), sent(policy), bound(policy, person)
    assert not roles.overrides
    for permission in Permission:
        held = permission in IN_COMMUNITY
        number: permission_pb2.Permission.ValueType = permission.value  # type: ignore[assignment]  # the contract's numbers
        assert engine.allows(policy, person, permission, channel) == held
        assert masks.allows(roles, number, ids.text(ids.Kind.CHANNEL, channel)) == held


def test_one_question_does_not_leak_into_the_next() -> None:
    engine, policy, channel = PolicyEngine(), first_policy(uuid4()), uuid4()
    member, owner = policy.roles
    everything = Holdings(frozenset({member.id, owner.id}))
    quiet = Holdings(
        frozenset({member.id}), {channel: Override(deny=frozenset({Permission.SEND_MESSAGES}))}
    )
    for _ in range(3):
        assert engine.allows(policy, everything, Permission.MANAGE_CHANNELS, channel)
        assert not engine.allows(policy, quiet, Permission.SEND_MESSAGES, channel)
        assert engine.allows(policy, quiet, Permission.SEND_MESSAGES)
        assert engine.allows(
            policy, Holdings(frozenset({member.id})), Permission.SEND_MESSAGES, channel
        )
        assert not engine.allows(policy, Holdings(), Permission.SEND_MESSAGES, channel)


def test_a_new_version_is_decided_anew() -> None:
    engine, first = PolicyEngine(), first_policy(uuid4())
    member = first.roles[0]
    held = Holdings(frozenset({member.id}))
    assert engine.allows(first, held, Permission.SEND_MESSAGES)
    muted = replace(member, deny=frozenset(Permission))
    second = replace(first, version=2, roles=(muted, *first.roles[1:]))
    assert not engine.allows(second, held, Permission.SEND_MESSAGES)
    assert engine.allows(first, held, Permission.SEND_MESSAGES)


def test_one_community_says_nothing_about_another() -> None:
    engine, here, there = PolicyEngine(), first_policy(uuid4()), first_policy(uuid4())
    owner_here = Holdings(frozenset(role.id for role in here.roles))
    assert engine.allows(here, owner_here, Permission.VIEW_COMMUNITY)
    assert not engine.allows(there, owner_here, Permission.VIEW_COMMUNITY)


def test_a_community_that_is_not_there_holds_nothing() -> None:
    nothing = Policy(uuid4(), 0, ())
    assert not PolicyEngine().held(nothing, Holdings(frozenset({uuid4()})))
    assert not sent(nothing).masks


@given(st.integers(0, 2**70))
def test_role_bits_travel_whole(bits: int) -> None:
    assert int.from_bytes(to_bytes(bits)) == bits
    assert to_bytes(bits)[:1] != b"\x00", "as short as they can be"


@pytest.mark.parametrize(
    ("ours", "contract", "prefix"),
    [
        (Permission, permission_pb2.Permission, "PERMISSION_"),
        (Kind, role_pb2.RoleKind, "ROLE_KIND_"),
    ],
)
def test_what_is_numbered_is_numbered_as_in_the_contract(
    ours: type[Permission | Kind], contract: Any, prefix: str
) -> None:
    theirs = {name.removeprefix(prefix): number for name, number in contract.items() if number}
    assert {member.name: member.value for member in ours} == theirs


def test_permissions_of_the_contract_pass_as_they_are() -> None:
    assert convert.numbers(Permission) == [n for n in permission_pb2.Permission.values() if n]
