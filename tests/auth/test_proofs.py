"""What an open session alone may not do, by every way of proving who one is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
import time
from typing import Any, TypeAlias
from uuid import UUID

import pytest

from chassis import ids
from chassis.errors import Invalid
from chassis.testing import scratch_config
from chassis.tokens import Tokens
from creavio.auth.v1 import identity_service_pb2 as wire
from creavio.auth.v1.email_service_pb2 import ChangeEmailRequest
from creavio.auth.v1.passkey_service_pb2 import (
    BeginPasskeyRequest,
    BeginPasskeySignInRequest,
    RegisterPasskeyRequest,
)
from creavio.auth.v1.password_service_pb2 import ChangePasswordRequest
from creavio.auth.v1.proof_pb2 import PasskeyAnswer, Proof
from creavio.auth.v1.second_factor_service_pb2 import BeginSecondFactorRequest
from services.auth.domain import Account, WrongCredentials
from services.auth.domain.identities import InvalidProviderAnswer, ProviderNotFound
from services.auth.domain.passkeys import InvalidPasskey
from services.auth.domain.second_factor import SecondFactorEnabled, WrongCode
from services.auth.engine.passkeys import Passkeys
from services.auth.engine.providers import Providers
from services.auth.handler.identities import IdentityHandler
from services.auth.handler.passkeys import PasskeyHandler
from tests.auth.authenticator import Authenticator
from tests.auth.mailing import PASSWORD, PUBLIC, World
from tests.auth.provider import Provider, named
from tests.auth.test_second_factor import code_of, enrolled

BY_PASSWORD = Proof(password=PASSWORD)


@dataclass
class Keyring:
    """Somebody's ways of proving who they are."""

    account: Account
    session: UUID
    subject: str
    secret: str
    codes: list[str]
    phone: Authenticator


@dataclass
class Stage:
    """auth, somebody who proves who they are, and a provider they are linked to."""

    world: World
    provider: Provider
    identity: IdentityHandler
    passkey: PasskeyHandler

    async def somebody(self, handle: str, *, second_factor: bool = False) -> Keyring:
        account = await self.world.sign_up(handle)
        session = await self.world.session_of(account)
        phone = Authenticator(origin=PUBLIC, site="talk.example.org")
        with self.world.calling(account, session):
            asked = await self.passkey.BeginPasskey(BeginPasskeyRequest(proof=BY_PASSWORD), None)
            await self.passkey.RegisterPasskey(
                RegisterPasskeyRequest(
                    challenge_token=asked.challenge_token,
                    credential=phone.register(asked.options),
                    name="Phone",
                ),
                None,
            )
            begin = wire.BeginIdentityRequest(provider_id="corp", proof=BY_PASSWORD)
            sent = await self.identity.BeginIdentity(begin, None)
            said = self.provider.authorize(sent.authorization_url, f"{handle}-there")
            await self.identity.LinkIdentity(
                wire.LinkIdentityRequest(state_token=sent.state_token, **said), None
            )
        secret, codes = await enrolled(self.world, account, session) if second_factor else ("", [])
        return Keyring(account, session, f"{handle}-there", secret, codes, phone)

    async def sent(self) -> wire.ProviderRedirect:
        """Whoever calls is sent to the provider."""
        return await self.identity.BeginProviderProof(
            wire.BeginProviderProofRequest(provider_id="corp"), None
        )

    async def back(self, sent: wire.ProviderRedirect, subject: str) -> str:
        """What whoever calls proves by once they signed in there as somebody."""
        said = self.provider.authorize(sent.authorization_url, subject)
        request = wire.ProveByProviderRequest(state_token=sent.state_token, **said)
        return (await self.identity.ProveByProvider(request, None)).provider_token

    async def by_password(self, somebody: Keyring) -> Proof:
        return BY_PASSWORD

    async def by_code(self, somebody: Keyring) -> Proof:
        return Proof(code=code_of(somebody.secret))

    async def by_recovery_code(self, somebody: Keyring) -> Proof:
        return Proof(code=somebody.codes.pop())

    async def by_passkey(self, somebody: Keyring) -> Proof:
        asked = await self.passkey.BeginPasskeySignIn(BeginPasskeySignInRequest(), None)
        answer = PasskeyAnswer(
            challenge_token=asked.challenge_token, credential=somebody.phone.sign_in(asked.options)
        )
        return Proof(passkey=answer)

    async def by_provider(self, somebody: Keyring) -> Proof:
        return Proof(provider_token=await self.back(await self.sent(), somebody.subject))

    async def change_email(self, **proof: Any) -> None:
        await self.world.emails.ChangeEmail(
            ChangeEmailRequest(email="ada@example.com", **proof), None
        )

    async def begin_second_factor(self, **proof: Any) -> None:
        await self.world.second_factor.BeginSecondFactor(BeginSecondFactorRequest(**proof), None)

    async def change_password(self, **proof: Any) -> None:
        await self.world.password.ChangePassword(
            ChangePasswordRequest(new_password="another horse", **proof), None
        )


