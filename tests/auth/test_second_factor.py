"""A second factor: nobody gets in without it, and its owner always does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from joserfc.errors import JoseError
import pyotp
import pytest
import sqlalchemy as sa

from chassis.errors import Exhausted
from creavio.auth.v1.password_service_pb2 import ChangePasswordRequest, ResetPasswordRequest
from creavio.auth.v1.proof_pb2 import Proof
from creavio.auth.v1.second_factor_service_pb2 import (
    BeginSecondFactorRequest,
    ConfirmSecondFactorRequest,
    DisableSecondFactorRequest,
    GetSecondFactorRequest,
    RenewRecoveryCodesRequest,
)
from creavio.auth.v1.session_pb2 import Session
from creavio.auth.v1.session_service_pb2 import CompleteSessionRequest, CreateSessionRequest
from services.auth.domain import Account, MailKind, Purpose, WrongCredentials
from services.auth.domain import second_factor as domain
from services.auth.domain.second_factor import (
    InvalidChallenge,
    NoSecondFactor,
    SecondFactorEnabled,
    WrongCode,
)
from services.auth.engine.second_factors import ALLOWED
from services.auth.store import second_factors as store
from services.auth.store.tables import SECOND_FACTOR
from tests.auth.mailing import PASSWORD, World, coming_from

NOW = datetime(2026, 3, 20, 18, 45, 10, tzinfo=UTC)
BEFORE, CURRENT, NEXT = -30, 0, 30


def code_of(secret: str, seconds: int = CURRENT) -> str:
    """What an app shows, or did, or will."""
    return pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=seconds))


async def enrolled(
    world: World, account: Account, session_id: UUID | None = None
) -> tuple[str, list[str]]:
    """Switch the second factor of somebody on: the secret, and the recovery codes."""
    with world.calling(account, session_id or await world.session_of(account)):
        begun = await world.second_factor.BeginSecondFactor(
            BeginSecondFactorRequest(current_password=PASSWORD), None
        )
        confirmed = await world.second_factor.ConfirmSecondFactor(
            ConfirmSecondFactorRequest(code=code_of(begun.secret, BEFORE)), None
        )
    return begun.secret, list(confirmed.codes)


async def challenged(world: World, login: str = "ada") -> str:
    """Sign in with the password: the challenge that comes of it."""
    reply = await world.session.CreateSession(
        CreateSessionRequest(login=login, password=PASSWORD), None
    )
    assert reply == Session(
        challenge_token=reply.challenge_token, challenge_expire_time=reply.challenge_expire_time
    )
    return reply.challenge_token


async def complete(world: World, challenge: str, code: str) -> Session:
    return await world.session.CompleteSession(
        CompleteSessionRequest(challenge_token=challenge, code=code), None
    )


def another(code: str) -> str:
    """A code that is wrong."""
    return f"{(int(code) + 1) % 1_000_000:06}"


async def test_a_password_alone_begins_no_session(world: World) -> None:
    ada = await world.sign_up("ada")
    here = await world.session_of(ada)
    secret, _ = await enrolled(world, ada, here)
    challenge = await challenged(world)
    assert await world.lasting(ada) == {here}
    with pytest.raises(WrongCode):
        await complete(world, challenge, "000000" if code_of(secret) != "000000" else "000001")
    session = await complete(world, challenge, code_of(secret))
    assert session.access_token
    assert session.refresh_token
    assert session.user.id == str(ada.id)
    assert session.challenge_token == ""
    assert len(await world.lasting(ada)) == 2


async def test_nothing_is_asked_for_until_a_code_was_shown(world: World) -> None:
    ada = await world.sign_up("ada")
    with world.calling(ada, await world.session_of(ada)):
        begun = await world.second_factor.BeginSecondFactor(
            BeginSecondFactorRequest(current_password=PASSWORD), None
        )
        with pytest.raises(WrongCode):
            await world.second_factor.ConfirmSecondFactor(
                ConfirmSecondFactorRequest(code=another(code_of(begun.secret))), None
            )
        assert not (
            await world.second_factor.GetSecondFactor(GetSecondFactorRequest(), None)
        ).enabled
    session = await world.session.CreateSession(
        CreateSessionRequest(login="ada", password=PASSWORD), None
    )
    assert session.access_token


async def test_a_secret_that_was_not_confirmed_is_replaced_and_one_that_was_is_not(
    world: World,
) -> None:
    ada = await world.sign_up("ada")
    with world.calling(ada, await world.session_of(ada)):
        begin = BeginSecondFactorRequest(current_password=PASSWORD)
        first = await world.second_factor.BeginSecondFactor(begin, None)
        second = await world.second_factor.BeginSecondFactor(begin, None)
        with pytest.raises(WrongCode):
            await world.second_factor.ConfirmSecondFactor(
                ConfirmSecondFactorRequest(code=code_of(first.secret)), None
            )
        confirm = ConfirmSecondFactorRequest(code=code_of(second.secret))
        await world.second_factor.ConfirmSecondFactor(confirm, None)
        with pytest.raises(SecondFactorEnabled):
            await world.second_factor.ConfirmSecondFactor(confirm, None)
        with pytest.raises(SecondFactorEnabled):
            await world.second_factor.BeginSecondFactor(begin, None)


async def test_a_stolen_session_begins_none(world: World) -> None:
    ada = await world.sign_up("ada")
    with world.calling(ada, await world.session_of(ada)):
        with pytest.raises(WrongCredentials):
            await world.second_factor.BeginSecondFactor(
                BeginSecondFactorRequest(current_password="a guess"), None
            )
        with pytest.raises(NoSecondFactor):
            await world.second_factor.ConfirmSecondFactor(
                ConfirmSecondFactorRequest(code="123456"), None
            )


async def test_other_sessions_end_when_it_is_switched_on(world: World) -> None:
    ada = await world.sign_up("ada")
    here, _ = await world.session_of(ada), await world.session_of(ada)
    await enrolled(world, ada, here)
    assert await world.lasting(ada) == {here}
    assert len(world.told.events) == 1


async def test_a_code_is_good_once(world: World) -> None:
    ada = await world.sign_up("ada")
    secret, _ = await enrolled(world, ada)
    challenge = await challenged(world)
    code = code_of(secret)
    answers = await asyncio.gather(
        *(complete(world, challenge, code) for _ in range(4)), return_exceptions=True
    )
    assert sum(isinstance(one, Session) for one in answers) == 1
    assert sum(isinstance(one, WrongCode) for one in answers) == 3
    # What was shown before it is spent as well.
    with pytest.raises(WrongCode):
        await complete(world, challenge, code_of(secret, BEFORE))
    assert (await complete(world, challenge, code_of(secret, NEXT))).access_token


async def test_a_recovery_code_is_good_once_however_it_is_typed(world: World) -> None:
    ada = await world.sign_up("ada")
    _, codes = await enrolled(world, ada)
    assert len(set(codes)) == 10
    challenge = await challenged(world)
    typed = f" {codes[0].upper().replace('-', ' ')} "
    answers = await asyncio.gather(
        *(complete(world, challenge, typed) for _ in range(3)), return_exceptions=True
    )
    assert sum(isinstance(one, Session) for one in answers) == 1
    with world.calling(ada, await world.session_of(ada)):
        shown = await world.second_factor.GetSecondFactor(GetSecondFactorRequest(), None)
    assert (shown.enabled, shown.recovery_codes_left) == (True, 9)
    assert (await complete(world, challenge, codes[1])).access_token


async def test_the_codes_of_one_are_nothing_to_another(world: World) -> None:
    ada, bob = await world.sign_up("ada"), await world.sign_up("bob")
    secret, codes = await enrolled(world, ada)
    await enrolled(world, bob)
    challenge = await challenged(world, "bob")
    for code in (code_of(secret), codes[0]):
        with pytest.raises(WrongCode):
            await complete(world, challenge, code)
    async with world.database.transaction() as tx:
        kept = await store.second_factor(tx, ada.id)
        assert kept is not None
        stolen = SECOND_FACTOR.c.account_id == bob.id
        await tx.execute(
            sa.update(SECOND_FACTOR).where(stolen).values(sealed_secret=kept.sealed_secret)
        )
    with pytest.raises(AssertionError):
        await complete(world, challenge, code_of(secret, NEXT))


async def test_guesses_at_codes_are_few_and_lock_nobody_out_at_home(world: World) -> None:
    ada = await world.sign_up("ada")
    secret, _ = await enrolled(world, ada)
    with coming_from("192.0.2.7"):
        await complete(world, await challenged(world), code_of(secret))
    outcomes: list[type[Exception]] = []
    for number in range(30):
        with coming_from(f"198.51.100.{number // 7}"):
            challenge = await challenged(world)
            with pytest.raises((WrongCode, Exhausted)) as refused:
                await complete(world, challenge, another(code_of(secret, NEXT)))
            outcomes.append(refused.type)
    # Five from each source, twenty from all that are not known.
    assert outcomes.count(WrongCode) == ALLOWED.login.most
    assert outcomes[5:7] == [Exhausted] * 2
    assert outcomes[-2:] == [Exhausted] * 2
    with coming_from("192.0.2.7"):
        assert (await complete(world, await challenged(world), code_of(secret, NEXT))).access_token


async def test_a_challenge_is_ours_lasts_minutes_and_ends_with_the_password(
    world: World,
) -> None:
    ada = await world.sign_up("ada")
    secret, codes = await enrolled(world, ada)
    challenge = await challenged(world)
    links = world.links.token(Purpose.RESET_PASSWORD, ada.id)
    for token in ("", "garbage", challenge[:-1], links):
        with pytest.raises(InvalidChallenge):
            await complete(world, token, code_of(secret))
    old = world.sign_in._challenge(ada, datetime.now(UTC) - domain.CHALLENGE_LASTS)
    with pytest.raises(InvalidChallenge):
        await complete(world, old.challenge_token, code_of(secret))
    with world.calling(ada, await world.session_of(ada)):
        await world.password.ChangePassword(
            ChangePasswordRequest(current_password=PASSWORD, new_password="battery staple"), None
        )
    with pytest.raises(InvalidChallenge):
        await complete(world, challenge, codes[0])
    assert len(await world.lasting(ada)) == 1


async def test_a_reset_password_leaves_the_second_factor(world: World) -> None:
    ada = await world.sign_up("ada")
    _, codes = await enrolled(world, ada)
    await world.keep(MailKind.RESET_PASSWORD, "ada@example.org")
    await world.post.deliver()
    token = world.tray.token("ada@example.org")
    await world.password.ResetPassword(
        ResetPasswordRequest(token=token, new_password=PASSWORD), None
    )
    assert (await complete(world, await challenged(world), codes[0])).access_token


@pytest.mark.parametrize("by", ["password", "code", "recovery"])
async def test_giving_it_up_and_other_codes_need_proof(world: World, by: str) -> None:
    ada = await world.sign_up("ada")
    here = await world.session_of(ada)
    secret, codes = await enrolled(world, ada, here)
    wrong = [Proof(password="a guess"), Proof(code=another(code_of(secret, NEXT)))]
    proofs = {
        "password": [Proof(password=PASSWORD)] * 2,
        "code": [Proof(code=code_of(secret)), Proof(code=code_of(secret, NEXT))],
        "recovery": [Proof(code=codes[0]), Proof(code=codes[1])],
    }[by]
    with world.calling(ada, here):
        for proof in wrong:
            with pytest.raises((WrongCredentials, WrongCode)):
                await world.second_factor.RenewRecoveryCodes(
                    RenewRecoveryCodesRequest(proof=proof), None
                )
            with pytest.raises((WrongCredentials, WrongCode)):
                await world.second_factor.DisableSecondFactor(
                    DisableSecondFactorRequest(proof=proof), None
                )
        renewed = await world.second_factor.RenewRecoveryCodes(
            RenewRecoveryCodesRequest(proof=proofs[0]), None
        )
        assert not set(renewed.codes) & set(codes)
        proof = Proof(code=renewed.codes[0]) if by == "recovery" else proofs[1]
        await world.second_factor.DisableSecondFactor(DisableSecondFactorRequest(proof=proof), None)
        shown = await world.second_factor.GetSecondFactor(GetSecondFactorRequest(), None)
        assert (shown.enabled, shown.recovery_codes_left) == (False, 0)
    session = await world.session.CreateSession(
        CreateSessionRequest(login="ada", password=PASSWORD), None
    )
    assert session.access_token


async def test_without_one_no_code_proves_anything(world: World) -> None:
    ada = await world.sign_up("ada")
    with world.calling(ada, await world.session_of(ada)):
        with pytest.raises(WrongCode):
            await world.second_factor.DisableSecondFactor(
                DisableSecondFactorRequest(proof=Proof(code="123456")), None
            )
        with pytest.raises(NoSecondFactor):
            await world.second_factor.RenewRecoveryCodes(
                RenewRecoveryCodesRequest(proof=Proof(password=PASSWORD)), None
            )


async def test_its_owner_is_told_of_every_change(world: World) -> None:
    ada = await world.sign_up("ada")
    here = await world.session_of(ada)
    _, codes = await enrolled(world, ada, here)
    await complete(world, await challenged(world), codes[0])
    with world.calling(ada, here):
        proof = Proof(password=PASSWORD)
        await world.second_factor.RenewRecoveryCodes(RenewRecoveryCodesRequest(proof=proof), None)
        await world.second_factor.DisableSecondFactor(DisableSecondFactorRequest(proof=proof), None)
        await world.second_factor.DisableSecondFactor(DisableSecondFactorRequest(proof=proof), None)
    await world.post.deliver()
    assert sorted(world.tray.to("ada@example.org")) == [
        "A recovery code was used",
        "Two-step sign-in is off",
        "Two-step sign-in is on",
        "You have other recovery codes",
    ]


async def test_neither_secret_nor_recovery_codes_stand_in_the_store(world: World) -> None:
    ada = await world.sign_up("ada")
    secret, codes = await enrolled(world, ada)
    kept = await world.everything_kept()
    assert secret not in kept
    for code in codes:
        assert code not in kept
        assert domain.typed(code) not in kept
    async with world.database.reading() as tx:
        row = await store.second_factor(tx, ada.id)
    assert row is not None
    with pytest.raises(JoseError):
        world.factors.step_of(
            replace(row, sealed_secret=row.sealed_secret[:-4] + "AAAA"), "123456", NOW
        )


def test_codes_are_those_of_rfc_6238() -> None:
    # Its appendix B, the last six of eight digits.
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in (
        (59, "287082"),
        (1111111109, "081804"),
        (1234567890, "005924"),
        (20000000000, "353130"),
    ):
        now = datetime.fromtimestamp(seconds, UTC)
        assert domain.step_of(secret, code, now, 0) == seconds // 30


@given(st.integers(-4, 4), st.integers(-3, 3))
def test_a_code_is_good_one_step_around_and_after_the_last_one_used(shown: int, used: int) -> None:
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    current = int(NOW.timestamp()) // 30
    code = pyotp.TOTP(secret).generate_otp(current + shown)
    good = abs(shown) <= 1 and shown > used
    expected = current + shown if good else None
    assert domain.step_of(secret, code, NOW, current + used) == expected


def test_what_is_no_code_is_none() -> None:
    for code in ("", "12345", "1234567", "12345a", "\u0661" * 6, "abcd-efgh-jkmn"):
        assert not domain.is_totp(code)
