"""Passwords and tokens: who does not have them learns nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.message import Message
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.auth import Verifier
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import Unauthenticated
from chassis.outbox import Outbox
from chassis.telemetry import Telemetry
from chassis.testing import scratch_config
from chassis.tokens import Tokens
from creavio.auth.v1 import auth_events_pb2
from creavio.auth.v1.session_service_pb2 import CreateSessionRequest, RefreshSessionRequest
from creavio.user.v1 import user_pb2
from services.auth import domain
from services.auth.domain import InvalidRefreshToken, WrongCredentials
from services.auth.engine.cookies import Cookies
from services.auth.engine.credentials import Issuer, Passwords, SigningKey
from services.auth.engine.guesses import Allowances, Guesses
from services.auth.engine.second_factors import SecondFactors
from services.auth.engine.sessions import Revocations
from services.auth.engine.sign_in import SignIn
from services.auth.handler.sessions import SessionHandler
from services.auth.store import accounts, tables

NOW = datetime.now(UTC)
PASSWORD = "correct horse"


class Told:
    """What was told at once."""

    def __init__(self) -> None:
        self.events: list[Message] = []

    async def tell(self, events: Sequence[Message]) -> None:
        self.events += events


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

    async def tell_standing(self, account_id: object) -> None:
        """user knows."""

    async def user(self, account_id: object) -> user_pb2.User:
        return user_pb2.User(id=str(account_id))


@pytest.fixture
def passwords() -> Counting:
    return Counting()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]], contract: Contract
) -> AsyncIterator[Database]:
    config = scratch_config("auth")
    telemetry = Telemetry(config)
    async with scratch("auth") as made:
        Outbox("auth", contract, made, Bus(config, telemetry), telemetry)
        yield made


@pytest.fixture
def sessions(database: Database, passwords: Counting, issuer: Issuer, told: Told) -> SessionHandler:
    profiles: Any = Profiles()
    revocations = Revocations(database, told.tell)
    guesses = Guesses(database, scratch_config("auth"), Allowances())
    config = scratch_config("auth")
    factors = SecondFactors(database, config)
    cookies = Cookies("https://talk.example.org")
    sign_in = SignIn(database, issuer, profiles, factors, Tokens(config), cookies)
    return SessionHandler(
        database, passwords, profiles, issuer, revocations, guesses, sign_in, cookies
    )


async def account(
    database: Database,
    passwords: Passwords,
    handle: str,
    password: str = PASSWORD,
    *,
    verified: bool = False,
) -> domain.Account:
    """Somebody who can sign in; others name the address, too, which it may have."""
    made = domain.new_account(
        handle, "shared@example.org", handle, await passwords.hash(password), NOW
    )
    async with database.transaction() as tx:
        await accounts.add_account(tx, made)
        await accounts.settle_account(tx, made.id)
        if verified:
            await accounts.verify_email(tx, made.id, made.email, NOW)
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
    assert wrong == await refused(sessions, passwords, "nobody@example.org")
    assert wrong == await refused(sessions, passwords, "shared@example.org")
    await account(database, passwords, "bob", verified=True)
    assert wrong == await refused(sessions, passwords, "shared@example.org")


async def test_an_account_still_coming_is_unknown(
    database: Database, sessions: SessionHandler, passwords: Counting
) -> None:
    made = domain.new_account("ada", "a@example.org", "", await passwords.hash("guess"), NOW)
    async with database.transaction() as tx:
        await accounts.add_account(tx, made)
    assert (await refused(sessions, passwords, "ada"))[3] == 1


async def test_by_an_address_signs_in_who_has_it(
    database: Database, sessions: SessionHandler, passwords: Counting
) -> None:
    ada = await account(database, passwords, "ada", verified=True)
    await account(database, passwords, "bob", "the password of bob")
    request = CreateSessionRequest(login="Shared@example.org", password=PASSWORD)
    session = await sessions.CreateSession(request, None)
    assert session.user.id == str(ada.id)
    request = CreateSessionRequest(login="shared@example.org", password="the password of bob")
    with pytest.raises(WrongCredentials):
        await sessions.CreateSession(request, None)


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


async def grace_over(database: Database) -> None:
    """Let the moment pass in which a spent refresh token may be spent again."""
    async with database.transaction() as tx:
        earlier = tables.SESSION.c.rotate_time - timedelta(seconds=10)
        await tx.execute(sa.update(tables.SESSION).values(rotate_time=earlier))


async def test_a_refresh_token_is_followed_by_another(
    database: Database, sessions: SessionHandler, passwords: Counting
) -> None:
    first = await signed_in(database, sessions, passwords)
    second = await refresh(sessions, first)
    third = await refresh(sessions, second)
    assert len({first, second, third}) == 3


async def test_a_replay_after_the_grace_ends_the_session(
    database: Database, sessions: SessionHandler, passwords: Counting, told: Told
) -> None:
    first = await signed_in(database, sessions, passwords)
    second = await refresh(sessions, first)
    await grace_over(database)
    assert told.events == []
    for token in (first, second, second):
        with pytest.raises(InvalidRefreshToken):
            await refresh(sessions, token)
    (revoked,) = told.events
    assert isinstance(revoked, auth_events_pb2.SessionRevoked)
    assert revoked.revision == 1


async def test_a_token_spent_before_the_last_has_no_grace(
    database: Database, sessions: SessionHandler, passwords: Counting, told: Told
) -> None:
    first = await signed_in(database, sessions, passwords)
    third = await refresh(sessions, await refresh(sessions, first))
    for token in (first, third):
        with pytest.raises(InvalidRefreshToken):
            await refresh(sessions, token)
    assert len(told.events) == 1


async def test_tabs_that_refresh_at_once_all_go_on_in_one_session(
    database: Database, sessions: SessionHandler, passwords: Counting, key: SigningKey, told: Told
) -> None:
    token = await signed_in(database, sessions, passwords)
    verifier = Verifier("creavio", "creavio", key.key_set)
    families = set()
    for _ in range(3):
        answers = await asyncio.gather(
            *(
                sessions.RefreshSession(RefreshSessionRequest(refresh_token=token), None)
                for _ in range(6)
            )
        )
        people = [await verifier.verify(one.access_token) for one in answers]
        families |= {person.session_id for person in people}
        assert len({one.access_token for one in answers}) == 6
        # One chain: whoever steals a link of it is found out when it goes on.
        (token,) = {one.refresh_token for one in answers}
    assert len(families) == 1
    assert told.events == []


async def test_a_late_tab_gets_what_the_first_one_got(
    database: Database, sessions: SessionHandler, passwords: Counting
) -> None:
    first = await signed_in(database, sessions, passwords)
    second = await refresh(sessions, first)
    assert await refresh(sessions, first) == second
    assert await refresh(sessions, first) == second
    assert await refresh(sessions, second) not in (first, second)


async def test_a_replay_in_a_crowd_leaves_nobody_signed_in(
    database: Database, sessions: SessionHandler, passwords: Counting, told: Told
) -> None:
    first = await signed_in(database, sessions, passwords)
    second = await refresh(sessions, first)
    await grace_over(database)
    answers = await asyncio.gather(
        *(refresh(sessions, token) for token in (first, second, first, second)),
        return_exceptions=True,
    )
    assert any(isinstance(one, InvalidRefreshToken) for one in answers)
    for token in (first, second, *(one for one in answers if isinstance(one, str))):
        with pytest.raises(InvalidRefreshToken):
            await refresh(sessions, token)
    assert len(told.events) == 1


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
    account_id, session_id, now = ids.new(), ids.new(), datetime.now(UTC)
    credentials = issuer.issue(account_id, session_id, now)
    person = await Verifier("creavio", "creavio", key.key_set).verify(credentials.access_token)
    assert person.user_id == ids.text(ids.Kind.USER, account_id)
    assert person.session_id == ids.text(ids.Kind.SESSION, session_id)
    assert person.expires_at == credentials.expire_time.timestamp()
    assert credentials.expire_time == (now + timedelta(minutes=15)).replace(microsecond=0)
    with pytest.raises(Unauthenticated):
        await Verifier("creavio", "creavio", key.key_set).verify(credentials.refresh_token)


def test_the_private_half_is_not_published(key: SigningKey) -> None:
    assert key.public.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert (key.public["alg"], key.public["crv"]) == ("ES256", "P-256")
