"""Policies, bindings and the revision, as the database keeps them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from chassis.database import Database
from chassis.testing import plan_of
from services.rbac.domain.errors import CommunityNotProvisioned
from services.rbac.domain.permissions import Permission
from services.rbac.domain.policy import (
    INSTANCE,
    Holdings,
    Kind,
    Override,
    Policy,
    first_policy,
    reordered,
    with_new_role,
    with_override,
    with_role,
    without_role,
)
from services.rbac.store import people, policies
from services.rbac.store.tables import BINDING, MEMBER_OVERRIDE, METADATA

ADA, BOB, CHANNEL = uuid4(), uuid4(), uuid4()
QUIET = Override(deny=frozenset({Permission.SEND_MESSAGES}))
OPEN = Override(frozenset({Permission.VIEW_CHANNEL}))
NONE: frozenset[Permission] = frozenset()


async def provisioned(database: Database) -> Policy:
    policy = first_policy(uuid4())
    async with database.transaction() as tx:
        assert await policies.add_policy(tx, policy)
    return policy


async def kept(database: Database, community_id: UUID) -> Policy:
    async with database.reading() as tx:
        return await policies.policy(tx, community_id)


async def test_every_change_of_a_policy_comes_back_as_it_was_made(database: Database) -> None:
    policy = await provisioned(database)
    assert await kept(database, policy.community_id) == policy

    async def save(after: Policy) -> Policy:
        async with database.transaction() as tx:
            before = await policies.policy_to_change(tx, policy.community_id)
            saved = await policies.save(tx, before, after, revision=7)
        assert saved == replace(after, version=before.version + 1)
        assert await kept(database, policy.community_id) == saved
        return saved

    policy, low = with_new_role(policy, "low", 0xFF0000, OPEN.allow, QUIET.deny)
    policy = await save(policy)
    policy, high = with_new_role(policy, "high", 0, NONE, NONE)
    policy = await save(policy)
    policy = await save(reordered(policy, [high.id, low.id]))
    policy = await save(reordered(policy, [low.id, high.id]))
    policy = await save(with_role(policy, replace(low, name="lower", deny=NONE)))
    policy = await save(with_override(policy, CHANNEL, low.id, QUIET))
    policy = await save(with_override(policy, CHANNEL, low.id, OPEN))
    policy = await save(with_override(policy, CHANNEL, high.id, QUIET))
    policy = await save(with_override(policy, uuid4(), high.id, QUIET))
    policy = await save(with_override(policy, CHANNEL, low.id, Override()))
    async with database.transaction() as tx:
        await people.bind(tx, policy.community_id, ADA, [high.id, low.id])
    policy = await save(without_role(policy, high.id))
    assert [role.name for role in policy.roles] == ["member", "lower", "owner"]
    assert not policy.channels
    async with database.reading() as tx:
        found = await people.standing(tx, policy.community_id, ADA)
    assert found.holdings.roles == {low.id}


async def test_the_first_policy_stays(database: Database) -> None:
    policy = await provisioned(database)
    async with database.transaction() as tx:
        assert not await policies.add_policy(tx, first_policy(policy.community_id))
        assert await policies.policy(tx, policy.community_id) == policy


async def test_a_community_nobody_provisioned_has_no_policy(database: Database) -> None:
    async with database.reading() as tx:
        with pytest.raises(CommunityNotProvisioned):
            await policies.policy(tx, uuid4())
        with pytest.raises(CommunityNotProvisioned):
            await policies.policy_to_change(tx, uuid4())
        found = await people.standing(tx, uuid4(), ADA)
    assert (found.revision, found.policy_version, found.holdings) == (0, 0, Holdings())
    assert (found.binding.version, found.binding.numbers) == (0, 0)


async def test_the_instance_is_there_from_the_start(database: Database) -> None:
    policy = await kept(database, INSTANCE)
    (administrator,) = policy.roles
    assert administrator.allow == {Permission.VIEW_COMMUNITY, Permission.ADMINISTRATE}
    assert (administrator.kind, administrator.name) == (Kind.CUSTOM, "administrator")


async def test_what_a_person_has_has_a_version_that_rises(database: Database) -> None:
    policy = await provisioned(database)
    community, (member, owner) = policy.community_id, policy.roles
    async with database.transaction() as tx:
        assert await people.bind(tx, community, ADA, [member.id])
        assert (await people.rebound(tx, community, ADA, 1)).version == 1
        assert not await people.bind(tx, community, ADA, [member.id])
        assert await people.bind(tx, community, ADA, [member.id, owner.id])
        assert (await people.rebound(tx, community, ADA, 2)).numbers == 0b11
        assert await people.holders(tx, owner.id) == {ADA}
        assert await people.take(tx, community, ADA, owner.id)
        assert not await people.take(tx, community, ADA, owner.id)
        await people.override(tx, community, CHANNEL, ADA, QUIET)
        changed = await people.rebound(tx, community, ADA, 3)
        assert (changed.version, changed.numbers, changed.overrides) == (3, 1, {CHANNEL: QUIET})
        await people.override(tx, community, CHANNEL, ADA, OPEN)
        assert await people.overridden(tx, community, CHANNEL) == {ADA: OPEN}
        assert await people.overridden_channels(tx, community) == 1
        assert await people.unbind(tx, community, ADA)
        assert not await people.unbind(tx, community, ADA)
        assert not await people.unbind(tx, community, BOB)
        gone = await people.rebound(tx, community, ADA, 4)
        assert (gone.version, gone.numbers, gone.overrides) == (4, 0, {})


async def test_a_channel_is_counted_once_whatever_is_overridden_in_it(database: Database) -> None:
    policy, other = await provisioned(database), await provisioned(database)
    (first, second, third), role = sorted(uuid4() for _ in range(3)), policy.roles[0].id
    async with database.transaction() as tx:
        assert await people.overridden_channels(tx, policy.community_id) == 0
        for channel, user in ((first, ADA), (first, BOB), (third, ADA)):
            await people.override(tx, policy.community_id, channel, user, QUIET)
        await people.override(tx, other.community_id, CHANNEL, ADA, QUIET)
        after = with_override(with_override(policy, first, role, QUIET), second, role, QUIET)
        await policies.save(tx, policy, after, revision=7)
        assert await people.overridden_channels(tx, policy.community_id) == 3
        assert await people.overridden_channels(tx, other.community_id) == 1


async def test_nothing_overrides_an_owner(database: Database) -> None:
    policy = await provisioned(database)
    async with database.transaction() as tx:
        await people.bind(tx, policy.community_id, ADA, [role.id for role in policy.roles])
        await people.override(tx, policy.community_id, CHANNEL, ADA, QUIET)
        found = await people.standing(tx, policy.community_id, ADA)
    assert found.binding.overrides == {}
    assert not found.holdings.own(policy, CHANNEL)


async def test_roles_of_one_community_are_not_held_in_another(database: Database) -> None:
    here, there = await provisioned(database), await provisioned(database)
    async with database.transaction() as tx:
        await people.bind(tx, here.community_id, ADA, [here.roles[0].id])
        found = await people.standings(tx, [(there.community_id, ADA), (here.community_id, ADA)])
    assert [standing.holdings.roles for standing in found] == [set(), {here.roles[0].id}]


async def test_revisions_are_taken_one_after_another(database: Database) -> None:
    async def take(hold: float) -> range:
        async with database.transaction() as tx:
            taken = await policies.take_revisions(tx, 2)
            await asyncio.sleep(hold)
            return taken

    taken = await asyncio.gather(*(take(0.01) for _ in range(8)))
    assert sorted(revision for pair in taken for revision in pair) == [*range(1, 17)]
    async with database.reading() as tx:
        assert await policies.revision(tx) == 16


async def take_and_fail(database: Database) -> None:
    async with database.transaction() as tx:
        await policies.take_revisions(tx, 1)
        raise LookupError


async def test_a_revision_that_was_not_committed_was_not_taken(database: Database) -> None:
    with pytest.raises(LookupError):
        await take_and_fail(database)
    async with database.transaction() as tx:
        assert await policies.take_revisions(tx, 1) == range(1, 2)


async def test_who_changes_a_policy_is_waited_for(database: Database) -> None:
    policy = await provisioned(database)
    order: list[str] = []

    async def change(name: str) -> None:
        async with database.transaction() as tx:
            await policies.policy_to_change(tx, policy.community_id)
            order.append(f"{name} in")
            await asyncio.sleep(0.1)
            order.append(f"{name} out")

    await asyncio.gather(change("one"), change("other"))
    assert order[0].endswith("in")
    assert order[1] == order[0].replace("in", "out")


async def test_fellows_are_in_a_community_together_as_long_as_both_are(
    database: Database,
) -> None:
    eve, nobody = uuid4(), uuid4()
    first, second = await provisioned(database), await provisioned(database)

    async def bind(policy: Policy, *members: UUID) -> None:
        async with database.transaction() as tx:
            for member in members:
                roles = [role.id for role in policy.roles][: 1 + (member == ADA)]
                await people.bind(tx, policy.community_id, member, roles)

    async def of(user_id: UUID) -> set[UUID]:
        async with database.reading() as tx:
            found = await people.fellows(tx, user_id, [ADA, BOB, eve, nobody])
        assert len(found) == len(set(found)), "each once"
        return set(found)

    await bind(first, ADA, BOB)
    await bind(second, ADA, BOB, eve)
    assert await of(ADA) == {BOB, eve}
    assert await of(nobody) == set()
    async with database.transaction() as tx:
        assert await people.unbind(tx, second.community_id, BOB)
    assert await of(BOB) == {ADA}, "through the other community"
    assert await of(eve) == {ADA}
    async with database.transaction() as tx:
        assert await people.unbind(tx, first.community_id, BOB)
    assert await of(BOB) == set()
    assert await of(ADA) == {eve}


VOLUME = """
    INSERT INTO community SELECT gen_random_uuid(), 1, n, 5 FROM generate_series(1, 3000) AS n;
    INSERT INTO role
            (id, community_id, name, position, number, kind, color, allow, deny, create_time)
        SELECT gen_random_uuid(), community.id, 'role ' || n, n, n, 2, 0, '{}', '{}', now()
        FROM community, generate_series(0, 4) AS n WHERE community.revision > 0;
    INSERT INTO binding SELECT community_id, gen_random_uuid(), id
        FROM role, generate_series(1, 3);
    INSERT INTO person SELECT community_id, user_id, 1, row_number() OVER () FROM binding;
    INSERT INTO member_override SELECT community_id, gen_random_uuid(), user_id, '{2}', '{}'
        FROM binding;
    INSERT INTO role_override SELECT community_id, gen_random_uuid(), id, '{2}', '{}' FROM role;
    INSERT INTO timeout SELECT community_id, user_id, user_id, '', now(), now() FROM binding;
    ANALYZE;
