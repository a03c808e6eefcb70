"""A database of the release before becomes one of this release, with what it held."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa

from chassis.database import Database, Transaction
from services.community import store
from services.community.domain import Visibility
from services.community.domain.discovery import Order, Wanted, question
from services.community.store import discovery
from services.community.store.tables import MEMBER, MEMBER_COUNT
from tests.migrating import as_it_was, upgraded

TABLE, OWNER = UUID(int=1), UUID(int=2)
CHANNELS = [UUID(int=n) for n in (11, 12, 13)]
BEFORE = f"""
    INSERT INTO community VALUES ('{TABLE}', 'ÉCLAIR Club', '{OWNER}', now(), 'settled');
    INSERT INTO channel (id, community_id, name, create_time, private, standing)
        SELECT ('00000000-0000-0000-0000-0000000000' || n)::uuid, '{TABLE}', 'x', now(), false,
            'settled'
        FROM unnest(ARRAY['0d', '0b', '0c']) AS n;
    INSERT INTO invite VALUES ('old', '{TABLE}', '{OWNER}', now(), now() + interval '1 day');
"""  # noqa: S608  # put together from constants


async def test_what_was_there_before_is_there_after(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> None:
    async with scratch("community") as database:
        await as_it_was(database, "community", "0004", BEFORE)
        await upgraded(database, "community")
        async with database.transaction() as tx:
            community = await store.community(tx, TABLE)
            assert (community.visibility, community.transfers) == (Visibility.PRIVATE, 0)
            standing = await store.standing_in(tx, TABLE, None)
            assert [channel_id for channel_id, _ in standing] == CHANNELS
            assert len({position for _, position in standing}) == len(CHANNELS)
            (invite,) = await store.invites_of(tx, TABLE, None, 10, datetime.now(UTC))
            assert (invite.max_uses, invite.uses) == (0, 0)
            fold = sa.select(store.COMMUNITY.c.fold)
            assert (await tx.execute(fold)).scalar_one() == "éclair club"


QUIET, BOB, EVE = UUID(int=3), UUID(int=4), UUID(int=5)
BEFORE_QUESTIONS = f"""
    INSERT INTO community (id, name, fold, owner_id, create_time, standing, visibility, description)
        VALUES
        ('{TABLE}', 'Éclair Club', 'éclair club', '{OWNER}', now(), 'settled', 'public',
            '東京 news'),
        ('{QUIET}', 'Quiet', 'quiet', '{OWNER}', now(), 'settled', 'private', '');
    INSERT INTO onboarding (community_id, rules, rules_version, welcome, channel_ids)
        VALUES ('{TABLE}', '[["be kind", ""]]', 2, 'hello', ARRAY[]::uuid[]);
    INSERT INTO member
        (community_id, user_id, join_time, standing, change_time, accepted_version)
        VALUES
        ('{TABLE}', '{OWNER}', now(), 'settled', now(), 1),
        ('{TABLE}', '{BOB}', now(), 'settled', now(), 0),
        ('{TABLE}', '{EVE}', now(), 'leaving', now(), 0),
        ('{QUIET}', '{BOB}', now(), 'settled', now(), 0);
"""  # noqa: S608  # put together from constants


async def counted(tx: Transaction) -> dict[UUID, int]:
    rows = await tx.execute(sa.select(MEMBER_COUNT.c.community_id, MEMBER_COUNT.c.members))
    return {row.community_id: row.members for row in rows}


async def test_members_and_what_places_are_found_by_are_there_after(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> None:
    async with scratch("community") as database:
        await as_it_was(database, "community", "0016", BEFORE_QUESTIONS)
        await upgraded(database, "community")
        async with database.transaction() as tx:
            pending = sa.select(MEMBER.c.community_id, MEMBER.c.user_id).where(MEMBER.c.pending)
            # Who accepted rules once, or is where there are none, is held back by nothing.
            assert {(row.community_id, row.user_id) for row in await tx.execute(pending)} == {
                (TABLE, BOB),
                (TABLE, EVE),
            }
            assert await counted(tx) == {TABLE: 2, QUIET: 1}
            for words in ("eclair", "東京", "NEWS clu"):
                wanted = Wanted(Order.RELEVANCE, query=question(words))
                found = await discovery.public_communities(tx, wanted, EVE, None, 10)
                assert [community.id for community, _ in found] == [TABLE], words
            await tx.execute(sa.delete(MEMBER).where(MEMBER.c.user_id == BOB))
            await discovery.take_in_changes(tx)
            assert await counted(tx) == {TABLE: 1, QUIET: 0}
