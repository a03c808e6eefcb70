"""An account comes with its profile, or not at all, whatever crashes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from chassis.clients import Clients
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import AlreadyExists, Error, Unavailable
from chassis.testing import standing_in
from creavio.user.v1 import user_pb2, user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import (
    UserServiceServicer,
    add_UserServiceServicer_to_server,
)
from services.auth import domain
from services.auth.domain import Account, HandleTaken, Standing
from services.auth.domain.registration import (
    Mode,
    Registration,
    RegistrationClosed,
    SignUpCode,
    SignUpCodeRefused,
    new_code,
)
from services.auth.engine.accounts import Accounts
from services.auth.store import accounts, registration, tables


@dataclass
class Users(UserServiceServicer):
    """Keeps profiles in memory, as user promises to."""

    profiles: dict[str, user_pb2.User] = field(default_factory=dict)
    away: bool = False
    loses_answers: bool = False
    broken_for: str = ""

    async def CreateUser(
        self, request: user_service_pb2.CreateUserRequest, context: object
    ) -> user_pb2.User:
        if self.away or request.handle == self.broken_for:
            raise Unavailable("away")
        owner = next((u.id for u in self.profiles.values() if u.handle == request.handle), None)
        if owner not in (None, request.user_id):
            raise AlreadyExists("taken", reason="HANDLE_TAKEN")
        user = user_pb2.User(id=request.user_id, handle=request.handle)
        kept = self.profiles.setdefault(request.user_id, user)
        if self.loses_answers:
            raise Unavailable("the answer was lost")
        return kept


@dataclass
class World:
    """auth's accounts and their database, next to a user service."""

    accounts: Accounts
    users: Users
    database: Database

    async def intend(self, handle: str, *, age: float = 0.0) -> Account:
        """Keep the intent to create an account, as a sign-up does first."""
        moment = datetime.now(UTC) - timedelta(seconds=age)
        account = domain.new_account(handle, f"{handle}@example.org", handle, "hash", moment)
        async with self.database.transaction() as tx:
            await accounts.add_account(tx, account)
        return account

    async def standings(self) -> dict[str, Standing]:
        async with self.database.reading() as tx:
            rows = await tx.execute(sa.select(tables.ACCOUNT.c.handle, tables.ACCOUNT.c.standing))
            return {row.handle: Standing(row.standing) for row in rows}


@pytest.fixture
async def world(
    contract: Contract, scratch: Callable[[str], AbstractAsyncContextManager[Database]]
) -> AsyncIterator[World]:
    users = Users()  # type: ignore[abstract]  # the other RPCs are not called
    async with (
        scratch("auth") as database,
        standing_in(contract, (add_UserServiceServicer_to_server, users)) as address,
    ):
        clients = Clients("auth", address, contract)
        yield World(Accounts(database, clients), users, database)
        await clients.close()


async def test_an_account_counts_once_its_profile_does(world: World) -> None:
    ada = await world.intend("ada")
    user = await world.accounts.finish_creating(ada)
    assert user.handle == "ada"
    assert await world.standings() == {"ada": Standing.SETTLED}


async def test_an_account_whose_handle_user_gave_to_another_is_dropped(world: World) -> None:
    world.users.profiles["usr_eve"] = user_pb2.User(id="usr_eve", handle="ada")
    ada = await world.intend("ada")
    with pytest.raises(HandleTaken):
        await world.accounts.finish_creating(ada)
    assert await world.standings() == {}


@pytest.mark.parametrize("lost", ["the request", "the answer"])
async def test_what_is_not_known_is_finished_later(world: World, lost: str) -> None:
    ada = await world.intend("ada", age=60)
    world.users.away, world.users.loses_answers = lost == "the request", lost == "the answer"
    with pytest.raises(Unavailable):
        await world.accounts.finish_creating(ada)
    assert await world.standings() == {"ada": Standing.COMING}
    world.users.away = world.users.loses_answers = False
    await world.accounts.resume()
    assert await world.standings() == {"ada": Standing.SETTLED}
    assert len(world.users.profiles) == 1


async def test_a_crash_after_the_intent_is_finished(world: World) -> None:
    await world.intend("ada", age=60)
    await world.accounts.resume()
    assert await world.standings() == {"ada": Standing.SETTLED}
    assert [user.handle for user in world.users.profiles.values()] == ["ada"]


async def test_a_sign_up_in_progress_is_left_alone(world: World) -> None:
    await world.intend("ada", age=5)
    await world.accounts.resume()
    assert await world.standings() == {"ada": Standing.COMING}
    assert world.users.profiles == {}


