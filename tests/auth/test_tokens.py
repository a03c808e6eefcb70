"""Tokens that programs call with, for whoever made them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.database import Database
from chassis.errors import Error
from chassis.testing import eventually, plan_of
from creavio.auth.v1 import auth_events_pb2, proof_pb2, token_pb2, token_service_pb2
from services.auth.domain.tokens import MOST_TOKENS, Scope, Token, new_token
from services.auth.engine.credentials import Issuer
from services.auth.handler.tokens import TokenHandler
from services.auth.store import tables, tokens
from tests.auth.mailing import PASSWORD, World
from tests.live import PASSWORD as LIVE_PASSWORD
from tests.live import Live, Person, refusal, signed_out

BOTH = [token_pb2.TOKEN_SCOPE_READ, token_pb2.TOKEN_SCOPE_WRITE]


@pytest.fixture
def handler(world: World, issuer: Issuer) -> TokenHandler:
    return TokenHandler(world.database, world.step_up, issuer, world.revocations)


def wanted(**more: Any) -> token_service_pb2.CreateTokenRequest:
    return token_service_pb2.CreateTokenRequest(
        **{"name": "backup", "scopes": BOTH, "proof": proof_pb2.Proof(password=PASSWORD), **more}
    )


async def listed(handler: TokenHandler) -> list[token_pb2.Token]:
    reply = await handler.ListTokens(token_service_pb2.ListTokensRequest(), None)
    return list(reply.tokens)


async def test_a_token_is_listed_until_it_is_revoked(world: World, handler: TokenHandler) -> None:
    ada = await world.sign_up("ada")
    with world.calling(ada, await world.session_of(ada)):
        made = await handler.CreateToken(wanted(lifetime_days=7), None)
        assert await listed(handler) == [made.token]
        assert (made.token.name, list(made.token.scopes)) == ("backup", BOTH)
        lasts = made.token.expire_time.ToDatetime() - made.token.create_time.ToDatetime()
        assert abs(lasts - timedelta(days=7)) < timedelta(seconds=2)
        request = token_service_pb2.RevokeTokenRequest(token_id=made.token.id)
        for _ in range(2):
            await handler.RevokeToken(request, None)
        assert await listed(handler) == []
    (told,) = world.told.events
    assert isinstance(told, auth_events_pb2.SessionRevoked)
    assert told.session_id == made.token.id.replace("tok_", "ses_")
    # Kept for as long as the token would have been good.
    assert told.expire_time.seconds == made.token.expire_time.seconds


async def test_the_secret_is_kept_nowhere(world: World, handler: TokenHandler) -> None:
    ada = await world.sign_up("ada")
    with world.calling(ada, await world.session_of(ada)):
        made = await handler.CreateToken(wanted(), None)
    assert made.access_token not in await world.everything_kept()
    assert made.access_token.split(".")[2] not in await world.everything_kept()


async def test_nobody_sees_or_ends_anothers(world: World, handler: TokenHandler) -> None:
    ada, eve = await world.sign_up("ada"), await world.sign_up("eve")
    with world.calling(ada, await world.session_of(ada)):
        made = await handler.CreateToken(wanted(), None)
    with world.calling(eve, await world.session_of(eve)):
        assert await listed(handler) == []
        await handler.RevokeToken(
            token_service_pb2.RevokeTokenRequest(token_id=made.token.id), None
        )
    with world.calling(ada, await world.session_of(ada)):
        assert await listed(handler) == [made.token]


async def test_an_open_session_alone_makes_none(world: World, handler: TokenHandler) -> None:
    ada = await world.sign_up("ada")
    with world.calling(ada, await world.session_of(ada)):
        with pytest.raises(Error) as refused:
            await handler.CreateToken(wanted(proof=proof_pb2.Proof(password="guessed")), None)
        assert refused.value.reason == "WRONG_CREDENTIALS"
        assert await listed(handler) == []


async def test_another_password_ends_them(world: World, handler: TokenHandler) -> None:
    ada = await world.sign_up("ada")
    session = await world.session_of(ada)
    with world.calling(ada, session):
        made = await handler.CreateToken(wanted(), None)
        await world.change_password("another horse")
        assert await listed(handler) == []
    told = [one for one in world.told.events if isinstance(one, auth_events_pb2.SessionRevoked)]
    assert made.token.id.replace("tok_", "ses_") in {one.session_id for one in told}


async def test_another_password_leaves_a_bots(world: World, handler: TokenHandler) -> None:
    ada = await world.sign_up("ada")
    bot = new_token(ada.id, ids.new(), "clock", [Scope.READ], datetime.now(UTC), timedelta(days=1))
    async with world.database.transaction() as tx:
        await tokens.add_token(tx, bot)
    with world.calling(ada, await world.session_of(ada)):
        await world.change_password("another horse")
    async with world.database.reading() as tx:
        assert [one.id for one in await tokens.tokens_of(tx, ada.id, bot.user_id)] == [bot.id]


async def test_the_owner_is_told_of_each_that_comes_and_goes(
    world: World, handler: TokenHandler
) -> None:
    ada = await world.sign_up("ada")
    with world.calling(ada, await world.session_of(ada)):
        made = await handler.CreateToken(wanted(), None)
        request = token_service_pb2.RevokeTokenRequest(token_id=made.token.id)
        for _ in range(2):
            await handler.RevokeToken(request, None)
            await world.post.deliver()
    assert sorted(world.tray.to(ada.email)) == ["A token was revoked", "You have another token"]


async def test_there_are_so_many_and_no_more(world: World, handler: TokenHandler) -> None:
    ada = await world.sign_up("ada")
    now = datetime.now(UTC)
    async with world.database.transaction() as tx:
        for _ in range(MOST_TOKENS - 1):
            await tokens.add_token(tx, new_token(ada.id, ada.id, "x", [Scope.READ], now))
        over = replace(
            new_token(ada.id, ada.id, "x", [Scope.READ], now), expire_time=now - timedelta(days=1)
        )
        await tokens.add_token(tx, over)

    async def make() -> str:
        try:
            await handler.CreateToken(wanted(), None)
        except Error as error:
            return error.reason
        return ""

    with world.calling(ada, await world.session_of(ada)):
        assert sorted(await asyncio.gather(make(), make())) == ["", "LIMIT_REACHED"]


@dataclass
class Kept:
    """A database with some tokens in it."""

    database: Database
    token: Token


@pytest.fixture
async def kept(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Kept]:
    async with scratch("auth") as database:
        async with database.transaction() as tx:
            await tx.execute(sa.text("ALTER TABLE token DROP CONSTRAINT token_owner_id_fkey"))
            for _ in range(300):
                mine = new_token(ids.new(), ids.new(), "x", [Scope.READ], datetime.now(UTC))
                await tokens.add_token(tx, mine)
        async with database.transaction() as tx:
            await tx.execute(sa.text("ANALYZE token"))
        yield Kept(database, mine)


async def test_every_question_has_its_index(kept: Kept) -> None:
    owner, user = kept.token.owner_id, kept.token.user_id
    for ask, index in (
        (lambda tx: tokens.tokens_of(tx, owner, user), "token_"),
        (lambda tx: tokens.end_tokens(tx, owner, user), "token_"),
        (lambda tx: tokens.forget_expired(tx), "token_expiry"),
        (lambda tx: tokens.used(tx, kept.token.id, date.today()), "token_pkey"),
    ):
        plan = await plan_of(kept.database, ask)
        assert index in plan, plan
        assert "Seq Scan on token" not in plan, plan


async def test_the_last_day_of_use_never_goes_back(kept: Kept) -> None:
    for day in (date(2026, 5, 2), date(2026, 5, 1)):
        async with kept.database.transaction() as tx:
            await tokens.used(tx, kept.token.id, day)
    async with kept.database.reading() as tx:
        (found,) = await tokens.tokens_of(tx, kept.token.owner_id, kept.token.user_id)
    assert found == replace(kept.token, last_use_date=date(2026, 5, 2))


async def test_what_is_over_is_forgotten(kept: Kept) -> None:
    async with kept.database.transaction() as tx:
        changed = tables.TOKEN.c.id == kept.token.id
        past = sa.func.now() - sa.text("interval '1 second'")
        await tx.execute(sa.update(tables.TOKEN).where(changed).values(expire_time=past))
        assert list(await tokens.tokens_of(tx, kept.token.owner_id, kept.token.user_id)) == []
        await tokens.forget_expired(tx)
        left = await tx.execute(sa.select(sa.func.count()).select_from(tables.TOKEN))
        assert left.scalar_one() == 299


def program(person: Person, *scopes: str) -> tuple[str, Person]:
    """A token of somebody's, and a program that calls with it."""
    body = {"name": "script", "scopes": scopes, "proof": {"password": LIVE_PASSWORD}}
    made = person.do("POST", "/v1/tokens", json=body)
    session = {**person.session, "access_token": made["access_token"]}
    return made["token"]["id"], Person(person.live, person.handle, session)


