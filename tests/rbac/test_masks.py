"""Masks, Casbin and the plain rule always agree."""

from __future__ import annotations

from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis import masks as mask_module
from chassis.masks import Masks, roles_of, to_bytes
from creavio.options.v1 import permission_pb2
from creavio.rbac.v1 import access_pb2
from services.rbac import convert, domain
from services.rbac.domain import Permission, Policy, Role, compile_masks, role_bits
from services.rbac.engine import PolicyEngine

permissions = st.sampled_from(Permission)
permission_sets = st.frozensets(permissions)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Up to eight roles at positions with gaps; one role may allow and deny the same."""
    positions = sorted(draw(st.sets(st.integers(0, 40), max_size=8)))
    return Policy(
        uuid4(),
        version=draw(st.integers(1, 5)),
        roles=tuple(
            Role(uuid4(), f"at {position}", position, draw(permission_sets), draw(permission_sets))
            for position in positions
        ),
    )


@st.composite
def questions(draw: st.DrawFn) -> tuple[Policy, list[frozenset[UUID]]]:
    """A policy, and the roles of some people in it; some hold a role that is gone."""
    policy = draw(policies())
    known = [role.id for role in policy.roles]
    held = st.frozensets(st.sampled_from(known)) if known else st.just(frozenset[UUID]())
    gone = st.sampled_from([frozenset[UUID](), frozenset({uuid4()})])
    people = draw(st.lists(st.builds(frozenset.union, held, gone), min_size=1, max_size=4))
    return policy, people


def plainly(policy: Policy, held: frozenset[UUID], permission: Permission) -> bool:
    """The rule in words: the highest role held that speaks decides; its no beats its yes."""
    speaking = [
        role for role in policy.roles if role.id in held and permission in role.allows | role.denies
    ]
    if not speaking:
        return False
    highest = max(speaking, key=lambda role: role.position)
    return permission not in highest.denies


def on_the_wire(policy: Policy) -> Masks:
    """The masks as another service gets them."""
    sent = convert.masks(policy).SerializeToString()
    return mask_module.masks_of(access_pb2.CommunityMasks.FromString(sent))


@settings(max_examples=300, deadline=None)
@given(questions())
def test_masks_casbin_and_the_plain_rule_agree(
    question: tuple[Policy, list[frozenset[UUID]]],
) -> None:
    policy, people = question
    engine, masks = PolicyEngine(), on_the_wire(policy)
    compiled = Masks({int(p): mask for p, mask in compile_masks(policy).items()})  # type: ignore[misc]  # the contract's numbers
    for held in people:
        bits = roles_of(convert.binding(policy, uuid4(), 1, held))
        assert bits == role_bits(policy, held)
        for permission in Permission:
            expected = plainly(policy, held, permission)
            number: permission_pb2.Permission.ValueType = permission.value  # type: ignore[assignment]
            assert masks.allow(bits, number) == expected, "masks"
            assert compiled.allow(bits, number) == expected, "compiled"
            assert engine.allows(policy, held, permission) == expected, "casbin"


@given(questions())
@settings(max_examples=50, deadline=None)
def test_nobody_holds_what_nobody_speaks_of(
    question: tuple[Policy, list[frozenset[UUID]]],
) -> None:
    policy, people = question
    spoken = {p for role in policy.roles for p in role.allows | role.denies}
    assert compile_masks(policy).keys() == spoken
    for held in people:
        for permission in set(Permission) - spoken:
            assert not PolicyEngine().allows(policy, held, permission)


def test_the_roles_of_one_question_do_not_leak_into_the_next() -> None:
    engine, policy = PolicyEngine(), domain.first_policy(uuid4())
    member, owner = policy.roles
    everything = frozenset({member.id, owner.id})
    for _ in range(3):
        assert engine.allows(policy, everything, Permission.MANAGE_CHANNELS)
        assert not engine.allows(policy, frozenset({member.id}), Permission.MANAGE_CHANNELS)
        assert engine.allows(policy, frozenset({member.id}), Permission.SEND_MESSAGES)
        assert not engine.allows(policy, frozenset(), Permission.SEND_MESSAGES)


def test_a_new_version_is_decided_anew() -> None:
    engine, first = PolicyEngine(), domain.first_policy(uuid4())
    member = first.roles[0]
    held = frozenset({member.id})
    assert engine.allows(first, held, Permission.SEND_MESSAGES)
    muted = Role(member.id, member.name, member.position, member.allows, frozenset(Permission))
    second = Policy(first.community_id, 2, (muted, *first.roles[1:]))
    assert not engine.allows(second, held, Permission.SEND_MESSAGES)
    assert engine.allows(first, held, Permission.SEND_MESSAGES)


def test_one_community_says_nothing_about_another() -> None:
    engine, here, there = (
        PolicyEngine(),
        domain.first_policy(uuid4()),
        domain.first_policy(uuid4()),
    )
    owner_here = frozenset(role.id for role in here.roles)
    assert engine.allows(here, owner_here, Permission.VIEW_COMMUNITY)
    assert not engine.allows(there, owner_here, Permission.VIEW_COMMUNITY)


@given(st.integers(0, 2**70))
def test_role_bits_travel_whole(bits: int) -> None:
    assert roles_of(access_pb2.Binding(roles=to_bytes(bits))) == bits
    assert to_bytes(bits)[:1] != b"\x00", "as short as they can be"


def test_permissions_are_the_contracts() -> None:
    contract = {
        name.removeprefix("PERMISSION_"): number
        for name, number in permission_pb2.Permission.items()
        if number
    }
    assert {permission.name: permission.value for permission in Permission} == contract
