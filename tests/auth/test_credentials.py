"""Passwords and tokens: who does not have them learns nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
import pytest

from chassis import ids
from chassis.auth import Verifier
from chassis.database import Database
from chassis.errors import Unauthenticated
from chassis.testing import scratch_config
from chassis.tokens import Tokens
from creavio.auth.v1.session_service_pb2 import CreateSessionRequest, RefreshSessionRequest
from creavio.user.v1 import user_pb2
from services.auth import domain, store
from services.auth.domain import InvalidRefreshToken, WrongCredentials
from services.auth.engine import Issuer, Passwords, SigningKey
from services.auth.handler import SessionHandler

NOW = datetime.now(UTC)
PASSWORD = "correct horse"


class Counting(Passwords):
    """Passwords, which says how many hashes were looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_at = 0

    def _verify(self, kept: str, password: str) -> bool:
        self.looked_at += 1
        return super()._verify(kept, password)


class Profiles:
    """The profiles of accounts; it fails for nobody."""

    async def user(self, account_id: object) -> user_pb2.User:
        return user_pb2.User(id=str(account_id))


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    file = tmp_path / "key.pem"
    file.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return SigningKey(file)


@pytest.fixture
def issuer(key: SigningKey) -> Issuer:
    config = scratch_config("auth")
    return Issuer(config, key, Tokens(config))


@pytest.fixture
def passwords() -> Counting:
    return Counting()


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("auth") as made:
        yield made


@pytest.fixture
def sessions(database: Database, passwords: Counting, issuer: Issuer) -> SessionHandler:
    profiles: Any = Profiles()
    return SessionHandler(database, passwords, profiles, issuer)


async def account(
    database: Database, passwords: Passwords, handle: str, password: str = PASSWORD
) -> domain.Account:
    """Somebody who can sign in, under an address that others name too."""
    made = domain.new_account(
        handle, "shared@example.org", handle, await passwords.hash(password), NOW
    )
    async with database.transaction() as tx:
        await store.add_account(tx, made)
        await store.settle_account(tx, made.id)
    return made


async def refused(
    sessions: SessionHandler, passwords: Counting, login: str
) -> tuple[type, str, str, int]:
    """What somebody with a wrong password gets, and how many hashes that took."""
    before = passwords.looked_at
    with pytest.raises(WrongCredentials) as raised:
        await sessions.CreateSession(CreateSessionRequest(login=login, password="guess"), None)
    error = raised.value
    return type(error), error.reason, error.message, passwords.looked_at - before


async def test_a_wrong_password_and_an_unknown_login_are_one(
    database: Database, sessions: SessionHandler, passwords: Counting
) -> None:
    await account(database, passwords, "ada")
    wrong = await refused(sessions, passwords, "ada")
    assert wrong == await refused(sessions, passwords, "nobody")
    assert wrong[3] == 1
    by_address = await refused(sessions, passwords, "shared@example.org")
    assert by_address == await refused(sessions, passwords, "nobody@example.org")
    assert by_address[3] == 3
    await account(database, passwords, "bob")
    assert by_address == await refused(sessions, passwords, "shared@example.org")


async def test_an_account_still_coming_is_unknown(
    database: Database, sessions: SessionHandler, passwords: Counting
) -> None:
    made = domain.new_account("ada", "a@example.org", "", await passwords.hash("guess"), NOW)
    async with database.transaction() as tx:
        await store.add_account(tx, made)
    assert (await refused(sessions, passwords, "ada"))[3] == 1


async def test_two_who_name_one_address_both_sign_in_by_it(
    database: Database, sessions: SessionHandler, passwords: Counting
) -> None:
    ada = await account(database, passwords, "ada", "the password of ada")
    bob = await account(database, passwords, "bob", "the password of bob")
    for who in (ada, bob):
        request = CreateSessionRequest(
            login="Shared@example.org", password=f"the password of {who.handle}"
        )
        session = await sessions.CreateSession(request, None)
        assert session.user.id == str(who.id)


async def signed_in(database: Database, sessions: SessionHandler, passwords: Counting) -> str:
    """A refresh token of somebody's session."""
    await account(database, passwords, "ada")
    session = await sessions.CreateSession(
        CreateSessionRequest(login="ada", password=PASSWORD), None
    )
    return session.refresh_token


async def refresh(sessions: SessionHandler, token: str) -> str:
    renewed = await sessions.RefreshSession(RefreshSessionRequest(refresh_token=token), None)
    return renewed.refresh_token


async def test_a_refresh_token_is_good_once(
    database: Database, sessions: SessionHandler, passwords: Counting
) -> None:
    first = await signed_in(database, sessions, passwords)
    second = await refresh(sessions, first)
    third = await refresh(sessions, second)
    assert len({first, second, third}) == 3


async def test_a_spent_refresh_token_ends_the_session(
    database: Database, sessions: SessionHandler, passwords: Counting
) -> None:
    first = await signed_in(database, sessions, passwords)
    second = await refresh(sessions, first)
    for token in (first, second, second):
        with pytest.raises(InvalidRefreshToken):
            await refresh(sessions, token)


async def test_a_refresh_token_used_twice_at_once_renews_once(
    database: Database, sessions: SessionHandler, passwords: Counting
) -> None:
    first = await signed_in(database, sessions, passwords)
    answers = await asyncio.gather(
        *(refresh(sessions, first) for _ in range(4)), return_exceptions=True
    )
    renewed = [answer for answer in answers if isinstance(answer, str)]
    assert len(renewed) == 1
    with pytest.raises(InvalidRefreshToken):
        await refresh(sessions, renewed[0])


async def test_what_is_no_refresh_token_of_ours_is_refused(
    sessions: SessionHandler, issuer: Issuer
) -> None:
    never_kept = issuer.issue(ids.new(), ids.new(), NOW)
    tokens = Tokens(scratch_config("auth"))
    session = ids.text(ids.Kind.SESSION, ids.new())
    for token in (
        "",
        "garbage",
        never_kept.access_token,
        never_kept.refresh_token,
        tokens.next_page([session, "x"], "refresh"),
    ):
        with pytest.raises(InvalidRefreshToken) as raised:
            await refresh(sessions, token)
        assert raised.value.reason == "INVALID_REFRESH_TOKEN"


async def test_a_password_is_kept_as_a_salted_hash(passwords: Counting) -> None:
    one, other = await passwords.hash(PASSWORD), await passwords.hash(PASSWORD)
    assert one != other
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in one
    assert await passwords.matches(PASSWORD, one)
    assert not await passwords.matches(PASSWORD.upper(), one)
    assert not await passwords.matches(PASSWORD, None)


async def test_an_access_token_is_verified_by_the_published_key(
    key: SigningKey, issuer: Issuer
) -> None:
    account_id, session_id = ids.new(), ids.new()
    credentials = issuer.issue(account_id, session_id, NOW)
    person = await Verifier("creavio", "creavio", key.key_set).verify(credentials.access_token)
    assert person.user_id == ids.text(ids.Kind.USER, account_id)
    assert person.session_id == ids.text(ids.Kind.SESSION, session_id)
    assert person.expires_at == credentials.expire_time.timestamp()
    assert credentials.expire_time == (NOW + timedelta(minutes=15)).replace(microsecond=0)
    with pytest.raises(Unauthenticated):
        await Verifier("creavio", "creavio", key.key_set).verify(credentials.refresh_token)


def test_the_private_half_is_not_published(key: SigningKey) -> None:
    assert key.public.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (key.public["alg"], key.public["crv"]) == ("ES256", "P-256")
