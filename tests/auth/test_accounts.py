"""An account comes with its profile, or not at all, whatever crashes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
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
from services.auth.engine.accounts import Accounts
from services.auth.store import accounts, tables


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
