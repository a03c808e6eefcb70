"""Accounts and sessions, as the database keeps them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.database import Database
from chassis.testing import plan_of
from services.auth import domain
from services.auth.domain import (
    Account,
    EmailTaken,
    HandleTaken,
    MailKind,
    Revocation,
    Session,
    Standing,
)
from services.auth.domain.apps import App, Grant
from services.auth.domain.registration import Mode
from services.auth.domain.tokens import new_token
from services.auth.store import (
    accounts,
    apps,
    everybody,
    grants,
    mail,
    registration,
    second_factors,
    sessions,
    tables,
    tokens,
)

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
        await accounts.add_account(tx, account)
        if settled:
            await accounts.settle_account(tx, account.id)
            account = replace(account, standing=Standing.SETTLED)
    return account


async def found(database: Database, login: str) -> Account | None:
    async with database.reading() as tx:
        return await accounts.account_by(tx, login)


async def verified(database: Database, account: Account, email: str | None = None) -> Account:
    now = datetime.now(UTC)
    async with database.transaction() as tx:
        await accounts.verify_email(tx, account.id, email or account.email, now)
    return replace(account, email=email or account.email, email_verified_time=now)


async def add(database: Database, account: Account) -> None:
    async with database.transaction() as tx:
        await accounts.add_account(tx, account)


async def test_an_account_comes_back_as_it_was(database: Database) -> None:
    ada = await kept(database, "ada")
    assert await found(database, "ada") == ada
    assert await found(database, "ADA") == ada
    assert await found(database, "Ada@Example.org") is None
    ada = await verified(database, ada)
    assert await found(database, "Ada@Example.org") == await found(database, "ada") == ada


async def test_a_handle_is_anybodys_once(database: Database) -> None:
    ada = await kept(database, "ada")
    with pytest.raises(HandleTaken) as refused:
        await add(database, domain.new_account("ADA", "eve@example.org", "Eve", "x", NOW))
    assert refused.value.reason == "HANDLE_TAKEN"
    assert await found(database, "ada") == ada


async def test_an_address_is_named_by_many_and_had_by_one(database: Database) -> None:
    ada, bob = await kept(database, "ada"), await kept(database, "bob")
    ada = await verified(database, ada)
    with pytest.raises(EmailTaken):
        await verified(database, bob)
    assert await found(database, "ada@example.org") == ada
    ada = await verified(database, ada, "other@example.org")
    bob = await verified(database, bob)
    assert await found(database, "ada@example.org") == bob


async def test_of_two_who_verify_an_address_at_once_the_second_is_told(
    database: Database,
) -> None:
    ada, bob = await kept(database, "ada"), await kept(database, "bob")
    async with database.transaction() as tx:
        await accounts.verify_email(tx, ada.id, ada.email, datetime.now(UTC))
        second = asyncio.create_task(verified(database, bob))
        await asyncio.sleep(0.3)
        assert not second.done()
    with pytest.raises(EmailTaken):
        await second


async def test_the_database_itself_lets_nobody_have_what_another_has(database: Database) -> None:
    ada, bob = await kept(database, "ada"), await kept(database, "bob")
    await verified(database, ada)
    with pytest.raises(sa.exc.IntegrityError):
        async with database.transaction() as tx:
            await tx.execute(
                sa.update(tables.ACCOUNT)
                .where(tables.ACCOUNT.c.id == bob.id)
                .values(email_verified_time=sa.func.now())
            )


async def test_an_account_without_a_profile_signs_nobody_in(database: Database) -> None:
    await kept(database, "ada", settled=False)
    assert await found(database, "ada") is await found(database, "ada@example.org") is None


async def test_only_an_account_that_is_coming_is_dropped(database: Database) -> None:
    ada, bob = await kept(database, "ada"), await kept(database, "bob", settled=False)
    async with database.transaction() as tx:
        await accounts.drop_account(tx, ada.id)
        await accounts.drop_account(tx, bob.id)
    assert await found(database, "ada") == ada
    await kept(database, "bob")


async def test_what_a_crash_left_is_found_after_a_while_the_oldest_first(
    database: Database,
) -> None:
    left = [await kept(database, name, settled=False) for name in ("one", "two", "three")]
    await kept(database, "settled")
    async with database.transaction() as tx:
        for age, account in zip((30, 60, 5), left, strict=True):
            await tx.execute(
                sa.update(tables.ACCOUNT)
                .where(tables.ACCOUNT.c.id == account.id)
                .values(create_time=sa.func.now() - timedelta(seconds=age))
            )
        late = await accounts.unsettled(tx, timedelta(seconds=20), 10)
        assert [account.handle for account in late] == ["two", "one"]
        assert len(await accounts.unsettled(tx, timedelta(seconds=20), 1)) == 1


async def new_session(database: Database, account: Account, now: datetime) -> Session:
    session = domain.new_session(account.id, b"hash", ids.new(), now)
    async with database.transaction() as tx:
        await sessions.add_session(tx, session)
    return session


async def test_a_session_is_found_while_it_lasts(database: Database) -> None:
    ada = await kept(database, "ada")
    session = await new_session(database, ada, NOW)
    async with database.transaction() as tx:
        assert await sessions.session_to_change(tx, session.id, NOW) == session
        assert await sessions.session_to_change(tx, ids.new(), NOW) is None
        ends = session.expire_time
        assert await sessions.session_to_change(tx, session.id, ends) is None
        renewed = domain.refreshed(session, b"next", NOW + timedelta(days=1))
        await sessions.save_session(tx, renewed)
        assert await sessions.session_to_change(tx, session.id, ends) == renewed
        assert await sessions.end_sessions(tx, ids.new(), ends, only=session.id) == []
        revoked = await sessions.end_sessions(tx, ada.id, ends, only=session.id)
        assert revoked == [Revocation(session.id, 1, ends)]
        assert await sessions.session_to_change(tx, session.id, NOW) is None
        assert await sessions.end_sessions(tx, ada.id, ends, only=session.id) == []


async def test_revocations_are_counted_and_told_in_order(database: Database) -> None:
    ada, now = await kept(database, "ada"), datetime.now(UTC)
    begun = [await new_session(database, ada, now) for _ in range(5)]
    ends = now + timedelta(minutes=15)
    async with database.transaction() as tx:
        assert len(await sessions.sessions_of(tx, ada.id, now, 100)) == 5
        for session in begun:
            await sessions.end_sessions(tx, ada.id, ends, only=session.id)
        assert await sessions.revision(tx) == 5
        after = await sessions.revocations_after(tx, 2, 2)
        assert [one.session_id for one in after] == [one.id for one in begun[2:4]]
        assert await sessions.sessions_of(tx, ada.id, now, 100) == []


async def test_all_sessions_end_but_one_and_nobody_elses(database: Database) -> None:
    ada, bob, now = await kept(database, "ada"), await kept(database, "bob"), datetime.now(UTC)
    mine = [await new_session(database, ada, now) for _ in range(4)]
    other = await new_session(database, bob, now)
    ends = now + timedelta(minutes=15)
    async with database.transaction() as tx:
        ended = await sessions.end_sessions(tx, ada.id, ends, but=mine[2].id)
        assert {one.session_id for one in ended} == {mine[0].id, mine[1].id, mine[3].id}
        assert sorted(one.revision for one in ended) == [1, 2, 3]
        assert await sessions.revision(tx) == 3
        assert await sessions.revocations_after(tx, 0, 10) == ended
        assert await sessions.sessions_of(tx, ada.id, now, 10) == [mine[2]]
        assert await sessions.end_sessions(tx, ada.id, ends, but=mine[2].id) == []
        assert await sessions.revision(tx) == 3
        assert len(await sessions.end_sessions(tx, ada.id, ends)) == 1
        assert await sessions.sessions_of(tx, bob.id, now, 10) == [other]


async def test_all_that_lets_anybody_in_ends_some_at_a_time(database: Database) -> None:
    ada, bob = await kept(database, "ada"), await kept(database, "bob")
    made = [await new_session(database, account, NOW) for account in (ada, bob, ada)]
    token = new_token(ada.id, bob.id, "", [], datetime.now(UTC))
    app = App(ids.new(), ada.id, "app", (), (), None, NOW)
    grant = Grant(domain.new_session(bob.id, b"hash", ids.new(), NOW), app.id, ())
    async with database.transaction() as tx:
        await tokens.add_token(tx, token)
        await apps.add_app(tx, app)
        await grants.add_grant(tx, grant)
    ends = NOW + timedelta(minutes=5)
    some: list[list[tuple[UUID, datetime, UUID]]] = []
    async with database.transaction() as tx:
        while ended := await everybody.end_some(tx, ends, 2):
            some.append([(one.session_id, one.expire_time, whose) for one, whose in ended])
        assert len(await sessions.revocations_after(tx, 0, 10)) == 5
    first, second, third = sorted((one.id, ends, one.account_id) for one in made)
    assert set(some[0]) == {
        first,
        second,
        (token.id, token.expire_time, bob.id),
        (grant.session.id, ends, bob.id),
    }
    assert some[1:] == [[third]]


async def test_revocations_are_kept_while_a_token_may_be_about(database: Database) -> None:
    ada, now = await kept(database, "ada"), datetime.now(UTC)
    async with database.transaction() as tx:
        for ends in (now - timedelta(minutes=2), now + timedelta(minutes=2)):
            session = await new_session(database, ada, now)
            await sessions.end_sessions(tx, ada.id, ends, only=session.id)
        await sessions.forget_expired(tx)
        left = await sessions.revocations_after(tx, 0, 10)
        assert [one.revision for one in left] == [2]


async def test_sessions_that_are_over_are_dropped(database: Database) -> None:
    ada, now = await kept(database, "ada"), datetime.now(UTC)
    old = await new_session(database, ada, now - timedelta(days=31))
    young = await new_session(database, ada, now - timedelta(days=29))
    async with database.transaction() as tx:
        await sessions.forget_expired(tx)
        left = (await tx.execute(sa.select(tables.SESSION.c.id))).scalars().all()
    assert left == [young.id]
    assert old.id not in left


VOLUME = """
    INSERT INTO account
        SELECT gen_random_uuid(), 'handle-' || n, 'mail-' || (n / 2) || '@example.org', 'x', 'x',
            CASE WHEN n % 1000 = 0 THEN 'coming' ELSE 'settled' END, now(),
            CASE WHEN n % 2 = 0 THEN now() END
        FROM generate_series(1, 20000) AS n;
    INSERT INTO session
        SELECT gen_random_uuid(), id, 'x', now(), now() + random() * interval '30 days'
        FROM account;
    INSERT INTO revocation
        SELECT n, gen_random_uuid(), now() + random() * interval '15 minutes'
        FROM generate_series(1, 20000) AS n;
    INSERT INTO mail
        SELECT gen_random_uuid(), 'reset_password', email, handle, 1, now(),
            now() + random() * interval '1 day', CASE WHEN random() < 0.9 THEN now() END
        FROM account;
    INSERT INTO proof
        SELECT gen_random_uuid(), id, 'verify_email', email, 'x',
            now() + random() * interval '1 day'
        FROM account;
    INSERT INTO sign_up_code
        SELECT 'code-' || n, 1, 0, false, now(), now() + random() * interval '1 day'
        FROM generate_series(1, 20000) AS n;
    INSERT INTO sign_up_use SELECT id, 'x' FROM account;
    INSERT INTO second_factor SELECT id, 'x', 0, now() FROM account;
    INSERT INTO recovery_code SELECT id, 'x' FROM account;
    ANALYZE;
