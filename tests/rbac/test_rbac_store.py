"""Roles, bindings and the revision, as the database keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from chassis.database import Database
from chassis.testing import plan_of
from services.rbac import domain, store
from services.rbac.domain import CommunityNotProvisioned, Permission, Policy, Role

ADA, BOB = uuid4(), uuid4()


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("rbac") as made:
        yield made


async def provisioned(database: Database) -> Policy:
    policy = domain.first_policy(uuid4())
    async with database.transaction() as tx:
        assert await store.add_policy(tx, policy)
    return policy


async def standing(database: Database, community: UUID, user: UUID) -> store.Standing:
    async with database.reading() as tx:
        return await store.standing(tx, community, user)


async def test_a_policy_comes_back_as_it_was(database: Database) -> None:
    both = frozenset({Permission.SEND_MESSAGES})
    policy = Policy(
        uuid4(),
        version=1,
        roles=(
            Role(uuid4(), "silent", 0, frozenset()),
            Role(uuid4(), "speaking", 3, frozenset(Permission), both),
            Role(uuid4(), "muted", 7, frozenset(), frozenset({Permission.VIEW_CHANNEL})),
        ),
    )
    async with database.transaction() as tx:
        await store.add_policy(tx, policy)
        kept = await store.policy(tx, policy.community_id)
    speaking = replace(policy.roles[1], allows=frozenset(Permission) - both)
    assert kept.roles == (policy.roles[0], speaking, policy.roles[2]), "where both, no"


async def test_the_first_policy_stays(database: Database) -> None:
    policy = await provisioned(database)
    async with database.transaction() as tx:
        assert not await store.add_policy(tx, domain.first_policy(policy.community_id))
        assert await store.policy(tx, policy.community_id) == policy


async def test_a_community_nobody_provisioned_has_no_policy(database: Database) -> None:
    async with database.reading() as tx:
        with pytest.raises(CommunityNotProvisioned):
            await store.policy(tx, uuid4())
        with pytest.raises(CommunityNotProvisioned):
            await store.policy_to_change(tx, uuid4())
    assert await standing(database, uuid4(), ADA) == store.Standing(0, 0, 0, frozenset())


async def test_a_binding_has_a_version_that_rises_with_every_change(database: Database) -> None:
    policy = await provisioned(database)
    community, (member, owner) = policy.community_id, (role.id for role in policy.roles)
    async with database.transaction() as tx:
        assert await store.bind(tx, community, ADA, [member]) == 1
        assert await store.bind(tx, community, ADA, [member]) == 0
        assert await store.bind(tx, community, ADA, [member, owner]) == 2
        assert await store.holders(tx, owner) == {ADA}
        assert await store.unbind(tx, community, ADA) == 3
        assert await store.unbind(tx, community, ADA) == 0
        assert await store.unbind(tx, community, BOB) == 0
        assert await store.bind(tx, community, ADA, [member]) == 4
    found = await standing(database, community, ADA)
    assert (found.policy_version, found.binding_version) == (1, 4)
    assert found.roles == {member}
    assert (await standing(database, community, BOB)).binding_version == 0


async def test_roles_of_one_community_are_not_held_in_another(database: Database) -> None:
    here, there = await provisioned(database), await provisioned(database)
    async with database.transaction() as tx:
        await store.bind(tx, here.community_id, ADA, [here.roles[0].id])
    assert (await standing(database, there.community_id, ADA)).roles == frozenset()


async def test_revisions_are_taken_one_after_another(database: Database) -> None:
    async def take(hold: float) -> int:
        async with database.transaction() as tx:
            taken = await store.next_revision(tx)
            await asyncio.sleep(hold)
            return taken

    taken = await asyncio.gather(*(take(0.01) for _ in range(8)))
    assert sorted(taken) == list(range(1, 9))
    async with database.reading() as tx:
        assert await store.revision(tx) == 8


async def take_and_fail(database: Database) -> None:
    async with database.transaction() as tx:
        await store.next_revision(tx)
        raise LookupError


async def test_a_revision_that_was_not_committed_was_not_taken(database: Database) -> None:
    with pytest.raises(LookupError):
        await take_and_fail(database)
    async with database.transaction() as tx:
        assert await store.next_revision(tx) == 1


async def test_who_changes_a_policy_is_waited_for(database: Database) -> None:
    policy = await provisioned(database)
    order: list[str] = []

    async def change(name: str) -> None:
        async with database.transaction() as tx:
            await store.policy_to_change(tx, policy.community_id)
            order.append(f"{name} in")
            await asyncio.sleep(0.1)
            order.append(f"{name} out")

    await asyncio.gather(change("one"), change("other"))
    assert order[0].endswith("in")
    assert order[1] == order[0].replace("in", "out")


VOLUME = """
    INSERT INTO community SELECT gen_random_uuid(), 1 FROM generate_series(1, 4000);
    INSERT INTO role SELECT gen_random_uuid(), community.id, 'role ' || n, n
        FROM community, generate_series(0, 4) AS n;
    INSERT INTO rule SELECT role.id, n, true FROM role, generate_series(1, 7) AS n;
    INSERT INTO binding SELECT community_id, gen_random_uuid(), id FROM role;
    INSERT INTO person SELECT community_id, user_id, 1 FROM binding;
    ANALYZE;
"""


async def test_no_question_reads_a_whole_table(database: Database) -> None:
    async with database.transaction() as tx:
        for statement in VOLUME.split(";")[:-1]:
            await tx.execute(sa.text(statement))
        row = (await tx.execute(sa.select(store.BINDING).limit(1))).one()
    questions = {
        "standing": await plan_of(
            database, lambda tx: store.standing(tx, row.community_id, row.user_id)
        ),
        "policy": await plan_of(database, lambda tx: store.policy(tx, row.community_id)),
        "change": await plan_of(database, lambda tx: store.policy_to_change(tx, row.community_id)),
        "holders": await plan_of(database, lambda tx: store.holders(tx, row.role_id)),
        "unbind": await plan_of(
            database, lambda tx: store.unbind(tx, row.community_id, row.user_id)
        ),
    }
    for question, plan in questions.items():
        scans = [line for line in plan.splitlines() if "Seq Scan" in line]
        assert all("on revision" in line for line in scans), f"{question}: {plan}"
    assert "binding_role" in questions["holders"]
