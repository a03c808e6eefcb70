"""What other services ask."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.errors import NotFound
from chassis.knowledge import Knowledge
from chassis.masks import policy_of, roles_of
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import access_service_pb2 as access
from creavio.rbac.v1 import rbac_events_pb2 as events
from creavio.rbac.v1.access_service_pb2_grpc import AccessServiceStub
from services.rbac.domain.permissions import MEMBERS_MAY, Permission
from services.rbac.domain.policy import with_role
from services.rbac.engine.moments import Moments
from services.rbac.store import policies
from tests.rbac.world import Rbac, Table, identifier

SEND, VIEW, SEE = (
    p.PERMISSION_SEND_MESSAGES,
    p.PERMISSION_VIEW_CHANNEL,
    p.PERMISSION_VIEW_COMMUNITY,
)
EVERYTHING = [number for number in p.Permission.values() if number]


async def got(rbac: Rbac, table: Table, user: str, version: int = 0) -> access.GetAccessResponse:
    request = access.GetAccessRequest(user_id=user, community_id=table.id, policy_version=version)
    stub = AccessServiceStub(rbac.channel)
    reply: access.GetAccessResponse = await rbac.as_service(stub.GetAccess, request)
    return reply


async def bindings(rbac: Rbac, user: str) -> access.ListBindingsResponse:
    stub = AccessServiceStub(rbac.channel)
    request = access.ListBindingsRequest(user_id=user)
    reply: access.ListBindingsResponse = await rbac.as_service(stub.ListBindings, request)
    return reply


async def changes(rbac: Rbac, after: int) -> access.ListChangesResponse:
    stub = AccessServiceStub(rbac.channel)
    request = access.ListChangesRequest(after_revision=after)
    reply: access.ListChangesResponse = await rbac.as_service(stub.ListChanges, request)
    return reply


async def outranks(rbac: Rbac, table: Table, one: str, other: str) -> bool:
    request = access.OutranksRequest(community_id=table.id, user_id=one, other_id=other)
    stub = AccessServiceStub(rbac.channel)
    return bool((await rbac.as_service(stub.Outranks, request)).outranks)


async def test_masks_are_left_out_when_the_caller_keeps_them(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob = await table.member()
    first = await got(rbac, table, bob.id)
    version = first.masks.version
    assert version == 1
    assert not (await got(rbac, table, bob.id, version)).HasField("masks")
    for other in (0, version + 1, version + 7):
        assert (await got(rbac, table, bob.id, other)).masks == first.masks
    await table.create("mod")
    assert (await got(rbac, table, bob.id, version)).masks.version == version + 1
    unknown = Table(rbac, identifier(ids.Kind.COMMUNITY), bob)
    nothing = await got(rbac, unknown, bob.id)
    assert nothing.HasField("masks")
    assert (nothing.masks.version, nothing.binding.version) == (0, 0)


async def test_masks_say_what_checks_say(rbac: Rbac) -> None:
    table, channel = await rbac.founded(), identifier(ids.Kind.CHANNEL)
    mute = await table.create("mute", deny=(SEND,))
    bob, carol = await table.member(), await table.member(mute.id)
    await table.override(table.owner, channel, mute.id, SEND, deny=(VIEW,))
    await table.override(table.owner, channel, carol.id, VIEW)
    for user in (table.owner.id, bob.id, carol.id, rbac.person().id):
        reply = await got(rbac, table, user)
        policy, roles = policy_of(reply.masks), roles_of(reply.binding)
        for place in ("", channel, identifier(ids.Kind.CHANNEL)):
            allowed = {n for n in EVERYTHING if policy.allows(roles, n, place)}
            assert allowed == await table.checked(user, place)


async def test_many_things_are_decided_in_the_order_they_are_asked(rbac: Rbac) -> None:
    here, there = await rbac.founded(), await rbac.founded()
    asked = [
        access.CheckRequest(user_id=user, community_id=table.id, permission=what)
        for table in (here, there)
        for user in (here.owner.id, there.owner.id)
        for what in (SEND, SEE)
    ] * 25
    stub = AccessServiceStub(rbac.channel)
    reply = await rbac.as_service(stub.BatchCheck, access.BatchCheckRequest(checks=asked))
    assert list(reply.allowed) == [True, True, False, False, False, False, True, True] * 25
    assert reply.revision == 4


async def test_what_somebody_has_everywhere(rbac: Rbac) -> None:
    tables = [await rbac.founded() for _ in range(3)]
    bob, channel = rbac.person(), identifier(ids.Kind.CHANNEL)
    assert list((await bindings(rbac, bob.id)).bindings) == []
    for table in tables:
        await table.bind(bob.id)
    await tables[0].override(tables[0].owner, channel, bob.id, SEND)
    await tables[1].unbind(bob.id)
    reply = await bindings(rbac, bob.id)
    assert {b.community_id for b in reply.bindings} == {tables[0].id, tables[2].id}
    for binding in reply.bindings:
        table = next(t for t in tables if t.id == binding.community_id)
        assert binding == (await got(rbac, table, bob.id)).binding
    assert reply.revision == (await got(rbac, tables[0], bob.id)).revision


async def test_who_missed_announcements_is_told_what_changed(rbac: Rbac) -> None:
    here, there = await rbac.founded(), await rbac.founded()
    bob, carol = await here.member(), await here.member()
    since = (await got(rbac, here, bob.id)).revision
    nothing = await changes(rbac, since)
    assert nothing == access.ListChangesResponse(complete=True, revision=since)
    await there.create("mod")
    await here.unbind(bob.id)
    await here.bind(bob.id)
    await here.unbind(bob.id)
    await here.override(here.owner, identifier(ids.Kind.CHANNEL), carol.id, SEND)
    reply = await changes(rbac, since)
    assert reply.complete
    assert reply.revision == since + 5
    assert [(q.community_id, q.version) for q in reply.policies] == [(there.id, 2)]
    assert list(reply.bindings) == [
        (await got(rbac, here, bob.id)).binding,
        (await got(rbac, here, carol.id)).binding,
    ]
    assert reply.bindings[0].roles == b"", "whoever left is told of"
    assert not (await changes(rbac, reply.revision + 1)).complete, "the database was restored"


async def test_too_much_that_was_missed_is_not_told(rbac: Rbac) -> None:
    table = await rbac.founded()
    async with rbac.database.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO person SELECT id, gen_random_uuid(), 1, 2 + n "
                "FROM community, generate_series(1, 1001) AS n WHERE revision > 0"
            )
        )
        await tx.execute(sa.text("UPDATE revision SET value = 1003"))
    assert not (await changes(rbac, 2)).complete
    assert len((await changes(rbac, 3)).bindings) == 1000
    assert (await changes(rbac, 2)).revision == 1003
    assert table.id


async def test_a_follower_that_misses_some_announcements_catches_up(rbac: Rbac) -> None:
    """What a follower keeps is, after catching up, what rbac says."""
    table = await rbac.founded()
    people = [await table.member() for _ in range(3)]
    knowledge = Knowledge()
    for person in people:
        knowledge.heartbeat((await got(rbac, table, person.id)).revision)
        knowledge.keep(await got(rbac, table, person.id))
    before = len(await rbac.announced(events.BindingChanged, events.PolicyChanged))
    mute = await table.create("mute", deny=(SEND,))
    for person in people[:2]:
        await table.grant(table.owner, person, mute.id)
    await table.unbind(people[2].id)
    told = (await rbac.announced(events.BindingChanged, events.PolicyChanged))[before:]
    for event in told[::2]:
        if isinstance(event, events.PolicyChanged):
            knowledge.policy_changed(event)
        elif isinstance(event, events.BindingChanged):
            knowledge.binding_changed(event)
    assert knowledge.missing
    knowledge.caught_up(await changes(rbac, knowledge.revision))
    for person in people:
        knowledge.keep(await got(rbac, table, person.id, knowledge.policy_version(table.id)))
        known = knowledge.get(person.id, table.id)
        assert known is not None
        assert {n for n in EVERYTHING if known.allows(n, now=0)} == await table.checked(person.id)


async def test_the_higher_role_outranks(rbac: Rbac) -> None:
    table = await rbac.founded()
    high, low = await table.create("high"), await table.create("low")
    boss, clerk, other = [await table.member(r.id) for r in (high, low, low)]
    ranks = {
        table.owner.id: 4,
        boss.id: 3,
        clerk.id: 2,
        other.id: 2,
        (await table.member()).id: 1,
        rbac.person().id: 0,
        rbac.person().id: 0,
    }
    for one, rank in ranks.items():
        for another, other_rank in ranks.items():
            assert await outranks(rbac, table, one, another) == (rank > other_rank)
    with pytest.raises(NotFound):
        await outranks(rbac, Table(rbac, ids.INSTANCE, boss), boss.id, clerk.id)


async def test_a_snapshot_stays_what_it_is_and_changes_nothing(rbac: Rbac) -> None:
    table = await rbac.founded()
    community = ids.parse(ids.Kind.COMMUNITY, table.id, field="")
    user = ids.parse(ids.Kind.USER, table.owner.id, field="")
    moments = Moments(rbac.database)
    async with moments.snapshot() as tx:
        (before,) = await moments.read_all(tx, [(community, user)])
        await table.create("role")
        assert await moments.read_all(tx, [(community, user)]) == [before]
    assert (await moments.of(community, user)).policy.version == before.policy.version + 1
    async with moments.snapshot() as tx:
        with pytest.raises(sa.exc.InternalError, match="read-only"):
            await policies.take_revisions(tx, 1)


async def test_roles_of_one_moment_are_never_held_against_a_policy_of_another(rbac: Rbac) -> None:
    """While a role is taken before it gets a power, nobody is ever seen with that power."""
    table = await rbac.founded()
    role = await table.create("role")
    bob = await table.member(role.id)
    community = ids.parse(ids.Kind.COMMUNITY, table.id, field="")
    user = ids.parse(ids.Kind.USER, bob.id, field="")
    role_id = ids.parse(ids.Kind.ROLE, role.id, field="")
    moments, done = Moments(rbac.database), False
    seen = 0

    async def look() -> None:
        nonlocal seen
        while not done:
            moment = await moments.of(community, user)
            seen += 1
            speaks = {r.id for r in moment.policy.roles if r.allow and r.id == role_id}
            assert not (moment.holdings.roles & speaks), "a state that never was"

    async def change() -> None:
        nonlocal done
        for _ in range(15):
            await table.revoke(table.owner, bob, role.id)
            await raise_power(give=True)
            await raise_power(give=False)
            await table.grant(table.owner, bob, role.id)
        done = True

    async def raise_power(*, give: bool) -> None:
        async with rbac.database.transaction() as tx:
            before = await policies.policy_to_change(tx, community)
            allow = MEMBERS_MAY if give else frozenset[Permission]()
            after = with_role(before, replace(before.role(role_id), allow=allow))
            (revision,) = await policies.take_revisions(tx, 1)
            await policies.save(tx, before, after, revision)

    await asyncio.gather(change(), look(), look(), look())
    assert seen > 20
