"""Whoever is timed out sees everything and does nothing, until a moment that is one for all."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.errors import Denied, NotFound
from chassis.masks import IN_CHANNEL, WHILE_TIMED_OUT
from chassis.testing import eventually, plan_of
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import membership_service_pb2 as membership
from creavio.rbac.v1 import policy_service_pb2 as policy
from creavio.rbac.v1 import rbac_events_pb2 as events
from creavio.rbac.v1 import timeout_pb2
from creavio.rbac.v1 import timeout_service_pb2 as timeouts
from creavio.rbac.v1.membership_service_pb2_grpc import MembershipServiceStub
from creavio.rbac.v1.policy_service_pb2_grpc import PolicyServiceStub
from creavio.rbac.v1.timeout_service_pb2_grpc import TimeoutServiceStub
from services.rbac.domain import permissions
from services.rbac.domain.permissions import SEEING
from services.rbac.store import timeouts as store
from services.rbac.store.tables import TIMEOUT
from tests.rbac.world import Person, Rbac, Table, identifier

MODERATE, SEND, VIEW = (
    p.PERMISSION_MODERATE_MEMBERS,
    p.PERMISSION_SEND_MESSAGES,
    p.PERMISSION_VIEW_CHANNEL,
)


async def time_out(
    table: Table, by: Person, user: Person, seconds: int = 600, key: str = ""
) -> timeout_pb2.Timeout:
    request = timeouts.CreateTimeoutRequest(
        community_id=table.id, user_id=user.id, seconds=seconds, reason="loud", request_id=key
    )
    made: timeout_pb2.Timeout = await by.ask(TimeoutServiceStub, "CreateTimeout", request)
    return made


async def lift(table: Table, by: Person, user: Person) -> None:
    request = timeouts.DeleteTimeoutRequest(community_id=table.id, user_id=user.id)
    await by.ask(TimeoutServiceStub, "DeleteTimeout", request)


async def listed(table: Table, by: Person, size: int = 0) -> list[str]:
    found: list[str] = []
    token = ""
    while True:
        request = timeouts.ListTimeoutsRequest(
            community_id=table.id, page_size=size, page_token=token
        )
        reply = await by.ask(TimeoutServiceStub, "ListTimeouts", request)
        found += [each.user_id for each in reply.timeouts]
        token = reply.next_page_token
        if not token:
            return found


def test_what_a_timeout_leaves_is_the_same_for_masks_and_casbin() -> None:
    assert {int(permission) for permission in SEEING} == WHILE_TIMED_OUT
    assert {int(permission) for permission in permissions.IN_CHANNEL} == IN_CHANNEL


async def test_a_member_who_is_timed_out_sees_and_does_nothing(rbac: Rbac) -> None:
    table, channel = await rbac.founded(), identifier(ids.Kind.CHANNEL)
    bob = await table.member()
    await table.override(table.owner, channel, bob.id, SEND, p.PERMISSION_PIN_MESSAGES)
    before = await table.checked(bob.id, channel)
    made = await time_out(table, table.owner, bob)
    assert (made.user_id, made.creator_id, made.reason) == (bob.id, table.owner.id, "loud")
    for place in ("", channel):
        assert await table.checked(bob.id, place) == set(WHILE_TIMED_OUT), "overrides do not help"
    changed = (await rbac.announced(events.BindingChanged))[-1]
    assert isinstance(changed, events.BindingChanged)
    assert changed.binding.timeout_expire_time == made.expire_time
    assert await listed(table, table.owner) == [bob.id]
    await lift(table, table.owner, bob)
    assert await table.checked(bob.id, channel) == before
    assert await listed(table, table.owner) == []


async def test_it_ends_by_itself(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob = await table.member()
    await time_out(table, table.owner, bob, seconds=1)
    assert SEND not in await table.checked(bob.id)
    told = len(await rbac.announced())

    async def over() -> None:
        assert SEND in await table.checked(bob.id)

    await eventually(over, within=10)
    assert await listed(table, table.owner) == []
    assert len(await rbac.announced()) == told, "everybody knows already when it ends"


async def test_those_who_moderate_and_the_person_are_told(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob = await table.member()
    made = await time_out(table, table.owner, bob)
    await lift(table, table.owner, bob)
    await lift(table, table.owner, bob)
    assert await rbac.announced(events.MemberTimedOut, events.MemberTimeoutEnded) == [
        events.MemberTimedOut(timeout=made),
        events.MemberTimeoutEnded(community_id=table.id, user_id=bob.id, actor_id=table.owner.id),
    ]


async def test_an_explanation_names_it(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob = await table.member()
    made = await time_out(table, table.owner, bob)
    request = policy.ExplainRequest(community_id=table.id, permission=SEND)
    reply = await bob.ask(PolicyServiceStub, "Explain", request)
    assert not reply.allowed
    assert reply.steps[-1].permission == SEND
    assert reply.steps[-1].timeout_expire_time == made.expire_time
    assert not reply.steps[-1].decided_by
    view = policy.ExplainRequest(community_id=table.id, permission=VIEW)
    assert (await bob.ask(PolicyServiceStub, "Explain", view)).allowed


async def refused(attempt: object) -> str:
    with pytest.raises(Denied) as denied:
        await attempt  # type: ignore[misc]  # a coroutine
    return denied.value.reason


async def test_nobody_acts_on_their_equals_or_betters(rbac: Rbac) -> None:
    table = await rbac.founded()
    low, high = await table.create("low", MODERATE), await table.create("high", MODERATE)
    # Later roles stand below the earlier ones: "low" was made first, and stands above.
    above, below = await table.member(low.id), await table.member(high.id)
    equal = await table.member(high.id)
    for target in (above, equal, below, table.owner):
        assert await refused(time_out(table, below, target)) == "ROLE_TOO_HIGH"
    await time_out(table, above, below)
    assert await refused(lift(table, below, below)) == "PERMISSION_DENIED", "their own"
    assert await refused(lift(table, equal, below)) == "ROLE_TOO_HIGH"


async def test_a_moderator_below_undoes_nothing_from_above(rbac: Rbac) -> None:
    table = await rbac.founded()
    above, below = await table.create("above", MODERATE), await table.create("below", MODERATE)
    chief, deputy = await table.member(above.id), await table.member(below.id)
    peer, bob = await table.member(below.id), await table.member()
    made = await time_out(table, chief, bob)
    assert await refused(lift(table, deputy, bob)) == "ROLE_TOO_HIGH"
    assert await refused(time_out(table, deputy, bob, seconds=1)) == "ROLE_TOO_HIGH", "shortened"
    assert await listed(table, table.owner) == [bob.id]
    assert (await rbac.announced(events.MemberTimedOut))[-1] == events.MemberTimedOut(timeout=made)
    await time_out(table, table.owner, deputy)
    assert await refused(lift(table, deputy, bob)) == "PERMISSION_DENIED", "timed out themselves"
    await lift(table, chief, bob)
    await time_out(table, peer, bob)
    await lift(table, chief, bob)
    await time_out(table, chief, bob)
    await table.unbind(chief.id)
    await lift(table, peer, bob)


async def test_leaving_does_not_end_it(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob = await table.member()
    await time_out(table, table.owner, bob)
    await table.unbind(bob.id)
    await table.bind(bob.id)
    assert SEND not in await table.checked(bob.id)
    gone = await table.member()
    await table.unbind(gone.id)
    with pytest.raises(NotFound):
        await time_out(table, table.owner, gone)


async def test_who_becomes_the_owner_is_free(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob = await table.member()
    await time_out(table, table.owner, bob)
    request = membership.TransferOwnershipRequest(community_id=table.id, owner_id=bob.id, number=1)
    stub = MembershipServiceStub(rbac.channel)
    await rbac.as_service(stub.TransferOwnership, request)
    assert SEND in await table.checked(bob.id)


async def test_a_request_sent_twice_times_out_once(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob = await table.member()
    first, second = await asyncio.gather(
        time_out(table, table.owner, bob, key="k"), time_out(table, table.owner, bob, key="k")
    )
    assert first == second
    assert len(await rbac.announced(events.MemberTimedOut)) == 1


async def test_a_promotion_and_a_timeout_at_once_are_one_before_the_other(rbac: Rbac) -> None:
    """Whoever is raised to the moderator's rank is not timed out by them after that."""
    table = await rbac.founded()
    mod = await table.create("mod", MODERATE)
    moderator = await table.member(mod.id)
    for _ in range(10):
        bob = await table.member()
        _, acted = await asyncio.gather(
            table.grant(table.owner, bob, mod.id),
            asyncio.create_task(_succeeds(time_out(table, moderator, bob))),
        )
        told = [
            type(event)
            for event in await rbac.announced(events.MemberRolesChanged, events.MemberTimedOut)
            if bob.id in str(event)
        ]
        assert told == ([events.MemberTimedOut] if acted else []) + [events.MemberRolesChanged]


