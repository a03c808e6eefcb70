"""Whoever removes somebody is judged by rbac in the moment it happens, and never in between."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis import ids
from creavio.rbac.v1 import policy_deed_pb2, rbac_events_pb2, timeout_pb2
from services.community import domain, store
from services.community.consumer import RbacConsumer
from services.community.domain import Banned, Community, RoleTooHigh, Standing
from services.community.domain.audit import Action, Deed
from tests.community.world import ADA, BOB, EVE, NOW, World


async def joined(world: World, community: Community, *users: UUID) -> None:
    for user in users:
        await world.intend_joining(community, user)
        await world.memberships.finish_joining(community.id, user)


def promoted(world: World, community: Community, user: UUID) -> None:
    pair = (ids.text(ids.Kind.COMMUNITY, community.id), ids.text(ids.Kind.USER, user))
    world.rbac.above.add(pair)


async def intend_removal(world: World, community: Community, by: UUID) -> None:
    async with world.database.transaction() as tx:
        await store.let_go(tx, community.id, BOB, by)


async def intend_ban(world: World, community: Community, by: UUID) -> domain.Ban:
    ban = domain.Ban(community.id, BOB, by, "spam", NOW)
    async with world.database.transaction() as tx:
        await store.lock_person(tx, community.id, BOB)
        assert await store.shut_out(tx, community.id, BOB, by)
        await store.intend_ban(tx, ban)
    return ban


async def deeds(world: World, community: Community) -> list[tuple[Action, UUID]]:
    async with world.database.reading() as tx:
        found = await store.deeds_of(tx, community.id, None, 10)
    return [(deed.action, deed.actor_id) for deed in found]


async def banned(world: World, community: Community) -> list[UUID]:
    async with world.database.reading() as tx:
        return [ban.creator_id for ban in await store.bans_of(tx, community.id, None, 10)]


async def test_whoever_was_raised_meanwhile_stays(world: World) -> None:
    community = await world.found()
    await joined(world, community, BOB, EVE)
    await intend_removal(world, community, EVE)
    promoted(world, community, BOB)
    with pytest.raises(RoleTooHigh):
        await world.memberships.finish_leaving(community.id, BOB, EVE)
    assert (await world.standing(community), world.holds(community)) == (Standing.SETTLED, True)
    assert "MemberRemoved" not in await world.told()
    assert await deeds(world, community) == []


async def test_whoever_was_raised_meanwhile_is_not_banned(world: World) -> None:
    community = await world.found()
    await joined(world, community, BOB, EVE)
    ban = await intend_ban(world, community, EVE)
    assert await banned(world, community) == [], "it does not count yet"
    promoted(world, community, BOB)
    with pytest.raises(RoleTooHigh):
        await world.memberships.finish_banning(ban)
    assert (await world.standing(community), world.holds(community)) == (Standing.SETTLED, True)
    assert await deeds(world, community) == []
    await world.intend_leaving(community)
    await world.memberships.finish_leaving(community.id, BOB)
    await joined(world, community, BOB)


@pytest.mark.parametrize("raised", [False, True])
async def test_what_a_crash_left_is_judged_as_well(world: World, raised: bool) -> None:
    community = await world.found()
    await joined(world, community, BOB, EVE)
    await intend_removal(world, community, EVE)
    if raised:
        promoted(world, community, BOB)
    await world.pass_time()
    await world.memberships.resume()
    expected = Standing.SETTLED if raised else None
    assert (await world.standing(community), world.holds(community)) == (expected, raised)
    assert await deeds(world, community) == ([] if raised else [(Action.MEMBER_REMOVED, EVE)])


@pytest.mark.parametrize("raised", [False, True])
async def test_a_ban_that_a_crash_left_is_judged_as_well(world: World, raised: bool) -> None:
    community = await world.found()
    await joined(world, community, BOB, EVE)
    await intend_ban(world, community, EVE)
    if raised:
        promoted(world, community, BOB)
    await world.pass_time()
    await world.memberships.resume()
    assert await banned(world, community) == ([] if raised else [EVE])
    assert ((Action.BAN_CREATED, EVE) in await deeds(world, community)) != raised
    if not raised:
        with pytest.raises(Banned):
            await world.intend_joining(community)


async def test_nobody_comes_back_while_they_are_being_banned(world: World) -> None:
    community = await world.found()
    await joined(world, community, BOB, EVE)
    ban = await intend_ban(world, community, EVE)
    with pytest.raises(Banned):
        await world.intend_joining(community)
    assert await world.memberships.finish_banning(ban) == ban
    assert await banned(world, community) == [EVE]
    assert (await world.told()).count("MemberRemoved") == 1


async def test_whoever_leaves_by_themselves_goes_whatever_others_wanted(world: World) -> None:
    community = await world.found()
    await joined(world, community, BOB, EVE)
    await intend_removal(world, community, EVE)
    async with world.database.transaction() as tx:
        await store.shut_out(tx, community.id, BOB)
    promoted(world, community, BOB)
    with pytest.raises(RoleTooHigh):
        await world.memberships.finish_leaving(community.id, BOB, EVE)
    await world.pass_time()
    await world.memberships.resume()
    assert (await world.standing(community), world.holds(community)) == (None, False)


async def test_a_ban_that_was_answered_holds_whatever_becomes_of_another(world: World) -> None:
    """Two ban at once: one may, the other may not, whoever kept the intent first."""
    community = await world.found()
    await joined(world, community, BOB, EVE)
    first = await intend_ban(world, community, EVE)
    second = await intend_ban(world, community, ADA)
    promoted(world, community, BOB)
    world.rbac.top.add(ids.text(ids.Kind.USER, ADA))
    with pytest.raises(RoleTooHigh):
        await world.memberships.finish_banning(first)
    assert await world.memberships.finish_banning(second) == second
    assert await banned(world, community) == [ADA]
    assert (await world.standing(community), world.holds(community)) == (None, False)
    assert await deeds(world, community) == [(Action.BAN_CREATED, ADA)]


async def test_two_who_remove_at_once_are_written_down_once(world: World) -> None:
    community = await world.found()
    await joined(world, community, BOB, EVE)
    await intend_removal(world, community, EVE)
    await intend_removal(world, community, ADA)
    await asyncio.gather(
        *(world.memberships.finish_leaving(community.id, BOB, by) for by in (EVE, ADA))
    )
    assert len(await deeds(world, community)) == 1


async def test_timeouts_are_written_down(world: World) -> None:
    community = await world.found()
    place, bob = ids.text(ids.Kind.COMMUNITY, community.id), ids.text(ids.Kind.USER, BOB)
    timeout = timeout_pb2.Timeout(
        community_id=place, user_id=bob, creator_id=ids.text(ids.Kind.USER, ADA), reason="loud"
    )
    timeout.create_time.FromDatetime(NOW)
    timeout.expire_time.FromDatetime(NOW + timedelta(minutes=10))
    ended = rbac_events_pb2.MemberTimeoutEnded(
        community_id=place, user_id=bob, actor_id=ids.text(ids.Kind.USER, EVE)
    )
    async with world.database.transaction() as tx:
        await RbacConsumer().handle(tx, rbac_events_pb2.MemberTimedOut(timeout=timeout))
        await RbacConsumer().handle(tx, ended)
    async with world.database.reading() as tx:
        second, first = await store.deeds_of(tx, community.id, None, 10)
    assert isinstance(first, Deed)
    assert (first.action, first.actor_id, first.target_id) == (Action.MEMBER_TIMED_OUT, ADA, bob)
    assert (first.reason, first.create_time) == ("loud", NOW)
    (until,) = first.differences
    assert datetime.fromisoformat(until.after) == datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
    assert (second.action, second.actor_id, second.target_id) == (Action.TIMEOUT_ENDED, EVE, bob)


async def test_what_is_done_to_roles_is_written_down(world: World) -> None:
    community = await world.found()
    place, bob = ids.text(ids.Kind.COMMUNITY, community.id), ids.text(ids.Kind.USER, BOB)
    role = ids.text(ids.Kind.ROLE, ids.new())
    gone = ids.text(ids.Kind.CHANNEL, ids.new())

    async def done(name: str, **of: Any) -> Deed:
        deed = rbac_events_pb2.PolicyDeed(
            community_id=place,
            actor_id=ids.text(ids.Kind.USER, ADA),
            action=policy_deed_pb2.PolicyAction.Value(f"POLICY_ACTION_{name}"),
            **of,
        )
        deed.create_time.FromDatetime(NOW)
        async with world.database.transaction() as tx:
            await RbacConsumer().handle(tx, deed)
        async with world.database.reading() as tx:
            (written,) = await store.deeds_of(tx, community.id, None, 1)
        assert (written.actor_id, written.create_time) == (ADA, NOW)
        return written

    named = {"role_id": role, "role_name": "keepers"}
    said = [policy_deed_pb2.PolicyDifference(field="allow", after="SEND_MESSAGES")]
    allowed = ("allow", "", "SEND_MESSAGES")
    for name, of, target, differences in (
        ("ROLE_CREATED", {**named, "differences": said}, (role, "keepers"), [allowed]),
        ("ROLE_UPDATED", {**named, "differences": said}, (role, "keepers"), [allowed]),
        ("ROLE_DELETED", named, (role, "keepers"), []),
        ("ROLES_REORDERED", {}, (place, ""), []),
        ("ROLE_GRANTED", {**named, "user_id": bob}, (bob, ""), [("role", "", "keepers")]),
        ("ROLE_REVOKED", {**named, "user_id": bob}, (bob, ""), [("role", "keepers", "")]),
        (
            "OVERRIDE_CHANGED",
            {**named, "channel_id": gone, "differences": said},
            (gone, ""),
            [("role", "", "keepers"), allowed],
        ),
        (
            "OVERRIDE_CHANGED",
            {"user_id": bob, "channel_id": gone, "differences": said},
            (gone, ""),
            [("user_id", "", bob), allowed],
        ),
    ):
        deed = await done(name, **of)
        assert deed.action == Action[name]
        assert (deed.target_id, deed.target_name) == target
        assert [(d.field, d.before, d.after) for d in deed.differences] == differences