async def test_one_that_cannot_be_finished_is_dropped_and_the_next_finished(world: World) -> None:
    world.users.profiles["usr_eve"] = user_pb2.User(id="usr_eve", handle="ada")
    await world.intend("ada", age=90)
    await world.intend("bob", age=60)
    await world.accounts.resume()
    assert await world.standings() == {"bob": Standing.SETTLED}


async def test_one_that_fails_does_not_stop_the_next(world: World) -> None:
    world.users.broken_for = "ada"
    await world.intend("ada", age=90)
    await world.intend("bob", age=60)
    with pytest.raises(Error):
        await world.accounts.resume()
    assert await world.standings() == {"ada": Standing.COMING, "bob": Standing.SETTLED}


async def test_resuming_twice_at_once_is_resuming_once(world: World) -> None:
    for number in range(5):
        await world.intend(f"ada-{number}", age=60)
    await asyncio.gather(world.accounts.resume(), world.accounts.resume())
    assert set((await world.standings()).values()) == {Standing.SETTLED}
    assert len(world.users.profiles) == 5


async def asked_for(world: World, mode: Mode, *codes: SignUpCode) -> None:
    """Have the instance say who may sign up, and with which codes."""
    async with world.database.transaction() as tx:
        await registration.save(tx, Registration(mode))
        for code in codes:
            await registration.add_code(tx, code)


def newcomer(handle: str) -> Account:
    return domain.new_account(handle, f"{handle}@example.org", handle, "hash", datetime.now(UTC))


def code_for(uses: int, lasts: timedelta = timedelta(days=1)) -> SignUpCode:
    return new_code(uses, lasts, datetime.now(UTC))


async def test_a_sign_up_code_lets_in_as_many_as_it_says_however_many_race(world: World) -> None:
    code = code_for(3)
    await asked_for(world, Mode.INVITE, code)
    answers = await asyncio.gather(
        *(world.accounts.create(newcomer(f"ada-{n}"), code.code) for n in range(9)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, user_pb2.User) for one in answers) == 3
    assert sum(isinstance(one, SignUpCodeRefused) for one in answers) == 6
    assert len(await world.standings()) == 3


async def test_a_code_that_is_wrong_or_over_lets_nobody_in(world: World) -> None:
    over = code_for(1, timedelta(seconds=-1))
    await asked_for(world, Mode.INVITE, over)
    for code in ("", "nosuchcode", over.code):
        with pytest.raises(SignUpCodeRefused):
            await world.accounts.create(newcomer("ada"), code)
    with pytest.raises(SignUpCodeRefused):
        await world.accounts.may_sign_up("")
    assert await world.standings() == {}
    async with world.database.transaction() as tx:
        await registration.forget_expired(tx)
        assert await registration.working_codes(tx) == []


async def test_while_it_is_closed_only_the_operators_code_works(world: World) -> None:
    code, operators = code_for(5), replace(code_for(1), overrules=True)
    await asked_for(world, Mode.CLOSED, code, operators)
    for shown in ("", code.code):
        with pytest.raises(RegistrationClosed):
            await world.accounts.create(newcomer("ada"), shown)
    await world.accounts.create(newcomer("keeper"), operators.code)
    with pytest.raises(RegistrationClosed):
        await world.accounts.create(newcomer("eve"), operators.code)
    assert await world.standings() == {"keeper": Standing.SETTLED}


async def test_a_sign_up_that_comes_to_nothing_gives_its_code_back(world: World) -> None:
    code = code_for(1)
    await asked_for(world, Mode.INVITE, code)
    world.users.profiles["usr_eve"] = user_pb2.User(id="usr_eve", handle="eve")
    with pytest.raises(HandleTaken):
        await world.accounts.create(newcomer("eve"), code.code)
    await world.accounts.create(newcomer("ada"), code.code)


async def test_a_taken_handle_is_nobodys_business_without_a_code(world: World) -> None:
    code = code_for(2)
    await asked_for(world, Mode.INVITE, code)
    await world.accounts.create(newcomer("ada"), code.code)
    with pytest.raises(SignUpCodeRefused):
        await world.accounts.create(newcomer("ada"), "nosuchcode")
    with pytest.raises(HandleTaken):
        await world.accounts.create(newcomer("ada"), code.code)
    async with world.database.reading() as tx:
        (kept,) = await registration.working_codes(tx)
    assert kept.uses == 1