Deed: TypeAlias = Callable[..., Awaitable[None]]
Way: TypeAlias = Callable[[Stage, Keyring], Awaitable[Proof]]
DEEDS: list[Deed] = [Stage.change_email, Stage.begin_second_factor, Stage.change_password]
WAYS: list[Way] = [
    Stage.by_password,
    Stage.by_code,
    Stage.by_recovery_code,
    Stage.by_passkey,
    Stage.by_provider,
]
REFUSALS = (WrongCredentials, WrongCode, InvalidPasskey, InvalidProviderAnswer)


@pytest.fixture
def stage(world: World, provider: Provider) -> Stage:
    config = scratch_config("auth")
    known = Providers(config, Tokens(config), (named(provider),), PUBLIC)
    nobody: Any = None  # signs up here
    return Stage(
        world,
        provider,
        IdentityHandler(
            world.database, known, nobody, world.passwords, world.sign_in, world.step_up
        ),
        PasskeyHandler(
            world.database, world.step_up, Passkeys(Tokens(config), PUBLIC), world.sign_in
        ),
    )


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("deed", DEEDS)
async def test_every_proof_will_do_of_whoever_calls(stage: Stage, deed: Deed, way: Way) -> None:
    coded = way in (Stage.by_code, Stage.by_recovery_code)
    ada = await stage.somebody("ada", second_factor=coded)
    eve = await stage.somebody("eve", second_factor=coded)
    if way is not Stage.by_password:  # theirs are the same here
        with stage.world.calling(eve.account, eve.session), pytest.raises(REFUSALS):
            await deed(stage, proof=await way(stage, ada))
    with stage.world.calling(ada.account, ada.session):
        shown = await way(stage, ada)
        if deed is Stage.begin_second_factor and coded:
            # Who has a code has a second factor, and there is one at most.
            with pytest.raises(SecondFactorEnabled):
                await deed(stage, proof=shown)
        else:
            await deed(stage, proof=shown)
        if way is not Stage.by_password:
            with pytest.raises(REFUSALS):
                await deed(stage, proof=shown)


@pytest.mark.parametrize("deed", DEEDS)
async def test_the_password_alone_does_as_before_and_nothing_does_nothing(
    stage: Stage, deed: Deed
) -> None:
    ada = await stage.world.sign_up("ada")
    with stage.world.calling(ada, await stage.world.session_of(ada)):
        with pytest.raises(Invalid) as refused:
            await deed(stage)
        assert refused.value.fields == (("proof", "must be present"),)
        # A wrong proof is not made good by a password beside it.
        with pytest.raises(WrongCredentials):
            await deed(stage, proof=Proof(password="guessed"), current_password=PASSWORD)
        await deed(stage, current_password=PASSWORD)


async def test_a_sign_in_elsewhere_proves_nothing_in_another_session(stage: Stage) -> None:
    ada = await stage.somebody("ada")
    other = ids.new()
    with stage.world.calling(ada.account, ada.session):
        sent = await stage.sent()
        shown = await stage.back(await stage.sent(), ada.subject)
    with stage.world.calling(ada.account, other):
        with pytest.raises(InvalidProviderAnswer):
            await stage.back(sent, ada.subject)
        with pytest.raises(InvalidProviderAnswer):
            await stage.change_password(proof=Proof(provider_token=shown))
    with stage.world.calling(ada.account, ada.session):
        await stage.change_password(proof=Proof(provider_token=shown))


