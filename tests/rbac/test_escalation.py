"""Nobody rises by their own hand: random people do random things to random policies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chassis.errors import Error
from services.rbac.domain import rules
from services.rbac.domain.permissions import IN_CHANNEL, Permission
from services.rbac.domain.policy import (
    Holdings,
    Kind,
    Override,
    Policy,
    override_of,
    reordered,
    with_new_role,
    with_override,
    with_role,
    without_role,
)
from tests.rbac.policies import SOME, World, permission_sets, plainly, raw, worlds

Cell = tuple[UUID | None, Permission]
PLACED = frozenset(SOME) & IN_CHANNEL


@dataclass(frozen=True)
class Scene:
    """A community at one moment."""

    policy: Policy
    people: dict[UUID, Holdings]
    channels: tuple[UUID, ...]

    @property
    def cells(self) -> list[Cell]:
        """Everything that can be held anywhere."""
        return [(place, p) for place in (None, *self.channels) for p in SOME]

    def held(self, user_id: UUID) -> set[Cell]:
        """What somebody may do."""
        person = self.people[user_id]
        return {(place, p) for place, p in self.cells if plainly(self.policy, person, p, place)}

    def said(self, user_id: UUID) -> set[Cell]:
        """What rules allow somebody, whether or not they can see the place."""
        person = self.people[user_id]
        return {(place, p) for place, p in self.cells if raw(self.policy, person, p, place)}

    def rank(self, user_id: UUID) -> int:
        """How many roles stand above somebody's highest; the fewer, the higher they stand."""
        return len(self.policy.roles) - 1 - self.policy.highest(self.people[user_id].roles)

    def actor(self, user_id: UUID) -> rules.Actor:
        """Somebody, as the rules ask about them."""
        person = self.people[user_id]
        return rules.Actor(
            user_id,
            self.policy.highest(person.roles),
            lambda permission, place: plainly(self.policy, person, permission, place),
        )

    def with_policy(self, policy: Policy) -> Scene:
        """After a change of the policy."""
        ids = {role.id for role in policy.roles}
        people = {
            user_id: replace(person, roles=person.roles & ids)
            for user_id, person in self.people.items()
        }
        return replace(self, policy=replace(policy, version=policy.version + 1), people=people)

    def with_person(self, user_id: UUID, person: Holdings) -> Scene:
        """After a change of a person."""
        return replace(self, people={**self.people, user_id: person})


Deed = Callable[[Scene, rules.Actor], Scene]


def creating(allow: frozenset[Permission], deny: frozenset[Permission]) -> Deed:
    def do(scene: Scene, actor: rules.Actor) -> Scene:
        after, _ = with_new_role(scene.policy, "new", 0, allow, deny)
        rules.may_change(actor, scene.policy, after)
        return scene.with_policy(after)

    return do


def updating(at: int, allow: frozenset[Permission], deny: frozenset[Permission]) -> Deed:
    def do(scene: Scene, actor: rules.Actor) -> Scene:
        role = scene.policy.roles[at % len(scene.policy.roles)]
        rules.may_touch(actor, scene.policy, role.id)
        after = with_role(scene.policy, replace(role, allow=allow, deny=deny))
        rules.may_change(actor, scene.policy, after)
        return scene.with_policy(after)

    return do


def ordering(keys: list[int]) -> Deed:
    def do(scene: Scene, actor: rules.Actor) -> Scene:
        custom = [role for role in scene.policy.roles if role.kind == Kind.CUSTOM]
        order = sorted(custom, key=lambda role: (keys[role.number % len(keys)], role.number))
        after = reordered(scene.policy, [role.id for role in order])
        rules.may_change(actor, scene.policy, after)
        return scene.with_policy(after)

    return do


def deleting(at: int) -> Deed:
    def do(scene: Scene, actor: rules.Actor) -> Scene:
        role = scene.policy.roles[at % len(scene.policy.roles)]
        rules.may_touch(actor, scene.policy, role.id)
        after = without_role(scene.policy, role.id)
        rules.may_change(actor, scene.policy, after)
        return scene.with_policy(after)

    return do


def assigning(at: int, who: int, give: bool) -> Deed:
    def do(scene: Scene, actor: rules.Actor) -> Scene:
        role = scene.policy.roles[at % len(scene.policy.roles)]
        user_id = sorted(scene.people)[who % len(scene.people)]
        person = scene.people[user_id]
        rules.may_assign(actor, scene.policy, role, user_id, person)
        held = person.roles | {role.id} if give else person.roles - {role.id}
        return scene.with_person(user_id, replace(person, roles=held))

    return do


