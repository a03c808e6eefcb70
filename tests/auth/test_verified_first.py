"""Where addresses are to be verified first, tokens say of whom that is asked."""

from __future__ import annotations

import pytest

from chassis.auth import Verifier
from creavio.auth.v1.email_service_pb2 import VerifyEmailRequest
from creavio.auth.v1.session_pb2 import Session
from creavio.auth.v1.session_service_pb2 import CreateSessionRequest, RefreshSessionRequest
from services.auth.domain import MailKind
from services.auth.domain.registration import Mode, Registration
from services.auth.engine.credentials import SigningKey
from services.auth.store import registration
from tests.auth.mailing import PASSWORD, World


async def wanted(world: World, *, verified: bool) -> None:
    """Have the instance want verified addresses, or not."""
    async with world.database.transaction() as tx:
        await registration.save(tx, Registration(Mode.OPEN, verified))


async def is_held_back(key: SigningKey, session: Session) -> bool:
    verifier = Verifier("creavio", "creavio", key.key_set)
    return (await verifier.verify(session.access_token)).unverified


async def sign_in(world: World, handle: str) -> Session:
    return await world.session.CreateSession(
        CreateSessionRequest(login=handle, password=PASSWORD), None
    )


async def renewed(world: World, session: Session) -> Session:
    return await world.session.RefreshSession(
        RefreshSessionRequest(refresh_token=session.refresh_token), None
    )


@pytest.mark.parametrize("verified", [True, False])
async def test_nobody_is_held_back_where_it_is_not_wanted(
    world: World, key: SigningKey, verified: bool
) -> None:
    await world.sign_up("ada", verified=verified)
    assert not await is_held_back(key, await sign_in(world, "ada"))


async def test_whoever_has_to_verify_their_address_does_and_is_free(
    world: World, key: SigningKey
) -> None:
    await wanted(world, verified=True)
    await world.sign_up("ada", verified=False)
    await world.sign_up("bob", verified=True)
    assert not await is_held_back(key, await sign_in(world, "bob"))
    session = await sign_in(world, "ada")
    assert await is_held_back(key, session)
    session = await renewed(world, session)
    assert await is_held_back(key, session)
    await world.keep(MailKind.VERIFY_EMAIL, "ada@example.org", "ada")
    await world.post.deliver()
    token = world.tray.token("ada@example.org")
    await world.emails.VerifyEmail(VerifyEmailRequest(token=token), None)
    assert not await is_held_back(key, await renewed(world, session))


async def test_a_session_follows_the_setting_when_it_is_renewed(
    world: World, key: SigningKey
) -> None:
    await world.sign_up("ada", verified=False)
    session = await sign_in(world, "ada")
    await wanted(world, verified=True)
    session = await renewed(world, session)
    assert await is_held_back(key, session)
    await wanted(world, verified=False)
    assert not await is_held_back(key, await renewed(world, session))
