"""Keys follow each other, and nobody is signed out by it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr
import pytest
import sqlalchemy as sa

from chassis import auth as chassis_auth
from chassis import ids
from chassis.auth import Verifier
from chassis.database import Database
from chassis.errors import Unauthenticated
from chassis.telemetry import Telemetry
from chassis.testing import eventually, scratch_config
from chassis.tokens import Tokens
from services.auth import domain
from services.auth.domain.keys import SIGNS_FOR
from services.auth.domain.tokens import Scope, new_token
from services.auth.engine.credentials import Issuer, SigningKey
from services.auth.engine.keys import Keyring
from services.auth.store import accounts, tokens
from services.auth.store.tables import SIGNING_KEY

ACCOUNT_ID = ids.new()


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("auth") as made:
        yield made


async def started(
    database: Database, key: SigningKey, tmp_path: Path, secret: str | None = None
) -> Keyring:
    """A process of auth, with its file."""
    file = tmp_path / f"{key.id}.pem"
    file.write_bytes(key.private)
    config = scratch_config("auth")
    if secret is not None:
        config = config.model_copy(update={"token_key": SecretStr(secret)})
    ring = Keyring(database, config, file, Telemetry(config))
    await ring.start()
    return ring


def token_of(ring: Keyring) -> str:
    """An access token, as a sign-in gives it."""
    config = scratch_config("auth")
    issuer = Issuer(config, ring, Tokens(config))
    return issuer.issue(ACCOUNT_ID, ids.new(), datetime.now(UTC)).access_token


def names(ring: Keyring) -> list[str]:
    """The keys that are published, the newest first."""
    return [one["kid"] for one in ring.published()]


async def let_pass(database: Database, passed: timedelta) -> None:
    """Let time pass for the keys."""
    async with database.transaction() as tx:
        await tx.execute(
            sa.update(SIGNING_KEY).values(
                sign_time=SIGNING_KEY.c.sign_time - passed,
                withdraw_time=SIGNING_KEY.c.withdraw_time - passed,
            )
        )


async def accepted(ring: Keyring, token: str) -> bool:
    """Whether a service that asks for the keys now takes a token."""
    try:
        await Verifier("creavio", "creavio", ring.key_set).verify(token)
    except Unauthenticated:
        return False
    return True


async def test_the_first_key_is_the_one_in_the_file_and_stays_it(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    ring = await started(database, key, tmp_path)
    assert names(ring) == [key.id]
    assert await accepted(ring, token_of(ring))
    assert names(await started(database, SigningKey.made(), tmp_path)) == [key.id]


async def test_a_key_is_published_before_it_signs(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    ring = await started(database, key, tmp_path)
    old = token_of(ring)
    await ring.rotate(withdraw=False)
    new, *rest = names(ring)
    assert rest == [key.id]
    assert await Verifier("creavio", "creavio", key.key_set).verify(token_of(ring))
    await let_pass(database, timedelta(seconds=61))
    await ring.load()
    made = token_of(ring)
    with pytest.raises(Unauthenticated):
        await Verifier("creavio", "creavio", key.key_set).verify(made)
    assert names(ring) == [new, key.id]
    assert await accepted(ring, old)
    assert await accepted(ring, made)


async def test_every_process_signs_with_the_same_key_also_when_it_starts_anew(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    one, other = [await started(database, key, tmp_path) for _ in range(2)]
    await asyncio.gather(*(ring.rotate(withdraw=False) for ring in (one, other) * 3))
    await let_pass(database, timedelta(seconds=61))
    fresh = await started(database, key, tmp_path)
    for ring in (one, other, fresh):
        await ring.load()
        # However many asked at once, one key took over.
        assert len(names(ring)) == 2
        assert await accepted(fresh, token_of(ring))


async def test_a_key_that_is_old_is_followed_by_itself(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    ring = await started(database, key, tmp_path)
    await ring.tend()
    assert names(ring) == [key.id]
    await let_pass(database, SIGNS_FOR)
    await ring.tend()
    await ring.tend()
    assert len(names(ring)) == 2


async def test_an_old_key_stays_until_the_last_token_it_signed_has_ended(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    ring = await started(database, key, tmp_path)
    now = datetime.now(UTC)
    account = domain.new_account("ada", "a@example.org", "Ada", "x", now)
    earlier, lasts = now - timedelta(hours=1), timedelta(days=9)
    made = new_token(account.id, account.id, "script", (Scope.READ,), earlier, lasts)
    async with database.transaction() as tx:
        await accounts.add_account(tx, account)
        await tokens.add_token(tx, made)
    await ring.rotate(withdraw=False)
    for _ in range(2):
        await let_pass(database, timedelta(minutes=10))
        await ring.tend()
        assert len(names(ring)) == 2
    async with database.transaction() as tx:
        await tokens.end_tokens(tx, account.id, account.id)
    await ring.tend()
    (left,) = names(ring)
    assert left != key.id


async def test_without_such_tokens_it_stays_while_sessions_may_hold_one(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    ring = await started(database, key, tmp_path)
    await ring.rotate(withdraw=False)
    await let_pass(database, timedelta(minutes=16))
    await ring.tend()
    assert key.id in names(ring)
    await let_pass(database, timedelta(minutes=2))
    await ring.tend()
    assert key.id not in names(ring)


async def test_what_a_withdrawn_key_signed_is_refused_though_it_was_known(
    database: Database, key: SigningKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = await started(database, key, tmp_path)
    old = token_of(ring)
    service = Verifier("creavio", "creavio", ring.key_set)
    await service.verify(old)
    await ring.rotate(withdraw=True)
    assert len(names(ring)) == 2
    await let_pass(database, timedelta(seconds=61))
    await ring.load()
    assert key.id not in names(ring)
    monkeypatch.setattr(chassis_auth, "_RENEW_AFTER", 0.0)
    monkeypatch.setattr(chassis_auth, "_REFETCH_AFTER", 0.0)

    async def refused() -> None:
        try:
            await service.verify(old)
        except Unauthenticated:
            return
        raise AssertionError("still accepted")

    await eventually(refused, within=10)
    assert await accepted(ring, token_of(ring))


async def test_private_keys_stand_nowhere_in_the_clear_and_are_of_no_use_elsewhere(
    database: Database, key: SigningKey, tmp_path: Path
) -> None:
    await started(database, key, tmp_path)
    async with database.reading() as tx:
        kept = (await tx.execute(sa.select(SIGNING_KEY.c.sealed))).scalar_one()
    assert key.private.decode().splitlines()[1] not in kept
    other = SigningKey.made()
    elsewhere = await started(database, other, tmp_path, "another secret than it was kept under")
    assert names(elsewhere) == [other.id]
