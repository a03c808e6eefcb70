"""Another handle for a person, and the one before held for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database
from chassis.outbox import Outbox
from chassis.person import Personal
from chassis.telemetry import Telemetry
from chassis.testing import plan_of, scratch_config
from creavio.user.v1 import user_pb2
from creavio.user.v1.user_service_pb2 import ChangeHandleRequest, CreateUserRequest
from services.user import domain, engine, store
from services.user.domain import HandleChangedLately, HandleTaken, UserNotFound
from services.user.engine import ExpiredHolds, Forgetting, HeldHandles
from services.user.handler import UserHandler
from services.user.store import held, person, tables


@dataclass
class World:
    """user alone, and what it is asked by auth."""

    database: Database
    handles: HeldHandles
    handler: UserHandler

    async def join(self, handle: str, user_id: str = "") -> user_pb2.User:
        user_id = user_id or ids.text(ids.Kind.USER, ids.new())
        request = CreateUserRequest(user_id=user_id, handle=handle, display_name=handle)
        return await self.handler.CreateUser(request, None)

    async def rename(self, user: user_pb2.User, handle: str) -> user_pb2.User:
        return await self.handler.ChangeHandle(
            ChangeHandleRequest(user_id=user.id, handle=handle), None
        )

    async def later(self, passed: timedelta) -> None:
        """Let time pass for handles."""
        async with self.database.transaction() as tx:
            for column in (tables.PROFILE.c.handle_change_time, tables.HELD_HANDLE.c.expire_time):
                await tx.execute(sa.update(column.table).values({column.name: column - passed}))

    async def told(self) -> int:
        """How many changes of profiles the others are told of."""
        async with self.database.reading() as tx:
            return int((await tx.execute(sa.text("SELECT count(*) FROM outbox"))).scalar_one())

    async def holds(self) -> list[tuple[bool, bool]]:
        """Of each handle that is held, whether for somebody, and whether for a while."""
        async with self.database.reading() as tx:
            rows = await tx.execute(sa.select(tables.HELD_HANDLE))
            return sorted((row.owner_id is not None, row.expire_time is not None) for row in rows)


@pytest.fixture
async def world(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]], contract: Contract
) -> AsyncIterator[World]:
    config = scratch_config("user")
    telemetry = Telemetry(config)
    async with scratch("user") as database:
        Outbox("user", contract, database, Bus(config, telemetry), telemetry)
        handles = HeldHandles(config)
        nobody: Any = None
        yield World(database, handles, UserHandler(database, handles, nobody))


async def test_another_handle_is_told_and_kept(world: World) -> None:
    ada = await world.join("ada")
    renamed = await world.rename(ada, "Countess")
    assert renamed.handle == "countess"
    assert await world.told() == 2
    assert await world.rename(ada, "countess") == renamed, "again does no harm"
    assert await world.told() == 2
    async with world.database.reading() as tx:
        assert (await store.by_handle(tx, "COUNTESS")).handle == "countess"
        with pytest.raises(UserNotFound):
            await store.by_handle(tx, "ada")


async def test_nobody_else_gets_what_was_somebodys_lately_nor_what_looks_like_it(
    world: World,
) -> None:
    ada, eve = await world.join("ada-1"), await world.join("eve")
    await world.rename(ada, "countess")
    for alike in ("ada-1", "ADA-L", "ada-l"):
        with pytest.raises(HandleTaken):
            await world.join(alike)
        with pytest.raises(HandleTaken):
            await world.rename(eve, alike)
    await world.later(domain.HANDLE_HELD - timedelta(minutes=1))
    with pytest.raises(HandleTaken):
        await world.join("ada-l")
    await world.later(timedelta(minutes=1))
    assert (await world.rename(eve, "ada-l")).handle == "ada-l"


async def test_nobody_gets_a_handle_that_looks_like_anothers(world: World) -> None:
    await world.join("bob-1")
    ada = await world.join("ada")
    for alike in ("bob-1", "b0b-l", "BOB-L"):
        with pytest.raises(HandleTaken):
            await world.rename(ada, alike)
    assert await world.told() == 0
    assert await world.holds() == []


async def test_its_owner_may_take_it_back(world: World) -> None:
    ada = await world.join("ada")
    await world.rename(ada, "countess")
    await world.later(domain.HANDLE_STAYS)
    assert (await world.rename(ada, "ada")).handle == "ada"
    assert await world.holds() == [(True, True)], "the other one is, and this no more"
    with pytest.raises(HandleTaken):
        await world.join("countess")


async def test_one_that_looks_like_ones_own_is_ones_own(world: World) -> None:
    ada = await world.join("ada-1")
    assert (await world.rename(ada, "ada-l")).handle == "ada-l"
    assert await world.holds() == [], "nobody can have it while it is theirs"
    with pytest.raises(HandleTaken):
        await world.join("ada-1")


async def test_a_handle_stays_for_a_while(world: World) -> None:
    ada = await world.join("ada")
    await world.rename(ada, "countess")
    await world.later(domain.HANDLE_STAYS - timedelta(minutes=1))
    for wanted in ("lovelace", "ada"):
        with pytest.raises(HandleChangedLately) as refused:
            await world.rename(ada, wanted)
    assert refused.value.reason == "HANDLE_CHANGE_TOO_SOON"
    await world.later(timedelta(minutes=1))
    await world.rename(ada, "lovelace")


async def test_of_all_who_want_a_handle_at_once_one_has_it(world: World) -> None:
    people = [await world.join(f"person-{number}") for number in range(4)]
    made = await asyncio.gather(
        *(world.rename(person, "countess") for person in people),
        *(world.join(handle) for handle in ("c0untess", "countess", "COUNTESS")),
        return_exceptions=True,
    )
    names = sorted(type(one).__name__ for one in made)
    assert names == ["HandleTaken"] * 6 + ["User"]


async def test_what_is_given_away_this_moment_is_nobody_elses(world: World) -> None:
    for number in range(6):
        ada, eve = await world.join(f"ada-{number}x"), await world.join(f"eve-{number}x")
        made = await asyncio.gather(
            world.rename(ada, f"countess-{number}x"),
            world.rename(eve, f"ada-{number}x"),
            world.join(f"ADA-{number}X"),
            return_exceptions=True,
        )
        assert isinstance(made[0], user_pb2.User)
        assert [type(one) for one in made[1:]] == [HandleTaken, HandleTaken]


async def test_two_who_want_each_others_keep_their_own(world: World) -> None:
    ada, bob = await world.join("ada"), await world.join("bob")
    made = await asyncio.gather(
        world.rename(ada, "bob"), world.rename(bob, "ada"), return_exceptions=True
    )
    assert [type(one) for one in made] == [HandleTaken, HandleTaken]


async def test_who_does_not_exist_has_no_handle(world: World) -> None:
    nobody = user_pb2.User(id=ids.text(ids.Kind.USER, ids.new()))
    with pytest.raises(UserNotFound):
        await world.rename(nobody, "countess")
    await world.join("countess")


async def test_of_who_is_gone_the_last_handle_is_nobodys_and_the_one_before_for_a_while(
    world: World,
) -> None:
    ada = await world.join("ada")
    await world.rename(ada, "countess")
    personal = Personal(
        person.PARTS,
        _nothing,
        user_pb2.User,
        engine.confirm,
        besides=engine.besides(world.handles),
    )
    user_id = ids.parse(ids.Kind.USER, ada.id, field="user_id")
    await Forgetting(world.database, personal, None).forget(user_id)
    assert await world.holds() == [(False, False), (False, True)], "it is not said whose they were"
    for handle in ("ada", "countess"):
        with pytest.raises(HandleTaken):
            await world.join(handle)
    await world.later(domain.HANDLE_HELD)
    await ExpiredHolds(world.database).drop()
    assert await world.holds() == [(False, False)]
    await world.join("ada")
    with pytest.raises(HandleTaken):
        await world.join("countess")


async def test_what_is_held_for_good_stays_so(world: World) -> None:
    """As handles are of which two looked alike before that was looked at."""
    ada = await world.join("ada")
    async with world.database.transaction() as tx:
        await world.handles.hold(tx, domain.skeleton("ada"))
    await world.rename(ada, "countess")
    assert await world.holds() == [(False, False)]


def _nothing(servicer: object, server: object) -> None:
    """Serves nothing."""


async def test_no_question_reads_a_whole_table(world: World) -> None:
    async with world.database.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO profile SELECT gen_random_uuid(), 'handle-' || n, 'x', '', now(), '',"
                " 'skeleton-' || n FROM generate_series(1, 20000) AS n"
            )
        )
        await tx.execute(
            sa.text(
                "INSERT INTO held_handle SELECT sha256(n::text::bytea), gen_random_uuid(),"
                " now() + random() * interval '90 days' FROM generate_series(1, 20000) AS n"
            )
        )
        await tx.execute(sa.text("ANALYZE"))
    somebody, database = ids.new(), world.database
    now = datetime.now(UTC)
    profile = domain.new_profile(somebody, "ada", "Ada", now)
    for plan in (
        await plan_of(database, lambda tx: store.rename(tx, profile)),
        await plan_of(database, lambda tx: held.is_held(tx, b"x", somebody)),
        await plan_of(database, lambda tx: held.hold(tx, b"x")),
        await plan_of(database, lambda tx: held.hold_for(tx, b"x", somebody, now)),
        await plan_of(database, lambda tx: held.take_back(tx, b"x", somebody)),
        await plan_of(database, lambda tx: held.disown(tx, somebody)),
        await plan_of(database, held.forget_expired),
    ):
        assert "Seq Scan" not in plan, plan
