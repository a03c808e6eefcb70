"""Roles follow membership: told once or ten times, it is the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager

from google.protobuf.message import Message
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database
from chassis.outbox import Outbox
from chassis.schema import OUTBOX
from chassis.telemetry import Telemetry
from chassis.testing import scratch_config
from creavio.rbac.v1 import rbac_events_pb2
from creavio.rbac.v1.membership_service_pb2 import (
    BindMemberRequest,
    ProvisionCommunityRequest,
    UnbindMemberRequest,
)
from services.rbac.domain import CommunityNotProvisioned, LastOwner
from services.rbac.handler import MembershipHandler


def identifier(kind: ids.Kind) -> str:
    return ids.text(kind, ids.new())


class World:
    """The handler on a database of its own; what it announces stays in the outbox."""

    def __init__(self, contract: Contract, database: Database) -> None:
        telemetry = Telemetry(scratch_config("rbac"))
        bus = Bus(scratch_config("rbac"), telemetry)
        Outbox("rbac", contract, database, bus, telemetry)
        self._contract = contract
        self._database = database
        self.told: list[Message] = []

        async def tell(changes: Sequence[Message]) -> None:
            self.told += changes

        self._handler = MembershipHandler(database, tell)
        self.table = identifier(ids.Kind.COMMUNITY)
        self.owner = identifier(ids.Kind.USER)

    async def provision(self, owner: str = "") -> int:
        request = ProvisionCommunityRequest(community_id=self.table, owner_id=owner or self.owner)
        return (await self._handler.ProvisionCommunity(request, None)).revision

    async def bind(self, user: str) -> int:
        request = BindMemberRequest(community_id=self.table, user_id=user)
        return (await self._handler.BindMember(request, None)).revision

    async def unbind(self, user: str) -> int:
        request = UnbindMemberRequest(community_id=self.table, user_id=user)
        return (await self._handler.UnbindMember(request, None)).revision

    async def announced(self) -> list[Message]:
        async with self._database.reading() as tx:
            rows = await tx.execute(sa.select(OUTBOX).order_by(OUTBOX.c.id))
        return [self._contract.events[row.type].message.FromString(row.body) for row in rows]

    async def revisions(self) -> list[int]:
        """Of what was announced, in order."""
        found = []
        for event in await self.announced():
            assert isinstance(event, rbac_events_pb2.PolicyChanged | rbac_events_pb2.BindingChanged)
            found.append(event.revision)
        return found


@pytest.fixture
async def world(
    contract: Contract, scratch: Callable[[str], AbstractAsyncContextManager[Database]]
) -> AsyncIterator[World]:
    async with scratch("rbac") as database:
        yield World(contract, database)


async def test_a_new_community_is_announced_with_its_owner(world: World) -> None:
    assert await world.provision() == 1
    policy, binding = await world.announced()
    assert policy == rbac_events_pb2.PolicyChanged(community_id=world.table, version=1, revision=1)
    assert binding == rbac_events_pb2.BindingChanged(
        community_id=world.table, user_id=world.owner, version=1, revision=1
    )


async def test_repeating_changes_nothing_and_takes_no_revision(world: World) -> None:
    bob = identifier(ids.Kind.USER)
    assert [await world.provision() for _ in range(3)] == [1, 1, 1]
    assert [await world.bind(bob) for _ in range(3)] == [2, 2, 2]
    assert [await world.unbind(bob) for _ in range(3)] == [3, 3, 3]
    assert await world.unbind(identifier(ids.Kind.USER)) == 3
    assert await world.provision(owner=bob) == 3, "the first owner stays the owner"
    assert await world.revisions() == [1, 1, 2, 3]


async def test_every_change_is_told_before_it_is_acknowledged(world: World) -> None:
    bob = identifier(ids.Kind.USER)
    for change in (world.provision(), world.bind(bob), world.bind(bob), world.unbind(bob)):
        await change
        assert world.told == await world.announced()
    assert len(world.told) == 4


async def test_revisions_rise_by_one_with_every_announced_change(world: World) -> None:
    await world.provision()
    people = [identifier(ids.Kind.USER) for _ in range(12)]

    async def come_and_go(user: str) -> None:
        await world.bind(user)
        await world.bind(user)
        await world.unbind(user)
        await world.bind(user)

    await asyncio.gather(*(come_and_go(user) for user in people))
    assert await world.revisions() == [1, *range(1, 1 + 1 + 3 * len(people))]


async def test_binding_at_once_binds_once(world: World) -> None:
    await world.provision()
    bob = identifier(ids.Kind.USER)
    await asyncio.gather(*(world.bind(bob) for _ in range(8)))
    assert await world.revisions() == [1, 1, 2]


async def test_provisioning_at_once_provisions_once(world: World) -> None:
    await asyncio.gather(*(world.provision() for _ in range(6)))
    assert await world.revisions() == [1, 1]


async def test_the_last_owner_stays(world: World) -> None:
    await world.provision()
    with pytest.raises(LastOwner):
        await world.unbind(world.owner)
    assert await world.revisions() == [1, 1]


async def test_nobody_joins_what_was_never_provisioned(world: World) -> None:
    with pytest.raises(CommunityNotProvisioned):
        await world.bind(identifier(ids.Kind.USER))
    with pytest.raises(CommunityNotProvisioned):
        await world.unbind(identifier(ids.Kind.USER))
    assert await world.revisions() == []
