"""Bots: made by people, with a profile and a token, and nobody signs in as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
import uuid

from google.protobuf.empty_pb2 import Empty
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.bus import Bus
from chassis.clients import Clients
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.outbox import Outbox
from chassis.telemetry import Telemetry
from chassis.testing import plan_of, scratch_config, standing_in
from creavio.user.v1 import erasure_service_pb2, user_pb2
from creavio.user.v1.erasure_service_pb2_grpc import (
    ErasureServiceServicer,
    add_ErasureServiceServicer_to_server,
)
from creavio.user.v1.user_service_pb2_grpc import add_UserServiceServicer_to_server
from services.auth.domain import HandleTaken, new_account
from services.auth.domain.bots import (
    BOT_TOKEN_LASTS,
    MOST_BOTS,
    Bot,
    TooManyBots,
    may_have,
    new_bot,
)
from services.auth.domain.tokens import new_token
from services.auth.engine.accounts import Accounts
from services.auth.engine.bots import Bots
from services.auth.engine.departures import Departures
from services.auth.engine.guesses import Allowances, Guesses
from services.auth.engine.sessions import Revocations
from services.auth.store import accounts, bots, tokens
from tests.auth.mailing import Told
from tests.auth.test_accounts import Users
from tests.live import PASSWORD, Live, Person, refusal, signed_out
from tests.user.test_erasure import await_forgotten, mentions_of


@dataclass
class Erasures(ErasureServiceServicer):
    """Remembers whom to erase, as user does."""

    erased: list[str] = field(default_factory=list)
    away: bool = False

    async def EraseUser(
        self, request: erasure_service_pb2.EraseUserRequest, context: object
    ) -> Empty:
        if self.away:
            raise Unavailable("away")
        self.erased.append(request.user_id)
        return Empty()


@dataclass
class World:
    """auth's bots and their database, next to a user service."""

    bots: Bots
    users: Users
    departures: Departures
    erasures: Erasures
    database: Database

    async def intend(self, handle: str, *, age: float = 0.0) -> Bot:
        moment = datetime.now(UTC) - timedelta(seconds=age)
        async with self.database.transaction() as tx:
            return await bots.add_bot(tx, new_bot(OWNER, handle, "", moment))

    async def standings(self) -> dict[str, str]:
        async with self.database.reading() as tx:
            return {bot.handle: bot.standing.value for bot in await bots.bots_of(tx, OWNER)}


OWNER = ids.new()


@pytest.fixture
async def world(
    contract: Contract, scratch: Callable[[str], AbstractAsyncContextManager[Database]]
) -> AsyncIterator[World]:
    users = Users()  # type: ignore[abstract]  # the other RPCs are not called
    erasures = Erasures()
    async with (
        scratch("auth") as database,
        standing_in(
            contract,
            (add_UserServiceServicer_to_server, users),
            (add_ErasureServiceServicer_to_server, erasures),
        ) as address,
    ):
        config, clients = scratch_config("auth"), Clients("auth", address, contract)
        telemetry = Telemetry(config)
        Outbox("auth", contract, database, Bus(config, telemetry), telemetry)
        departures = Departures(
            database,
            clients,
            Revocations(database, Told().tell),
            Guesses(database, config, Allowances()),
            Accounts(database, clients),
        )
        yield World(Bots(database, clients), users, departures, erasures, database)
        await clients.close()


@pytest.mark.parametrize("lost", ["the request", "the answer"])
async def test_a_bot_left_halfway_is_finished(world: World, lost: str) -> None:
    bot = await world.intend("clock", age=60)
    world.users.away, world.users.loses_answers = lost == "the request", lost == "the answer"
    with pytest.raises(Unavailable):
        await world.bots.finish_creating(bot)
    assert await world.standings() == {"clock": "coming"}
    world.users.away = world.users.loses_answers = False
    await world.bots.resume()
    assert await world.standings() == {"clock": "settled"}
    (made,) = world.users.profiles.values()
    assert made.handle == "clock"