async def test_an_answer_and_what_came_of_it_are_good_once(stage: Stage) -> None:
    ada = await stage.somebody("ada")
    with stage.world.calling(ada.account, ada.session):
        sent = await stage.sent()
        shown = await stage.back(sent, ada.subject)
        with pytest.raises(InvalidProviderAnswer):
            await stage.back(sent, ada.subject)
        await stage.change_email(proof=Proof(provider_token=shown))
        for deed in DEEDS:
            with pytest.raises(InvalidProviderAnswer):
                await deed(stage, proof=Proof(provider_token=shown))


@pytest.mark.parametrize("late", ["ANSWER_LASTS", "PROOF_LASTS"])
async def test_what_is_old_proves_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    ada = await stage.somebody("ada")
    monkeypatch.setattr(f"services.auth.engine.providers.{late}", timedelta(seconds=-1))
    with stage.world.calling(ada.account, ada.session), pytest.raises(InvalidProviderAnswer):
        await stage.change_password(proof=await stage.by_provider(ada))


@pytest.mark.parametrize(
    "auth_time",
    [None, 0, -300, 300, "now", True],
    ids=["unsaid", "0", "old", "ahead", "text", "true"],
)
async def test_who_was_let_in_by_a_session_they_had_there_did_not_sign_in(
    stage: Stage, auth_time: object
) -> None:
    ada = await stage.somebody("ada")
    told = auth_time
    if type(auth_time) is int and auth_time:
        told = int(time.time()) + auth_time
    stage.provider.claims = {"auth_time": told}
    with stage.world.calling(ada.account, ada.session), pytest.raises(InvalidProviderAnswer):
        await stage.by_provider(ada)


async def test_the_provider_is_asked_to_let_nobody_in_unseen(stage: Stage) -> None:
    ada = await stage.somebody("ada")
    with stage.world.calling(ada.account, ada.session):
        asked = (await stage.sent()).authorization_url
        assert "prompt=login" in asked
        assert "max_age=0" in asked
        with pytest.raises(ProviderNotFound):
            await stage.identity.BeginProviderProof(
                wire.BeginProviderProofRequest(provider_id="other"), None
            )
    eve = await stage.world.sign_up("eve")
    with stage.world.calling(eve, ids.new()), pytest.raises(ProviderNotFound):
        await stage.sent()


async def test_an_answer_to_another_question_proves_nothing(stage: Stage) -> None:
    ada, eve = await stage.somebody("ada"), await stage.somebody("eve")
    with stage.world.calling(ada.account, ada.session):
        begin = wire.BeginIdentityRequest(provider_id="corp", proof=BY_PASSWORD)
        for sent in (
            await stage.identity.BeginProviderSignIn(
                wire.BeginProviderSignInRequest(provider_id="corp"), None
            ),
            await stage.identity.BeginIdentity(begin, None),
        ):
            with pytest.raises(InvalidProviderAnswer):
                await stage.back(sent, ada.subject)
        # Neither does the answer sign anybody in, or link anything.
        sent = await stage.sent()
        said = stage.provider.authorize(sent.authorization_url, "eve-elsewhere")
        for ask in (
            stage.identity.LinkIdentity(
                wire.LinkIdentityRequest(state_token=sent.state_token, **said), None
            ),
            stage.identity.CreateSessionByProvider(
                wire.CreateSessionByProviderRequest(state_token=sent.state_token, **said), None
            ),
        ):
            with pytest.raises(InvalidProviderAnswer):
                await ask
        for subject in (eve.subject, "nobody-there"):
            with pytest.raises(InvalidProviderAnswer):
                await stage.back(await stage.sent(), subject)
        for token in ("forged", sent.state_token):
            with pytest.raises(InvalidProviderAnswer):
                await stage.change_email(proof=Proof(provider_token=token))


async def test_what_is_unlinked_meanwhile_proves_nothing(stage: Stage) -> None:
    ada = await stage.somebody("ada")
    with stage.world.calling(ada.account, ada.session):
        shown = await stage.by_provider(ada)
        await stage.identity.UnlinkIdentity(
            wire.UnlinkIdentityRequest(provider_id="corp", proof=BY_PASSWORD), None
        )
        with pytest.raises(InvalidProviderAnswer):
            await stage.change_password(proof=shown)
