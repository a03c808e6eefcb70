"""A service gives all it keeps of a person, and erases it more than once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.message import Message
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.database import Database, Transaction
from chassis.errors import Invalid
from chassis.person import ErasureConsumer, Erasures, Personal, PersonHandler
from chassis.schema import ERASING, IDEMPOTENCY
from chassis.testing import scratch_config
from chassis.tokens import Tokens
from creavio.user.v1 import person_service_pb2, user_events_pb2
from services.user.store import person as kept
from services.user.store.tables import BLOCK, PROFILE, SETTINGS

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("user") as made:
        yield made


class Service:
    """A service over the tables of user, that remembers what it was asked."""

    def __init__(self) -> None:
        self.confirmed: list[UUID] = []
        self.prepared: list[UUID] = []
        self.failing: set[UUID] = set()
        self.personal = Personal(
            kept.PARTS,
            lambda *_: None,
            person_service_pb2.ExportPersonResponse,
            self._confirm,
            before=self._before,
        )

    async def _confirm(self, tx: Transaction, user_id: UUID) -> None:
        self.confirmed.append(user_id)

    async def _before(self, user_id: UUID) -> None:
        self.prepared.append(user_id)
        if user_id in self.failing:
            raise RuntimeError("not yet")


async def settle(database: Database, *people: UUID, blocks: int = 5) -> None:
    async with database.transaction() as tx:
        for who in people:
            handle = who.hex[:16]
            values = {"id": who, "handle": handle, "display_name": "x", "skeleton": handle}
            await tx.execute(sa.insert(PROFILE).values(**values, bio="words", create_time=NOW))
            for _ in range(blocks):
                block = {"blocker_id": who, "blocked_id": uuid4(), "create_time": NOW}
                await tx.execute(sa.insert(BLOCK).values(**block))
            owner = {"owner": ids.text(ids.Kind.USER, who), "rpc": "/x", "key": "k"}
            await tx.execute(sa.insert(IDEMPOTENCY).values(**owner, fingerprint=b""))


async def left(database: Database, who: UUID) -> int:
    """How many rows there are of somebody."""
    async with database.reading() as tx:
        counts = [
            (await tx.execute(sa.select(sa.func.count()).select_from(table).where(this))).scalar()
            for table, this in (
                (PROFILE, PROFILE.c.id == who),
                (BLOCK, BLOCK.c.blocker_id == who),
                (SETTINGS, SETTINGS.c.user_id == who),
                (IDEMPOTENCY, IDEMPOTENCY.c.owner == ids.text(ids.Kind.USER, who)),
            )
        ]
    return sum(int(count or 0) for count in counts)


async def ask(database: Database, who: UUID) -> None:
    event = user_events_pb2.UserErased(user_id=ids.text(ids.Kind.USER, who))
    async with database.transaction() as tx:
        await ErasureConsumer(None).handle(tx, event)


async def pass_time(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute(sa.update(ERASING).values(due_time=sa.func.now()))


async def test_only_who_asked_is_erased_and_it_is_said_once(database: Database) -> None:
    ada, bob, service = uuid4(), uuid4(), Service()
    await settle(database, ada, bob)
    await ask(database, ada)
    erasures = Erasures(database, service.personal)
    for _ in range(3):
        await erasures.run()
    assert await left(database, ada) == 0
    assert await left(database, bob) == 7
    assert service.confirmed == [ada]
    assert service.prepared == [ada], "what is not due is not done again"


async def test_what_was_on_its_way_is_erased_later(database: Database) -> None:
    ada, service = uuid4(), Service()
    await ask(database, ada)
    erasures = Erasures(database, service.personal)
    await erasures.run()
    for _ in range(2):
        await settle(database, ada)
        await pass_time(database)
        await erasures.run()
        assert await left(database, ada) == 0
    assert service.confirmed == [ada]
    async with database.reading() as tx:
        assert (await tx.execute(sa.select(ERASING))).all() == [], "three times are enough"


async def test_asked_again_it_is_done_and_said_again(database: Database) -> None:
    ada, service = uuid4(), Service()
    erasures = Erasures(database, service.personal)
    for _ in range(2):
        await settle(database, ada)
        await ask(database, ada)
        await erasures.run()
        assert await left(database, ada) == 0
    assert service.confirmed == [ada, ada]


async def test_one_who_cannot_be_erased_keeps_nobody_waiting(database: Database) -> None:
    ada, bob, service = uuid4(), uuid4(), Service()
    service.failing = {ada}
    await settle(database, ada, bob)
    for who in (ada, bob):
        await ask(database, who)
    erasures = Erasures(database, service.personal)
    with pytest.raises(ExceptionGroup):
        await erasures.run()
    assert service.confirmed == [bob]
    assert await left(database, ada) == 7
    service.failing.clear()
    await erasures.run()
    assert service.confirmed == [bob, ada]


async def test_what_is_undone_is_not_said(database: Database) -> None:
    ada, service = uuid4(), Service()
    await settle(database, ada)
    await ask(database, ada)

    async def breaks(tx: Transaction, user_id: UUID) -> None:
        raise RuntimeError("killed here")

    broken = replace(service.personal, confirm=breaks)
    with pytest.raises(ExceptionGroup):
        await Erasures(database, broken).run()
    assert await left(database, ada) == 7, "neither or both"


async def exported(database: Database, who: UUID, size: int) -> list[Any]:
    tokens = Tokens(scratch_config("user"))
    handler = PersonHandler("user", database, Service().personal, tokens)
    found: list[Any] = []
    request = person_service_pb2.ExportPersonRequest(user_id=ids.text(ids.Kind.USER, who))
    request.page_size = size
    while True:
        page: Any = await handler.ExportPerson(request, None)
        assert len(page.records) <= size
        found += page.records
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return found


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 50])
async def test_every_record_comes_once_whatever_the_pages(database: Database, size: int) -> None:
    ada, bob = uuid4(), uuid4()
    await settle(database, ada, bob)
    records = await exported(database, ada, size)
    assert [record.kind for record in records] == ["profile", *["block"] * 5]
    assert len({str(record.content) for record in records}) == 6
    profile = records[0].content
    assert (records[0].service, profile["id"]) == ("user", ids.text(ids.Kind.USER, ada))
    assert profile["bio"] == "words"
    assert profile["create_time"] == "2026-01-01T00:00:00+00:00"
    assert "skeleton" not in profile


async def test_a_page_token_is_for_one_person(database: Database) -> None:
    ada, bob = uuid4(), uuid4()
    await settle(database, ada)
    handler = PersonHandler("user", database, Service().personal, Tokens(scratch_config("user")))
    request = person_service_pb2.ExportPersonRequest(
        user_id=ids.text(ids.Kind.USER, ada), page_size=1
    )
    page: Any = await handler.ExportPerson(request, None)
    stolen = person_service_pb2.ExportPersonRequest(
        user_id=ids.text(ids.Kind.USER, bob), page_token=page.next_page_token
    )
    with pytest.raises(Invalid):
        await handler.ExportPerson(stolen, None)


async def test_what_else_is_told_is_passed_on(database: Database) -> None:
    heard = []

    class Other:
        async def handle(self, transaction: Transaction, event: Message) -> None:
            heard.append(event)

    blocked = user_events_pb2.UserBlocked(user_id="usr_1", blocked_id="usr_2")
    async with database.transaction() as tx:
        await ErasureConsumer(Other()).handle(tx, blocked)
    assert heard == [blocked]