def overriding(at: int, place: int, said: Override) -> Deed:
    def do(scene: Scene, actor: rules.Actor) -> Scene:
        role = scene.policy.roles[at % len(scene.policy.roles)]
        channel_id = scene.channels[place % len(scene.channels)]
        rules.may_touch(actor, scene.policy, role.id)
        after = with_override(scene.policy, channel_id, role.id, said)
        rules.may_change(actor, scene.policy, after)
        return scene.with_policy(after)

    return do


def overriding_member(who: int, place: int, said: Override) -> Deed:
    def do(scene: Scene, actor: rules.Actor) -> Scene:
        user_id = sorted(scene.people)[who % len(scene.people)]
        channel_id = scene.channels[place % len(scene.channels)]
        person = scene.people[user_id]
        rules.may_override(actor, scene.policy, channel_id, person, said)
        own = {**person.overrides, channel_id: said}
        if not said:
            del own[channel_id]
        return scene.with_person(user_id, replace(person, overrides=own))

    return do


places = st.integers(0, 20)
said = st.builds(
    override_of,
    st.frozensets(st.sampled_from(sorted(PLACED))),
    st.frozensets(st.sampled_from(sorted(PLACED))),
)
deeds = st.one_of(
    st.builds(creating, permission_sets, permission_sets),
    st.builds(updating, places, permission_sets, permission_sets),
    st.builds(ordering, st.lists(places, min_size=3, max_size=8)),
    st.builds(deleting, places),
    st.builds(assigning, places, places, st.booleans()),
    st.builds(overriding, places, places, said),
    st.builds(overriding_member, places, places, said),
)


class Ambition(RuleBasedStateMachine):
    """People who are no owners try everything, one after another."""

    def __init__(self) -> None:
        super().__init__()
        self.scene: Scene | None = None
        self.done = 0

    @initialize(world=worlds())
    def begin(self, world: World) -> None:
        """A community with people in it."""
        manager = Holdings(frozenset(role.id for role in world.policy.roles[:-2]))
        people = {UUID(int=n): p for n, p in enumerate([manager, *world.people])}
        self.scene = Scene(world.policy, people, world.channels).with_policy(world.policy)

    @precondition(lambda self: self.scene is not None)
    @rule(who=places, deed=deeds)
    def act(self, who: int, deed: Deed) -> None:
        """Somebody does something: what became of it is what they may cause."""
        before = self.scene
        assert before is not None
        user_id = sorted(before.people)[who % len(before.people)]
        owner = before.policy.of_kind(Kind.OWNER)
        may = before.held(user_id)
        if owner.id in before.people[user_id].roles or (None, Permission.MANAGE_ROLES) not in may:
            return
        try:
            after = deed(before, before.actor(user_id))
        except Error:
            return
        self.scene = after
        assert after.held(user_id) <= may, "gained something by their own hand"
        assert after.rank(user_id) >= before.rank(user_id), "rose by their own hand"
        top = before.policy.roles[before.policy.highest(before.people[user_id].roles) :]
        assert after.policy.roles[-len(top) :] == top, "touched what is not below them"
        for other in before.people.keys() - {user_id}:
            changed = before.said(other) ^ after.said(other)
            assert all(cell in may or (None, cell[1]) in may for cell in changed), (
                "decided what they do not hold"
            )
            if after.policy is before.policy and after.people[other] != before.people[other]:
                assert before.rank(other) > before.rank(user_id), "reached above themselves"
                assert after.rank(other) > after.rank(user_id), "raised somebody to themselves"

    @invariant()
    def owners_own(self) -> None:
        """Owners hold everything everywhere, whatever anybody did."""
        if self.scene is None:
            return
        policy = self.scene.policy
        assert policy.roles[-1].kind == Kind.OWNER
        assert policy.roles[0].kind == Kind.MEMBER
        assert all(policy.roles[-1].id not in here for here in policy.channels.values())
        for user_id, person in self.scene.people.items():
            if policy.roles[-1].id in person.roles:
                assert self.scene.held(user_id) == set(self.scene.cells)


TestNobodyRisesByTheirOwnHand = Ambition.TestCase
TestNobodyRisesByTheirOwnHand.settings = settings(
    max_examples=300,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
