"""Who changes their handle has the other one here and at user, whatever crashes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.clients import Clients
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import Error, Exhausted, Unavailable
from chassis.testing import plan_of, scratch_config, standing_in
from chassis.tokens import Tokens
from creavio.auth.v1 import account_service_pb2, proof_pb2, session_service_pb2
from creavio.user.v1 import user_pb2, user_service_pb2
from creavio.user.v1.user_service_pb2_grpc import (
    UserServiceServicer,
    add_UserServiceServicer_to_server,
)
from services.auth import domain
from services.auth.domain import (
    Account,
    HandleChanging,
    HandleTaken,
    MailKind,
    PasswordChanged,
    WrongCredentials,
)
from services.auth.engine.accounts import Accounts
from services.auth.engine.credentials import Issuer
from services.auth.engine.guesses import Allowance, Allowances, Guesses
from services.auth.engine.handles import Handles
from services.auth.engine.sign_in import SignIn
from services.auth.handler.accounts import AccountHandler
from services.auth.store import accounts, guesses, handles, mail, person, tables
from services.user.domain import HandleChangedLately
from services.user.domain import HandleTaken as TakenThere
from services.user.domain import UserNotFound as NobodyThere
from tests.auth.mailing import PASSWORD, World, coming_from


@dataclass
class Users(UserServiceServicer):
    """Keeps what people are called, as user promises to: nobody as another is."""

    called: dict[str, str] = field(default_factory=dict)
    refusal: Error | None = None
    loses_answers: bool = False
    asked: int = 0

    async def CreateUser(
        self, request: user_service_pb2.CreateUserRequest, context: object
    ) -> user_pb2.User:
        if request.handle in self.called.values():
            raise TakenThere(request.handle)
        self.called[request.user_id] = request.handle
        return user_pb2.User(id=request.user_id, handle=request.handle)

    async def ChangeHandle(
        self, request: user_service_pb2.ChangeHandleRequest, context: object
    ) -> user_pb2.User:
        self.asked += 1
        if self.refusal is not None:
            raise self.refusal
        if request.handle in {h for who, h in self.called.items() if who != request.user_id}:
            raise TakenThere(request.handle)
        self.called[request.user_id] = request.handle
        if self.loses_answers:
            raise Unavailable("the answer was lost")
        return user_pb2.User(id=request.user_id, handle=request.handle)

    async def GetUser(
        self, request: user_service_pb2.GetUserRequest, context: object
    ) -> user_pb2.User:
        return user_pb2.User(id=request.user_id, handle=self.called.get(request.user_id, ""))


@dataclass
class Stage:
    """auth next to user."""

    world: World
    users: Users
    accounts: Accounts
    handles: Handles
    guesses: Guesses
    handler: AccountHandler

    async def sign_up(self, handle: str) -> Account:
        account = await self.world.sign_up(handle)
        self.users.called[ids.text(ids.Kind.USER, account.id)] = handle
        return account

    async def change(
        self, account: Account, handle: str, password: str = PASSWORD
    ) -> user_pb2.User:
        request = account_service_pb2.ChangeHandleRequest(
            handle=handle, proof=proof_pb2.Proof(password=password)
        )
        with self.world.calling(account, account.id):
            return await self.handler.ChangeHandle(request, None)

    async def sign_in(self, login: str) -> str:
        """Whose session begins."""
        request = session_service_pb2.CreateSessionRequest(login=login, password=PASSWORD)
        with coming_from("192.0.2.7"):
            return (await self.world.session.CreateSession(request, None)).user.id

    def known_as(self, account: Account) -> str:
        """What user calls somebody."""
        return self.users.called[ids.text(ids.Kind.USER, account.id)]

    async def reserved(self) -> list[str]:
        """Handles that somebody is about to have."""
        async with self.world.database.reading() as tx:
            rows = await tx.execute(sa.select(tables.HANDLE_CHANGE.c.handle))
            return list(rows.scalars())

    async def later(self) -> None:
        """Let pass what a call lives at most, and what is unfinished be finished."""
        async with self.world.database.transaction() as tx:
            began = tables.HANDLE_CHANGE.c.attempt_time
            earlier = began - timedelta(seconds=21)
            await tx.execute(sa.update(tables.HANDLE_CHANGE).values(attempt_time=earlier))
        await self.handles.resume()


@pytest.fixture
async def stage(world: World, contract: Contract, issuer: Issuer) -> AsyncIterator[Stage]:
    users = Users()  # type: ignore[abstract]  # the other RPCs are not called
    config = scratch_config("auth")
    async with standing_in(contract, (add_UserServiceServicer_to_server, users)) as address:
        clients = Clients("auth", address, contract)
        made = Accounts(world.database, clients)
        sign_in = SignIn(world.database, issuer, made, world.factors, Tokens(config), world.cookies)
        allowance = Allowance(3, timedelta(hours=1))
        counted = Guesses(
            world.database, config, Allowances(Allowance(100, timedelta(hours=1)), login=allowance)
        )
        renaming = Handles(world.database, clients, counted)
        departures: Any = None
        handler = AccountHandler(
            world.database, world.passwords, made, sign_in, world.step_up, departures, renaming
        )
        yield Stage(world, users, made, renaming, counted, handler)
        await clients.close()


async def is_called(stage: Stage, account: Account, handle: str) -> None:
    """Both say so, and nothing is left to do."""
    assert (await stage.world.account(handle)).id == account.id
    assert stage.known_as(account) == handle
    assert await stage.reserved() == []


async def test_the_other_handle_signs_in_and_the_one_before_no_more(stage: Stage) -> None:
    ada = await stage.sign_up("ada")
    session = await stage.world.session_of(ada)
    assert (await stage.change(ada, "Countess")).handle == "countess"
    await is_called(stage, ada, "countess")
    with pytest.raises(WrongCredentials):
        await stage.sign_in("ada")
    await stage.sign_in("countess")
    await stage.sign_in("ada@example.org")
    assert session in await stage.world.lasting(ada), "sessions stay"


async def test_an_open_session_alone_changes_nothing(stage: Stage) -> None:
    ada = await stage.sign_up("ada")
    with pytest.raises(WrongCredentials):
        await stage.change(ada, "countess", "a guess at it")
    await is_called(stage, ada, "ada")
    assert stage.users.asked == 0


async def test_a_password_that_was_changed_meanwhile_changes_no_handle(stage: Stage) -> None:
    ada = await stage.sign_up("ada")
    async with stage.world.database.transaction() as tx:
        assert await accounts.set_password(tx, ada, "another")
    with pytest.raises(PasswordChanged):
        await stage.handles.change(ada, "countess")
    assert await stage.reserved() == []


async def test_asking_again_changes_nothing_more(stage: Stage) -> None:
    ada = await stage.sign_up("ada")
    for _ in range(2):
        assert (await stage.change(ada, "countess")).handle == "countess"
    await is_called(stage, ada, "countess")
    assert await stage.world.waiting() == 1, "its owner is told once"
    await asyncio.gather(*(stage.change(ada, "countess") for _ in range(4)))
    await is_called(stage, ada, "countess")


@pytest.mark.parametrize(
    "refusal",
    [TakenThere("countess"), HandleChangedLately(datetime(2026, 1, 1, tzinfo=UTC)), NobodyThere()],
    ids=["taken", "too soon", "gone"],
)
async def test_what_user_refuses_is_not_kept_for_anybody(stage: Stage, refusal: Error) -> None:
    ada = await stage.sign_up("ada")
    stage.users.refusal = refusal
    with pytest.raises(Error) as refused:
        await stage.change(ada, "countess")
    assert refused.value.reason == refusal.reason
    await is_called(stage, ada, "ada")
    await stage.sign_up("countess")


@pytest.mark.parametrize("lost", ["the request", "the answer"])
async def test_what_was_begun_is_finished_after_a_crash(stage: Stage, lost: str) -> None:
    ada, eve = await stage.sign_up("ada"), await stage.sign_up("eve")
    stage.users.refusal = Unavailable("away") if lost == "the request" else None
    stage.users.loses_answers = lost == "the answer"
    with pytest.raises(Unavailable):
        await stage.change(ada, "countess")
    assert (await stage.world.account("ada")).id == ada.id, "who is between signs in as before"
    with pytest.raises(HandleTaken):
        await stage.change(eve, "countess")
    with pytest.raises(HandleTaken):
        await stage.world.sign_up("countess")
    with pytest.raises(HandleChanging):
        await stage.change(ada, "lovelace")
    stage.users.refusal, stage.users.loses_answers = None, False
    await stage.handles.resume()
    assert await stage.reserved() == ["countess"], "while a call may live, nobody else is at it"
    await stage.later()
    await is_called(stage, ada, "countess")
    await stage.later()
    await is_called(stage, ada, "countess")


async def test_who_asks_again_after_a_crash_waits_for_nothing(stage: Stage) -> None:
    ada = await stage.sign_up("ada")
    stage.users.loses_answers = True
    with pytest.raises(Unavailable):
        await stage.change(ada, "countess")
    stage.users.loses_answers = False
    await stage.change(ada, "countess")
    await is_called(stage, ada, "countess")


async def test_what_is_refused_after_a_crash_is_given_up(stage: Stage) -> None:
    ada = await stage.sign_up("ada")
    stage.users.refusal = Unavailable("away")
    with pytest.raises(Unavailable):
        await stage.change(ada, "countess")
    stage.users.refusal = TakenThere("countess")
    await stage.later()
    await is_called(stage, ada, "ada")


async def test_a_refusal_of_before_does_not_undo_a_later_attempt(stage: Stage) -> None:
    ada = await stage.sign_up("ada")
    async with stage.world.database.transaction() as tx:
        first = await handles.reserve(tx, ada.id, "countess", datetime.now(UTC))
    async with stage.world.database.transaction() as tx:
        later = await handles.reserve(tx, ada.id, "countess", datetime.now(UTC))
        await handles.give_up(tx, first)
    assert await stage.reserved() == ["countess"]
    async with stage.world.database.transaction() as tx:
        assert await handles.carry_out(tx, later) is not None


async def test_of_two_who_want_a_handle_at_once_one_has_it(stage: Stage) -> None:
    people = [await stage.sign_up(f"person-{number}") for number in range(4)]
    made = await asyncio.gather(
        *(stage.change(one, "countess") for one in people), return_exceptions=True
    )
    assert sum(isinstance(one, user_pb2.User) for one in made) == 1
    assert {getattr(one, "reason", "") for one in made} == {"", "HANDLE_TAKEN"}
    winner = await stage.world.account("countess")
    await is_called(stage, winner, "countess")


async def test_of_a_change_and_a_sign_up_at_once_one_has_the_handle(stage: Stage) -> None:
    for number in range(5):
        ada, wanted = await stage.sign_up(f"ada-{number}"), f"countess-{number}"
        new = domain.new_account(wanted, "x@example.org", "", "x", datetime.now(UTC))
        made = await asyncio.gather(
            stage.change(ada, wanted), stage.accounts.create(new, ""), return_exceptions=True
        )
        assert sorted(type(one).__name__ for one in made)[1] == "User", made
        owner = await stage.world.account(wanted)
        await is_called(stage, owner, wanted)
        assert owner.id in (ada.id, new.id)
        assert sum(handle == wanted for handle in stage.users.called.values()) == 1


async def test_mail_is_about_the_account_under_its_other_handle(stage: Stage) -> None:
    ada = await stage.sign_up("ada")
    await stage.world.keep(MailKind.CHANGE_EMAIL, "new@example.org", "ada")
    await stage.world.keep(MailKind.PASSKEY_ADDED, ada.email, "ada")
    await stage.world.keep(MailKind.PASSKEY_ADDED, ada.email, "countess")
    await stage.change(ada, "countess")
    await stage.world.post.deliver()
    token = stage.world.tray.token("new@example.org")
    assert token, "an address that was asked for before can be verified"
    subjects = stage.world.tray.to(ada.email)
    assert sorted(subjects) == ["You have another handle", "You have another passkey"]
    assert all("@ada" not in one.get_content() for one in stage.world.tray.taken)


async def test_who_guessed_at_the_handle_before_keeps_nobody_out(stage: Stage) -> None:
    """Its owner is known from where they were; what was guessed at either is forgotten."""
    ada = await stage.sign_up("ada")
    with coming_from("192.0.2.7"):
        await stage.guesses.right(await stage.guesses.spend("ada"))
    for number in range(3):
        for login in ("ada", "countess"):
            with coming_from(f"198.51.100.{number}"):
                await stage.guesses.spend(login)
    await stage.change(ada, "countess")
    for number in range(3):
        with coming_from(f"198.51.100.{10 + number}"):
            await stage.guesses.spend("countess")
    with coming_from("198.51.100.99"), pytest.raises(Exhausted):
        await stage.guesses.spend("countess")
    with coming_from("192.0.2.7"):
        assert (await stage.guesses.spend("countess")).known
        assert not (await stage.guesses.spend("ada")).known


async def test_who_deletes_their_account_meanwhile_leaves_no_handle_behind(stage: Stage) -> None:
    ada = await stage.sign_up("ada")
    stage.users.refusal = Unavailable("away")
    with pytest.raises(Unavailable):
        await stage.change(ada, "countess")
    async with stage.world.database.transaction() as tx:
        for part in person.PARTS:
            await tx.execute(sa.delete(part.table).where(part.whose(ada.id)))
    assert await stage.reserved() == []
    await stage.later()
    assert "countess" not in await stage.world.everything_kept()


async def test_no_question_reads_a_whole_table(world: World) -> None:
    database: Database = world.database
    volume = """
        INSERT INTO account
            SELECT gen_random_uuid(), 'handle-' || n, 'mail-' || n, 'x', 'x', 'settled', now(), NULL
            FROM generate_series(1, 20000) AS n;
        INSERT INTO handle_change
            SELECT id, 'next-' || handle, now() - random() * interval '1 hour' FROM account;
        INSERT INTO mail
            SELECT gen_random_uuid(), 'passkey_added', email, handle, 1, now(),
                now() + interval '1 day', CASE WHEN random() < 0.9 THEN now() END
            FROM account;
        INSERT INTO known_source
            SELECT sha256(handle::bytea), sha256(email::bytea), now() FROM account;
        INSERT INTO guess SELECT sha256(handle::bytea), 1, now() FROM account;
        ANALYZE
    """
    async with database.transaction() as tx:
        for statement in volume.split(";"):
            await tx.execute(sa.text(statement))
        steady = (await tx.execute(sa.select(tables.ACCOUNT.c.id).limit(1))).scalar_one()
        await tx.execute(
            sa.delete(tables.HANDLE_CHANGE).where(tables.HANDLE_CHANGE.c.account_id == steady)
        )
    somebody, now = ids.new(), datetime.now(UTC)
    change = domain.HandleChange(somebody, "countess", now)
    new = domain.new_account("countess", "x@example.org", "", "x", now)
    while_a_call_lives = timedelta(seconds=3590)
    for plan in (
        await plan_of(database, lambda tx: accounts.add_account(tx, new)),
        await plan_of(database, lambda tx: handles.reserve(tx, steady, "lovelace", now)),
        await plan_of(database, lambda tx: handles.carry_out(tx, change)),
        await plan_of(database, lambda tx: handles.give_up(tx, change)),
        await plan_of(
            database, lambda tx: handles.take_abandoned(tx, while_a_call_lives, now, 100)
        ),
        await plan_of(database, lambda tx: mail.follow_handle(tx, "handle-7", "countess")),
        await plan_of(database, lambda tx: guesses.follow_login(tx, b"x", b"y")),
    ):
        assert "Seq Scan" not in plan, plan
