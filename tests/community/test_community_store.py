"""Communities, channels, members and invites, as the database keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from chassis.database import Database
from services.community import domain, store
from services.community.domain import (
    BeingRemoved,
    ChannelNotFound,
    Community,
    CommunityNotFound,
    InviteNotFound,
    MemberNotFound,
    Standing,
    order,
)
from services.community.domain.audit import KEPT, Action, Deed, Difference

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADA, BOB = uuid4(), uuid4()


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("community") as made:
        yield made


async def found(
    database: Database, owner: UUID = ADA, *, at: datetime = NOW, settled: bool = True
) -> Community:
    community = domain.new_community("Table", owner, at)
    async with database.transaction() as tx:
        await store.add_community(tx, community)
        if settled:
            assert await store.settle_community(tx, community.id)
            assert await store.settle_member(tx, community.id, owner) is not None
    return community


async def join(database: Database, community: Community, user: UUID) -> None:
    async with database.transaction() as tx:
        await store.add_member(tx, domain.new_member(community.id, user, NOW))
        await store.settle_member(tx, community.id, user)


async def standings(database: Database, user: UUID) -> list[Standing]:
    async with database.reading() as tx:
        rows = await tx.execute(
            sa.select(store.MEMBER.c.standing).where(store.MEMBER.c.user_id == user)
        )
        return [Standing(standing) for standing in rows.scalars()]


async def test_a_community_counts_for_its_founder_once_it_is_settled(database: Database) -> None:
    coming = await found(database, settled=False)
    async with database.transaction() as tx:
        assert await store.community(tx, coming.id) == replace(coming, members=0)
        assert await store.communities_of(tx, ADA, None, 10) == []
        assert await store.memberships_of(tx, ADA) == []
        assert await store.settle_community(tx, coming.id)
        assert not await store.settle_community(tx, coming.id)
        assert await store.settle_member(tx, coming.id, ADA) is not None
        assert await store.settle_member(tx, coming.id, ADA) is None
        assert await store.communities_of(tx, ADA, None, 10) == [(coming, NOW)]
        with pytest.raises(CommunityNotFound):
            await store.community(tx, uuid4())


async def test_communities_are_listed_in_the_order_of_joining_page_by_page(
    database: Database,
) -> None:
    # Several at one moment: the second key decides.
    moments = [NOW + timedelta(days=number // 3) for number in (5, 0, 1, 2, 3, 4, 6)]
    communities = [await found(database, at=moment) for moment in moments]
    expected = sorted(communities, key=lambda community: (community.create_time, community.id))
    listed: list[Community] = []
    after = None
    async with database.reading() as tx:
        while page := await store.communities_of(tx, ADA, after, 2):
            listed += [community for community, _ in page]
            after = (page[-1][1], page[-1][0].id)
    assert listed == expected


async def test_channels_are_listed_oldest_first_page_by_page(database: Database) -> None:
    community, other = await found(database), await found(database)
    channels = [domain.new_channel(community.id, f"channel {n}", uuid4(), NOW) for n in range(7)]
    async with database.transaction() as tx:
        for channel in channels:
            await store.add_channel(tx, channel)
        await store.add_channel(tx, domain.new_channel(other.id, "elsewhere", uuid4(), NOW))
        assert await store.channel(tx, channels[0].id) == channels[0]
        with pytest.raises(ChannelNotFound):
            await store.channel(tx, uuid4())
        first = await store.channels_of(tx, community.id, None, 3)
        rest = await store.channels_of(tx, community.id, first[-1].id, 10)
    assert [*first, *rest] == channels


async def test_an_invite_leads_in_until_it_expires(database: Database) -> None:
    community = await found(database)
    invite = domain.new_invite(community.id, ADA, NOW)
    last = invite.expire_time - timedelta(microseconds=1)
    async with database.transaction() as tx:
        await store.add_invite(tx, invite)
        assert await store.community_behind(tx, invite.code, last) == community
        for code, now in ((invite.code, invite.expire_time), (invite.code.swapcase(), NOW)):
            with pytest.raises(InviteNotFound) as refused:
                await store.community_behind(tx, code, now)
            assert refused.value.reason == "INVITE_NOT_FOUND"


async def test_who_joins_twice_is_one_member_since_the_first_time(database: Database) -> None:
    community = await found(database)
    first = domain.new_member(community.id, BOB, NOW)
    later = domain.new_member(community.id, BOB, NOW + timedelta(days=1))
    async with database.transaction() as tx:
        assert await store.add_member(tx, first) == first
        assert await store.add_member(tx, later) == first
        settled = await store.settle_member(tx, community.id, BOB)
        assert settled is not None
        assert await store.add_member(tx, later) == settled


async def add(database: Database, community: Community, user: UUID) -> Standing:
    async with database.transaction() as tx:
        member = await store.add_member(tx, domain.new_member(community.id, user, NOW))
        await asyncio.sleep(0.02)
        return member.standing


async def test_joining_at_once_makes_one_member(database: Database) -> None:
    community = await found(database)
    await asyncio.gather(*(add(database, community, BOB) for _ in range(8)))
    assert await standings(database, BOB) == [Standing.COMING]


async def let_go(database: Database, community: Community, user: UUID) -> None:
    async with database.transaction() as tx:
        await store.let_go(tx, community.id, user)


async def test_who_leaves_goes_in_two_steps_and_may_come_back(database: Database) -> None:
    community = await found(database)
    await join(database, community, BOB)
    await let_go(database, community, BOB)
    assert await standings(database, BOB) == [Standing.LEAVING]
    async with database.reading() as tx:
        assert await store.memberships_of(tx, BOB) == []
    with pytest.raises(BeingRemoved):
        await add(database, community, BOB)
    await let_go(database, community, BOB)
    async with database.transaction() as tx:
        assert await store.remove_member(tx, community.id, BOB)
        assert not await store.remove_member(tx, community.id, BOB)
    with pytest.raises(MemberNotFound):
        await let_go(database, community, BOB)
    assert await add(database, community, BOB) == Standing.COMING


async def test_nobody_is_let_go_who_is_no_member_yet(database: Database) -> None:
    community = await found(database)
    await add(database, community, BOB)
    with pytest.raises(MemberNotFound):
        await let_go(database, community, BOB)
    async with database.transaction() as tx:
        assert not await store.remove_member(tx, community.id, BOB)
    assert await standings(database, BOB) == [Standing.COMING]


async def test_what_a_crash_left_is_found_after_a_while_the_oldest_first(
    database: Database,
) -> None:
    community = await found(database)
    people = [uuid4() for _ in range(4)]
    for user in people:
        await join(database, community, user)
    ages = ((10, Standing.COMING), (90, Standing.LEAVING), (60, Standing.COMING))
    async with database.transaction() as tx:
        for user, (age, standing) in zip(people, ages, strict=False):
            await tx.execute(
                sa.update(store.MEMBER)
                .where(store.MEMBER.c.user_id == user)
                .values(
                    standing=standing,
                    change_time=sa.func.now() - timedelta(seconds=age),
                )
            )
        left = await store.unsettled(tx, timedelta(seconds=20), 10)
        assert [member.user_id for member, _ in left] == [people[1], people[2]]
        assert not any(owns for _, owns in left)
        assert len(await store.unsettled(tx, timedelta(seconds=20), 1)) == 1


async def test_a_founding_left_halfway_is_the_owners(database: Database) -> None:
    community = await found(database, settled=False)
    async with database.transaction() as tx:
        earlier = sa.func.now() - timedelta(minutes=1)
        await tx.execute(sa.update(store.MEMBER).values(change_time=earlier))
        ((member, owns),) = await store.unsettled(tx, timedelta(seconds=20), 10)
    assert (member.community_id, member.user_id, owns) == (community.id, ADA, True)


async def test_invites_that_expired_are_forgotten(database: Database) -> None:
    community = await found(database)
    old = domain.new_invite(community.id, ADA, datetime.now(UTC) - timedelta(days=8))
    good = domain.new_invite(community.id, ADA, datetime.now(UTC))
    async with database.transaction() as tx:
        for invite in (old, good):
            await store.add_invite(tx, invite)
        await store.forget_expired(tx)
        kept = (await tx.execute(sa.select(store.INVITE.c.code))).scalars().all()
    assert kept == [good.code]


async def test_of_two_who_add_the_last_channel_one_comes_second(database: Database) -> None:
    community = await found(database)

    async def add() -> int:
        async with database.transaction() as tx:
            count = await store.channels_to_add_to(tx, community.id)
            await asyncio.sleep(0.05)
            await store.add_channel(tx, domain.new_channel(community.id, "x", ADA, NOW))
        return count

    assert sorted(await asyncio.gather(add(), add())) == [0, 1]


async def test_deeds_are_kept_for_ninety_days(database: Database) -> None:
    community = await found(database)
    target = "usr_01m81rdjqgen6aw7gabj88hkyd"
    deeds = [
        Deed(
            community.id,
            ADA,
            Action.MEMBER_REMOVED,
            target,
            differences=(Difference("name", "a", "b"),),
            create_time=datetime.now(UTC) - age,
        )
        for age in (KEPT + timedelta(minutes=1), KEPT - timedelta(minutes=1))
    ]
    async with database.transaction() as tx:
        for deed in deeds:
            await store.write_down(tx, deed)
        assert await store.deeds_of(tx, community.id, None, 10) == deeds[::-1]
        assert await store.deeds_of(tx, community.id, deeds[1].id, 10) == deeds[:1]
        assert not await store.forget_deeds(tx, KEPT)
        assert await store.deeds_of(tx, community.id, None, 10) == deeds[1:]


async def test_who_is_about_to_own_a_community_cannot_be_removed(database: Database) -> None:
    community = await found(database)
    await join(database, community, BOB)
    async with database.transaction() as tx:
        assert await store.begin_transfer(tx, community, BOB) == 1
        now = await store.community(tx, community.id)
        assert await store.begin_transfer(tx, now, BOB) == 1, "the same again"
        for person in (ADA, BOB):
            with pytest.raises(domain.LastOwner):
                domain.may_be_removed(now, person)
        with pytest.raises(domain.BeingHandedOver):
            domain.may_hand_over(now, ADA, uuid4())
        assert await store.settle_transfer(tx, community.id, 2) is None
        settled = await store.settle_transfer(tx, community.id, 1)
        assert settled is not None
        assert (settled.owner_id, settled.next_owner_id) == (BOB, None)
        assert await store.settle_transfer(tx, community.id, 1) is None


async def test_whoever_is_handed_a_community_cannot_leave_meanwhile(database: Database) -> None:
    community = await found(database)
    await join(database, community, BOB)

    async def leave() -> None:
        async with database.transaction() as tx:
            domain.may_be_removed(await store.community_that_stays(tx, community.id), BOB)
            await store.shut_out(tx, community.id, BOB)

    async with database.transaction() as tx:
        await store.begin_transfer(tx, await store.community_to_change(tx, community.id), BOB)
        await store.require_settled(tx, community.id, BOB)
        leaving = asyncio.create_task(leave())
        await asyncio.sleep(0.2)
        assert not leaving.done()
    with pytest.raises(domain.LastOwner):
        await leaving
    assert await standings(database, BOB) == [Standing.SETTLED]


async def test_an_invite_is_used_at_once_by_no_more_than_it_lets_in(database: Database) -> None:
    community = await found(database)
    invite = domain.new_invite(community.id, ADA, NOW, max_uses=3)
    async with database.transaction() as tx:
        await store.add_invite(tx, invite)

    async def use() -> bool:
        try:
            async with database.transaction() as tx:
                await store.use(tx, invite.code, NOW)
                await asyncio.sleep(0.02)
        except InviteNotFound:
            return False
        return True

    assert sum(await asyncio.gather(*(use() for _ in range(8)))) == 3
    async with database.reading() as tx:
        (kept,) = await store.invites_of(tx, community.id, None, 10, NOW)
    assert kept.uses == 3


async def test_moves_made_at_once_leave_one_order(database: Database) -> None:
    community = await found(database)
    made = [domain.new_channel(community.id, "x", ADA, NOW) for _ in range(5)]
    async with database.transaction() as tx:
        for channel in made:
            await store.add_channel(tx, channel)

    async def to_the_front(moved: UUID) -> None:
        async with database.transaction() as tx:
            await store.community_to_change(tx, community.id)
            standing = await store.standing_in(tx, community.id, None)
            await asyncio.sleep(0.02)
            others = [each for each in standing if each[0] != moved]
            await store.place_channels(tx, order.placed(others, moved, None), None)

    await asyncio.gather(*(to_the_front(channel.id) for channel in made))
    async with database.reading() as tx:
        positions = [place for _, place in await store.standing_in(tx, community.id, None)]
    assert len(set(positions)) == len(made)
