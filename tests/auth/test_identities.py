"""Signing in with an account somewhere else: only who it is, and only where they linked it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.clients import Clients
from chassis.contract import Contract
from chassis.errors import Error, Unavailable
from chassis.testing import plan_of, scratch_config, standing_in
from chassis.tokens import Tokens
from creavio.auth.v1 import identity_service_pb2 as wire
from creavio.auth.v1 import proof_pb2
from creavio.user.v1 import user_pb2
from creavio.user.v1.user_service_pb2_grpc import add_UserServiceServicer_to_server
from services.auth.domain import Account, HandleTaken
from services.auth.domain.identities import InvalidProviderAnswer, ProviderNotFound
from services.auth.domain.registration import Mode, Registration, RegistrationClosed
from services.auth.engine.accounts import Accounts
from services.auth.engine.providers import Providers, may_be_asked
from services.auth.handler.identities import IdentityHandler
from services.auth.store import identities, registration, tables
from tests.auth import provider as providers
from tests.auth.mailing import PASSWORD, PUBLIC, World
from tests.auth.provider import CLIENT, Provider, named
from tests.auth.test_accounts import Users
from tests.auth.test_second_factor import enrolled

PROOF = proof_pb2.Proof(password=PASSWORD)


@pytest.fixture
def users() -> Users:
    return Users()  # type: ignore[abstract]  # the other RPCs are not called


@pytest.fixture
async def made(world: World, users: Users, contract: Contract) -> AsyncIterator[Accounts]:
    async with standing_in(contract, (add_UserServiceServicer_to_server, users)) as address:
        clients = Clients("auth", address, contract)
        yield Accounts(world.database, clients)
        await clients.close()


@pytest.fixture
def handler(world: World, provider: Provider, made: Accounts) -> IdentityHandler:
    config = scratch_config("auth")
    known = Providers(config, Tokens(config), (named(provider),), PUBLIC)
    return IdentityHandler(
        world.database, known, made, world.passwords, world.sign_in, world.step_up
    )


async def begin(handler: IdentityHandler, provider_id: str = "corp") -> wire.ProviderRedirect:
    request = wire.BeginProviderSignInRequest(provider_id=provider_id)
    return await handler.BeginProviderSignIn(request, None)


async def come_back(
    handler: IdentityHandler, token: str, said: dict[str, str]
) -> wire.CreateSessionByProviderResponse:
    request = wire.CreateSessionByProviderRequest(state_token=token, **said)
    return await handler.CreateSessionByProvider(request, None)


async def sign_in(
    handler: IdentityHandler, provider: Provider, subject: str = "ada-there"
) -> wire.CreateSessionByProviderResponse:
    sent = await begin(handler)
    said = provider.authorize(sent.authorization_url, subject)
    return await come_back(handler, sent.state_token, said)


async def link(
    world: World,
    handler: IdentityHandler,
    provider: Provider,
    account: Account,
    subject: str = "ada-there",
) -> wire.Identity:
    with world.calling(account, ids.new()):
        sent = await handler.BeginIdentity(
            wire.BeginIdentityRequest(provider_id="corp", proof=PROOF), None
        )
        said = provider.authorize(sent.authorization_url, subject)
        return await handler.LinkIdentity(
            wire.LinkIdentityRequest(state_token=sent.state_token, **said), None
        )


async def test_an_identity_signs_in_whose_owner_linked_it(
    world: World, handler: IdentityHandler, provider: Provider
) -> None:
    ada = await world.sign_up("ada")
    await link(world, handler, provider, ada)
    for _ in range(2):
        assert (await sign_in(handler, provider)).session.access_token
    assert len(await world.lasting(ada)) == 2
    with world.calling(ada, ids.new()):
        listed = await handler.ListIdentities(wire.ListIdentitiesRequest(), None)
        assert [one.provider_id for one in listed.identities] == ["corp"]
        wrong = wire.UnlinkIdentityRequest(
            provider_id="corp", proof=proof_pb2.Proof(password="guessed")
        )
        with pytest.raises(Error):
            await handler.UnlinkIdentity(wrong, None)
        for _ in range(2):
            await handler.UnlinkIdentity(
                wire.UnlinkIdentityRequest(provider_id="corp", proof=PROOF), None
            )
    assert (await sign_in(handler, provider)).sign_up_token
    await world.post.deliver()
    assert sorted(world.tray.to(ada.email)) == [
        "An account somewhere else was unlinked",
        "You can sign in from somewhere else",
    ]


async def test_another_password_leaves_them(
    world: World, handler: IdentityHandler, provider: Provider
) -> None:
    ada = await world.sign_up("ada")
    await link(world, handler, provider, ada)
    with world.calling(ada, await world.session_of(ada)):
        await world.change_password("another horse")
    assert (await sign_in(handler, provider)).session.access_token


async def test_a_second_factor_is_asked_for_all_the_same(
    world: World, handler: IdentityHandler, provider: Provider
) -> None:
    ada = await world.sign_up("ada")
    await link(world, handler, provider, ada)
    await enrolled(world, ada)
    session = (await sign_in(handler, provider)).session
    assert (bool(session.challenge_token), session.access_token) == (True, "")


@pytest.mark.parametrize("verified", [True, False, None])
async def test_an_address_links_nothing(
    world: World, handler: IdentityHandler, provider: Provider, verified: bool | None
) -> None:
    ada = await world.sign_up("ada")
    provider.claims = {"email": ada.email, "email_verified": verified}
    reply = await sign_in(handler, provider, "eve-there")
    assert not reply.HasField("session")
    assert await world.lasting(ada) == set()


async def test_whoever_is_linked_to_nobody_signs_up_once(
    world: World, handler: IdentityHandler, provider: Provider
) -> None:
    request = await signing_up(handler, provider)
    async with world.database.transaction() as tx:
        await registration.save(tx, Registration(Mode.CLOSED))
    with pytest.raises(RegistrationClosed):
        await handler.CreateAccountByProvider(request, None)
    async with world.database.transaction() as tx:
        await registration.save(tx, Registration(Mode.OPEN))
    assert (await handler.CreateAccountByProvider(request, None)).access_token
    ada = await world.account("ada")
    assert ada.verified_email is None
    assert (await sign_in(handler, provider)).session.access_token
    request.handle = "ada-again"
    with pytest.raises(InvalidProviderAnswer):
        await handler.CreateAccountByProvider(request, None)
    request.sign_up_token = (await begin(handler)).state_token
    with pytest.raises(InvalidProviderAnswer):
        await handler.CreateAccountByProvider(request, None)


async def signing_up(
    handler: IdentityHandler, provider: Provider
) -> wire.CreateAccountByProviderRequest:
    """Come back as somebody who is linked to nobody."""
    token = (await sign_in(handler, provider)).sign_up_token
    return wire.CreateAccountByProviderRequest(
        sign_up_token=token, handle="ada", email="ada@example.org"
    )


@pytest.mark.parametrize("lost", ["the request", "the answer"])
async def test_a_crash_leaves_no_account_without_its_link(
    world: World,
    handler: IdentityHandler,
    provider: Provider,
    made: Accounts,
    users: Users,
    lost: str,
) -> None:
    request = await signing_up(handler, provider)
    users.away, users.loses_answers = lost == "the request", lost == "the answer"
    with pytest.raises(Unavailable):
        await handler.CreateAccountByProvider(request, None)
    users.away = users.loses_answers = False
    # Whoever repeats it meanwhile, under whatever handle, makes no second account.
    request.handle = "ada-again"
    with pytest.raises(InvalidProviderAnswer):
        await handler.CreateAccountByProvider(request, None)
    async with world.database.transaction() as tx:
        long_ago = tables.ACCOUNT.c.create_time - timedelta(minutes=1)
        await tx.execute(sa.update(tables.ACCOUNT).values(create_time=long_ago))
    await made.resume()
    assert (await sign_in(handler, provider)).session.access_token
    assert [user.handle for user in users.profiles.values()] == ["ada"]


async def test_of_sign_ups_that_race_one_is_an_account(
    world: World, handler: IdentityHandler, provider: Provider, users: Users
) -> None:
    request = await signing_up(handler, provider)
    asked = []
    for number in range(4):
        one = wire.CreateAccountByProviderRequest()
        one.CopyFrom(request)
        one.handle = f"ada-{number}"
        asked.append(handler.CreateAccountByProvider(one, None))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(one, InvalidProviderAnswer) for one in answers) == 3
    assert len(users.profiles) == 1
    async with world.database.reading() as tx:
        assert len((await tx.execute(sa.select(tables.ACCOUNT.c.id))).all()) == 1


async def test_a_handle_that_is_taken_links_nothing(
    handler: IdentityHandler, provider: Provider, users: Users
) -> None:
    users.profiles["usr_eve"] = user_pb2.User(id="usr_eve", handle="ada")
    request = await signing_up(handler, provider)
    with pytest.raises(HandleTaken):
        await handler.CreateAccountByProvider(request, None)
    assert (await sign_in(handler, provider)).sign_up_token
    request.handle = "ada-there"
    assert (await handler.CreateAccountByProvider(request, None)).access_token


async def test_a_subject_is_somebody_at_its_issuer_and_nobody_elsewhere(
    world: World, handler: IdentityHandler, provider: Provider, made: Accounts
) -> None:
    await link(world, handler, provider, await world.sign_up("ada"))
    config = scratch_config("auth")
    with providers.running() as other:
        for settings, known in ((named(other), False), (named(provider, id="renamed"), True)):
            instead = IdentityHandler(
                world.database,
                Providers(config, Tokens(config), (settings,), PUBLIC),
                made,
                world.passwords,
                world.sign_in,
                world.step_up,
            )
            sent = await begin(instead, settings.id)
            there = provider if known else other
            said = there.authorize(sent.authorization_url, "ada-there")
            reply = await come_back(instead, sent.state_token, said)
            assert reply.HasField("session") == known


async def test_an_identity_is_one_accounts(
    world: World, handler: IdentityHandler, provider: Provider
) -> None:
    ada, eve = await world.sign_up("ada"), await world.sign_up("eve")
    await link(world, handler, provider, ada)
    with pytest.raises(InvalidProviderAnswer):
        await link(world, handler, provider, eve)
    with pytest.raises(InvalidProviderAnswer):
        await link(world, handler, provider, ada, "another-there")
    await link(world, handler, provider, ada)


LIES: list[dict[str, Any]] = [
    {"iss": "https://evil.example"},
    {"aud": "another-app"},
    {"aud": ["another-app"]},
    {"aud": [CLIENT, "another-app"]},
    {"azp": "another-app"},
    {"nonce": "another"},
    {"nonce": None},
    {"exp": 1_000_000_000},
    {"exp": None},
    {"iat": 4_000_000_000},
    {"iat": None},
    {"sub": None},
    {"sub": ""},
    {"sub": 7},
    {"sub": "a\0b"},
    {"sub": "x" * 256},
]


@pytest.mark.parametrize("claims", LIES, ids=str)
async def test_a_token_that_is_not_this_answer_is_refused(
    handler: IdentityHandler, provider: Provider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    with pytest.raises(InvalidProviderAnswer):
        await sign_in(handler, provider)


@pytest.mark.parametrize("forge", ["none", "shared", "stranger"])
async def test_a_token_the_provider_did_not_sign_is_refused(
    handler: IdentityHandler, provider: Provider, forge: str
) -> None:
    provider.forge = forge
    with pytest.raises(InvalidProviderAnswer):
        await sign_in(handler, provider)


async def test_a_key_that_is_newer_is_fetched(handler: IdentityHandler, provider: Provider) -> None:
    await sign_in(handler, provider)
    provider.key = type(provider.key).generate_key("P-256", {"kid": "1"})
    assert (await sign_in(handler, provider)).sign_up_token


async def test_an_answer_is_good_once_in_the_browser_that_asked(
    world: World, handler: IdentityHandler, provider: Provider
) -> None:
    ada = await world.sign_up("ada")
    mine, other = await begin(handler), await begin(handler)
    said = provider.authorize(mine.authorization_url, "ada-there")
    for token, wrong in (
        (other.state_token, said),
        (mine.state_token, {**said, "state": "guessed"}),
        (mine.state_token, {**said, "state": ""}),
        (mine.state_token, {**said, "iss": "https://evil.example"}),
        ("forged", said),
        (mine.state_token, {**said, "code": "unknown"}),
    ):
        with pytest.raises(InvalidProviderAnswer):
            await come_back(handler, token, wrong)
    # A code that was sent to another of its own browsers does not fit the verifier.
    swapped = {**said, "state": provider.authorize(other.authorization_url, "x")["state"]}
    with pytest.raises(InvalidProviderAnswer):
        await come_back(handler, other.state_token, swapped)
    sent = await begin(handler)
    said = provider.authorize(sent.authorization_url, "ada-there")
    linking = wire.LinkIdentityRequest(state_token=sent.state_token, **said)
    with world.calling(ada, ids.new()), pytest.raises(InvalidProviderAnswer):
        await handler.LinkIdentity(linking, None)
    await come_back(handler, sent.state_token, said)
    again = {**said, **provider.authorize(sent.authorization_url, "ada-there")}
    with pytest.raises(InvalidProviderAnswer):
        await come_back(handler, sent.state_token, again)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://169.254.169.254/latest"},
        {"jwks_uri": "http://10.0.0.1/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"token_endpoint": "https://me@evil.example/"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": None},
    ],
    ids=str,
)
async def test_no_address_is_asked_but_over_tls(
    handler: IdentityHandler, provider: Provider, metadata: dict[str, Any]
) -> None:
    provider.metadata = metadata
    with pytest.raises(Unavailable):
        await begin(handler)
    assert provider.asked == ["/.well-known/openid-configuration"]


async def test_nothing_is_followed_and_nothing_large_or_deep_is_read(
    handler: IdentityHandler, provider: Provider
) -> None:
    for path in ("/moved", "/large", "/deep"):
        provider.metadata = {"jwks_uri": f"{provider.url}{path}"}
        with pytest.raises(Unavailable):
            await begin(handler)
    assert "/keys" not in provider.asked


async def test_only_who_is_named_is_asked(handler: IdentityHandler, provider: Provider) -> None:
    with pytest.raises(ProviderNotFound):
        await handler.BeginProviderSignIn(
            wire.BeginProviderSignInRequest(provider_id="other"), None
        )
    assert provider.asked == []
    listed = await handler.ListProviders(wire.ListProvidersRequest(), None)
    assert [(one.id, one.name) for one in listed.providers] == [("corp", "Corp")]


def test_a_provider_is_named_by_an_address_over_tls(provider: Provider) -> None:
    for issuer in ("http://id.example.org", "ftp://id.example.org", "id.example.org", ""):
        with pytest.raises(ValidationError):
            named(provider, issuer=issuer)
    assert may_be_asked("https://id.example.org/realm")
    assert not may_be_asked("https://")
    assert not may_be_asked("http://[")


async def test_every_question_has_its_index(world: World) -> None:
    async with world.database.transaction() as tx:
        # Of so few rows none would be looked up by an index, if there was another way.
        await tx.execute(sa.text("SET enable_seqscan = off"))
    for ask in (
        lambda tx: identities.identity_of(tx, "https://id.example.org", "x"),
        lambda tx: identities.identities_of(tx, ids.new()),
        lambda tx: identities.unlink(tx, ids.new(), "corp"),
    ):
        plan = await plan_of(world.database, ask)
        assert "Seq Scan" not in plan, plan
