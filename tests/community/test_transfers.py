"""A community has one owner, here and in rbac, whatever crashes or comes late."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis import ids
from services.community import domain, store
from services.community.domain import Channel, Community, MemberNotFound, Standing
from tests.community.world import ADA, BOB, EVE, LOST, NOW, World, fail


async def intend_transfer(world: World, community: Community, heir: UUID = BOB) -> int:
    async with world.database.transaction() as tx:
        now = await store.community_to_change(tx, community.id)
        return await store.begin_transfer(tx, now, heir)


async def owner_of(world: World, community: Community) -> tuple[UUID, str]:
    """Who owns it here, and in rbac."""
    async with world.database.reading() as tx:
        owner_id = (await store.community(tx, community.id)).owner_id
    return owner_id, world.rbac.owners[ids.text(ids.Kind.COMMUNITY, community.id)]


def both(user: UUID) -> tuple[UUID, str]:
    return user, ids.text(ids.Kind.USER, user)


async def table_of_two(world: World) -> Community:
    community = await world.found()
    await world.intend_joining(community)
    await world.memberships.finish_joining(community.id, BOB)
    return community


@LOST
async def test_a_transfer_left_halfway_is_finished(world: World, lost: str) -> None:
    community = await table_of_two(world)
    number = await intend_transfer(world, community)
    finish = world.memberships.finish_transfer
    await fail(world, lost, lambda: finish(community, BOB, number))
    await world.memberships.resume()
    assert await owner_of(world, community) == both(BOB)
    assert (await world.told())[3:] == ["CommunityUpdated"]
    async with world.database.reading() as tx:
        (deed,) = await store.deeds_of(tx, community.id, None, 10)
    assert (deed.actor_id, deed.target_id) == (ADA, ids.text(ids.Kind.USER, BOB))
    await finish(community, BOB, number)
    assert (await world.told())[4:] == [], "told once"


async def test_a_transfer_that_comes_late_gives_nothing_back(world: World) -> None:
    """Handed to Bob, who hands it back, while the first call is still on its way."""
    community = await table_of_two(world)
    number = await intend_transfer(world, community)
    finish = world.memberships.finish_transfer
    await finish(community, BOB, number)
    async with world.database.reading() as tx:
        bobs = await store.community(tx, community.id)
    await finish(bobs, ADA, await intend_transfer(world, bobs, ADA))
    await finish(community, BOB, number)  # the first, sent again and late
    assert await owner_of(world, community) == both(ADA)


async def test_what_rbac_cannot_transfer_is_given_up(world: World) -> None:
    community = await world.found()
    number = await intend_transfer(world, community, EVE)
    with pytest.raises(MemberNotFound):
        await world.memberships.finish_transfer(community, EVE, number)
    await world.pass_time()
    asked = world.rbac.asked
    await world.memberships.resume()
    assert world.rbac.asked == asked, "nobody asks for ever"
    assert await owner_of(world, community) == both(ADA)


async def test_a_new_owner_who_is_unsettled_is_a_member_again(world: World) -> None:
    """The owner's membership is finished as a membership, not as a founding."""
    community = await table_of_two(world)
    number = await intend_transfer(world, community)
    await world.memberships.finish_transfer(community, BOB, number)
    async with world.database.transaction() as tx:
        assert await store.give_back(tx, community.id, BOB)
    await world.pass_time()
    await world.memberships.resume()
    assert await world.standing(community) == Standing.SETTLED


async def opened(world: World, community: Community) -> Channel:
    channel = domain.new_channel(community.id, "room", ADA, NOW, private=True)
    async with world.database.transaction() as tx:
        await store.add_channel(tx, channel)
    await world.memberships.finish_opening(channel)
    return channel


async def test_a_deleted_channel_is_forgotten_when_nobody_can_ask_any_more(world: World) -> None:
    community = await world.found()
    kept, gone = [await opened(world, community) for _ in range(2)]
    async with world.database.transaction() as tx:
        for channel, days in ((kept, 29), (gone, 31)):
            assert await store.delete_channel(tx, community.id, channel.id) is not None
            await tx.execute(
                sa.update(store.CHANNEL)
                .where(store.CHANNEL.c.id == channel.id)
                .values(delete_time=sa.func.now() - timedelta(days=days))
            )
    for _ in range(2):
        await world.memberships.forget_deleted()
    assert world.rbac.private == {ids.text(ids.Kind.CHANNEL, kept.id)}
    async with world.database.reading() as tx:
        left = (await tx.execute(sa.select(store.CHANNEL.c.id))).scalars().all()
    assert left == [kept.id]
