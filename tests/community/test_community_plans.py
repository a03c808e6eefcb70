"""How PostgreSQL goes about each question: by an index, however much there is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis.database import Database
from chassis.testing import plan_of
from services.community import store
from services.community.domain.audit import KEPT
from services.community.domain.discovery import Order, Wanted
from services.community.domain.onboarding import Newcomer

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("community") as made:
        yield made


VOLUME = """
    INSERT INTO community
        SELECT gen_random_uuid(), 'x', gen_random_uuid(), now(), 'settled'
        FROM generate_series(1, 2000);
    INSERT INTO channel (id, community_id, name, create_time, private, standing)
        SELECT gen_random_uuid(), id, 'x', now(), false, 'settled'
        FROM community, generate_series(1, 5);
    INSERT INTO channel (id, community_id, name, create_time, private, standing)
        SELECT gen_random_uuid(), (SELECT min(id::text)::uuid FROM community), 'x', now(),
            false, 'settled'
        FROM generate_series(1, 10000);
    INSERT INTO member
        SELECT id, ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, now(),
            CASE WHEN n = 1 AND id::text < '02' THEN 'coming' ELSE 'settled' END, now()
        FROM community, generate_series(1, 20) AS n;
    INSERT INTO member
        SELECT (SELECT min(id::text)::uuid FROM community), gen_random_uuid(),
            now() + n * interval '1 second', 'settled', now()
        FROM generate_series(1, 5000) AS n;
    INSERT INTO invite
        SELECT 'code' || row_number() OVER (), id, owner_id, now(), now() + interval '7 days'
        FROM community, generate_series(1, 10);
    INSERT INTO calendar_event
        SELECT gen_random_uuid(), id, NULL, 'x', '', '', now() + n * interval '1 day',
            now() + n * interval '1 day' + interval '1 hour', 'UTC', owner_id, now()
        FROM community, generate_series(-10, 10) AS n;
    INSERT INTO calendar_answer
        SELECT id, ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 1
        FROM calendar_event, generate_series(1, 3) AS n;
    INSERT INTO emoji
        SELECT gen_random_uuid(), id, 'e' || n, 'file_', owner_id, now()
        FROM community, generate_series(1, 20) AS n;
    INSERT INTO ban
        SELECT id, gen_random_uuid(), owner_id, '', now() FROM community, generate_series(1, 20);
    INSERT INTO audit
        SELECT gen_random_uuid(), id, owner_id, 1, 'usr_', '', '', '[]', now()
        FROM community, generate_series(1, 20);
    INSERT INTO audit
        SELECT gen_random_uuid(), (SELECT min(id::text)::uuid FROM community), gen_random_uuid(),
            1, 'usr_', '', '', '[]', now()
        FROM generate_series(1, 5000);
    INSERT INTO category
        SELECT gen_random_uuid(), id, 'x', n, now() FROM community, generate_series(1, 10) AS n;
    INSERT INTO template
        SELECT 'code' || row_number() OVER (), id, owner_id, 'x', '{}', now()
        FROM community, generate_series(1, 10);
    INSERT INTO onboarding SELECT id, '[]', 1, '', '{}' FROM community;
    UPDATE member SET tell_time = now() WHERE user_id::text LIKE '%0001'
        AND community_id::text < '04';
    UPDATE community SET visibility = 'public', fold = 'c' || left(id::text, 3)
        WHERE id::text < '8';
    INSERT INTO member_count SELECT id, 20, visibility = 'public' FROM community;
    ANALYZE;
