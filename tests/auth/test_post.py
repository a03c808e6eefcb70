"""Mail that was promised is sent, to those it is for, and to nobody too often."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from services.auth import domain
from services.auth.domain import MailKind, Purpose
from services.auth.engine.credentials import digest
from services.auth.engine.outgoing import RefusedError
from services.auth.store import mail
from tests.auth.mailing import NOT_NOW, World

VERIFY, RESET = MailKind.VERIFY_EMAIL, MailKind.RESET_PASSWORD


async def test_mail_is_sent_once_however_many_send(world: World) -> None:
    await world.sign_up("ada")
    for _ in range(3):  # the same waits once
        await world.keep(RESET, "ada@example.org")
    for number in range(7):
        await world.sign_up(f"bob-{number}")
        await world.keep(RESET, f"bob-{number}@example.org")
    others = [world.another_post() for _ in range(3)]
    await asyncio.gather(*(post.deliver() for post in (world.post, *others)))
    assert len(world.tray.taken) == len(set(world.tray.names)) == 8
    assert await world.waiting() == 0


async def test_what_fails_is_tried_again_with_the_same_token(world: World) -> None:
    await world.sign_up("ada")
    await world.keep(RESET, "ada@example.org")
    world.tray.failing = NOT_NOW
    await world.post.deliver()
    await world.post.deliver()  # not due yet
    assert await world.waiting() == 1
    world.tray.failing = None
    await world.post.deliver()
    assert world.tray.taken == []
    await world.later(timedelta(minutes=1))
    await world.post.deliver()
    assert len(world.tray.taken) == 1
    token = world.tray.token("ada@example.org")
    assert world.links.proof_of(Purpose.RESET_PASSWORD, token)
    assert digest(token).hex() in await world.everything_kept()


async def test_a_crash_between_sending_and_remembering_sends_the_same_mail_again(
    world: World,
) -> None:
    await world.sign_up("ada")
    await world.keep(RESET, "ada@example.org")

    class Crashed(BaseException):
        pass

    class Crashing:
        async def send(self, name: str, message: object) -> None:
            await type(world.tray).send(world.tray, name, message)  # type: ignore[arg-type]
            raise Crashed

    post = world.another_post()
    post._outgoing = Crashing()
    with pytest.raises(Crashed):
        await post.deliver()
    await world.later(timedelta(minutes=1))
    await world.post.deliver()
    first, second = world.tray.taken
    assert first.get_content() == second.get_content()
    assert first["Message-ID"] == second["Message-ID"]


async def test_what_is_refused_for_good_and_what_is_too_old_is_given_up(world: World) -> None:
    await world.sign_up("ada")
    await world.keep(RESET, "ada@example.org")
    world.tray.failing = RefusedError("no such mailbox")
    await world.post.deliver()
    assert await world.waiting() == 0
    await world.keep(RESET, "ada@example.org")
    world.tray.failing = NOT_NOW
    await world.post.deliver()
    await world.later(domain.MAIL_LASTS)
    async with world.database.transaction() as tx:
        await mail.forget_expired(tx)
    assert await world.waiting() == 0


async def test_a_reset_reaches_who_has_the_address_and_nobody_else(world: World) -> None:
    await world.sign_up("ada")
    await world.sign_up("eve", "ada@example.org", verified=False)
    await world.sign_up("bob", verified=False)
    for address in ("ada@example.org", "bob@example.org", "nobody@example.org"):
        await world.keep(RESET, address)
    await world.post.deliver()
    (sent,) = world.tray.taken
    assert sent["To"] == "ada@example.org"
    assert "@ada" in sent.get_content()
    assert await world.waiting() == 0
    assert "nobody@example.org" not in await world.everything_kept()


async def test_who_has_an_account_already_is_told_so_by_mail_alone(world: World) -> None:
    await world.sign_up("ada")
    await world.sign_up("eve", "ada@example.org", verified=False)
    await world.keep(VERIFY, "ada@example.org", "eve")
    await world.post.deliver()
    assert world.tray.to("ada@example.org") == ["You have an account already"]
    assert "#token" not in world.tray.taken[0].get_content()


async def test_a_verification_goes_only_where_the_account_says(world: World) -> None:
    await world.sign_up("ada")
    await world.sign_up("bob", verified=False)
    await world.keep(VERIFY, "ada@example.org", "ada")  # has it already
    await world.keep(VERIFY, "eve@example.org", "bob")  # not bob's
    await world.keep(VERIFY, "eve@example.org", "nobody")
    await world.post.deliver()
    assert world.tray.taken == []
    await world.keep(VERIFY, "bob@example.org", "bob")
    await world.post.deliver()
    assert world.tray.to("bob@example.org") == ["Verify your e-mail address"]


async def test_nobody_is_flooded_and_every_link_that_came_is_good(world: World) -> None:
    await world.sign_up("ada")
    for _ in range(9):
        await world.keep(RESET, "ada@example.org")
        await world.post.deliver()
    assert len(world.tray.taken) == domain.MOST_MAILS
    tokens = {one.get_content().split("#token=")[1].split()[0] for one in world.tray.taken}
    kept = await world.everything_kept()
    assert all(digest(token).hex() in kept for token in tokens)
    await world.later(domain.MAIL_LASTS)
    await world.keep(RESET, "ada@example.org")
    await world.post.deliver()
    assert len(world.tray.taken) == domain.MOST_MAILS + 1


async def test_a_stranger_who_names_an_address_often_stops_no_reset(world: World) -> None:
    await world.sign_up("ada")
    for number in range(domain.MOST_MAILS_OF_KIND + 3):
        await world.sign_up(f"eve-{number}", "ada@example.org", verified=False)
        await world.keep(VERIFY, "ada@example.org", f"eve-{number}")
        await world.post.deliver()
    assert len(world.tray.taken) == domain.MOST_MAILS_OF_KIND
    await world.keep(RESET, "ada@example.org")
    await world.post.deliver()
    assert world.tray.to("ada@example.org")[-1] == "Reset your password"


async def test_neither_a_token_nor_an_address_is_logged_nor_a_token_kept(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    await world.sign_up("ada")
    world.tray.failing = NOT_NOW
    await world.keep(RESET, "ada@example.org")
    await world.post.deliver()
    world.tray.failing = None
    await world.later(timedelta(minutes=1))
    await world.post.deliver()
    token = world.tray.token("ada@example.org")
    logged = capsys.readouterr().out
    assert "mail sent" in logged
    assert "mail could not be sent yet" in logged
    assert "ada" not in logged
    for secret in (token, token.split(".")[1]):
        assert secret not in logged
        assert secret not in await world.everything_kept()
