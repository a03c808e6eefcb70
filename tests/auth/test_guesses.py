"""Guessing leads nowhere, and keeps nobody from their own account."""

from __future__ import annotations

import asyncio

import pytest

from chassis.calls import CURRENT
from chassis.errors import Exhausted
from creavio.auth.v1.password_service_pb2 import ChangePasswordRequest, ResetPasswordRequest
from creavio.auth.v1.session_service_pb2 import CreateSessionRequest
from services.auth.domain import MailKind, WrongCredentials
from services.auth.engine import guesses
from services.auth.engine.guesses import Allowances
from services.auth.store import guesses as kept
from services.auth.store.tables import GUESS
from tests.auth.mailing import PASSWORD, World, coming_from

ALLOWED = Allowances()
HOME, AWAY = "192.0.2.7", "198.51.100.9"


async def attempt(world: World, login: str, password: str, source: str) -> type[Exception] | None:
    """Sign in from somewhere: what came of it."""
    with coming_from(source):
        try:
            await world.session.CreateSession(
                CreateSessionRequest(login=login, password=password), None
            )
        except (WrongCredentials, Exhausted) as error:
            return type(error)
    return None


@pytest.fixture(autouse=True)
def cheap(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is counted is the question, not what a hash costs.
    async def matches(password: str, kept: str | None) -> bool:
        return kept is not None and password == PASSWORD

    monkeypatch.setattr(world.passwords, "matches", matches)


async def test_one_source_has_ten_guesses_at_a_login_known_or_not(world: World) -> None:
    await world.sign_up("ada")
    for login in ("ada", "nobody"):
        outcomes = [await attempt(world, login, "guess", AWAY) for _ in range(12)]
        assert outcomes == [WrongCredentials] * 10 + [Exhausted] * 2
        assert await attempt(world, login, PASSWORD, AWAY) is Exhausted


async def test_many_guesses_at_once_are_counted_one_by_one(world: World) -> None:
    await world.sign_up("ada")
    outcomes = await asyncio.gather(*(attempt(world, "ada", "guess", AWAY) for _ in range(30)))
    assert outcomes.count(WrongCredentials) == ALLOWED.pair.most
    assert outcomes.count(Exhausted) == 30 - ALLOWED.pair.most


async def test_spraying_a_password_over_many_logins_ends(world: World) -> None:
    outcomes = [await attempt(world, f"login-{n}", "123456", AWAY) for n in range(110)]
    assert outcomes == [WrongCredentials] * 100 + [Exhausted] * 10
    assert await attempt(world, "login-0", "123456", HOME) is WrongCredentials


async def test_a_world_of_strangers_does_not_lock_out_its_owner(world: World) -> None:
    await world.sign_up("ada")
    assert await attempt(world, "ada", PASSWORD, HOME) is None
    strangers = [await attempt(world, "ada", "guess", f"198.51.100.{n}") for n in range(60)]
    assert strangers == [WrongCredentials] * 50 + [Exhausted] * 10
    assert await attempt(world, "ada", PASSWORD, "203.0.113.1") is Exhausted
    assert await attempt(world, "ada", PASSWORD, HOME) is None


async def test_an_owner_on_the_road_gets_in_by_mail(world: World) -> None:
    await world.sign_up("ada")
    for number in range(60):
        await attempt(world, "ada", "guess", f"198.51.100.{number}")
    assert await attempt(world, "ada", PASSWORD, "203.0.113.1") is Exhausted
    await world.keep(MailKind.RESET_PASSWORD, "ada@example.org")
    await world.post.deliver()
    token = world.tray.token("ada@example.org")
    with coming_from("203.0.113.1"):
        await world.password.ResetPassword(
            ResetPasswordRequest(token=token, new_password="another one"), None
        )
    for login in ("ada", "ada@example.org"):
        assert await attempt(world, login, PASSWORD, "203.0.113.1") is None


async def test_a_stranger_who_goes_on_after_being_refused_costs_others_nothing(
    world: World,
) -> None:
    await world.sign_up("ada")
    for _ in range(80):
        await attempt(world, "ada", "guess", AWAY)
    assert await attempt(world, "ada", PASSWORD, "203.0.113.1") is None


async def test_knowing_the_password_uses_up_nothing(world: World) -> None:
    await world.sign_up("ada")
    for _ in range(8):
        assert await attempt(world, "ada", "typo", HOME) is WrongCredentials
        assert await attempt(world, "ada", PASSWORD, HOME) is None
    for _ in range(9):
        await attempt(world, "ada", "typo", HOME)
    assert await attempt(world, "ada", PASSWORD, HOME) is None


async def test_a_stolen_session_guesses_at_the_password_no_longer(world: World) -> None:
    ada = await world.sign_up("ada")
    here = await world.session_of(ada)
    with world.calling(ada, here, AWAY):
        for _ in range(ALLOWED.pair.most):
            with pytest.raises(WrongCredentials):
                await world.password.ChangePassword(
                    ChangePasswordRequest(current_password="guess", new_password="long enough"),
                    None,
                )
        with pytest.raises(Exhausted) as refused:
            await world.password.ChangePassword(
                ChangePasswordRequest(current_password=PASSWORD, new_password="long enough"), None
            )
    assert refused.value.retry_after is not None
    assert 0 < refused.value.retry_after <= ALLOWED.pair.period.total_seconds()
    # That is another matter than signing in.
    assert await attempt(world, "ada", PASSWORD, HOME) is None


async def test_guesses_are_forgotten_and_say_neither_who_nor_where(world: World) -> None:
    await world.sign_up("ada")
    for _ in range(ALLOWED.pair.most + 1):
        await attempt(world, "ada", "guess", AWAY)
    assert AWAY not in await world.everything_kept()
    async with world.database.transaction() as tx:
        earlier = GUESS.c.end_time - ALLOWED.login.period
        await tx.execute(GUESS.update().values(end_time=earlier))
    assert await attempt(world, "ada", "guess", AWAY) is WrongCredentials
    async with world.database.transaction() as tx:
        await kept.forget_expired(tx)
    assert await attempt(world, "ada", PASSWORD, AWAY) is None


@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
    ],
)
def test_a_source_is_an_address_or_the_network_a_customer_has(said: str, counted: str) -> None:
    with coming_from(said):
        assert guesses.source() == counted
    assert CURRENT.get() is None


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("", ""),
    ],
)
def test_an_owner_is_shown_a_network_and_no_address(said: str, shown: str) -> None:
    with coming_from(said):
        assert guesses.network() == shown
