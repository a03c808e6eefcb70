"""Addresses are verified, passwords are reset and changed, and nobody else gains by it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.database import Transaction
from creavio.auth.v1.email_service_pb2 import (
    ChangeEmailRequest,
    GetEmailRequest,
    ResendVerificationRequest,
    VerifyEmailRequest,
)
from creavio.auth.v1.password_service_pb2 import (
    ChangePasswordRequest,
    RequestPasswordResetRequest,
    ResetPasswordRequest,
)
from creavio.auth.v1.session_service_pb2 import CreateSessionRequest
from services.auth.domain import (
    Account,
    EmailTaken,
    InvalidLink,
    MailKind,
    PasswordChanged,
    Purpose,
    WrongCredentials,
)
from services.auth.engine.credentials import Passwords
from tests.auth.mailing import PASSWORD, World

NEW = "battery staple"


async def mailed(world: World, kind: MailKind, recipient: str, handle: str = "") -> str:
    """The token that was mailed to an address."""
    await world.keep(kind, recipient, handle)
    await world.post.deliver()
    return world.tray.token(recipient)


async def verify(world: World, token: str) -> None:
    await world.emails.VerifyEmail(VerifyEmailRequest(token=token), None)


async def reset(world: World, token: str, password: str = NEW) -> None:
    request = ResetPasswordRequest(token=token, new_password=password)
    await world.password.ResetPassword(request, None)


async def signs_in(world: World, login: str, password: str) -> bool:
    request = CreateSessionRequest(login=login, password=password)
    try:
        await world.session.CreateSession(request, None)
    except WrongCredentials:
        return False
    return True


async def test_whoever_reads_its_mail_has_an_address(world: World) -> None:
    ada = await world.sign_up("ada", verified=False)
    assert not await signs_in(world, "ada@example.org", PASSWORD)
    await verify(world, await mailed(world, MailKind.VERIFY_EMAIL, "ada@example.org", "ada"))
    with world.calling(ada, ids.new()):
        told = await world.emails.GetEmail(GetEmailRequest(), None)
    assert (told.email, told.verified) == ("ada@example.org", True)
    assert await signs_in(world, "ada@example.org", PASSWORD)


async def test_a_mailed_token_is_good_once_even_at_once(world: World) -> None:
    await world.sign_up("ada", verified=False)
    token = await mailed(world, MailKind.VERIFY_EMAIL, "ada@example.org", "ada")
    outcomes = await asyncio.gather(
        *(verify(world, token) for _ in range(5)), return_exceptions=True
    )
    assert outcomes.count(None) == 1
    assert [type(one) for one in outcomes if one is not None] == [InvalidLink] * 4
    token = await mailed(world, MailKind.RESET_PASSWORD, "ada@example.org")
    outcomes = await asyncio.gather(
        *(reset(world, token, f"password {n}") for n in range(4)), return_exceptions=True
    )
    assert outcomes.count(None) == 1
    assert await signs_in(world, "ada", f"password {outcomes.index(None)}")


async def test_a_mailed_token_ends(world: World) -> None:
    await world.sign_up("ada", verified=False)
    for kind, purpose, use in (
        (MailKind.VERIFY_EMAIL, Purpose.VERIFY_EMAIL, verify),
        (MailKind.RESET_PASSWORD, Purpose.RESET_PASSWORD, reset),
    ):
        if purpose is Purpose.RESET_PASSWORD:
            handle = ""
            fresh = await mailed(world, MailKind.VERIFY_EMAIL, "ada@example.org", "ada")
            await verify(world, fresh)
        else:
            handle = "ada"
        token = await mailed(world, kind, "ada@example.org", handle)
        await world.later(purpose.lasts)
        with pytest.raises(InvalidLink):
            await use(world, token)


async def test_a_token_is_for_its_purpose_and_as_it_was_mailed(world: World) -> None:
    await world.sign_up("ada")
    await world.sign_up("bob", verified=False)
    resets = await mailed(world, MailKind.RESET_PASSWORD, "ada@example.org")
    verifies = await mailed(world, MailKind.VERIFY_EMAIL, "bob@example.org", "bob")
    never_mailed = world.links.token(Purpose.RESET_PASSWORD, ids.new())
    for token in (verifies, never_mailed, resets[:-1] + "!", resets.upper(), "", "x.y"):
        with pytest.raises(InvalidLink):
            await reset(world, token)
    for token in (resets, "", "x.y"):
        with pytest.raises(InvalidLink):
            await verify(world, token)
    await reset(world, resets)


async def test_a_forged_token_costs_no_hash(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> str:
        raise AssertionError("a hash was made")

    monkeypatch.setattr(Passwords, "hash", refuse)
    with pytest.raises(InvalidLink):
        await reset(world, "forged")


async def test_a_reset_ends_every_session_and_every_other_token(world: World) -> None:
    ada, bob = await world.sign_up("ada"), await world.sign_up("bob")
    mine = {await world.session_of(ada) for _ in range(3)}
    other = await world.session_of(bob)
    first = await mailed(world, MailKind.RESET_PASSWORD, "ada@example.org")
    second = await mailed(world, MailKind.RESET_PASSWORD, "ada@example.org")
    await reset(world, second)
    assert await world.lasting(ada) == set()
    assert await world.lasting(bob) == {other}
    told: list[Any] = list(world.told.events)
    assert {one.session_id for one in told} == {ids.text(ids.Kind.SESSION, s) for s in mine}
    assert [await signs_in(world, "ada", p) for p in (PASSWORD, NEW)] == [False, True]
    with pytest.raises(InvalidLink):
        await reset(world, first, "another one")
    await world.post.deliver()
    assert world.tray.to("ada@example.org")[-1] == "Your password was changed"


async def test_a_change_ends_the_other_sessions_and_every_reset(world: World) -> None:
    ada = await world.sign_up("ada")
    here, there = await world.session_of(ada), await world.session_of(ada)
    token = await mailed(world, MailKind.RESET_PASSWORD, "ada@example.org")
    with world.calling(ada, here):
        await world.password.ChangePassword(
            ChangePasswordRequest(current_password=PASSWORD, new_password=NEW), None
        )
    assert await world.lasting(ada) == {here}
    (told,) = world.told.events
    assert told.session_id == ids.text(ids.Kind.SESSION, there)  # type: ignore[attr-defined]
    assert await signs_in(world, "ada", NEW)
    with pytest.raises(InvalidLink):
        await reset(world, token, "a third one")


async def test_an_open_session_alone_changes_nothing(world: World) -> None:
    ada = await world.sign_up("ada")
    here, there = await world.session_of(ada), await world.session_of(ada)
    with world.calling(ada, here):
        with pytest.raises(WrongCredentials):
            await world.password.ChangePassword(
                ChangePasswordRequest(current_password="guess", new_password=NEW), None
            )
        with pytest.raises(WrongCredentials):
            await world.emails.ChangeEmail(
                ChangeEmailRequest(email="eve@example.org", current_password="guess"), None
            )
    assert await world.lasting(ada) == {here, there}
    assert await world.waiting() == 0
    assert await signs_in(world, "ada", PASSWORD)


async def test_two_changes_at_once_are_one(world: World) -> None:
    ada = await world.sign_up("ada")
    here = await world.session_of(ada)
    with world.calling(ada, here):
        outcomes = await asyncio.gather(
            *(
                world.password.ChangePassword(
                    ChangePasswordRequest(current_password=PASSWORD, new_password=f"{NEW} {n}"),
                    None,
                )
                for n in range(3)
            ),
            return_exceptions=True,
        )
    failed = [one for one in outcomes if isinstance(one, Exception)]
    assert [type(one) for one in failed] in (
        [PasswordChanged] * 2,
        [WrongCredentials] * 2,
        [PasswordChanged, WrongCredentials],
        [WrongCredentials, PasswordChanged],
    )


async def test_a_sign_in_with_the_old_password_does_not_outlive_a_reset(world: World) -> None:
    # Its password was looked at before, its session is kept after.
    ada = await world.sign_up("ada")
    await reset(world, await mailed(world, MailKind.RESET_PASSWORD, "ada@example.org"))
    with pytest.raises(WrongCredentials):
        await world.sign_in.begin(ada)
    assert await world.lasting(ada) == set()


async def changing(world: World, account: Account, email: str) -> str:
    """Ask for another address; the token that came there."""
    with world.calling(account, await world.session_of(account)):
        await world.emails.ChangeEmail(
            ChangeEmailRequest(email=email, current_password=PASSWORD), None
        )
    await world.post.deliver()
    return world.tray.token(email)


async def test_another_address_counts_once_it_is_verified(world: World) -> None:
    ada = await world.sign_up("ada")
    there = await world.session_of(ada)
    resets = await mailed(world, MailKind.RESET_PASSWORD, "ada@example.org")
    token = await changing(world, ada, "new@example.org")
    assert there not in await world.lasting(ada)
    assert (await world.account("ada")).verified_email == "ada@example.org"
    await verify(world, token)
    assert (await world.account("ada")).verified_email == "new@example.org"
    assert not await signs_in(world, "ada@example.org", PASSWORD)
    assert await signs_in(world, "new@example.org", PASSWORD)
    await world.post.deliver()
    assert world.tray.to("ada@example.org")[-1] == "Your e-mail address was changed"
    with pytest.raises(InvalidLink):  # it went to an address the account has no more
        await reset(world, resets)


async def test_who_knew_the_old_password_gains_no_address_after_a_reset(world: World) -> None:
    ada = await world.sign_up("ada")
    token = await changing(world, ada, "eve@example.org")
    with world.calling(ada, await world.session_of(ada)):
        await world.emails.ChangeEmail(
            ChangeEmailRequest(email="eve-too@example.org", current_password=PASSWORD), None
        )
    await world.keep(MailKind.RESET_PASSWORD, "ada@example.org")
    # The mail to the second address waits still.
    async with world.database.transaction() as tx:
        await _hold_back(tx, "eve-too@example.org")
    await world.post.deliver()
    await reset(world, world.tray.token("ada@example.org"))
    with pytest.raises(InvalidLink):
        await verify(world, token)
    await world.later(timedelta(hours=1))
    await world.post.deliver()
    assert world.tray.to("eve-too@example.org") == []
    assert (await world.account("ada")).verified_email == "ada@example.org"


async def _hold_back(tx: Transaction, recipient: str) -> None:
    await tx.execute(
        sa.text("UPDATE mail SET due_time = now() + interval '1 hour' WHERE recipient = :to"),
        {"to": recipient},
    )


async def test_an_address_somebody_has_is_not_given_to_another(world: World) -> None:
    ada, bob = await world.sign_up("ada"), await world.sign_up("bob", verified=False)
    await changing_quietly(world, bob, "ada@example.org")
    assert world.tray.to("ada@example.org") == ["You have an account already"]
    # A token from before somebody had it.
    await world.sign_up("eve", "free@example.org", verified=False)
    token = await mailed(world, MailKind.VERIFY_EMAIL, "free@example.org", "eve")
    await verify(world, await changing(world, ada, "free@example.org"))
    with pytest.raises(EmailTaken):
        await verify(world, token)
    assert (await world.account("ada")).verified_email == "free@example.org"


async def changing_quietly(world: World, account: Account, email: str) -> None:
    with world.calling(account, await world.session_of(account)):
        await world.emails.ChangeEmail(
            ChangeEmailRequest(email=email, current_password=PASSWORD), None
        )
    await world.post.deliver()


async def statements(
    world: World, ask: Callable[[], Awaitable[object]]
) -> tuple[object, list[str]]:
    """What is answered, and every statement that takes."""
    said: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        said.append(statement)

    engine = world.database._engine.sync_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        return await ask(), said
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


async def test_asking_tells_nobody_who_has_an_account(world: World) -> None:
    ada = await world.sign_up("ada")
    await world.sign_up("bob", verified=False)
    people = [("ada", "ada@example.org"), ("bob", "bob@example.org"), ("eve", "eve@example.org")]

    async def resend(handle: str, email: str) -> object:
        request = ResendVerificationRequest(handle=handle, email=email)
        return await world.emails.ResendVerification(request, None)

    async def forget(_: str, email: str) -> object:
        request = RequestPasswordResetRequest(email=email)
        return await world.password.RequestPasswordReset(request, None)

    async def change(_: str, email: str) -> object:
        request = ChangeEmailRequest(email=email, current_password=PASSWORD)
        with world.calling(ada, here):
            return await world.emails.ChangeEmail(request, None)

    here = await world.session_of(ada)
    await change("", "first@example.org")  # from now on she is known there
    for ask in (resend, forget, change):
        answers = [await statements(world, partial(ask, *person)) for person in people]
        first = answers[0]
        assert all(one == first for one in answers)
        assert first[1]
