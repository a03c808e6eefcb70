"""Whoever may see or do something else is told so, and nobody else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chassis.masks import IN_CHANNEL
from creavio.options.v1 import permission_pb2 as p
from services.gateway.engine.community import Community, Person, View
from services.rbac import convert
from services.rbac.domain.policy import Holdings, Policy, with_override, with_role
from tests.rbac.policies import World, bound, overrides, permission_sets, sent, worlds


def view(policy: Policy, person: Holdings) -> View:
    community = Community("table", lambda: 0.0)
    community.policy = sent(policy)
    return community.view(bound(policy, person), lambda _: True)


def held(world: World, policy: Policy, person: Holdings) -> set[tuple[str, int]]:
    """Everything they may, asked one by one; timeouts are over."""
    masks, roles = sent(policy), bound(policy, person)
    found = set()
    for place in ("", *map(convert.channel_text, world.channels), "chn_elsewhere"):
        for permission in IN_CHANNEL if place else p.Permission.values():
            if masks.allows(roles, permission, place, now=float("inf")):
                found.add((place, int(permission)))
    return found


@given(worlds(), st.data())
def test_a_view_differs_exactly_when_something_is_held_otherwise(
    world: World, data: st.DataObject
) -> None:
    before = world.policy
    role = data.draw(st.sampled_from(before.roles[:-1]))
    if data.draw(st.booleans()):
        channel = data.draw(st.sampled_from(world.channels))
        after = with_override(before, channel, role.id, data.draw(overrides))
    else:
        allow, deny = data.draw(permission_sets), data.draw(permission_sets)
        changed = type(role)(
            role.id, role.number, role.name, role.kind, allow - deny, deny, role.color
        )
        after = with_role(before, changed)
    community = Community("table", lambda: 0.0)
    community.adopt(sent(before), lambda _: True)
    otherwise = set()
    for number, person in enumerate(world.people):
        name, roles = f"usr_{number}", bound(before, person)
        same = held(world, before, person) == held(world, after, person)
        assert (view(before, person) == view(after, person)) == same
        if roles:
            community.seat(Person(name), roles)
            otherwise |= set() if same else {name}
    told = community.adopt(sent(after), lambda _: True)
    assert {person.user_id for person in told} == otherwise