"""


async def test_no_question_reads_a_whole_table(database: Database) -> None:
    async with database.transaction() as tx:
        for statement in VOLUME.split(";")[:-1]:
            await tx.execute(sa.text(statement))
        place = (
            await tx.execute(
                sa.select(store.CHANNEL)
                .order_by(sa.cast(store.CHANNEL.c.community_id, sa.Text))
                .limit(1)
            )
        ).first()
        assert place is not None
        last = sa.select(sa.func.max(sa.cast(store.COMMUNITY.c.id, sa.Text)))
        small = UUID((await tx.execute(last)).scalar_one())
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
        "expired": await plan_of(database, store.forget_expired),
        "audit log": await plan_of(
            database, lambda tx: store.deeds_of(tx, place.community_id, place.id, 51)
        ),
        "invites": await plan_of(
            database, lambda tx: store.invites_of(tx, place.community_id, (NOW, "x"), 51, NOW)
        ),
        "another invite": await plan_of(database, lambda tx: store.working_invites(tx, small, NOW)),
        "use": await plan_of(database, lambda tx: store.use(tx, "code7", datetime.now(UTC))),
        "discovery": await plan_of(
            database,
            lambda tx: store.public_communities(
                tx, Wanted(Order.NAME, "c0"), user, ("c01", small), 51
            ),
        ),
        "newest": await plan_of(
            database,
            lambda tx: store.public_communities(tx, Wanted(Order.NEWEST), user, (NOW, small), 51),
        ),
        "most members": await plan_of(
            database,
            lambda tx: store.public_communities(tx, Wanted(Order.MEMBERS), user, (20, small), 51),
        ),
        "changes": await plan_of(database, store.take_in_changes),
        "listed": await plan_of(database, lambda tx: store.list_or_not(tx, small)),
        "old deeds": await plan_of(database, lambda tx: store.forget_deeds(tx, KEPT)),
        "categories": await plan_of(
            database, lambda tx: store.categories_of(tx, place.community_id)
        ),
        "category": await plan_of(database, lambda tx: store.standing_in(tx, small, small)),
        "deleted": await plan_of(database, lambda tx: store.deleted_channels(tx, KEPT, 100)),
        "calendar": await plan_of(
            database, lambda tx: store.calendar_events(tx, small, NOW, NOW + KEPT, after, 201)
        ),
        "open events": await plan_of(
            database, lambda tx: store.still_to_end(tx, small, datetime.now(UTC))
        ),
        "answers": await plan_of(database, lambda tx: store.answers_of(tx, small, [small, user])),
        "forget answers": await plan_of(database, lambda tx: store.forget_answers(tx, small, user)),
        "emoji": await plan_of(database, lambda tx: store.emoji_of(tx, small)),
        "no emoji": await plan_of(database, lambda tx: store.delete_emoji(tx, small)),
        "onboarding": await plan_of(database, lambda tx: store.onboarding(tx, small)),
        "places to begin": await plan_of(
            database, lambda tx: store.still_there(tx, [small, place.id])
        ),
        "newcomer": await plan_of(database, lambda tx: store.newcomer(tx, small, user)),
        "accepting": await plan_of(
            database, lambda tx: store.save_newcomer(tx, small, user, Newcomer(1))
        ),
        "accepted": await plan_of(database, lambda tx: store.settle_newcomer(tx, small, user, 1)),
        "untold": await plan_of(database, lambda tx: store.untold(tx, KEPT, 100)),
        "template": await plan_of(
            database, lambda tx: store.delete_template(tx, "code7", place.community_id)
        ),
        "templates": await plan_of(database, lambda tx: store.templates_of(tx, small)),
        "founding": await plan_of(database, lambda tx: store.founding(tx, small)),
        "bans": await plan_of(database, lambda tx: store.bans_of(tx, place.community_id, None, 51)),
        "members": await plan_of(
            database, lambda tx: store.members_of(tx, place.community_id, (NOW, place.id), 51)
        ),
        "unsettled bans": await plan_of(database, lambda tx: store.unsettled_bans(tx, KEPT, 100)),
        "transfers": await plan_of(database, lambda tx: store.unsettled_transfers(tx, KEPT, 100)),
        "another channel": await plan_of(database, lambda tx: store.channels_to_add_to(tx, small)),
    }
    for question, plan in plans.items():
        assert "Seq Scan" not in plan, f"{question}: {plan}"
    assert "member_user" in plans["communities"]
    assert "channel_community" in plans["channels"]
    assert "member_unsettled" in plans["unsettled"]
    assert "community_newest" in plans["newest"]
    assert "member_count_listed" in plans["most members"]
    lists = (
        "channels",
        "more channels",
        "communities",
        "more communities",
        "members",
        "audit log",
        "discovery",
        "newest",
        "most members",
    )
    for question in lists:
        assert "Sort" not in plans[question], f"{question}: {plans[question]}"
