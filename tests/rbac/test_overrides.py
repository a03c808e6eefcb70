"""What channels override."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.errors import Denied, FailedPrecondition, Invalid, NotFound
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import override_service_pb2 as override
from creavio.rbac.v1 import rbac_events_pb2 as events
from creavio.rbac.v1 import role_pb2
from creavio.rbac.v1.override_service_pb2_grpc import OverrideServiceStub
from tests.rbac.world import Person, Rbac, Table, identifier

MANAGE, SEND, VIEW, PIN = (
    p.PERMISSION_MANAGE_ROLES,
    p.PERMISSION_SEND_MESSAGES,
    p.PERMISSION_VIEW_CHANNEL,
    p.PERMISSION_PIN_MESSAGES,
)


async def listed(table: Table, by: Person, channel: str) -> list[role_pb2.ChannelOverride]:
    request = override.ListOverridesRequest(community_id=table.id, channel_id=channel)
    return list((await by.ask(OverrideServiceStub, "ListOverrides", request)).overrides)


async def delete(table: Table, by: Person, channel: str, target: str) -> None:
    request = override.DeleteOverrideRequest(
        community_id=table.id, channel_id=channel, target_id=target
    )
    await by.ask(OverrideServiceStub, "DeleteOverride", request)


async def test_a_channel_overrides_roles_and_members_there_alone(rbac: Rbac) -> None:
    table = await rbac.founded()
    member = (await table.all_roles())[-1].id
    bob, carol = await table.member(), await table.member()
    here, there = identifier(ids.Kind.CHANNEL), identifier(ids.Kind.CHANNEL)
    await table.override(table.owner, here, member, PIN, deny=(SEND,))
    said = await table.override(table.owner, here, carol.id, SEND, deny=(PIN,))
    assert (said.community_id, said.channel_id, said.target_id) == (table.id, here, carol.id)
    assert (list(said.allow), list(said.deny)) == ([SEND], [PIN])
    assert {SEND, PIN} & await table.checked(bob.id, here) == {PIN}
    assert {SEND, PIN} & await table.checked(carol.id, here) == {SEND}
    for person in (bob, carol):
        assert {SEND, PIN} & await table.checked(person.id, there) == {SEND}
        assert {SEND, PIN} & await table.checked(person.id) == {SEND}
    await delete(table, table.owner, here, carol.id)
    await delete(table, table.owner, here, carol.id)
    assert {SEND, PIN} & await table.checked(carol.id, here) == {PIN}
    await delete(table, table.owner, here, member)
    assert {SEND, PIN} & await table.checked(carol.id, here) == {SEND}
    assert await listed(table, table.owner, here) == []


async def test_whoever_cannot_see_a_channel_holds_nothing_in_it(rbac: Rbac) -> None:
    table = await rbac.founded()
    member, bob = (await table.all_roles())[-1].id, await table.member()
    channel = identifier(ids.Kind.CHANNEL)
    await table.override(table.owner, channel, member, PIN, SEND, deny=(VIEW,))
    assert await table.checked(bob.id, channel) == set()
    assert {VIEW, PIN, SEND} <= await table.checked(table.owner.id, channel)


async def test_overrides_are_listed_roles_first_from_the_highest(rbac: Rbac) -> None:
    table = await rbac.founded()
    high, low = await table.create("high"), await table.create("low")
    people = sorted([(await table.member()).id for _ in range(3)])
    channel = identifier(ids.Kind.CHANNEL)
    for target in (low.id, *reversed(people), high.id):
        await table.override(table.owner, channel, target, deny=(SEND,))
    assert [o.target_id for o in await listed(table, table.owner, channel)] == [
        high.id,
        low.id,
        *people,
    ]


async def test_an_override_is_announced_once(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob, low = await table.member(), await table.create("low")
    channel = identifier(ids.Kind.CHANNEL)
    before = len(await rbac.announced())
    for _ in range(2):
        await table.override(table.owner, channel, bob.id, PIN)
        await table.override(table.owner, channel, low.id, PIN)
    binding, of_bob, policy, of_low = (await rbac.announced())[before:]
    assert isinstance(binding, events.BindingChanged)
    assert binding.binding.overrides[0].channel_id == channel
    assert isinstance(policy, events.PolicyChanged)
    assert policy.revision == binding.revision + 1
    assert {type(of_bob), type(of_low)} == {events.PolicyDeed}


async def test_an_override_that_says_nothing_is_none(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob, low = await table.member(), await table.create("low")
    channel = identifier(ids.Kind.CHANNEL)
    for target in (bob.id, low.id):
        await table.override(table.owner, channel, target, PIN)
        await table.override(table.owner, channel, target)
    assert await listed(table, table.owner, channel) == []


async def test_where_it_says_both_it_denies(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob, channel = await table.member(), identifier(ids.Kind.CHANNEL)
    said = await table.override(table.owner, channel, bob.id, SEND, PIN, deny=(SEND,))
    assert (list(said.allow), list(said.deny)) == ([PIN], [SEND])
    assert await listed(table, table.owner, channel) == [said]


async def test_only_what_is_decided_in_a_channel_is_overridden(rbac: Rbac) -> None:
    table = await rbac.founded()
    bob, channel = await table.member(), identifier(ids.Kind.CHANNEL)
    for wrong in (MANAGE, p.PERMISSION_VIEW_COMMUNITY, p.PERMISSION_ADMINISTRATE):
        with pytest.raises(Invalid) as invalid:
            await table.override(table.owner, channel, bob.id, wrong)
        assert invalid.value.fields[0][0] == "allow"
        with pytest.raises(Invalid) as invalid:
            await table.override(table.owner, channel, bob.id, deny=(wrong,))
        assert invalid.value.fields[0][0] == "deny"


async def test_nobody_overrides_above_themselves_or_beyond_what_they_hold(rbac: Rbac) -> None:
    table = await rbac.founded()
    high, mid = await table.create("high"), await table.create("mid", MANAGE)
    low = await table.create("low")
    manager, peer = await table.member(mid.id), await table.member(mid.id)
    boss, bob = await table.member(high.id), await table.member()
    channel = identifier(ids.Kind.CHANNEL)
    for target in (high.id, mid.id, boss.id, peer.id, manager.id, table.owner.id):
        for attempt in (
            table.override(manager, channel, target, SEND),
            table.override(manager, channel, target, deny=(SEND,)),
            delete(table, manager, channel, target),
        ):
            with pytest.raises(Denied) as denied:
                await attempt
            assert denied.value.reason == "ROLE_TOO_HIGH"
    for target in (low.id, bob.id):
        await table.override(manager, channel, target, deny=(SEND,))
        for attempt in (
            table.override(manager, channel, target, PIN),
            table.override(manager, channel, target, deny=(PIN, SEND)),
        ):
            with pytest.raises(Denied) as denied:
                await attempt
            assert denied.value.reason == "EXCEEDS_OWN_PERMISSIONS"
        await table.override(table.owner, channel, target, PIN)
        with pytest.raises(Denied) as denied:
            await delete(table, manager, channel, target)
        assert denied.value.reason == "EXCEEDS_OWN_PERMISSIONS"


async def test_a_channel_that_is_not_seen_is_not_there(rbac: Rbac) -> None:
    table = await rbac.founded()
    manager = await table.member((await table.create("mid", MANAGE)).id)
    low, channel = await table.create("low"), identifier(ids.Kind.CHANNEL)
    await table.make_private(channel, table.owner.id)
    for attempt in (
        table.override(manager, channel, manager.id, VIEW),
        table.override(manager, channel, low.id, VIEW),
        delete(table, manager, channel, low.id),
        listed(table, manager, channel),
    ):
        with pytest.raises(NotFound):
            await attempt
    await table.override(table.owner, channel, manager.id, VIEW)
    assert len(await listed(table, manager, channel)) == 2


async def test_only_members_and_roles_of_the_community_are_overridden(rbac: Rbac) -> None:
    table, channel = await rbac.founded(), identifier(ids.Kind.CHANNEL)
    for target in (identifier(ids.Kind.ROLE), rbac.person().id):
        with pytest.raises(NotFound):
            await table.override(table.owner, channel, target, SEND)


async def test_overrides_are_limited(rbac: Rbac) -> None:
    table, channel = await rbac.founded(), identifier(ids.Kind.CHANNEL)
    bob, low = await table.member(), await table.create("low")
    crowded = ids.parse(ids.Kind.CHANNEL, channel, field="")
    fill = (
        "INSERT INTO member_override SELECT id, {channel}, gen_random_uuid(), '{{2}}', '{{}}' "
        "FROM community, generate_series(1, {count}) WHERE id = :id"
    )
    community = {"id": ids.parse(ids.Kind.COMMUNITY, table.id, field="")}
    async with rbac.database.transaction() as tx:
        await tx.execute(sa.text(fill.format(channel=f"'{crowded}'", count=199)), community)
    await table.override(table.owner, channel, bob.id, SEND)
    for target in (low.id, (await table.member()).id):
        with pytest.raises(FailedPrecondition) as full:
            await table.override(table.owner, channel, target, SEND)
        assert full.value.reason == "LIMIT_REACHED"
    await table.override(table.owner, channel, bob.id, deny=(SEND,))
    async with rbac.database.transaction() as tx:
        await tx.execute(sa.text(fill.format(channel="gen_random_uuid()", count=999)), community)
    other = identifier(ids.Kind.CHANNEL)
    for attempt in (
        table.override(table.owner, other, low.id, SEND),
        table.make_private(other, bob.id),
    ):
        with pytest.raises(FailedPrecondition) as full:
            await attempt
        assert full.value.reason == "LIMIT_REACHED"
    await delete(table, table.owner, channel, bob.id)
    await table.override(table.owner, channel, low.id, SEND)
