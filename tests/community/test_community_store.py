"""Communities, channels, members and invites, as the database keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from chassis.database import Database
from chassis.testing import plan_of
from services.community import domain, store
from services.community.domain import (
    BeingRemoved,
    ChannelNotFound,
    Community,
    CommunityNotFound,
    InviteNotFound,
    MemberNotFound,
    Standing,
)

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
        assert await store.community(tx, coming.id) == coming
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
    channels = [domain.new_channel(community.id, f"channel {n}", NOW) for n in range(7)]
    async with database.transaction() as tx:
        for channel in channels:
            await store.add_channel(tx, channel)
        await store.add_channel(tx, domain.new_channel(other.id, "elsewhere", NOW))
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
        assert [member.user_id for member in left] == [people[1], people[2]]
        assert len(await store.unsettled(tx, timedelta(seconds=20), 1)) == 1


VOLUME = """
    INSERT INTO community
        SELECT gen_random_uuid(), 'x', gen_random_uuid(), now(), 'settled'
        FROM generate_series(1, 2000);
    INSERT INTO channel
        SELECT gen_random_uuid(), id, 'x', now() FROM community, generate_series(1, 5);
    INSERT INTO channel
        SELECT gen_random_uuid(), (SELECT min(id::text)::uuid FROM community), 'x', now()
        FROM generate_series(1, 10000);
    INSERT INTO member
        SELECT id, ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, now(),
            CASE WHEN random() < 0.001 THEN 'coming' ELSE 'settled' END, now()
        FROM community, generate_series(1, 20) AS n;
    INSERT INTO invite
        SELECT 'code' || row_number() OVER (), id, owner_id, now(), now() + interval '7 days'
        FROM community, generate_series(1, 10);
    ANALYZE;
"""


async def test_no_question_reads_a_whole_table(database: Database) -> None:
    async with database.transaction() as tx:
        for statement in VOLUME.split(";")[:-1]:
            await tx.execute(sa.text(statement))
        place = (
            await tx.execute(
                sa.select(store.CHANNEL).order_by(sa.cast(store.CHANNEL.c.community_id, sa.Text))
            )
        ).first()
        assert place is not None
    user, after = UUID(int=7), (NOW, place.community_id)
    plans = {
        "community": await plan_of(database, lambda tx: store.community(tx, place.community_id)),
        "communities": await plan_of(database, lambda tx: store.communities_of(tx, user, None, 51)),
        "more communities": await plan_of(
            database, lambda tx: store.communities_of(tx, user, after, 51)
        ),
        "channel": await plan_of(database, lambda tx: store.channel(tx, place.id)),
        "channels": await plan_of(
            database, lambda tx: store.channels_of(tx, place.community_id, None, 51)
        ),
        "more channels": await plan_of(
            database, lambda tx: store.channels_of(tx, place.community_id, place.id, 51)
        ),
        "invite": await plan_of(database, lambda tx: store.community_behind(tx, "code7", NOW)),
        "memberships": await plan_of(database, lambda tx: store.memberships_of(tx, user)),
        "settle": await plan_of(
            database, lambda tx: store.settle_member(tx, place.community_id, user)
        ),
        "remove": await plan_of(
            database, lambda tx: store.remove_member(tx, place.community_id, user)
        ),
        "unsettled": await plan_of(
            database, lambda tx: store.unsettled(tx, timedelta(seconds=20), 100)
        ),
    }
    for question, plan in plans.items():
        assert "Seq Scan" not in plan, f"{question}: {plan}"
    assert "member_user" in plans["communities"]
    assert "channel_community" in plans["channels"]
    assert "member_unsettled" in plans["unsettled"]
    for question in ("channels", "more channels", "communities", "more communities"):
        assert "Sort" not in plans[question], f"{question}: {plans[question]}"