"""


async def test_no_question_reads_a_whole_table(database: Database) -> None:
    async with database.transaction() as tx:
        for statement in VOLUME.split(";")[:-1]:
            await tx.execute(sa.text(statement))
        session = (await tx.execute(sa.select(tables.SESSION.c.id).limit(1))).scalar_one()
    account = domain.new_account("somebody", "x@example.org", "", "x", NOW)
    letter = domain.new_mail(MailKind.RESET_PASSWORD, "mail-7@example.org", NOW)
    plans = {
        "by handle": await plan_of(database, lambda tx: accounts.account_by(tx, "handle-7")),
        "by address": await plan_of(
            database, lambda tx: accounts.account_by(tx, "mail-7@example.org")
        ),
        "password": await plan_of(database, lambda tx: accounts.password_is(tx, account.id, "x")),
        "all": await plan_of(database, lambda tx: sessions.end_sessions(tx, account.id, NOW)),
        "claim": await plan_of(database, lambda tx: mail.claim_mail(tx, 3)),
        "told": await plan_of(database, lambda tx: mail.told(tx, letter)),
        "sign-up code": await plan_of(
            database, lambda tx: registration.use_code(tx, "code-7", Mode.INVITE)
        ),
        "taken": await plan_of(database, lambda tx: registration.give_back(tx, account.id)),
        "old codes": await plan_of(database, registration.forget_expired),
        "codes": await plan_of(
            database, lambda tx: second_factors.recovery_codes_left(tx, account.id)
        ),
        "code": await plan_of(
            database, lambda tx: second_factors.use_recovery_code(tx, account.id, b"x")
        ),
        "void": await plan_of(database, lambda tx: mail.void(tx, account)),
        "over": await plan_of(database, mail.forget_expired),
        "unsettled": await plan_of(
            database, lambda tx: accounts.unsettled(tx, timedelta(seconds=20), 100)
        ),
        "session": await plan_of(database, lambda tx: sessions.session_to_change(tx, session, NOW)),
        "untold": await plan_of(database, lambda tx: accounts.untold(tx, 100)),
        "news": await plan_of(database, lambda tx: accounts.news_of(tx, account.id)),
        "settle": await plan_of(database, lambda tx: accounts.settle_account(tx, account.id)),
        "drop": await plan_of(database, lambda tx: accounts.drop_account(tx, account.id)),
        "forget": await plan_of(database, sessions.forget_expired),
        "own": await plan_of(database, lambda tx: sessions.sessions_of(tx, account.id, NOW, 100)),
        "revoked": await plan_of(database, lambda tx: sessions.revocations_after(tx, 10, 100)),
    }
    for question, plan in plans.items():
        assert "Seq Scan" not in plan, f"{question}: {plan}"
    assert "account_verified_email" in plans["by address"]
    assert "mail_due" in plans["claim"]
    assert "mail_recipient" in plans["told"]
    assert "account_unsettled" in plans["unsettled"]
    assert "account_untold" in plans["untold"]