async def test_one_in_the_making_is_left_alone(world: World) -> None:
    await world.intend("clock", age=5)
    await world.bots.resume()
    assert await world.standings() == {"clock": "coming"}


async def test_a_handle_a_person_has_makes_no_bot(world: World) -> None:
    await world.bots.finish_creating(await world.intend("clock"))
    async with world.database.transaction() as tx:
        (first,) = await bots.bots_of(tx, OWNER)
        assert await bots.add_bot(tx, new_bot(OWNER, "CLOCK", "", datetime.now(UTC))) == first
        with pytest.raises(HandleTaken):
            await bots.add_bot(tx, new_bot(ids.new(), "clock", "", datetime.now(UTC)))
    world.users.profiles["usr_bob"] = user_pb2.User(id="usr_bob", handle="bob")
    with pytest.raises(HandleTaken):
        await world.bots.finish_creating(await world.intend("bob"))
    assert await world.standings() == {"clock": "settled"}


@pytest.mark.parametrize("crashed", [False, True])
async def test_a_bot_that_is_deleted_is_erased_whatever_crashes(
    world: World, crashed: bool
) -> None:
    bot = await world.intend("clock")
    await world.bots.finish_creating(bot)
    async with world.database.transaction() as tx:
        owner = new_account("ada", "ada@example.org", "", "hash", datetime.now(UTC))
        await accounts.add_account(tx, replace(owner, id=OWNER))
        token = new_token(OWNER, bot.id, "", [], datetime.now(UTC), BOT_TOKEN_LASTS)
        await tokens.add_token(tx, token)
    world.erasures.away = crashed
    if crashed:
        with pytest.raises(Unavailable):
            await world.departures.close_bot(bot)
    else:
        await world.departures.close_bot(bot)
    async with world.database.transaction() as tx:
        assert await bots.bot_of(tx, OWNER, bot.id) is None
        assert await tokens.tokens_of(tx, OWNER, bot.id) == []
        # Repeating its making brings it back no more than the sweeper does.
        with pytest.raises(HandleTaken):
            await bots.add_bot(tx, bot)
        await bots.settle_bot(tx, bot.id)
        assert await bots.unsettled(tx, timedelta(0), 9) == []
    world.erasures.away = False
    await world.departures.resume()
    assert set(world.erasures.erased) == {ids.text(ids.Kind.USER, bot.id)}
    assert await world.standings() == {"clock": "leaving"}


def test_there_are_so_many_and_no_more() -> None:
    may_have(MOST_BOTS)
    with pytest.raises(TooManyBots):
        may_have(MOST_BOTS + 1)


async def test_those_in_the_making_count(world: World) -> None:
    await asyncio.gather(*(world.intend(f"clock-{number}") for number in range(5)))
    assert len(await world.standings()) == 5


async def test_every_question_has_its_index(world: World) -> None:
    async with world.database.transaction() as tx:
        for number in range(300):
            bot = new_bot(ids.new(), f"bot-{number}", "", datetime.now(UTC))
            await bots.add_bot(tx, bot)
            await bots.settle_bot(tx, bot.id)
    async with world.database.transaction() as tx:
        await tx.execute(sa.text("ANALYZE bot"))
    for ask, index in (
        (lambda tx: bots.bots_of(tx, OWNER), "bot_owner"),
        (lambda tx: bots.unsettled(tx, timedelta(seconds=20), 100), "bot_unsettled"),
        (lambda tx: bots.retired(tx, 100), "bot_unsettled"),
    ):
        plan = await plan_of(world.database, ask)
        assert index in plan, plan


def make(person: Person, name: str = "clock") -> Any:
    """A bot of somebody's."""
    handle = f"{name}-{uuid.uuid4().hex[:12]}"
    return person.do("POST", "/v1/bots", json={"handle": handle, "display_name": "Clock"})


