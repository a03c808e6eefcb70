"""Random policies and people, the rule in plain words, and what goes over the wire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from chassis import ids, masks
from creavio.rbac.v1 import access_pb2
from services.rbac import convert
from services.rbac.domain.permissions import IN_COMMUNITY, SEEING, Permission
from services.rbac.domain.policy import (
    Holdings,
    Kind,
    Override,
    Policy,
    Role,
    binding_of,
    is_owner,
    override_of,
)

SOME = (
    Permission.VIEW_COMMUNITY,
    Permission.VIEW_CHANNEL,
    Permission.SEND_MESSAGES,
    Permission.MANAGE_ROLES,
)
"""Few, so that roles contradict each other often."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)
"""What time it is in these worlds."""
uuids = st.uuids(version=4)
permission_sets = st.frozensets(st.sampled_from(SOME))
overrides = st.builds(override_of, permission_sets, permission_sets).filter(bool)


@dataclass(frozen=True)
class World:
    """A policy, its channels (one without overrides of roles), and people."""

    policy: Policy
    channels: tuple[UUID, ...]
    people: tuple[Holdings, ...]


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """Up to eight roles, numbered without regard to their order; some allow and deny the same."""
    count = draw(st.integers(0, 6))
    numbers = draw(st.lists(st.integers(0, 300), min_size=count, max_size=count, unique=True))
    custom = [
        Role(
            draw(uuids),
            number + 2,
            f"role {number}",
            Kind.CUSTOM,
            draw(permission_sets),
            draw(permission_sets),
        )
        for number in numbers
    ]
    # Most members see the community, or there would be little to tell apart.
    seen = draw(st.sampled_from([frozenset({Permission.VIEW_COMMUNITY}), frozenset[Permission]()]))
    roles = (
        Role(
            draw(uuids),
            0,
            "member",
            Kind.MEMBER,
            draw(permission_sets) | seen,
            draw(permission_sets) - seen,
        ),
        *custom,
        Role(draw(uuids), 1, "owner", Kind.OWNER, IN_COMMUNITY),
    )
    overridable = st.sampled_from([role.id for role in roles[:-1]])
    channels = draw(
        st.dictionaries(
            uuids,
            st.dictionaries(overridable, overrides, min_size=1, max_size=4),
            max_size=2,
        )
    )
    return Policy(draw(uuids), draw(st.integers(1, 5)), roles, channels, next_number=400)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A policy and a few people: members, owners, outsiders, holders of roles that are gone."""
    policy = draw(policies())
    channels = (*policy.channels, draw(uuids))
    member, *custom, owner = (role.id for role in policy.roles)
    of_custom = st.frozensets(st.sampled_from(custom)) if custom else st.just(frozenset[UUID]())
    gone = draw(uuids)
    roles = st.one_of(
        of_custom.map(lambda held: held | {member}),
        of_custom.map(lambda held: held | {member, gone}),
        of_custom.map(lambda held: held | {member, owner}),
        st.just(frozenset[UUID]()),
    )
    own = st.dictionaries(st.sampled_from(channels), overrides, max_size=3)
    until = st.sampled_from([None, None, NOW + timedelta(microseconds=1)])
    people = st.lists(st.builds(Holdings, roles, own, until, st.booleans()), min_size=1, max_size=4)
    return World(policy, channels, tuple(draw(people)))


def plainly(
    policy: Policy, person: Holdings, permission: Permission, channel_id: UUID | None = None
) -> bool:
    """The rule in words."""
    if is_owner(policy, person.roles):
        return permission in IN_COMMUNITY
    if not raw(policy, person, Permission.VIEW_COMMUNITY, None):
        return False
    if channel_id is not None and not raw(policy, person, Permission.VIEW_CHANNEL, channel_id):
        return False
    held_back = person.pending or person.timed_out_until is not None
    if held_back and permission not in SEEING:
        return False
    return raw(policy, person, permission, channel_id)


def raw(policy: Policy, person: Holdings, permission: Permission, place: UUID | None) -> bool:
    """What overrides and roles say, whether or not the person can see the place."""
    said: list[Override | Role] = []
    if place is not None and place in person.overrides:
        said.append(person.overrides[place])
    if place is not None:
        said += [
            policy.channels[place][role.id]
            for role in reversed(policy.roles)
            if role.id in person.roles and role.id in policy.channels.get(place, {})
        ]
    said += [role for role in reversed(policy.roles) if role.id in person.roles]
    for rule in said:
        if permission in rule.deny:
            return False
        if permission in rule.allow:
            return True
    return False


def sent(policy: Policy) -> masks.Policy:
    """The masks as another service gets them."""
    wire = convert.masks(policy).SerializeToString()
    return masks.policy_of(access_pb2.CommunityMasks.FromString(wire))


def bound(policy: Policy, person: Holdings) -> masks.Roles:
    """A person's binding as another service gets it; whoever is not timed out was until now."""
    roles = [(role.number, role.kind) for role in policy.roles if role.id in person.roles]
    until = person.timed_out_until or NOW
    binding = binding_of(
        policy.community_id,
        ids.new(),
        1,
        roles,
        person.overrides,
        until,
        pending=person.pending,
    )
    wire = convert.binding(binding).SerializeToString()
    return masks.roles_of(access_pb2.Binding.FromString(wire))
