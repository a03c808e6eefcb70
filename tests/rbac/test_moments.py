"""What is asked about stands as it was at one moment; what is kept of it is bounded."""

from __future__ import annotations

from dataclasses import replace
import time
from uuid import UUID, uuid4

import pytest

from chassis import ids
from chassis.database import Database, Transaction
from services.rbac import convert
from services.rbac.domain.permissions import IN_CHANNEL, IN_COMMUNITY, Permission
from services.rbac.domain.policy import (
    Holdings,
    Kind,
    Override,
    Policy,
    Role,
    first_policy,
    with_new_role,
)
from services.rbac.engine.evaluator import PolicyEngine
from services.rbac.engine.moments import Moments
from services.rbac.store import people, policies

ADA = uuid4()
NONE: frozenset[Permission] = frozenset()


async def provisioned(database: Database) -> UUID:
    policy = first_policy(uuid4())
    async with database.transaction() as tx:
        await policies.add_policy(tx, policy)
    return policy.community_id


async def change(database: Database, community_id: UUID) -> None:
    """Give a community another role."""
    async with database.transaction() as tx:
        before = await policies.policy_to_change(tx, community_id)
        after, _ = with_new_role(before, "new", 0, NONE, NONE)
        await policies.save(tx, before, after, revision=7)


async def test_a_policy_that_changes_while_others_are_read_is_as_it_was(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, the later version took the place of the one that was just read."""
    one, other = await provisioned(database), await provisioned(database)
    moments, read = Moments(database), policies.policy

    async def meanwhile(tx: Transaction, community_id: UUID) -> Policy:
        if community_id == other:
            monkeypatch.setattr(policies, "policy", read)
            await change(database, one)
            assert (await moments.of(one, ADA)).policy.version == 2
        return await read(tx, community_id)

    monkeypatch.setattr(policies, "policy", meanwhile)
    found = await moments.of_all([(one, ADA), (other, ADA)])
    assert [moment.policy.version for moment in found] == [1, 1]
    assert [moment.policy.community_id for moment in found] == [one, other]
    assert (await moments.of(one, ADA)).policy.version == 2


async def test_a_policy_that_changes_before_it_is_read_is_read_with_all_else(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await provisioned(database)
    moments, read = Moments(database), policies.policy

    async def meanwhile(tx: Transaction, community_id: UUID) -> Policy:
        monkeypatch.setattr(policies, "policy", read)
        await change(database, one)
        async with database.transaction() as other:
            await people.bind(other, one, ADA, [(await read(other, one)).roles[1].id])
            await people.rebound(other, one, ADA, revision=8)
        return await read(tx, community_id)

    monkeypatch.setattr(policies, "policy", meanwhile)
    moment = await moments.of(one, ADA)
    assert moment.policy.version == 2
    assert moment.holdings.roles == {moment.policy.roles[1].id}


async def test_a_community_that_was_never_provisioned_is_asked_about_with_others(
    database: Database,
) -> None:
    one, nowhere = await provisioned(database), uuid4()
    found = await Moments(database).of_all([(nowhere, ADA), (one, ADA)])
    assert [(m.policy.version, len(m.policy.roles)) for m in found] == [(0, 0), (1, 2)]


def largest(channels: int) -> Policy:
    """As many roles as there can be, all of which speak; overrides in many channels."""
    first = first_policy(uuid4())
    said = [Role(ids.new(), n, f"role {n}", Kind.CUSTOM, IN_COMMUNITY, NONE) for n in range(2, 250)]
    roles = (first.roles[0], *said, first.roles[1])
    overrides = {ids.new(): {said[n % 200].id: Override(IN_CHANNEL)} for n in range(channels)}
    return replace(first, roles=roles, channels=overrides)


def test_the_largest_policy_is_compiled_before_anybody_waits_for_it() -> None:
    """It took 0.9 s, in which no heartbeat was sent and everybody doubted what they kept."""
    policy = largest(channels=1_000)
    began = time.process_time()
    masks = convert.masks(policy)
    assert time.process_time() - began < 0.3
    assert len(masks.channels) == 1_000


def test_however_large_policies_are_only_so_many_rules_are_kept() -> None:
    policy, engine = largest(channels=150), PolicyEngine()
    member = policy.of_kind(Kind.MEMBER)
    somebody = Holdings(frozenset({member.id}))
    for channel_id in policy.channels:
        engine.held(policy, somebody, channel_id)
    kept = sum(len(cell) for cell in engine._cells.values())
    assert 50_000 < kept <= 100_000