def running(person: Person, bot: Any, **more: Any) -> Person:
    """The bot, with a fresh token."""
    path = f"/v1/bots/{bot['user']['id']}:rotateToken"
    token = person.do("POST", path, json={"proof": {"password": PASSWORD}, **more})["access_token"]
    session = {"access_token": token, "user": bot["user"]}
    return Person(person.live, bot["user"]["handle"], session)


def test_a_bot_takes_part_under_a_name_of_its_own(live: Live) -> None:
    ada = live.sign_up("ada")
    bot = make(ada)
    assert bot["user"]["bot"]
    assert "token" not in bot
    clock = running(ada, bot)
    assert clock.do("GET", "/v1/users/me") == bot["user"]
    community = ada.found()["id"]
    channel = ada.open_channel(community)["id"]
    assert refusal(clock.ask("GET", f"/v1/communities/{community}")) == (404, "NOT_FOUND")
    path = f"/v1/communities/{community}/bots"
    for _ in range(2):
        ada.do("POST", path, json={"user_id": clock.id})
    with ada.listening() as stream:
        clock.send(channel, "It is noon.")
        message = stream.until("message_created")["message"]
    assert (message["content"], message["author_id"]) == ("It is noon.", clock.id)
    deeds = ada.do("GET", f"/v1/communities/{community}/audit-log")["entries"]
    assert [d["action"] for d in deeds].count("AUDIT_ACTION_BOT_ADDED") == 1
    ada.do("DELETE", f"/v1/communities/{community}/members/{clock.id}")
    assert refusal(clock.ask("GET", f"/v1/communities/{community}")) == (404, "NOT_FOUND")


def test_a_bot_is_invited_as_people_are(live: Live) -> None:
    ada = live.sign_up("ada")
    clock = running(ada, make(ada))
    community = ada.found()["id"]
    assert clock.accept(ada.invite(community))["id"] == community


def test_only_bots_are_added_without_asking(live: Live) -> None:
    ada, bob, eve = live.sign_up("ada"), live.sign_up("bob"), live.sign_up("eve")
    community = ada.found()["id"]
    path = f"/v1/communities/{community}/bots"
    assert refusal(ada.ask("POST", path, json={"user_id": bob.id})) == (404, "NOT_FOUND")
    nobody = ids.text(ids.Kind.USER, ids.new())
    assert refusal(ada.ask("POST", path, json={"user_id": nobody})) == (404, "NOT_FOUND")
    clock = make(eve)["user"]["id"]
    assert refusal(eve.ask("POST", path, json={"user_id": clock})) == (404, "NOT_FOUND")
    bob.accept(ada.invite(community))
    assert refusal(bob.ask("POST", path, json={"user_id": clock}))[0] == 403
    bans = f"/v1/communities/{community}/bans"
    ada.do("POST", bans, json={"user_id": clock})
    assert refusal(ada.ask("POST", path, json={"user_id": clock})) == (403, "BANNED")


def test_another_token_ends_the_one_before(live: Live) -> None:
    ada = live.sign_up("ada")
    bot = make(ada)
    old = running(ada, bot)
    with old.listening() as stream:
        new = running(ada, bot, scopes=["TOKEN_SCOPE_READ"], lifetime_days=3)
        assert stream.until("ended")["reason"] == "SESSION_REVOKED"
    assert signed_out(old)
    assert new.do("GET", "/v1/users/me")["id"] == bot["user"]["id"]
    (listed,) = ada.do("GET", "/v1/bots")["bots"]
    assert listed["token"]["scopes"] == ["TOKEN_SCOPE_READ"]
    body = {"proof": {"password": "guessed"}}
    path = f"/v1/bots/{bot['user']['id']}:rotateToken"
    assert refusal(ada.ask("POST", path, json=body)) == (401, "WRONG_CREDENTIALS")


