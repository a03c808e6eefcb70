"""A request sent again is answered as it was, and takes effect once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
import uuid

import pytest
import sqlalchemy as sa

from chassis.calls import CURRENT, Call, Principal
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import Conflict, Invalid
from chassis.idempotency import claim, current_key, forget_old
from chassis.schema import IDEMPOTENCY, INBOX
from creavio.community.v1 import channel_pb2, channel_service_pb2, community_service_pb2

CREATE = "/creavio.community.v1.ChannelService/CreateChannel"
FOUND = "/creavio.community.v1.CommunityService/CreateCommunity"


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    async with scratch("community") as made:
        yield made


class Service:
    """Creates channels: an effect is a row in the inbox."""

    def __init__(self, contract: Contract, database: Database) -> None:
        self._contract = contract
        self._database = database

    async def create(
        self,
        name: str = "general",
        *,
        key: str = "",
        person: str = "ada",
        header: str = "",
        path: str = CREATE,
        fails: bool = False,
        hold: float = 0.0,
    ) -> channel_pb2.Channel:
        """One call, as the server would set it up."""
        request: Any = (
            channel_service_pb2.CreateChannelRequest(name=name, request_id=key)
            if path == CREATE
            else community_service_pb2.CreateCommunityRequest(name=name, request_id=key)
        )
        context: Any = None
        CURRENT.set(
            Call(
                rpc=self._contract.rpcs[path],
                request=request,
                context=context,
                metadata={"idempotency-key": header} if header else {},
                principal=Principal(person, "ses", "token", 0.0),
            )
        )
        async with self._database.transaction() as tx:
            claimed = await claim(tx, channel_pb2.Channel)
            if claimed.reply is not None:
                return claimed.reply
            identifier = uuid.uuid4().hex
            await tx.execute(sa.insert(INBOX).values(event_id=identifier))
            await asyncio.sleep(hold)
            if fails:
                raise RuntimeError("midway")
            return await claimed.keep(channel_pb2.Channel(id=identifier, name=name))

    async def effects(self) -> int:
        async with self._database.reading() as tx:
            counted = await tx.execute(sa.select(sa.func.count()).select_from(INBOX))
        return int(counted.scalar_one())


@pytest.fixture
def service(contract: Contract, database: Database) -> Service:
    return Service(contract, database)


async def test_the_same_request_is_answered_alike(service: Service) -> None:
    first = await service.create(key="once")
    assert await service.create(key="once") == first
    assert await service.effects() == 1


async def test_without_a_key_every_request_counts(service: Service) -> None:
    assert await service.create() != await service.create()
    assert await service.effects() == 2


async def test_another_request_under_the_key_is_a_conflict(service: Service) -> None:
    await service.create("general", key="once")
    with pytest.raises(Conflict) as refused:
        await service.create("random", key="once")
    assert refused.value.reason == "IDEMPOTENCY_KEY_REUSED"
    assert await service.effects() == 1


async def test_keys_of_different_people_are_apart(service: Service) -> None:
    mine = await service.create(key="once", person="ada")
    theirs = await service.create("theirs", key="once", person="bob")
    assert mine != theirs
    assert await service.effects() == 2


async def test_keys_of_different_rpcs_are_apart(service: Service) -> None:
    await service.create(key="once")
    await service.create("another thing", key="once", path=FOUND)
    assert await service.effects() == 2


async def test_the_header_names_the_request_as_the_field_does(service: Service) -> None:
    first = await service.create(header="once")
    assert await service.create(header="once") == first
    assert await service.create(key="once") == first
    assert await service.create(key="once", header="another") == first, "the field counts"
    assert await service.effects() == 1


async def test_a_header_that_is_too_long_is_refused(service: Service) -> None:
    await service.create(header="k" * 64)
    with pytest.raises(Invalid) as refused:
        await service.create(header="k" * 65)
    assert refused.value.fields[0][0] == "Idempotency-Key"


async def test_two_at_once_take_effect_once(service: Service) -> None:
    replies = await asyncio.gather(*(service.create(key="once", hold=0.1) for _ in range(6)))
    assert all(reply == replies[0] for reply in replies)
    assert await service.effects() == 1


async def test_what_failed_does_not_take_the_key(service: Service) -> None:
    with pytest.raises(RuntimeError):
        await service.create(key="once", fails=True)
    assert await service.effects() == 0
    assert (await service.create("second try", key="once")).name == "second try"


async def test_who_waited_for_one_that_failed_does_it(service: Service) -> None:
    failing = asyncio.create_task(service.create(key="once", hold=0.2, fails=True))
    await asyncio.sleep(0.1)
    second = asyncio.create_task(service.create(key="once"))
    with pytest.raises(RuntimeError):
        await failing
    assert (await second).name == "general"
    assert await service.effects() == 1


async def test_a_key_is_forgotten_after_a_day(service: Service, database: Database) -> None:
    await service.create("old", key="old")
    await service.create("young", key="young")
    async with database.transaction() as tx:
        for key, hours in (("old", 25), ("young", 23)):
            await tx.execute(
                sa.update(IDEMPOTENCY)
                .where(IDEMPOTENCY.c.key == key)
                .values(create_time=sa.func.now() - sa.text(f"interval '{hours} hours'"))
            )
        await forget_old(tx)
        left = (await tx.execute(sa.select(IDEMPOTENCY.c.key))).scalars().all()
    assert left == ["young"]


async def test_the_key_in_progress_is_known(service: Service) -> None:
    await service.create(header="once")
    assert current_key() == "once"
