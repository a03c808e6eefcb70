"""A community changes hands, and a channel that is gone is spoken of no more."""

from __future__ import annotations

import asyncio

import pytest

from chassis import ids
from chassis.errors import NotFound
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import membership_service_pb2 as membership
from creavio.rbac.v1 import rbac_events_pb2 as events
from creavio.rbac.v1.membership_service_pb2_grpc import MembershipServiceStub
from tests.rbac.world import Rbac, Table, identifier

OWNS = p.PERMISSION_BAN_MEMBERS


async def transfer(table: Table, heir: str, number: int) -> int:
    stub = MembershipServiceStub(table.rbac.channel)
    request = membership.TransferOwnershipRequest(
        community_id=table.id, owner_id=heir, number=number
    )
    return int((await table.rbac.as_service(stub.TransferOwnership, request)).revision)


async def forget(table: Table, channel: str) -> int:
    stub = MembershipServiceStub(table.rbac.channel)
    request = membership.ForgetChannelRequest(community_id=table.id, channel_id=channel)
    return int((await table.rbac.as_service(stub.ForgetChannel, request)).revision)


async def owners(table: Table, *people: str) -> list[str]:
    return [person for person in people if OWNS in await table.checked(person)]


async def test_the_new_owner_owns_and_the_old_one_is_a_member(rbac: Rbac) -> None:
    table = await rbac.founded()
    other = await table.create("other", p.PERMISSION_PIN_MESSAGES)
    bob = await table.member()
    await table.grant(table.owner, table.owner, other.id)
    revision = await transfer(table, bob.id, 1)
    assert await owners(table, table.owner.id, bob.id) == [bob.id]
    held = await table.checked(table.owner.id)
    assert {p.PERMISSION_VIEW_COMMUNITY, p.PERMISSION_PIN_MESSAGES} <= held
    told = await rbac.announced(events.MemberRolesChanged)
    assert [len(e.role_ids) for e in told[-2:] if isinstance(e, events.MemberRolesChanged)] == [
        2,
        2,
    ]
    assert await transfer(table, bob.id, 1) == revision, "repeating changes nothing"


async def test_a_transfer_that_comes_late_changes_nothing(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob, eve = await table.member(), await table.member()
    await transfer(table, bob.id, 1)
    await transfer(table, table.owner.id, 2)
    for late in (1, 2):
        await transfer(table, eve.id, late)
        await transfer(table, bob.id, late)
    assert await owners(table, table.owner.id, bob.id, eve.id) == [table.owner.id]


async def test_an_outsider_is_given_nothing_and_no_number_is_spent(rbac: Rbac) -> None:
    table = await rbac.founded()
    stranger, bob = identifier(ids.Kind.USER), await table.member()
    with pytest.raises(NotFound):
        await transfer(table, stranger, 1)
    assert await owners(table, table.owner.id, stranger) == [table.owner.id]
    await transfer(table, bob.id, 1)
    assert await owners(table, table.owner.id, bob.id) == [bob.id]


async def test_of_many_transfers_at_once_one_owner_comes(rbac: Rbac) -> None:
    table = await rbac.founded()
    people = [await table.member() for _ in range(4)]
    await asyncio.gather(
        *(transfer(table, person.id, number) for number, person in enumerate(people, 1)),
        *(transfer(table, person.id, number) for number, person in enumerate(people, 1)),
    )
    everybody = (table.owner.id, *(person.id for person in people))
    assert await owners(table, *everybody) == [people[-1].id]


async def test_what_a_deleted_channel_said_is_forgotten(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob = await table.member()
    gone, kept = identifier(ids.Kind.CHANNEL), identifier(ids.Kind.CHANNEL)
    for channel in (gone, kept):
        await table.make_private(channel, bob.id)
    assert p.PERMISSION_VIEW_CHANNEL not in await table.checked((await table.member()).id, gone)
    revision = await forget(table, gone)
    assert await forget(table, gone) == revision, "repeating changes nothing"
    binding = (await rbac.announced(events.BindingChanged))[-1]
    assert isinstance(binding, events.BindingChanged)
    assert [said.channel_id for said in binding.binding.overrides] == [kept]
    outsider = await table.member()
    assert p.PERMISSION_VIEW_CHANNEL not in await table.checked(outsider.id, kept)
