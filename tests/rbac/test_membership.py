"""Roles follow membership: told once or ten times, it is the same."""

from __future__ import annotations

import asyncio

from google.protobuf.message import Message
import pytest

from chassis import ids
from chassis.errors import FailedPrecondition, Invalid, NotFound
from chassis.masks import numbers_in
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import rbac_events_pb2 as events
from tests.rbac.world import Person, Rbac, Table, identifier


@pytest.fixture
def table(rbac: Rbac) -> Table:
    return Table(rbac, identifier(ids.Kind.COMMUNITY), rbac.person())


def revision_of(event: Message) -> int:
    assert isinstance(event, events.PolicyChanged | events.BindingChanged)
    return event.revision


async def revisions(rbac: Rbac) -> list[int]:
    """Of what was announced, in order."""
    return [
        revision_of(e) for e in await rbac.announced(events.PolicyChanged, events.BindingChanged)
    ]


async def test_a_new_community_is_announced_with_its_owner(rbac: Rbac, table: Table) -> None:
    assert await table.provision() == 2
    policy, binding = await rbac.announced()
    assert policy == events.PolicyChanged(community_id=table.id, version=1, revision=1)
    assert isinstance(binding, events.BindingChanged)
    assert (binding.user_id, binding.version, binding.revision) == (table.owner.id, 1, 2)
    assert binding.binding.user_id == table.owner.id
    assert [*numbers_in(int.from_bytes(binding.binding.roles))] == [0, 1]


async def test_repeating_changes_nothing_and_takes_no_revision(rbac: Rbac, table: Table) -> None:
    bob = identifier(ids.Kind.USER)
    assert [await table.provision() for _ in range(3)] == [2, 2, 2]
    assert [await table.bind(bob) for _ in range(3)] == [3, 3, 3]
    assert [await table.unbind(bob) for _ in range(3)] == [4, 4, 4]
    assert await table.unbind(identifier(ids.Kind.USER)) == 4
    assert await table.provision(owner=bob) == 4, "the first owner stays the owner"
    assert await revisions(rbac) == [1, 2, 3, 4]
    assert await table.checked(bob) == set()


async def test_every_change_is_told_before_it_is_acknowledged(rbac: Rbac, table: Table) -> None:
    bob = identifier(ids.Kind.USER)
    for change in (table.provision(), table.bind(bob), table.bind(bob), table.unbind(bob)):
        await change
        assert [body for _, body in rbac.told.said] == [
            event.SerializeToString() for event in await rbac.announced()
        ]
        assert rbac.told.flushed
    subject = f"live.creavio.rbac.v1.binding_changed.{table.id}.{bob}"
    assert [s for s, _ in rbac.told.said][2:] == [subject, subject]


async def test_every_announcement_has_a_revision_of_its_own(rbac: Rbac, table: Table) -> None:
    await table.provision()

    async def come_and_go(user: str) -> None:
        await table.bind(user)
        await table.bind(user)
        await table.unbind(user)
        await table.bind(user)

    await asyncio.gather(*(come_and_go(identifier(ids.Kind.USER)) for _ in range(8)))
    assert await revisions(rbac) == [*range(1, 1 + 2 + 3 * 8)]


async def test_what_comes_at_once_happens_once(rbac: Rbac, table: Table) -> None:
    await asyncio.gather(*(table.provision() for _ in range(6)))
    bob = identifier(ids.Kind.USER)
    await asyncio.gather(*(table.bind(bob) for _ in range(8)))
    assert await revisions(rbac) == [1, 2, 3]


async def test_the_last_owner_stays(rbac: Rbac, table: Table) -> None:
    await table.provision()
    with pytest.raises(FailedPrecondition) as refused:
        await table.unbind(table.owner.id)
    assert refused.value.reason == "LAST_OWNER"
    assert await revisions(rbac) == [1, 2]


async def test_nobody_joins_what_was_never_provisioned(rbac: Rbac, table: Table) -> None:
    channel, bob = identifier(ids.Kind.CHANNEL), identifier(ids.Kind.USER)
    for change in (table.bind(bob), table.unbind(bob), table.make_private(channel, bob)):
        with pytest.raises(NotFound):
            await change
    assert await revisions(rbac) == []


async def test_nobody_joins_the_instance(rbac: Rbac) -> None:
    instance, bob = Table(rbac, ids.INSTANCE, rbac.person()), identifier(ids.Kind.USER)
    channel = identifier(ids.Kind.CHANNEL)
    for change in (
        instance.provision(),
        instance.bind(bob),
        instance.unbind(bob),
        instance.make_private(channel, bob),
    ):
        with pytest.raises(NotFound):
            await change
    assert await revisions(rbac) == []


async def test_errors_name_the_field(table: Table) -> None:
    await table.provision()
    with pytest.raises(Invalid) as invalid:
        await table.bind("usr_nobody")
    assert invalid.value.fields[0][0] == "user_id"


async def private(table: Table, creator: Person) -> str:
    channel = identifier(ids.Kind.CHANNEL)
    await table.make_private(channel, creator.id)
    return channel


async def test_a_private_channel_is_its_creators_and_the_owners(rbac: Rbac) -> None:
    table = await rbac.founded()
    creator, other = await table.member(), await table.member()
    channel = await private(table, creator)
    assert p.PERMISSION_SEND_MESSAGES in await table.checked(creator.id, channel)
    assert p.PERMISSION_MANAGE_MESSAGES in await table.checked(table.owner.id, channel)
    assert await table.checked(other.id, channel) == set()
    assert await table.checked(other.id, identifier(ids.Kind.CHANNEL)) != set()


async def test_an_owners_private_channel_overrides_nobody_but_members(rbac: Rbac) -> None:
    table = await rbac.founded()
    before = len(await rbac.announced(events.BindingChanged))
    channel = await private(table, table.owner)
    assert len(await rbac.announced(events.BindingChanged)) == before
    assert p.PERMISSION_VIEW_CHANNEL in await table.checked(table.owner.id, channel)


async def test_a_channel_is_made_private_once(rbac: Rbac) -> None:
    table = await rbac.founded()
    creator = await table.member()
    channel = identifier(ids.Kind.CHANNEL)
    revision = await table.make_private(channel, creator.id)
    taken = await table.make_private(channel, creator.id)
    assert (taken, await revisions(rbac)) == (revision, [*range(1, revision + 1)])
    member = (await table.all_roles())[-1].id
    await table.override(table.owner, channel, member)
    await table.make_private(channel, creator.id)
    other = await table.member()
    assert p.PERMISSION_VIEW_CHANNEL in await table.checked(other.id, channel), (
        "it was opened since"
    )


async def test_a_creator_who_left_meanwhile_gets_nothing(rbac: Rbac) -> None:
    table = await rbac.founded()
    gone = identifier(ids.Kind.USER)
    channel = identifier(ids.Kind.CHANNEL)
    await table.make_private(channel, gone)
    await table.bind(gone)
    assert await table.checked(gone, channel) == set()


async def test_whoever_leaves_takes_their_overrides_along(rbac: Rbac) -> None:
    table = await rbac.founded()
    creator = await table.member()
    channel = await private(table, creator)
    await table.unbind(creator.id)
    last = (await rbac.announced(events.BindingChanged))[-1]
    assert isinstance(last, events.BindingChanged)
    assert (last.binding.roles, len(last.binding.overrides)) == (b"", 0)
    await table.bind(creator.id)
    assert await table.checked(creator.id, channel) == set()
