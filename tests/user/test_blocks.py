"""Who blocked somebody is not to be looked into by them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from chassis.database import Database, Transaction
from chassis.publisher import Entry
from chassis.testing import plan_of
from creavio.user.v1 import block_service_pb2
from creavio.user.v1.block_service_pb2_grpc import BlockServiceStub
from services.user import store
from services.user.engine import Untold
from services.user.store.tables import BLOCK
from tests.live import Live, Person

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("user") as made:
        yield made


def seen(viewer: Person, other: Person) -> list[Any]:
    """A profile, both ways it can be looked up."""
    people = viewer.do("GET", "/v1/users:batchGet", params={"user_ids": [viewer.id, other.id]})
    assert people["users"][0] == viewer.do("GET", "/v1/users/me")
    return [people["users"][1], viewer.do("GET", f"/v1/handles/{other.handle}")]


def test_who_is_blocked_reads_nothing_but_a_name(live: Live) -> None:
    ada, bob, eve = (live.sign_up(name) for name in ("ada", "bob", "eve"))
    ada.do("PATCH", "/v1/users/me", json={"bio": "my words", "status_text": "my day"})
    ada.do("POST", "/v1/users/me/blocks", json={"user_id": bob.id})
    for shown in seen(bob, ada):
        assert (shown["bio"], shown["status_text"]) == ("", "")
        assert (shown["id"], shown["handle"], shown["display_name"]) == (ada.id, ada.handle, "Ada")
    for shown in (*seen(eve, ada), ada.do("GET", "/v1/users/me")):
        assert (shown["bio"], shown["status_text"]) == ("my words", "my day")
    # Who blocks still reads what the other says of themself.
    bob.do("PATCH", "/v1/users/me", json={"bio": "bob's"})
    assert [shown["bio"] for shown in seen(ada, bob)] == ["bob's"] * 2
    ada.do("DELETE", f"/v1/users/me/blocks/{bob.id}")
    assert [shown["bio"] for shown in seen(bob, ada)] == ["my words"] * 2


async def test_services_learn_who_is_kept_apart(live: Live) -> None:
    ada, bob, eve = (live.sign_up(name) for name in ("ada", "bob", "eve"))
    ada.do("POST", "/v1/users/me/blocks", json={"user_id": bob.id})
    eve.do("POST", "/v1/users/me/blocks", json={"user_id": ada.id})
    async with live.as_service("gateway") as caller:
        users = BlockServiceStub(caller.channel)
        for person, apart in ((ada, {bob.id, eve.id}), (bob, {ada.id}), (eve, {ada.id})):
            request = block_service_pb2.ListApartRequest(user_id=person.id)
            reply = await caller.call(users.ListApart, request)
            assert set(reply.user_ids) == apart


async def test_whoever_is_blocked_by_many_is_kept_apart_from_all_they_blocked(
    database: Database,
) -> None:
    me, (*others, last) = uuid4(), sorted(uuid4() for _ in range(4))
    async with database.transaction() as tx:
        await store.add_block(tx, me, last, NOW)
        for other in others:
            await store.add_block(tx, other, me, NOW)
        assert await store.apart_from(tx, me, 2) == [*others[:2], last]


async def test_blocks_of_before_are_told_once(database: Database) -> None:
    told: list[Any] = []

    async def keep(transaction: Transaction) -> list[Entry]:
        told.extend(transaction.events)
        return []

    database.attach_outbox(keep, lambda _: None)
    pairs = [(uuid4(), uuid4()) for _ in range(3)]
    async with database.transaction() as tx:
        for blocker, blocked in pairs:
            await store.add_block(tx, blocker, blocked, NOW)
        # As the migration leaves those that were there.
        await tx.execute(
            sa.update(BLOCK).where(BLOCK.c.blocker_id != pairs[2][0]).values(told=False)
        )
    for _ in range(2):
        await Untold(database).tell()
    assert [event.DESCRIPTOR.name for event in told] == ["UserBlocked"] * 2
    assert len({event.user_id for event in told}) == 2


async def test_no_question_about_blocks_reads_them_all(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute(
            sa.text(
                "INSERT INTO block (blocker_id, blocked_id, create_time)"
                " SELECT gen_random_uuid(), gen_random_uuid(), now() FROM generate_series(1, 20000)"
            )
        )
        await tx.execute(sa.text("ANALYZE"))
    me, others = uuid4(), [uuid4() for _ in range(100)]
    for plan in (
        await plan_of(database, lambda tx: store.apart_from(tx, me, 100)),
        await plan_of(database, lambda tx: store.blocking(tx, me, others)),
        await plan_of(database, lambda tx: store.take_untold(tx, 100)),
    ):
        assert "Seq Scan" not in plan, plan
