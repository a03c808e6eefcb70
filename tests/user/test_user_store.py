"""Profiles, as the database keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from chassis.database import Database
from chassis.testing import plan_of
from services.user import domain, store
from services.user.domain import (
    Audience,
    HandleTaken,
    Profile,
    Settings,
    Theme,
    TooManyBlocks,
    UserNotFound,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("user") as made:
        yield made


def profile(handle: str) -> Profile:
    return domain.new_profile(uuid4(), handle, handle.title(), NOW)


async def add(database: Database, made: Profile) -> Profile:
    async with database.transaction() as tx:
        return await store.add(tx, made)


async def test_a_profile_comes_back_as_it_was(database: Database) -> None:
    ada = await add(database, profile("ada"))
    async with database.reading() as tx:
        assert await store.profile_of(tx, ada.id) == ada
        with pytest.raises(UserNotFound):
            await store.profile_of(tx, uuid4())


async def test_the_profile_made_first_stays(database: Database) -> None:
    ada = await add(database, profile("ada"))
    again = replace(ada, display_name="Another name", create_time=datetime.now(UTC))
    assert await add(database, again) == ada


async def test_a_handle_belongs_to_one(database: Database) -> None:
    ada = await add(database, profile("ada"))
    with pytest.raises(HandleTaken) as refused:
        await add(database, profile("ADA"))
    assert refused.value.reason == "HANDLE_TAKEN"
    with pytest.raises(HandleTaken):
        await add(database, replace(ada, handle="another-handle"))


async def test_of_many_who_want_a_handle_at_once_one_has_it(database: Database) -> None:
    made = await asyncio.gather(
        *(add(database, profile("ada")) for _ in range(8)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in made) == ["HandleTaken"] * 7 + ["Profile"]


async def test_a_handle_that_looks_like_another_is_taken(database: Database) -> None:
    await add(database, profile("bob-1"))
    for alike in ("b0b-1", "bob-l", "B0B-L"):
        with pytest.raises(HandleTaken):
            await add(database, profile(alike))
    await add(database, profile("bob_1"))


async def test_who_looked_alike_before_keeps_their_handle(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> None:
    """As a database was before skeletons were looked at."""
    async with scratch("user") as made:
        ada = await add(made, profile("ada1"))
        async with made.transaction() as tx:
            await tx.execute(
                sa.text(
                    "INSERT INTO profile (id, handle, display_name, bio, create_time)"
                    " VALUES (gen_random_uuid(), 'adal', 'x', '', now())"
                )
            )
        async with made.reading() as tx:
            assert (await store.by_handle(tx, "ADA1")).id == ada.id
            assert (await store.by_handle(tx, "adal")).id != ada.id


async def test_profiles_come_in_the_order_they_are_asked_for(database: Database) -> None:
    made = [await add(database, profile(handle)) for handle in ("ada", "bob", "eve")]
    wanted = [made[2].id, uuid4(), made[0].id]
    async with database.reading() as tx:
        assert await store.profiles_of(tx, wanted) == [made[2], made[0]]


async def block(database: Database, blocker: UUID, blocked: UUID) -> bool:
    async with database.transaction() as tx:
        return (await store.add_block(tx, blocker, blocked, NOW))[1]


async def test_blocking_at_once_is_blocking_once(database: Database) -> None:
    me, other = uuid4(), uuid4()
    made = await asyncio.gather(*(block(database, me, other) for _ in range(5)))
    assert sorted(made) == [False] * 4 + [True]
    assert await block(database, other, me), "that the other did is nothing to them"
    async with database.transaction() as tx:
        assert await store.remove_block(tx, me, other)
        assert not await store.remove_block(tx, me, other)
    async with database.reading() as tx:
        assert await store.blocks_of(tx, me, None, 10) == []
        assert len(await store.blocks_of(tx, other, None, 10)) == 1


async def test_blocks_have_a_limit_whoever_blocks_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.user.store.blocks.MAX_BLOCKS", 3)
    me = uuid4()
    made = await asyncio.gather(
        *(block(database, me, uuid4()) for _ in range(5)), return_exceptions=True
    )
    assert sum(isinstance(one, TooManyBlocks) for one in made) == 2
    async with database.reading() as tx:
        kept = await store.blocks_of(tx, me, None, 10)
        assert [b.number for b in kept] == sorted((b.number for b in kept), reverse=True)
        assert await store.blocks_of(tx, me, kept[0].number, 1) == [kept[1]]


async def test_settings_are_the_defaults_until_they_are_set(database: Database) -> None:
    me = uuid4()
    mine = Settings(
        Theme.DARK,
        "ar",
        reduce_motion=True,
        hide_typing=True,
        compact=True,
        direct_messages=Audience.NOBODY,
    )
    async with database.transaction() as tx:
        assert await store.settings_of(tx, me) == Settings()
        await store.keep_settings(tx, me, Settings(locale="de"))
        await store.keep_settings(tx, me, mine)
        assert await store.settings_of(tx, me, to_change=True) == mine
        assert await store.settings_of(tx, uuid4()) == Settings()


async def test_who_changes_a_profile_is_waited_for(database: Database) -> None:
    ada = await add(database, profile("ada"))

    async def append(word: str) -> None:
        async with database.transaction() as tx:
            kept = await store.profile_to_change(tx, ada.id)
            await asyncio.sleep(0.02)
            await store.save(tx, replace(kept, bio=f"{kept.bio}{word} "))

    await asyncio.gather(*(append(str(number)) for number in range(6)))
    async with database.reading() as tx:
        words = (await store.profile_of(tx, ada.id)).bio.split()
    assert sorted(words) == [str(number) for number in range(6)], "no change was lost"


async def test_no_question_reads_a_whole_table(database: Database) -> None:
    ada = profile("ada")
    async with database.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO profile SELECT gen_random_uuid(), 'handle-' || n, 'x', '', now(), '',"
                " 'skeleton-' || n FROM generate_series(1, 20000) AS n"
            )
        )
        await tx.execute(
            sa.text(
                "INSERT INTO block (blocker_id, blocked_id, create_time)"
                " SELECT gen_random_uuid(), gen_random_uuid(), now() FROM generate_series(1, 20000)"
            )
        )
        await tx.execute(sa.text("ANALYZE"))
    for plan in (
        await plan_of(database, lambda tx: store.add(tx, ada)),
        await plan_of(database, lambda tx: store.profile_of(tx, ada.id)),
        await plan_of(database, lambda tx: store.profile_to_change(tx, ada.id)),
        await plan_of(database, lambda tx: store.save(tx, ada)),
        await plan_of(database, lambda tx: store.by_handle(tx, "handle-7")),
        await plan_of(database, lambda tx: store.profiles_of(tx, [ada.id, uuid4()])),
        await plan_of(database, lambda tx: store.add_block(tx, ada.id, uuid4(), NOW)),
        await plan_of(database, lambda tx: store.blocks_of(tx, ada.id, 5, 50)),
    ):
        assert "Seq Scan" not in plan, plan
