"""What of a profile is for those who share a community with its owner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from chassis import calls, ids
from chassis.calls import Call, Principal
from chassis.clients import Clients
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import Unavailable
from chassis.testing import scratch_config, standing_in
from creavio.rbac.v1 import access_service_pb2
from creavio.rbac.v1.access_service_pb2_grpc import (
    AccessServiceServicer,
    add_AccessServiceServicer_to_server,
)
from creavio.user.v1 import user_pb2, user_service_pb2
from services.user import convert, domain, store
from services.user.domain import Audience, Profile
from services.user.engine import Fellows, HeldHandles
from services.user.handler import UserHandler
from tests.live import Live, Person

COMMUNITIES = "PROFILE_AUDIENCE_COMMUNITIES"


@dataclass
class Rbac(AccessServiceServicer):
    """Says who belongs where somebody does."""

    fellows: set[str] = field(default_factory=set)
    away: bool = False
    asked: list[set[str]] = field(default_factory=list)

    async def ListFellows(
        self, request: access_service_pb2.ListFellowsRequest, context: object
    ) -> access_service_pb2.ListFellowsResponse:
        self.asked.append(set(request.among))
        if self.away:
            raise Unavailable("away")
        return access_service_pb2.ListFellowsResponse(
            user_ids=[one for one in request.among if one in self.fellows]
        )


@dataclass
class Stage:
    """user next to rbac."""

    database: Database
    rbac: Rbac
    handler: UserHandler

    async def join(self, handle: str, audience: Audience) -> Profile:
        made = replace(
            domain.new_profile(ids.new(), handle, handle, datetime.now(UTC)),
            bio="words",
            status_text="here",
            bio_audience=audience,
        )
        async with self.database.transaction() as tx:
            await store.add(tx, made)
            await store.save(tx, made)
        return made

    async def seen(self, viewer: UUID, *profiles: Profile) -> dict[str, user_pb2.User]:
        wanted = [convert.user_text(profile.id) for profile in profiles]
        with calling(viewer):
            reply = await self.handler.BatchGetUsers(
                user_service_pb2.BatchGetUsersRequest(user_ids=wanted), None
            )
        return {user.handle: user for user in reply.users}


@contextmanager
def calling(viewer: UUID) -> Iterator[None]:
    """Calls in the block are made by somebody."""
    nothing: Any = None
    caller = Principal(convert.user_text(viewer), "", "", 0.0)
    before = calls.CURRENT.set(Call(nothing, None, nothing, {}, principal=caller))
    try:
        yield
    finally:
        calls.CURRENT.reset(before)


@pytest.fixture
async def stage(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]], contract: Contract
) -> AsyncIterator[Stage]:
    rbac = Rbac()  # type: ignore[abstract]  # the other RPCs are not called
    part = (add_AccessServiceServicer_to_server, rbac)
    async with scratch("user") as database, standing_in(contract, part) as address:
        clients = Clients("user", address, contract)
        held = HeldHandles(scratch_config("user"))
        yield Stage(database, rbac, UserHandler(database, held, Fellows(clients)))
        await clients.close()


async def test_rbac_is_asked_of_those_alone_on_whom_it_depends(stage: Stage) -> None:
    ada = await stage.join("ada", Audience.COMMUNITIES)
    bob = await stage.join("bob", Audience.EVERYBODY)
    eve = await stage.join("eve", Audience.NOBODY)
    dan = await stage.join("dan", Audience.COMMUNITIES)
    me = await stage.join("me", Audience.COMMUNITIES)
    async with stage.database.transaction() as tx:
        await store.add_block(tx, dan.id, me.id, datetime.now(UTC))
    stage.rbac.fellows = {convert.user_text(one.id) for one in (ada, dan, eve)}
    seen = await stage.seen(me.id, me, ada, bob, eve, dan)
    assert stage.rbac.asked == [{convert.user_text(ada.id)}]
    assert {handle: user.bio for handle, user in seen.items()} == {
        "me": "words",
        "ada": "words",
        "bob": "words",
        "eve": "",
        "dan": "",
    }
    stage.rbac.fellows = set()
    stranger = (await stage.seen(me.id, ada))["ada"]
    assert (stranger.bio, stranger.status_text) == ("", "here")
    assert not stranger.bio_audience, "nor that there is something"


async def test_while_rbac_is_away_nothing_is_shown_that_depends_on_it(stage: Stage) -> None:
    ada = await stage.join("ada", Audience.COMMUNITIES)
    bob = await stage.join("bob", Audience.EVERYBODY)
    stage.rbac.away = True
    with pytest.raises(Unavailable):
        await stage.seen(bob.id, ada)
    assert (await stage.seen(ada.id, ada, bob))["bob"].bio == "words", (
        "the others are not kept from"
    )


def bio(viewer: Person, other: Person) -> tuple[str, str]:
    """What somebody sees of another's bio, and for whom it is."""
    (user,) = viewer.do("GET", "/v1/users:batchGet", params={"user_ids": other.id})["users"]
    assert viewer.do("GET", f"/v1/handles/{other.handle}") == user
    return user["bio"], user["bio_audience"]


def test_who_shares_a_community_sees_it_as_long_as_they_do(live: Live) -> None:
    ada, bob, eve = (live.sign_up(name) for name in ("ada", "bob", "eve"))
    hidden, shown = ("", "PROFILE_AUDIENCE_UNSPECIFIED"), ("mine", "PROFILE_AUDIENCE_UNSPECIFIED")
    ada.do("PATCH", "/v1/users/me", json={"bio": "mine", "bio_audience": COMMUNITIES})
    assert bio(ada, ada) == ("mine", COMMUNITIES)
    community = ada.found()["id"]
    eve.found("Somewhere else")
    assert bio(bob, ada) == bio(eve, ada) == hidden
    bob.accept(ada.invite(community))
    assert bio(bob, ada) == shown
    assert bio(eve, ada) == hidden
    bob.do("POST", f"/v1/communities/{community}:leave")
    assert bio(bob, ada) == hidden, "who has just left sees no more of it"
    eve.accept(ada.invite(community))
    assert bio(eve, ada) == shown
    ada.do("POST", "/v1/users/me/blocks", json={"user_id": eve.id})
    assert bio(eve, ada) == hidden
    ada.do("DELETE", f"/v1/users/me/blocks/{eve.id}")
    ada.do("DELETE", f"/v1/communities/{community}/members/{eve.id}")
    assert bio(eve, ada) == hidden, "nor who was just shown out"