def test_a_program_reads_and_writes_within_its_scopes(live: Live) -> None:
    ada = live.sign_up("ada")
    _, reader = program(ada, "TOKEN_SCOPE_READ")
    _, both = program(ada, "TOKEN_SCOPE_READ", "TOKEN_SCOPE_WRITE")
    assert reader.do("GET", "/v1/users/me")["id"] == ada.id
    named = {"name": "A table"}
    refused = reader.ask("POST", "/v1/communities", json=named)
    assert refusal(refused) == (403, "INSUFFICIENT_SCOPE")
    channel = both.open_channel(both.found()["id"])["id"]
    with reader.listening() as stream:
        both.send(channel, "by a program")
        assert stream.until("message_created")["message"]["content"] == "by a program"
    for token in (reader, both):
        for verb, path in (
            ("GET", "/v1/tokens"),
            ("GET", "/v1/sessions"),
            ("GET", "/v1/email"),
            ("DELETE", "/v1/sessions/current"),
            ("POST", "/v1/tokens"),
            ("POST", "/v1/password:change"),
            ("GET", "/v1/instance/administrators"),
        ):
            reply = token.ask(verb, path, json=None if verb == "GET" else {})
            assert refusal(reply) == (403, "SIGN_IN_REQUIRED"), path


async def test_the_owner_sees_that_a_token_is_used(live: Live) -> None:
    ada = live.sign_up("ada")
    token_id, reader = program(ada, "TOKEN_SCOPE_READ")
    assert ada.do("GET", "/v1/tokens")["tokens"][0]["last_use_date"] == ""
    reader.do("GET", "/v1/users/me")

    async def seen() -> None:
        (token,) = ada.do("GET", "/v1/tokens")["tokens"]
        assert (token["id"], bool(token["last_use_date"])) == (token_id, True)

    await eventually(seen, within=15)


def test_a_revoked_token_is_refused_everywhere_and_its_stream_ends(live: Live) -> None:
    ada = live.sign_up("ada")
    token_id, reader = program(ada, "TOKEN_SCOPE_READ")
    community = ada.found()["id"]
    with reader.listening() as stream:
        ada.do("DELETE", f"/v1/tokens/{token_id}")
        assert stream.until("ended")["reason"] == "SESSION_REVOKED"
    assert signed_out(reader, "/v1/users/me", f"/v1/communities/{community}", "/v1/conversations")
    assert ada.do("GET", "/v1/users/me")["id"] == ada.id
