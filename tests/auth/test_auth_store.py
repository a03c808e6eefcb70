"""Accounts and sessions, as the database keeps them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.database import Database
from chassis.testing import plan_of
from services.auth import domain, store
from services.auth.domain import Account, HandleTaken, Session, Standing

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("auth") as made:
        yield made


async def kept(
    database: Database, handle: str, *, email: str = "ada@example.org", settled: bool = True
) -> Account:
    account = domain.new_account(handle, email, handle, "hash", datetime.now(UTC))
    async with database.transaction() as tx:
        await store.add_account(tx, account)
        if settled:
            await store.settle_account(tx, account.id)
            account = replace(account, standing=Standing.SETTLED)
    return account


async def found(database: Database, login: str, limit: int = 10) -> list[Account]:
    async with database.reading() as tx:
        return list(await store.accounts_of(tx, login, limit))


async def add(database: Database, account: Account) -> None:
    async with database.transaction() as tx:
        await store.add_account(tx, account)


async def test_an_account_comes_back_as_it_was(database: Database) -> None:
    ada = await kept(database, "ada")
    assert await found(database, "ada") == [ada]
    assert await found(database, "ADA") == [ada]
    assert await found(database, "Ada@Example.org") == [ada]


async def test_a_handle_is_anybodys_once(database: Database) -> None:
    ada = await kept(database, "ada")
    with pytest.raises(HandleTaken) as refused:
        await add(database, domain.new_account("ADA", "eve@example.org", "Eve", "x", NOW))
    assert refused.value.reason == "HANDLE_TAKEN"
    assert await found(database, "ada") == [ada]


async def test_one_address_may_mean_several_the_oldest_first(database: Database) -> None:
    accounts = [await kept(database, f"ada-{number}") for number in range(4)]
    assert await found(database, "ada@example.org") == accounts
    assert await found(database, "ada@example.org", limit=3) == accounts[:3]


async def test_an_account_without_a_profile_signs_nobody_in(database: Database) -> None:
    await kept(database, "ada", settled=False)
    assert await found(database, "ada") == await found(database, "ada@example.org") == []


async def test_only_an_account_that_is_coming_is_dropped(database: Database) -> None:
    ada, bob = await kept(database, "ada"), await kept(database, "bob", settled=False)
    async with database.transaction() as tx:
        await store.drop_account(tx, ada.id)
        await store.drop_account(tx, bob.id)
    assert await found(database, "ada") == [ada]
    await kept(database, "bob")


async def test_what_a_crash_left_is_found_after_a_while_the_oldest_first(
    database: Database,
) -> None:
    left = [await kept(database, name, settled=False) for name in ("one", "two", "three")]
    await kept(database, "settled")
    async with database.transaction() as tx:
        for age, account in zip((30, 60, 5), left, strict=True):
            await tx.execute(
                sa.update(store.ACCOUNT)
                .where(store.ACCOUNT.c.id == account.id)
                .values(create_time=sa.func.now() - timedelta(seconds=age))
            )
        late = await store.unsettled(tx, timedelta(seconds=20), 10)
        assert [account.handle for account in late] == ["two", "one"]
        assert len(await store.unsettled(tx, timedelta(seconds=20), 1)) == 1


async def new_session(database: Database, account: Account, now: datetime) -> Session:
    session = domain.new_session(account.id, b"hash", ids.new(), now)
    async with database.transaction() as tx:
        await store.add_session(tx, session)
    return session


async def test_a_session_is_found_while_it_lasts(database: Database) -> None:
    session = await new_session(database, await kept(database, "ada"), NOW)
    async with database.transaction() as tx:
        assert await store.session_to_change(tx, session.id, NOW) == session
        assert await store.session_to_change(tx, ids.new(), NOW) is None
        ends = session.expire_time
        assert await store.session_to_change(tx, session.id, ends) is None
        renewed = domain.refreshed(session, b"next", NOW + timedelta(days=1))
        await store.save_session(tx, renewed)
        assert await store.session_to_change(tx, session.id, ends) == renewed
        await store.end_session(tx, session.id)
        assert await store.session_to_change(tx, session.id, NOW) is None


async def test_sessions_that_are_over_are_dropped(database: Database) -> None:
    ada, now = await kept(database, "ada"), datetime.now(UTC)
    old = await new_session(database, ada, now - timedelta(days=31))
    young = await new_session(database, ada, now - timedelta(days=29))
    async with database.transaction() as tx:
        await store.forget_expired(tx)
        left = (await tx.execute(sa.select(store.SESSION.c.id))).scalars().all()
    assert left == [young.id]
    assert old.id not in left


VOLUME = """
    INSERT INTO account
        SELECT gen_random_uuid(), 'handle-' || n, 'mail-' || (n / 2) || '@example.org', 'x', 'x',
            CASE WHEN n % 1000 = 0 THEN 'coming' ELSE 'settled' END, now()
        FROM generate_series(1, 20000) AS n;
    INSERT INTO session
        SELECT gen_random_uuid(), id, 'x', now(), now() + random() * interval '30 days'
        FROM account;
    ANALYZE;
"""


async def test_no_question_reads_a_whole_table(database: Database) -> None:
    async with database.transaction() as tx:
        for statement in VOLUME.split(";")[:-1]:
            await tx.execute(sa.text(statement))
        session = (await tx.execute(sa.select(store.SESSION.c.id).limit(1))).scalar_one()
    account = domain.new_account("somebody", "x@example.org", "", "x", NOW)
    plans = {
        "by handle": await plan_of(database, lambda tx: store.accounts_of(tx, "handle-7", 1)),
        "by address": await plan_of(
            database, lambda tx: store.accounts_of(tx, "mail-7@example.org", 3)
        ),
        "unsettled": await plan_of(
            database, lambda tx: store.unsettled(tx, timedelta(seconds=20), 100)
        ),
        "session": await plan_of(database, lambda tx: store.session_to_change(tx, session, NOW)),
        "settle": await plan_of(database, lambda tx: store.settle_account(tx, account.id)),
        "drop": await plan_of(database, lambda tx: store.drop_account(tx, account.id)),
        "forget": await plan_of(database, store.forget_expired),
    }
    for question, plan in plans.items():
        assert "Seq Scan" not in plan, f"{question}: {plan}"
    assert "account_email" in plans["by address"]
    assert "Sort" not in plans["by address"]
    assert "account_unsettled" in plans["unsettled"]