async def test_a_promotion_and_a_removal_at_once_are_one_before_the_other(rbac: Rbac) -> None:
    table = await rbac.founded()
    mod = await table.create("mod", p.PERMISSION_REMOVE_MEMBERS)
    moderator = await table.member(mod.id)
    stub = MembershipServiceStub(rbac.channel)
    outcomes = set()
    for _ in range(10):
        bob = await table.member()
        request = membership.UnbindMemberRequest(
            community_id=table.id, user_id=bob.id, remover_id=moderator.id
        )
        promoted, removed = await asyncio.gather(
            _succeeds(table.grant(table.owner, bob, mod.id)),
            _succeeds(rbac.as_service(stub.UnbindMember, request)),
        )
        assert promoted != removed, "either they were above first, or gone first"
        outcomes.add(promoted)
        assert bool(await table.checked(bob.id)) == promoted
        if removed:
            await rbac.as_service(stub.UnbindMember, request)  # Whoever is gone stays gone.


async def _succeeds(attempt: object) -> bool:
    try:
        await attempt  # type: ignore[misc]  # a coroutine
    except (Denied, NotFound):
        return False
    return True


async def test_timeouts_are_listed_by_their_end(rbac: Rbac) -> None:
    table = await rbac.founded()
    people = [await table.member() for _ in range(5)]
    for number, person in enumerate(people):
        await time_out(table, table.owner, person, seconds=600 - number)
    assert await listed(table, table.owner, size=2) == [each.id for each in reversed(people)]


