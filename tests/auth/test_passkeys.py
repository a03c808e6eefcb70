"""Passkeys: registered with a proof, good at one site, once a challenge, for two factors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
import json
from typing import Any

import httpx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.database import Transaction
from chassis.testing import plan_of, scratch_config
from chassis.tokens import Tokens
from creavio.auth.v1 import (
    passkey_pb2,
    passkey_service_pb2,
    proof_pb2,
    session_pb2,
    token_pb2,
    token_service_pb2,
)
from services.auth.domain import Account
from services.auth.domain.passkeys import (
    MOST_PASSKEYS,
    InvalidPasskey,
    Passkey,
    PasskeyNotFound,
    TooManyPasskeys,
)
from services.auth.engine.credentials import Issuer
from services.auth.engine.passkeys import Passkeys
from services.auth.handler.passkeys import PasskeyHandler
from services.auth.handler.tokens import TokenHandler
from services.auth.store import passkeys
from tests.auth.authenticator import Authenticator
from tests.auth.mailing import PASSWORD, PUBLIC, World
from tests.auth.test_second_factor import enrolled
from tests.live import PASSWORD as LIVE_PASSWORD
from tests.live import Live, refusal

SITE = "talk.example.org"
PROOF = proof_pb2.Proof(password=PASSWORD)


def device(**lies: Any) -> Authenticator:
    return Authenticator(**{"origin": PUBLIC, "site": SITE, **lies})


@pytest.fixture
def handler(world: World) -> PasskeyHandler:
    browsers = Passkeys(Tokens(scratch_config("auth")), PUBLIC)
    return PasskeyHandler(world.database, world.step_up, browsers, world.sign_in)


async def begin(handler: PasskeyHandler) -> passkey_pb2.PasskeyOptions:
    return await handler.BeginPasskey(passkey_service_pb2.BeginPasskeyRequest(proof=PROOF), None)


async def register(
    world: World, handler: PasskeyHandler, account: Account, device: Authenticator
) -> passkey_pb2.Passkey:
    with world.calling(account, ids.new()):
        asked = await begin(handler)
        return await finish(handler, asked, device.register(asked.options))


async def finish(
    handler: PasskeyHandler, asked: passkey_pb2.PasskeyOptions, answer: str
) -> passkey_pb2.Passkey:
    request = passkey_service_pb2.RegisterPasskeyRequest(
        challenge_token=asked.challenge_token, credential=answer, name="Phone"
    )
    return await handler.RegisterPasskey(request, None)


async def challenge(handler: PasskeyHandler) -> passkey_pb2.PasskeyOptions:
    return await handler.BeginPasskeySignIn(passkey_service_pb2.BeginPasskeySignInRequest(), None)


async def show(
    handler: PasskeyHandler, asked: passkey_pb2.PasskeyOptions, answer: str
) -> session_pb2.Session:
    request = passkey_service_pb2.CreateSessionByPasskeyRequest(
        challenge_token=asked.challenge_token, credential=answer
    )
    return await handler.CreateSessionByPasskey(request, None)


async def sign_in(handler: PasskeyHandler, device: Authenticator) -> session_pb2.Session:
    asked = await challenge(handler)
    return await show(handler, asked, device.sign_in(asked.options))


async def test_a_passkey_signs_in_whose_it_is(world: World, handler: PasskeyHandler) -> None:
    ada = await world.sign_up("ada")
    phone = device()
    made = await register(world, handler, ada, phone)
    assert (made.name, made.synced, made.HasField("last_use_time")) == ("Phone", False, False)
    for _ in range(2):
        assert (await sign_in(handler, phone)).access_token
    assert len(await world.lasting(ada)) == 2
    with world.calling(ada, ids.new()):
        (listed,) = (
            await handler.ListPasskeys(passkey_service_pb2.ListPasskeysRequest(), None)
        ).passkeys
    assert listed.HasField("last_use_time")


async def test_it_stands_for_both_factors(world: World, handler: PasskeyHandler) -> None:
    ada = await world.sign_up("ada")
    phone = device()
    await register(world, handler, ada, phone)
    await enrolled(world, ada)
    begun = await world.sign_in.begin(ada)
    assert begun.challenge_token
    begun = await sign_in(handler, phone)
    assert begun.access_token
    assert not begun.challenge_token


@pytest.mark.parametrize(
    "lies",
    [
        {"origin": "https://talk.example.org.evil.example"},
        {"origin": "http://talk.example.org"},
        {"origin": "https://talk.example.org:8443"},
        {"site": "evil.example"},
        {"site": "example.org"},
        {"verifies": False},
    ],
)
async def test_what_was_not_made_here_by_somebody_verified_is_refused(
    world: World, handler: PasskeyHandler, lies: dict[str, Any]
) -> None:
    ada = await world.sign_up("ada")
    with pytest.raises(InvalidPasskey):
        await register(world, handler, ada, device(**lies))
    phone = device()
    await register(world, handler, ada, phone)
    for name, value in lies.items():
        setattr(phone, name, value)
    with pytest.raises(InvalidPasskey):
        await sign_in(handler, phone)
    assert await world.lasting(ada) == set()


async def test_a_challenge_is_good_once_for_one_thing(
    world: World, handler: PasskeyHandler
) -> None:
    ada, eve = await world.sign_up("ada"), await world.sign_up("eve")
    phone = device()
    with world.calling(ada, ids.new()):
        asked = await begin(handler)
        answer = phone.register(asked.options)
    with world.calling(eve, ids.new()), pytest.raises(InvalidPasskey):
        await finish(handler, asked, answer)
    with world.calling(ada, ids.new()):
        await finish(handler, asked, answer)
        with pytest.raises(InvalidPasskey):
            await finish(handler, asked, answer)
    first, second = await challenge(handler), await challenge(handler)
    answer = phone.sign_in(first.options)
    with pytest.raises(InvalidPasskey):
        await show(handler, second, answer)
    await show(handler, first, answer)
    phone.counts = False
    with pytest.raises(InvalidPasskey):
        await show(handler, first, answer)
    with pytest.raises(InvalidPasskey):
        await show(handler, asked, phone.sign_in(asked.options))


async def test_a_challenge_ends_after_five_minutes(
    world: World, handler: PasskeyHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await world.sign_up("ada")
    phone = device()
    await register(world, handler, ada, phone)
    monkeypatch.setattr("services.auth.engine.passkeys.CHALLENGE_LASTS", timedelta(seconds=-1))
    with pytest.raises(InvalidPasskey):
        await sign_in(handler, phone)


async def test_a_copy_that_counts_behind_is_refused(world: World, handler: PasskeyHandler) -> None:
    ada = await world.sign_up("ada")
    phone = device()
    await register(world, handler, ada, phone)
    await sign_in(handler, phone)
    phone.count -= 1
    with pytest.raises(InvalidPasskey):
        await sign_in(handler, phone)
    await sign_in(handler, phone)


async def test_those_that_do_not_count_are_taken(world: World, handler: PasskeyHandler) -> None:
    ada = await world.sign_up("ada")
    phone = device(counts=False)
    await register(world, handler, ada, phone)
    for _ in range(2):
        await sign_in(handler, phone)


async def test_nobody_else_has_the_same_and_a_stranger_signs_in_as_nobody(
    world: World, handler: PasskeyHandler
) -> None:
    ada, eve = await world.sign_up("ada"), await world.sign_up("eve")
    phone = device()
    await register(world, handler, ada, phone)
    with pytest.raises(InvalidPasskey):
        await register(world, handler, eve, device(credential_id=phone.credential_id))
    with pytest.raises(InvalidPasskey):
        await sign_in(handler, device(credential_id=phone.credential_id))
    phone.owner = eve.id.bytes
    with pytest.raises(InvalidPasskey):
        await sign_in(handler, phone)
    with pytest.raises(InvalidPasskey):
        await sign_in(handler, device())


async def test_it_takes_a_proof_to_add_and_to_forget_one(
    world: World, handler: PasskeyHandler
) -> None:
    ada, eve = await world.sign_up("ada"), await world.sign_up("eve")
    phone = device()
    made = await register(world, handler, ada, phone)
    guessed = proof_pb2.Proof(password="guessed")
    forget = passkey_service_pb2.DeletePasskeyRequest(passkey_id=made.id, proof=guessed)
    with world.calling(ada, ids.new()):
        for call in (
            handler.BeginPasskey(passkey_service_pb2.BeginPasskeyRequest(proof=guessed), None),
            handler.DeletePasskey(forget, None),
        ):
            with pytest.raises(Exception, match="password is wrong"):
                await call
    forget.proof.CopyFrom(PROOF)
    rename = passkey_service_pb2.UpdatePasskeyRequest(passkey_id=made.id, name="Old phone")
    with world.calling(eve, ids.new()):
        await handler.DeletePasskey(forget, None)
        with pytest.raises(PasskeyNotFound):
            await handler.UpdatePasskey(rename, None)
    await sign_in(handler, phone)
    with world.calling(ada, ids.new()):
        assert (await handler.UpdatePasskey(rename, None)).name == "Old phone"
        for _ in range(2):
            await handler.DeletePasskey(forget, None)
    with pytest.raises(InvalidPasskey):
        await sign_in(handler, phone)


async def test_it_is_a_proof_of_its_own_person_once(
    world: World, handler: PasskeyHandler, issuer: Issuer
) -> None:
    ada, eve = await world.sign_up("ada"), await world.sign_up("eve")
    phone, other = device(), device()
    await register(world, handler, ada, phone)
    await register(world, handler, eve, other)
    made = TokenHandler(world.database, world.step_up, issuer, world.revocations)

    async def proof(shown: Authenticator) -> proof_pb2.Proof:
        asked = await challenge(handler)
        return proof_pb2.Proof(
            passkey=proof_pb2.PasskeyAnswer(
                challenge_token=asked.challenge_token, credential=shown.sign_in(asked.options)
            )
        )

    async def make(shown: proof_pb2.Proof) -> str:
        request = token_service_pb2.CreateTokenRequest(
            name="backup", scopes=[token_pb2.TOKEN_SCOPE_READ], proof=shown
        )
        return (await made.CreateToken(request, None)).access_token

    with world.calling(ada, ids.new()):
        with pytest.raises(InvalidPasskey):
            await make(await proof(other))
        shown = await proof(phone)
        assert await make(shown)
        with pytest.raises(InvalidPasskey):
            await make(shown)
        begun = passkey_service_pb2.BeginPasskeyRequest(proof=await proof(phone))
        assert (await handler.BeginPasskey(begun, None)).challenge_token


async def test_the_owner_is_told_of_each_that_comes_and_goes(
    world: World, handler: PasskeyHandler
) -> None:
    ada = await world.sign_up("ada")
    made = await register(world, handler, ada, device())
    forget = passkey_service_pb2.DeletePasskeyRequest(passkey_id=made.id, proof=PROOF)
    with world.calling(ada, ids.new()):
        for _ in range(2):
            await handler.DeletePasskey(forget, None)
            await world.post.deliver()
    subjects = world.tray.to(ada.email)
    assert sorted(subjects) == ["A passkey was removed", "You have another passkey"]


async def test_another_password_leaves_them(world: World, handler: PasskeyHandler) -> None:
    ada = await world.sign_up("ada")
    phone = device()
    await register(world, handler, ada, phone)
    with world.calling(ada, await world.session_of(ada)):
        await world.change_password("another horse")
    assert (await sign_in(handler, phone)).access_token


async def test_there_are_so_many_and_no_more(world: World, handler: PasskeyHandler) -> None:
    ada = await world.sign_up("ada")
    async with world.database.transaction() as tx:
        for number in range(MOST_PASSKEYS - 1):
            await passkeys.add_passkey(tx, _passkey(ada.id, b"%d" % number))
    await register(world, handler, ada, device())
    with pytest.raises(TooManyPasskeys):
        await register(world, handler, ada, device())


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    answer=st.one_of(
        st.text(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["id", "rawId", "type", "response", "userHandle", "signature"]),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=8,
        ).map(json.dumps),
    )
)
@example(answer="[" * 16_000)
async def test_whatever_is_shown_is_refused_in_the_same_words(answer: str) -> None:
    browsers = Passkeys(Tokens(scratch_config("auth")), PUBLIC)
    nothing: Any = _Nothing()
    asked = browsers.ask_to_sign_in()
    with pytest.raises(InvalidPasskey):
        await browsers.proven(nothing, asked.token, answer)


class _Nothing:
    """A database without passkeys."""

    async def execute(self, _: object) -> Any:
        return self

    def one_or_none(self) -> None:
        return None


async def test_every_question_has_its_index(world: World) -> None:
    async with world.database.transaction() as tx:
        await tx.execute(sa.text("ALTER TABLE passkey DROP CONSTRAINT passkey_account_id_fkey"))
        for number in range(20):
            mine = _passkey(ids.new(), b"%d" % number)
            await passkeys.add_passkey(tx, mine)
            await passkeys.use_challenge(tx, b"%d" % number, datetime.now(UTC))
    async with world.database.transaction() as tx:
        # Of so few rows none would be looked up by an index, if there was another way.
        await tx.execute(sa.text("SET enable_seqscan = off"))
    asks: list[Callable[[Transaction], Awaitable[object]]] = [
        lambda tx: passkeys.passkeys_of(tx, mine.account_id),
        lambda tx: passkeys.passkey_to_use(tx, b"1"),
        lambda tx: passkeys.rename(tx, mine.account_id, mine.id, "x"),
        lambda tx: passkeys.forget_expired(tx),
    ]
    for ask in asks:
        plan = await plan_of(world.database, ask)
        assert "Seq Scan on" not in plan.replace("Seq Scan on revision", ""), plan


def _passkey(account_id: Any, credential_id: bytes) -> Passkey:
    return Passkey(ids.new(), account_id, "x", credential_id, b"", 0, False, datetime.now(UTC))


def test_over_rest_as_a_browser_does_it(live: Live) -> None:
    ada = live.sign_up("ada")
    body = {"proof": {"password": LIVE_PASSWORD}}
    asked = ada.do("POST", "/v1/passkeys:begin", json=body)
    options = json.loads(asked["options"])
    assert options["authenticatorSelection"]["userVerification"] == "required"
    site = options["rp"]["id"]
    phone = Authenticator(origin=f"http://{site}:{live.port}", site=site)
    answer = {
        "challenge_token": asked["challenge_token"],
        "credential": phone.register(asked["options"]),
        "name": "Phone",
    }
    made = ada.do("POST", "/v1/passkeys", json=answer)
    assert ada.do("GET", "/v1/passkeys")["passkeys"] == [made]

    def shown() -> httpx.Response:
        with live.client() as client:
            asked = client.get("/v1/passkeys:challenge").json()
            body = {
                "challenge_token": asked["challenge_token"],
                "credential": phone.sign_in(asked["options"]),
            }
            return client.post("/v1/sessions:passkey", json=body)

    session = shown().json()
    assert session["user"]["id"] == ada.id
    path = f"/v1/passkeys/{made['id']}"
    assert ada.do("PATCH", path, json={"name": "Old phone"})["name"] == "Old phone"
    ada.do("POST", f"{path}:delete", json=body)
    assert refusal(shown()) == (401, "INVALID_PASSKEY")