"""


async def test_no_question_reads_a_whole_table(database: Database) -> None:
    async with database.transaction() as tx:
        for statement in VOLUME.split(";")[:-1]:
            await tx.execute(sa.text(statement))
        row = (await tx.execute(sa.select(BINDING).limit(1))).one()
        channel = (await tx.execute(sa.select(MEMBER_OVERRIDE.c.channel_id).limit(1))).scalar_one()
    community, user, role = row.community_id, row.user_id, row.role_id
    first = UUID(int=0)
    questions = {
        "standing": lambda tx: people.standing(tx, community, user),
        "policy": lambda tx: policies.policy(tx, community),
        "change": lambda tx: policies.policy_to_change(tx, community),
        "holders": lambda tx: people.holders(tx, role),
        "bindings": lambda tx: people.bindings_of(tx, user),
        "fellows": lambda tx: people.fellows(tx, user, [uuid4() for _ in range(100)]),
        "changes": lambda tx: people.changes_after(tx, 40_000, 1_001),
        "who may": lambda tx: people.candidates(tx, community, [role], None, first, 200),
        "who may in a channel": lambda tx: people.candidates(
            tx, community, [role], channel, first, 200
        ),
        "overridden": lambda tx: people.overridden(tx, community, channel),
        "channels": lambda tx: people.overridden_channels(tx, community),
        "take": lambda tx: people.take(tx, community, user, role),
        "unbind": lambda tx: people.unbind(tx, community, user),
        "rebound": lambda tx: people.rebound(tx, community, user, 1),
    }
    plans = {question: await plan_of(database, ask) for question, ask in questions.items()}
    for question, plan in plans.items():
        scans = [line for line in plan.splitlines() if "Seq Scan" in line]
        assert all("on revision" in line for line in scans), f"{question}: {plan}"
    assert "binding_role" in plans["holders"]
    assert "binding_user" in plans["bindings"]
    assert "person_revision" in plans["changes"]
    assert "community_revision" in plans["changes"]
    assert "binding_role" in plans["who may"]


async def test_forgetting_a_role_reads_no_whole_table(database: Database) -> None:
    async with database.transaction() as tx:
        for statement in VOLUME.split(";")[:-1]:
            await tx.execute(sa.text(statement))
        row = (await tx.execute(sa.select(BINDING).limit(1))).one()
        before = await policies.policy(tx, row.community_id)
    before = replace(before, roles=tuple(replace(r, kind=Kind.CUSTOM) for r in before.roles))
    after = without_role(before, row.role_id)
    plan = await plan_of(database, lambda tx: policies.save(tx, before, after, 9))
    assert "Seq Scan" not in plan, plan


async def test_the_tables_are_those_of_the_migrations(database: Database) -> None:
    async with database.reading() as tx:
        rows = await tx.execute(
            sa.text(
                "SELECT table_name, column_name, is_nullable FROM information_schema.columns "
                "WHERE table_schema = 'public'"
            )
        )
        there = {(row.table_name, row.column_name): row.is_nullable == "YES" for row in rows}
    for table in METADATA.tables.values():
        found = {column for name, column in there if name == table.name}
        assert found == {column.name for column in table.columns}, table.name


def test_what_a_later_release_kept_is_left_out() -> None:
    assert policies.permissions([3, 999, 0]) == {Permission.SEND_MESSAGES}
