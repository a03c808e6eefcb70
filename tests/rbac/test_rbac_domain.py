"""The first roles, who may change what, and what always stays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from chassis.errors import Error
from services.rbac.domain import rules
from services.rbac.domain.errors import (
    Changed,
    ClaimRefused,
    ExceedsOwnPermissions,
    LastAdministrator,
    LastOwner,
    LimitReached,
    Meaningless,
    RoleNotFound,
    RoleTooHigh,
)
from services.rbac.domain.permissions import IN_CHANNEL, IN_COMMUNITY, MEMBERS_MAY, Permission
from services.rbac.domain.policy import (
    NUMBERS,
    ROLES,
    Holdings,
    Kind,
    Override,
    Policy,
    Role,
    first_policy,
    in_channel,
    in_community,
    reordered,
    with_new_role,
    with_override,
    with_role,
    without_role,
)
from services.rbac.domain.rules import Actor
from tests.rbac.policies import plainly

P = Permission
CHANNEL, ADA, BOB = uuid4(), uuid4(), uuid4()
NONE: frozenset[Permission] = frozenset()


def some(*permissions: Permission) -> frozenset[Permission]:
    return frozenset(permissions)


class Club:
    """A community with roles from the lowest to the highest, as the tests name them."""

    def __init__(self, **roles: Role) -> None:
        first = first_policy(uuid4())
        lowest, highest = first.roles
        custom = [replace(r, name=name, number=i + 2) for i, (name, r) in enumerate(roles.items())]
        self.policy = replace(first, roles=(lowest, *custom, highest), next_number=len(custom) + 2)

    def __getitem__(self, name: str) -> Role:
        return next(role for role in self.policy.roles if role.name == name)

    def holding(self, *names: str) -> Holdings:
        return Holdings(frozenset(self[name].id for name in ("member", *names)))

    def actor(self, *names: str, user_id: UUID = ADA) -> Actor:
        person = self.holding(*names)
        return Actor(
            user_id,
            self.policy.highest(person.roles),
            lambda permission, place: plainly(self.policy, person, permission, place),
        )


def role(allow: Iterable[Permission] = (), deny: Iterable[Permission] = ()) -> Role:
    return Role(uuid4(), 0, "", Kind.CUSTOM, frozenset(allow), frozenset(deny))


def allowed(actor: Actor, before: Policy, after: Policy) -> type[Error] | None:
    """None when the change is allowed, else what is raised."""
    try:
        rules.may_change(actor, before, after)
    except Error as error:
        return type(error)
    return None


def test_a_community_starts_with_an_owner_above_its_members() -> None:
    member, owner = first_policy(uuid4()).roles
    assert (member.kind, owner.kind) == (Kind.MEMBER, Kind.OWNER)
    assert (member.number, owner.number) == (0, 1)
    assert owner.allow == IN_COMMUNITY
    assert member.allow == MEMBERS_MAY
    assert P.ADD_REACTIONS in MEMBERS_MAY
    assert not member.deny | owner.deny
    assert P.MANAGE_ROLES not in MEMBERS_MAY


def test_a_new_role_stands_just_above_the_members_and_numbers_never_return() -> None:
    policy, first = with_new_role(first_policy(uuid4()), "first", 0, NONE, NONE)
    policy, second = with_new_role(policy, "second", 0, NONE, NONE)
    assert [r.name for r in policy.roles] == ["member", "second", "first", "owner"]
    assert (first.number, second.number) == (2, 3)
    policy = without_role(policy, second.id)
    policy, third = with_new_role(policy, "third", 0, NONE, NONE)
    assert third.number == 4


def test_there_are_only_so_many_roles() -> None:
    policy = first_policy(uuid4())
    for n in range(ROLES - 2):
        policy, _ = with_new_role(policy, str(n), 0, NONE, NONE)
    with pytest.raises(LimitReached):
        with_new_role(policy, "one more", 0, NONE, NONE)
    policy = without_role(policy, policy.roles[1].id)
    with_new_role(policy, "in its place", 0, NONE, NONE)
    with pytest.raises(LimitReached):
        with_new_role(replace(policy, next_number=NUMBERS), "one more", 0, NONE, NONE)


def test_where_a_role_says_both_it_denies() -> None:
    policy, made = with_new_role(first_policy(uuid4()), "both", 0, IN_COMMUNITY, IN_CHANNEL)
    assert made.allow == IN_COMMUNITY - IN_CHANNEL
    changed = with_role(policy, replace(made, allow=IN_COMMUNITY))
    assert changed.role(made.id).allow == IN_COMMUNITY - IN_CHANNEL


def test_administration_is_never_a_communitys_to_give() -> None:
    for field in ("allow", "deny"):
        with pytest.raises(Meaningless) as refused:
            in_community(field, [P.ADMINISTRATE])
        assert refused.value.fields[0][0] == field
        for permission in set(P) - IN_CHANNEL:
            with pytest.raises(Meaningless) as refused:
                in_channel(field, [P.SEND_MESSAGES, permission])
            assert refused.value.fields[0][0] == field
            assert permission.name in refused.value.message
    assert in_channel("allow", IN_CHANNEL) == IN_CHANNEL
    assert in_community("allow", IN_COMMUNITY) == IN_COMMUNITY


def test_the_member_role_stays_where_it_is_and_what_it_is() -> None:
    policy = first_policy(uuid4())
    member = policy.roles[0]
    for change in ({"name": "x"}, {"color": 1}):
        with pytest.raises(Meaningless):
            with_role(policy, replace(member, **change))
    with pytest.raises(Meaningless):
        without_role(policy, member.id)
    assert with_role(policy, replace(member, allow=NONE)).roles[0].allow == NONE


def test_an_order_names_every_role_people_made_once() -> None:
    club = Club(low=role(), high=role())
    low, high = club["low"].id, club["high"].id
    assert [r.name for r in reordered(club.policy, [low, high]).roles] == [
        "member",
        "high",
        "low",
        "owner",
    ]
    for wrong in ([], [low], [low, low], [low, high, uuid4()], [low, high, club["owner"].id]):
        with pytest.raises(Changed):
            reordered(club.policy, wrong)


def test_what_is_not_there_is_not_found() -> None:
    policy = first_policy(uuid4())
    for ask in (policy.role, policy.position):
        with pytest.raises(RoleNotFound):
            ask(uuid4())
    with pytest.raises(RoleNotFound):
        with_override(policy, CHANNEL, uuid4(), Override())


def test_etags_change_with_the_role_and_not_with_its_place() -> None:
    a = role(some(P.VIEW_CHANNEL, P.SEND_MESSAGES))
    assert a.etag == replace(a, number=9).etag
    others = [
        replace(a, name="b"),
        replace(a, color=3),
        replace(a, allow=NONE),
        replace(a, deny=some(P.MANAGE_ROLES)),
        replace(a, allow=NONE, deny=a.allow),
    ]
    assert len({a.etag, *(other.etag for other in others)}) == 6


def test_nobody_speaks_of_what_they_lack() -> None:
    club = Club(low=role(), mod=role(some(P.MANAGE_ROLES)), denied=role(deny=some(P.SEND_MESSAGES)))
    mod = club.actor("mod")
    for allow, deny, expected in [
        (some(P.SEND_MESSAGES), NONE, None),
        (NONE, some(P.SEND_MESSAGES), None),
        (some(P.BAN_MEMBERS), NONE, ExceedsOwnPermissions),
        (NONE, some(P.BAN_MEMBERS), ExceedsOwnPermissions),
        (some(P.MANAGE_ROLES, P.MANAGE_CHANNELS), NONE, ExceedsOwnPermissions),
    ]:
        after, _ = with_new_role(club.policy, "new", 0, allow, deny)
        assert allowed(mod, club.policy, after) == expected
        low = replace(club["low"], allow=allow, deny=deny)
        assert allowed(mod, club.policy, with_role(club.policy, low)) == expected
        was = with_role(club.policy, low)
        assert allowed(mod, was, club.policy) == expected, "nor takes it away"
        assert allowed(mod, was, without_role(was, low.id)) == expected, "nor deletes it"
    quiet = club.actor("mod", "denied")
    after, _ = with_new_role(club.policy, "new", 0, some(P.SEND_MESSAGES), NONE)
    assert allowed(quiet, club.policy, after) == ExceedsOwnPermissions


def test_an_order_that_decides_otherwise_is_a_change_of_what_is_decided() -> None:
    club = Club(
        yes=role(some(P.BAN_MEMBERS)),
        no=role(deny=some(P.BAN_MEMBERS)),
        other=role(some(P.SEND_MESSAGES)),
        mod=role(some(P.MANAGE_ROLES)),
    )
    mod, before = club.actor("mod"), club.policy
    yes, no, other, top = (club[name].id for name in ("yes", "no", "other", "mod"))
    assert allowed(mod, before, reordered(before, [top, other, yes, no])) == ExceedsOwnPermissions
    assert allowed(mod, before, reordered(before, [top, no, other, yes])) is None
    assert allowed(mod, before, reordered(before, [no, top, other, yes])) == RoleTooHigh
    assert allowed(club.actor("owner"), before, reordered(before, [yes, no, top, other])) is None


def test_nobody_touches_what_is_not_below_them() -> None:
    club = Club(low=role(), mod=role(some(P.MANAGE_ROLES)), high=role())
    mod = club.actor("mod")
    for name, expected in (("mod", RoleTooHigh), ("high", RoleTooHigh), ("low", None)):
        target = club[name]
        for after in (
            with_role(club.policy, replace(target, name="renamed")),
            with_role(club.policy, replace(target, allow=target.allow | {P.SEND_MESSAGES})),
            with_override(club.policy, CHANNEL, target.id, Override(some(P.SEND_MESSAGES))),
            without_role(club.policy, target.id),
        ):
            assert allowed(mod, club.policy, after) == expected
        if expected:
            with pytest.raises(expected):
                rules.may_touch(mod, club.policy, target.id)
    rules.may_touch(mod, club.policy, club["low"].id)
    with pytest.raises(RoleTooHigh):
        rules.may_touch(club.actor("owner"), club.policy, club["owner"].id)


def test_whoever_has_the_member_role_alone_creates_nothing() -> None:
    club = Club()
    member = replace(club["member"], allow=MEMBERS_MAY | {P.MANAGE_ROLES})
    club.policy = with_role(club.policy, member)
    after, _ = with_new_role(club.policy, "new", 0, NONE, NONE)
    assert allowed(club.actor(), club.policy, after) == RoleTooHigh
    assert allowed(club.actor("owner"), club.policy, after) is None


def test_what_is_overridden_must_be_held_in_the_channel_and_not_elsewhere() -> None:
    club = Club(low=role(), mod=role(some(P.MANAGE_ROLES)))
    club.policy = with_override(
        club.policy, CHANNEL, club["mod"].id, Override(deny=some(P.SEND_MESSAGES))
    )
    mod, low = club.actor("mod"), club["low"].id
    here = with_override(club.policy, CHANNEL, low, Override(some(P.SEND_MESSAGES)))
    there = with_override(club.policy, uuid4(), low, Override(some(P.SEND_MESSAGES)))
    assert allowed(mod, club.policy, here) == ExceedsOwnPermissions
    assert allowed(mod, club.policy, there) is None
    assert allowed(mod, here, without_role(here, low)) == ExceedsOwnPermissions


def test_a_role_is_given_and_taken_by_who_stands_above_and_holds_what_it_speaks_of() -> None:
    club = Club(
        plain=role(),
        banning=role(some(P.BAN_MEMBERS)),
        banned=role(deny=some(P.BAN_MEMBERS)),
        channel_role=role(),
        mod=role(some(P.MANAGE_ROLES)),
        high=role(),
    )
    club.policy = with_override(
        club.policy, CHANNEL, club["channel_role"].id, Override(deny=some(P.PIN_MESSAGES))
    )
    mod, someone = club.actor("mod"), club.holding()

    def refused(name: str, target_id: UUID = BOB, target: Holdings = someone) -> object:
        try:
            rules.may_assign(mod, club.policy, club[name], target_id, target)
        except Error as error:
            return type(error)
        return None

    assert refused("plain") is None
    assert refused("banning") == ExceedsOwnPermissions
    assert refused("banned") == ExceedsOwnPermissions
    assert refused("channel_role") == ExceedsOwnPermissions
    assert refused("mod") == RoleTooHigh
    assert refused("high") == RoleTooHigh
    assert refused("owner") == RoleTooHigh
    assert refused("member") == Meaningless
    assert refused("plain", BOB, club.holding("mod")) == RoleTooHigh
    assert refused("plain", BOB, club.holding("high")) == RoleTooHigh
    assert refused("plain", ADA, club.holding("mod")) is None, "to oneself"
    assert refused("mod", ADA, club.holding("mod")) == RoleTooHigh


def test_a_member_is_overridden_by_who_stands_above_and_holds_it_there() -> None:
    club = Club(low=role(), mod=role(some(P.MANAGE_ROLES)))
    mod = club.actor("mod")
    yes, no = Override(some(P.SEND_MESSAGES)), Override(deny=some(P.PIN_MESSAGES))
    rules.may_override(mod, club.policy, CHANNEL, club.holding("low"), yes)
    for target in (club.holding("mod"), club.holding("owner")):
        with pytest.raises(RoleTooHigh):
            rules.may_override(mod, club.policy, CHANNEL, target, yes)
    with pytest.raises(ExceedsOwnPermissions):
        rules.may_override(mod, club.policy, CHANNEL, club.holding(), no)
    overridden = replace(club.holding(), overrides={CHANNEL: no})
    with pytest.raises(ExceedsOwnPermissions):
        rules.may_override(mod, club.policy, CHANNEL, overridden, Override())
    rules.may_override(mod, club.policy, CHANNEL, overridden, no)


def test_the_last_owner_stays() -> None:
    club = Club(mod=role())
    with pytest.raises(LastOwner):
        rules.may_lose_roles(ADA, frozenset({ADA}))
    rules.may_lose_roles(ADA, frozenset({ADA, BOB}))
    rules.may_lose_roles(BOB, frozenset({ADA}))
    with pytest.raises(LastOwner):
        rules.may_step_down(club.actor("owner"), club.policy, frozenset({ADA}))
    rules.may_step_down(club.actor("owner"), club.policy, frozenset({ADA, BOB}))
    with pytest.raises(RoleTooHigh):
        rules.may_step_down(club.actor("mod"), club.policy, frozenset({ADA, BOB}))


def test_administrators_come_and_go_and_one_stays() -> None:
    with pytest.raises(LastAdministrator):
        rules.may_stop_administrating(ADA, frozenset({ADA}))
    rules.may_stop_administrating(ADA, frozenset({ADA, BOB}))
    rules.may_stop_administrating(BOB, frozenset({ADA}))
    rules.may_claim(ADA, frozenset())
    rules.may_claim(ADA, frozenset({ADA}))
    with pytest.raises(ClaimRefused):
        rules.may_claim(ADA, frozenset({BOB}))
    rules.may_administrate(frozenset(uuid4() for _ in range(99)))
    with pytest.raises(LimitReached):
        rules.may_administrate(frozenset(uuid4() for _ in range(100)))


def test_there_are_only_so_many_overrides() -> None:
    rules.may_be_overridden(199, 1_000)
    rules.may_be_overridden(0, 999)
    with pytest.raises(LimitReached):
        rules.may_be_overridden(200, 1)
    with pytest.raises(LimitReached):
        rules.may_be_overridden(0, 1_000)