def test_nobody_signs_in_as_a_bot_and_none_touches_credentials(live: Live) -> None:
    ada = live.sign_up("ada")
    bot = make(ada)
    clock = running(ada, bot)
    with live.client() as client:
        body = {"login": bot["user"]["handle"], "password": PASSWORD}
        assert client.post("/v1/sessions", json=body).status_code == 401
        # The handle is taken for people, too.
        body = {"handle": bot["user"]["handle"], "email": "a@example.org", "password": PASSWORD}
        assert refusal(client.post("/v1/accounts", json=body)) == (409, "HANDLE_TAKEN")
    for verb, path in (("GET", "/v1/bots"), ("GET", "/v1/tokens"), ("POST", "/v1/bots")):
        reply = clock.ask(verb, path, json=None if verb == "GET" else {})
        assert refusal(reply) == (403, "SIGN_IN_REQUIRED")


def test_an_owner_renames_and_deletes_their_own_and_nobody_elses(live: Live) -> None:
    ada, eve = live.sign_up("ada"), live.sign_up("eve")
    bot = make(ada)
    path = f"/v1/bots/{bot['user']['id']}"
    clock = running(ada, bot)
    renamed = ada.do("PATCH", path, json={"display_name": "Big Clock"})
    assert clock.do("GET", "/v1/users/me") == renamed["user"]
    assert renamed["user"]["display_name"] == "Big Clock"
    refused = eve.ask("PATCH", path, json={"display_name": "Mine"})
    assert refusal(refused) == (404, "NOT_FOUND")
    body = {"proof": {"password": PASSWORD}}
    assert refusal(eve.ask("POST", f"{path}:rotateToken", json=body)) == (404, "NOT_FOUND")
    eve.do("DELETE", path)
    assert clock.do("GET", "/v1/users/me")["id"] == clock.id
    assert refusal(ada.ask("PATCH", f"/v1/bots/{ada.id}", json={})) == (404, "NOT_FOUND")
    for _ in range(2):
        ada.do("DELETE", path)
    assert signed_out(clock)
    assert ada.do("GET", "/v1/bots")["bots"] == []


def test_a_bot_that_is_deleted_is_forgotten_everywhere(live: Live) -> None:
    ada = live.sign_up("ada")
    bot = make(ada)
    clock = running(ada, bot)
    community = ada.found()["id"]
    channel = ada.open_channel(community)["id"]
    ada.do("POST", f"/v1/communities/{community}/bots", json={"user_id": clock.id})
    clock.send(channel, "It is noon.")
    ada.do("DELETE", f"/v1/bots/{clock.id}")
    await_forgotten(live, clock.id)
    whose = str(ids.parse(ids.Kind.USER, clock.id, field="user_id"))
    assert not {"auth.bot", "community.member", "rbac.binding"} & {*mentions_of(live, whose)}
    assert mentions_of(live, clock.handle) == []
    assert ada.messages(channel) == []
    assert ada.do("GET", "/v1/users:batchGet", params={"user_ids": clock.id})["users"] == []
    again = ada.ask("POST", "/v1/bots", json={"handle": bot["user"]["handle"]})
    assert refusal(again) == (409, "HANDLE_TAKEN")


def test_a_bot_that_owns_what_others_belong_to_hands_it_over_first(live: Live) -> None:
    ada = live.sign_up("ada")
    clock = running(ada, make(ada))
    community = clock.found()["id"]
    ada.accept(clock.invite(community))
    assert refusal(ada.ask("DELETE", f"/v1/bots/{clock.id}")) == (400, "OWNS_COMMUNITIES")
    assert clock.do("GET", "/v1/users/me")["id"] == clock.id
    clock.do("POST", f"/v1/communities/{community}:transfer", json={"user_id": ada.id})
    ada.do("DELETE", f"/v1/bots/{clock.id}")
    assert ada.do("GET", f"/v1/communities/{community}")["owner_id"] == ada.id