async def test_what_is_over_is_forgotten_and_nothing_else(rbac: Rbac) -> None:
    table = await rbac.founded()
    people = [await table.member() for _ in range(3)]
    for person in people:
        await time_out(table, table.owner, person)
    past = datetime.now(UTC) - timedelta(hours=1)
    over = ids.parse(ids.Kind.USER, people[0].id, field="")
    async with rbac.database.transaction() as tx:
        await tx.execute(
            sa.update(TIMEOUT).where(TIMEOUT.c.user_id == over).values(expire_time=past)
        )
        await store.forget_over(tx)
        left = (await tx.execute(sa.select(TIMEOUT.c.user_id))).scalars()
        assert over not in set(left)
    assert len(await listed(table, table.owner)) == 2


async def test_no_question_about_timeouts_reads_a_whole_table(rbac: Rbac) -> None:
    table = await rbac.founded()
    community = ids.parse(ids.Kind.COMMUNITY, table.id, field="")
    async with rbac.database.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO timeout SELECT :community, gen_random_uuid(), gen_random_uuid(), '',"
                " now(), now() + n * interval '1 minute' FROM generate_series(-99, 10000) AS n"
            ),
            {"community": community},
        )
        await tx.execute(sa.text("ANALYZE timeout"))
    user, after = ids.new(), (datetime.now(UTC), ids.new())
    questions = {
        "one": lambda tx: store.timeout_of(tx, community, user),
        "list": lambda tx: store.timeouts_of(tx, community, after, 51),
        "over": store.forget_over,
        "end": lambda tx: store.end(tx, community, user),
    }
    for question, ask in questions.items():
        plan = await plan_of(rbac.database, ask)
        assert "Seq Scan on timeout" not in plan, f"{question}: {plan}"
        assert question != "list" or "Sort" not in plan, plan
