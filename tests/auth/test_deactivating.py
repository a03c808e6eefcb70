"""Who deactivates their account is away until they sign in, whatever crashes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.clients import Clients
from chassis.contract import Contract
from chassis.errors import Unavailable
from chassis.testing import scratch_config, standing_in
from chassis.tokens import Tokens
from creavio.auth.v1 import account_service_pb2, proof_pb2, session_service_pb2
from creavio.user.v1 import user_pb2, user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import (
    UserServiceServicer,
    add_UserServiceServicer_to_server,
)
from services.auth.domain import Account, PasswordChanged, WrongCredentials
from services.auth.domain.tokens import Scope, new_token
from services.auth.engine.accounts import Accounts
from services.auth.engine.credentials import Issuer
from services.auth.engine.departures import Departures
from services.auth.engine.sign_in import SignIn
from services.auth.handler.accounts import AccountHandler
from services.auth.store import accounts, tokens
from tests.auth.mailing import PASSWORD, World

GUESSED = "a guess at it"


@dataclass
class Users(UserServiceServicer):
    """Keeps who is away, as user promises to: the higher revision counts."""

    away: dict[str, tuple[int, bool]] = field(default_factory=dict)
    unreachable: bool = False
    loses_answers: bool = False

    async def SetDeactivated(
        self, request: user_service_pb2.SetDeactivatedRequest, context: object
    ) -> user_pb2.User:
        if self.unreachable:
            raise Unavailable("away")
        told = (request.revision, request.deactivated)
        self.away[request.user_id] = max(self.away.get(request.user_id, (0, False)), told)
        if self.loses_answers:
            raise Unavailable("the answer was lost")
        return user_pb2.User(id=request.user_id)

    async def GetUser(
        self, request: user_service_pb2.GetUserRequest, context: object
    ) -> user_pb2.User:
        away = self.away.get(request.user_id, (0, False))[1]
        return user_pb2.User(id=request.user_id, deactivated=away)

    @property
    def says(self) -> set[bool]:
        """What it knows of everybody."""
        return {away for _, away in self.away.values()}


@dataclass
class Stage:
    """auth next to user."""

    world: World
    users: Users
    accounts: Accounts
    sign_in: SignIn
    handler: AccountHandler

    async def deactivate(self, account: Account, password: str = PASSWORD) -> None:
        request = account_service_pb2.DeactivateAccountRequest(
            proof=proof_pb2.Proof(password=password)
        )
        with self.world.calling(account, await self.world.session_of(account)):
            await self.handler.DeactivateAccount(request, None)


@pytest.fixture
async def stage(world: World, contract: Contract, issuer: Issuer) -> AsyncIterator[Stage]:
    users = Users()  # type: ignore[abstract]  # the other RPCs are not called
    config = scratch_config("auth")
    async with standing_in(contract, (add_UserServiceServicer_to_server, users)) as address:
        clients = Clients("auth", address, contract)
        made = Accounts(world.database, clients)
        sign_in = SignIn(world.database, issuer, made, world.factors, Tokens(config), world.cookies)
        nothing: Any = None
        departures = Departures(world.database, clients, world.revocations, nothing, made)
        handler = AccountHandler(
            world.database, world.passwords, made, sign_in, world.step_up, departures, nothing
        )
        yield Stage(world, users, made, sign_in, handler)
        await clients.close()


async def since(stage: Stage, handle: str) -> datetime | None:
    return (await stage.world.account(handle)).deactivate_time


async def test_away_until_they_sign_in(stage: Stage) -> None:
    ada = await stage.world.sign_up("ada")
    await stage.world.session_of(ada)
    await stage.deactivate(ada)
    assert await stage.world.lasting(ada) == set()
    assert await since(stage, "ada") is not None
    assert stage.users.says == {True}
    session = await stage.sign_in.begin(await stage.world.account("ada"))
    assert not session.user.deactivated, "user was told before it was asked"
    assert await since(stage, "ada") is None
    assert stage.users.says == {False}
    assert len(await stage.world.lasting(ada)) == 1


async def test_an_open_session_alone_deactivates_nothing(stage: Stage) -> None:
    ada = await stage.world.sign_up("ada")
    with pytest.raises(WrongCredentials):
        await stage.deactivate(ada, GUESSED)
    assert await since(stage, "ada") is None
    assert stage.users.away == {}


async def test_a_wrong_password_brings_nobody_back(stage: Stage) -> None:
    ada = await stage.world.sign_up("ada")
    await stage.deactivate(ada)
    request = session_service_pb2.CreateSessionRequest(login="ada", password=GUESSED)
    with stage.world.calling(ada, ada.id), pytest.raises(WrongCredentials):
        await stage.world.session.CreateSession(request, None)
    assert await since(stage, "ada") is not None
    async with stage.world.database.transaction() as tx:
        assert await accounts.set_password(tx, ada, "another")
    with pytest.raises(WrongCredentials):
        await stage.sign_in.begin(ada)
    assert stage.users.says == {True}


async def test_tokens_end_and_none_is_made_for_who_is_away(stage: Stage) -> None:
    ada = await stage.world.sign_up("ada")
    now = datetime.now(UTC)
    token = new_token(ada.id, ada.id, "script", (Scope.READ,), now, timedelta(days=1))
    async with stage.world.database.transaction() as tx:
        await tokens.add_token(tx, token)
    await stage.deactivate(ada)
    async with stage.world.database.transaction() as tx:
        assert await tokens.tokens_of(tx, ada.id, ada.id) == []
        # What lets tokens, bots' tokens and apps' codes be made in a call that came before.
        assert not await accounts.password_is(tx, ada.id, ada.password_hash)
        assert not await accounts.is_active(tx, ada.id)


@pytest.mark.parametrize("lost", ["the request", "the answer"])
async def test_what_user_was_not_told_it_is_told_later(stage: Stage, lost: str) -> None:
    ada = await stage.world.sign_up("ada")
    users = stage.users
    users.unreachable, users.loses_answers = lost == "the request", lost == "the answer"
    with pytest.raises(Unavailable):
        await stage.deactivate(ada)
    assert await stage.world.lasting(ada) == set()
    users.unreachable = users.loses_answers = False
    await stage.accounts.resume()
    assert users.says == {True}
    users.unreachable, users.loses_answers = lost == "the request", lost == "the answer"
    with pytest.raises(Unavailable):
        await stage.sign_in.begin(await stage.world.account("ada"))
    users.unreachable = users.loses_answers = False
    await stage.accounts.resume()
    assert users.says == {False}
    users.away.clear()
    await stage.accounts.resume()
    assert users.away == {}, "who knows is not told again"


async def test_of_all_who_sign_in_at_once_nobody_fails(stage: Stage) -> None:
    ada = await stage.world.sign_up("ada")
    await stage.deactivate(ada)
    sessions = await asyncio.gather(*(stage.sign_in.begin(ada) for _ in range(5)))
    assert len(sessions) == 5
    assert len(await stage.world.lasting(ada)) == 5
    assert stage.users.says == {False}


async def test_going_and_coming_at_once_ends_in_one_of_both(stage: Stage) -> None:
    ada = await stage.world.sign_up("ada")
    for _ in range(5):
        await asyncio.gather(
            stage.deactivate(ada),
            stage.sign_in.begin(ada),
            stage.sign_in.begin(ada),
        )
        await stage.accounts.resume()
        away = await since(stage, "ada") is not None
        assert stage.users.says == {away}, "both say the same"
        assert bool(await stage.world.lasting(ada)) is not away
        await stage.sign_in.begin(ada)


async def test_deactivating_twice_at_once_is_deactivating_once(stage: Stage) -> None:
    ada = await stage.world.sign_up("ada")
    made = await asyncio.gather(*(stage.deactivate(ada) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in made].count(PasswordChanged) == 2
    assert stage.users.away.popitem()[1] == (1, True)
