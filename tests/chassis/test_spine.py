"""From a commit to its effect elsewhere: whatever NATS loses, each event once, and all of them.

community emits, chat consumes, gateway follows, each as in the platform.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field

from google.protobuf.message import Message
import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database, Transaction
from chassis.events import Consumer, Received
from chassis.feed import Feed
from chassis.outbox import Outbox
from chassis.telemetry import Telemetry
from chassis.testing import eventually, scratch_config
from creavio.community.v1 import channel_pb2, community_events_pb2
from tests.chassis.spine import connect
from tests.scratch_nats import ScratchNats

STREAM = "CREAVIO_COMMUNITY"
Scratch = Callable[[str], AbstractAsyncContextManager[Database]]


class Effect:
    """Writes down the name of every channel that was created."""

    async def handle(self, transaction: Transaction, event: Message) -> None:
        assert isinstance(event, community_events_pb2.ChannelCreated)
        await transaction.execute(
            sa.text("INSERT INTO effect VALUES (:name)"), {"name": event.channel.name}
        )


@dataclass
class Spine:
    """What happened in community, and what became of it."""

    server: ScratchNats
    contract: Contract
    source: Database
    target: Database
    stack: AsyncExitStack
    committed: list[str] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    async def run(self, service: str, work: Callable[[Bus, Telemetry], Awaitable[None]]) -> None:
        """Run a part, on a connection of its own, until the test ends."""
        bus = await self.stack.enter_async_context(self.server.bus(service))
        task = asyncio.ensure_future(work(bus, Telemetry(scratch_config(service))))

        async def end() -> None:
            assert not task.done(), task
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        self.stack.push_async_callback(end)

    async def emitting(self) -> None:
        """A replica of community."""
        await self.run(
            "community",
            lambda bus, told: Outbox("community", self.contract, self.source, bus, told).run(),
        )

    async def consuming(self) -> None:
        """A replica of chat."""
        await self.run(
            "chat",
            lambda bus, told: Consumer(
                "chat", "community", self.contract, self.target, bus, told, Effect()
            ).run(),
        )

    async def following(self) -> None:
        """A replica of gateway."""
        started: list[asyncio.Event] = []

        def follow(bus: Bus, told: Telemetry) -> Awaitable[None]:
            feed = Feed("community", bus, self.hear, self.broken.append, told)
            started.append(feed.started)
            return feed.run()

        await self.run("gateway", follow)
        await asyncio.wait_for(started[0].wait(), 5)

    async def hear(self, event: Received) -> None:
        """As gateway does."""
        if event.type == "creavio.community.v1.ChannelCreated":
            created = community_events_pb2.ChannelCreated.FromString(event.body)
            self.heard.append(created.channel.name)

    async def happen(self, *names: str) -> None:
        """Channels are created, each in a transaction of its own."""
        for name in names:
            async with self.source.transaction() as transaction:
                transaction.emit(
                    community_events_pb2.ChannelCreated(
                        channel=channel_pb2.Channel(
                            id=ids.text(ids.Kind.CHANNEL, ids.new()),
                            community_id=ids.text(ids.Kind.COMMUNITY, ids.new()),
                            name=name,
                        )
                    )
                )
            self.committed.append(name)

    async def settled(self) -> None:
        """Wait until everything that happened has its one effect, and was heard."""

        async def check() -> None:
            async with self.target.reading() as reading:
                effects = (await reading.execute(sa.text("SELECT name FROM effect"))).scalars()
                assert Counter(effects) == Counter(self.committed)
            assert Counter(self.heard) == Counter(self.committed)

        await eventually(check, within=40)
        await asyncio.sleep(0.5)
        await check()
        assert self.broken == []


@pytest.fixture
async def spine(
    contract: Contract, nats_server: ScratchNats, scratch: Scratch
) -> AsyncIterator[Spine]:
    async with scratch("community") as source, scratch("chat") as target, AsyncExitStack() as stack:
        async with target.transaction() as transaction:
            await transaction.execute(sa.text("CREATE TABLE effect (name text)"))
        await connect(source)
        await connect(target)
        spine = Spine(nats_server, contract, source, target, stack)
        await spine.following()
        await spine.consuming()
        await spine.emitting()
        yield spine


def names(start: int, end: int) -> list[str]:
    return [f"channel {number}" for number in range(start, end)]


async def test_each_event_has_one_effect_and_is_heard_once(spine: Spine) -> None:
    await spine.happen("first")
    await spine.settled()
    await spine.happen(*names(0, 200))
    await spine.settled()
    assert spine.heard == spine.committed


async def test_through_a_cut(spine: Spine) -> None:
    await spine.happen(*names(0, 20))
    await spine.settled()
    await spine.server.remember()
    await spine.happen(*names(20, 40))
    await spine.settled()
    await spine.server.forget_since()
    await spine.happen(*names(40, 45))
    await spine.settled()


async def test_through_cut_after_cut(spine: Spine) -> None:
    await spine.happen(*names(0, 10))
    await spine.settled()
    await spine.server.remember()
    for turn in range(1, 4):
        await spine.happen(*names(turn * 10, turn * 10 + 10))
        await asyncio.sleep(0.3 * turn)
        await spine.server.forget_since()
    await spine.happen("last")
    await spine.settled()


async def test_through_a_cut_in_the_middle_of_a_load(spine: Spine) -> None:
    await spine.happen(*names(0, 10))
    await spine.settled()
    await spine.server.remember()
    loading = asyncio.create_task(spine.happen(*names(10, 500)))
    await asyncio.sleep(0.7)
    await spine.server.forget_since()
    await loading
    await spine.settled()


async def test_through_an_emptied_store(spine: Spine) -> None:
    await spine.happen(*names(0, 300))
    await spine.settled()
    await spine.server.lose_everything()
    await spine.happen(*names(300, 310))
    await spine.settled()


async def test_through_a_stream_deleted_under_everybody(
    spine: Spine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.outbox._CHECK_SECONDS", 1.0)
    await spine.emitting()  # one that looks as often
    await spine.happen(*names(0, 30))
    await spine.settled()
    async with spine.server.admin() as admin:
        await admin.jetstream().delete_stream(STREAM)
    await spine.happen(*names(30, 40))
    await spine.settled()


async def test_through_a_cut_with_two_of_everything(spine: Spine) -> None:
    await spine.emitting()
    await spine.consuming()
    await spine.happen(*names(0, 30))
    await spine.settled()
    await spine.server.remember()
    await spine.happen(*names(30, 60))
    await spine.settled()
    await spine.server.forget_since()
    await spine.happen(*names(60, 90))
    await spine.settled()


async def test_through_a_restart_that_loses_nothing(spine: Spine) -> None:
    await spine.happen(*names(0, 10))
    loading = asyncio.create_task(spine.happen(*names(10, 500)))
    await asyncio.sleep(0.3)
    await spine.server.stop()
    await asyncio.sleep(0.3)
    await spine.server.start()
    await loading
    await spine.settled()


async def test_while_somebody_deletes_the_durable(spine: Spine) -> None:
    await spine.happen(*names(0, 30))
    await spine.settled()
    async with spine.server.admin() as admin:
        await admin.jetstream().delete_consumer(STREAM, "chat")
    await spine.happen(*names(30, 60))
    await spine.settled()
