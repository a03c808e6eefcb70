"""Profiles, as the database keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis.database import Database
from chassis.testing import plan_of
from services.user import domain, store
from services.user.domain import HandleTaken, Profile, UserNotFound

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
                "INSERT INTO profile SELECT gen_random_uuid(), 'handle-' || n, 'x', '', now()"
                " FROM generate_series(1, 20000) AS n"
            )
        )
        await tx.execute(sa.text("ANALYZE"))
    for plan in (
        await plan_of(database, lambda tx: store.add(tx, ada)),
        await plan_of(database, lambda tx: store.profile_of(tx, ada.id)),
        await plan_of(database, lambda tx: store.profile_to_change(tx, ada.id)),
        await plan_of(database, lambda tx: store.save(tx, ada)),
    ):
        assert "Seq Scan" not in plan, plan
