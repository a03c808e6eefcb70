"""Streams and durables are kept: what is missing is made, what stands beyond a cut is set back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
import resource

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import api
from nats.js.errors import APIError, NotFoundError
import pytest

from chassis import catalog as catalogs
from chassis.testing import eventually
from local import bus_plan, streams
from local.bus import BusPlan
from tests.scratch_nats import ScratchNats

STREAM, DURABLE = "CREAVIO_COMMUNITY", "chat"
SUBJECT = "creavio.community.v1.channel_created.a.b"


async def say(server: ScratchNats, *bodies: str, epoch: int = 0, start: int = 1) -> None:
    headers = {"ce-epoch": str(epoch), "ce-epochstart": str(start)} if epoch else {}
    async with server.bus("community") as bus:
        for body in bodies:
            await bus.jetstream.publish(SUBJECT, body.encode(), headers=headers, stream=STREAM)


async def take(server: ScratchNats, count: int, acknowledged: int | None = None) -> list[str]:
    """Take events as chat does, and acknowledge some of them."""
    async with server.bus("chat") as bus:
        durable = await bus.jetstream.pull_subscribe_bind(
            durable=DURABLE, stream=STREAM, inbox_prefix=b"_INBOX_chat."
        )
        try:
            messages = await durable.fetch(count, timeout=2)
        except TimeoutError:
            return []
        for message in messages[:acknowledged]:
            await message.ack_sync(timeout=5)
        return [message.data.decode() for message in messages]


async def durable(server: ScratchNats) -> api.ConsumerInfo:
    async with server.admin() as admin:
        info: api.ConsumerInfo = await admin.jetstream().consumer_info(STREAM, DURABLE)
        return info


async def look_after(server: ScratchNats) -> None:
    """One look at all of them, and by nobody else meanwhile."""
    await server.leave_streams_alone()
    async with server.admin() as admin:
        await streams.keep(admin, bus_plan.load(catalogs.CATALOG_FILE))


async def test_a_look_at_what_is_well_changes_nothing(nats_server: ScratchNats) -> None:
    await say(nats_server, "1", "2", "3")
    assert await take(nats_server, 3, acknowledged=2) == ["1", "2", "3"]
    before = await durable(nats_server)
    await look_after(nats_server)
    after = await durable(nats_server)
    assert (after.created, after.config, after.delivered, after.ack_floor) == (
        before.created,
        before.config,
        before.delivered,
        before.ack_floor,
    )


async def test_what_is_delivered_during_a_look_is_not_beyond_the_end(
    nats_server: ScratchNats,
) -> None:
    await nats_server.leave_streams_alone()
    made = (await durable(nats_server)).created
    plan = bus_plan.load(catalogs.CATALOG_FILE)
    async with (
        nats_server.admin() as admin,
        nats_server.bus("community") as owner,
        nats_server.bus("chat") as reader,
    ):
        subscription = await reader.jetstream.pull_subscribe_bind(
            durable=DURABLE, stream=STREAM, inbox_prefix=b"_INBOX_chat."
        )
        looks = asyncio.create_task(_looks(admin, plan, 10))
        while not looks.done():
            await owner.jetstream.publish(SUBJECT, b"", stream=STREAM)
            (message,) = await subscription.fetch(1, timeout=5)
            await message.ack_sync(timeout=5)
        await looks
    assert (await durable(nats_server)).created == made


async def _looks(admin: Client, plan: BusPlan, count: int) -> None:
    for _ in range(count):
        await streams.keep(admin, plan)


async def test_a_durable_beyond_a_cut_reads_what_took_the_place_of_the_lost(
    nats_server: ScratchNats,
) -> None:
    await say(nats_server, "1", "2")
    await nats_server.remember()
    await say(nats_server, "lost 3", "lost 4", "lost 5")
    assert len(await take(nats_server, 9)) == 5
    # The stream is set back, not what the durable remembers: they are synced apart.
    before = await durable(nats_server)
    await nats_server.forget_since(keep_durables=True)
    await say(nats_server, "3", "4", "5", "6", epoch=1, start=3)
    assert before.delivered is not None
    assert before.delivered.stream_seq == 5
    await look_after(nats_server)
    taken = await take(nats_server, 9)
    assert taken[-4:] == ["3", "4", "5", "6"]
    # A server that is killed may forget what was acknowledged just before.
    assert taken[:-4] in ([], ["2"], ["1", "2"])
    info = await durable(nats_server)
    assert info.config.metadata is not None
    assert info.config.metadata["creavio.epoch"] == "1"
    await look_after(nats_server)
    assert await take(nats_server, 9) == [], "once"


async def test_what_was_not_acknowledged_before_the_cut_comes_too(
    nats_server: ScratchNats,
) -> None:
    await say(nats_server, *"123456")
    assert await take(nats_server, 6, acknowledged=2) == list("123456")
    await say(nats_server, "new", epoch=1, start=5)  # as if 5 and 6 were others' before
    await look_after(nats_server)
    assert await take(nats_server, 9) == ["3", "4", "5", "6", "new"]


async def test_a_durable_before_the_cut_goes_on_where_it_was(nats_server: ScratchNats) -> None:
    await say(nats_server, "1", "2", "3")
    assert await take(nats_server, 2) == ["1", "2"]
    made = (await durable(nats_server)).created
    await say(nats_server, "4", epoch=1, start=4)
    await look_after(nats_server)
    info = await durable(nats_server)
    assert info.created == made
    assert (info.config.metadata or {})["creavio.epoch"] == "1"
    assert await take(nats_server, 9) == ["3", "4"]


async def test_several_epochs_since_the_last_look_are_followed(nats_server: ScratchNats) -> None:
    await say(nats_server, "1", "2", "3", "4", "5", "6")
    assert len(await take(nats_server, 9)) == 6
    await say(nats_server, "7", "8", epoch=1, start=3)
    await say(nats_server, "9", epoch=2, start=9)
    await look_after(nats_server)
    assert await take(nats_server, 9) == ["3", "4", "5", "6", "7", "8", "9"]


async def test_a_durable_beyond_the_end_of_its_stream_is_set_back(
    nats_server: ScratchNats,
) -> None:
    await say(nats_server, "1")
    async with nats_server.admin() as admin:
        jetstream = admin.jetstream()
        await say(nats_server, "2", "3")
        assert len(await take(nats_server, 9)) == 3
        info = await durable(nats_server)
        assert info.delivered is not None
        await nats_server.leave_streams_alone()
        beyond = replace(info, delivered=replace(info.delivered, stream_seq=99))

        async def consumers_info(*_: object) -> list[api.ConsumerInfo]:
            return [beyond]

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(type(jetstream), "consumers_info", consumers_info)
            await streams.keep(admin, bus_plan.load(catalogs.CATALOG_FILE))
    await say(nats_server, "4")
    assert await take(nats_server, 9) == ["4"]
    after = await durable(nats_server)
    assert after.created != info.created
    assert after.config.opt_start_seq == 4


async def test_what_is_missing_is_made_again(nats_server: ScratchNats) -> None:
    async with nats_server.admin() as admin:
        jetstream = admin.jetstream()
        await jetstream.delete_stream("CREAVIO_CHAT")
        await jetstream.delete_consumer(STREAM, DURABLE)

        async def back() -> None:
            try:
                await jetstream.stream_info("CREAVIO_CHAT")
                await jetstream.consumer_info(STREAM, DURABLE)
            except NotFoundError as error:
                raise AssertionError from error

        await eventually(back)


async def test_it_is_looked_after_again_once_nats_is_back(nats_server: ScratchNats) -> None:
    await nats_server.stop()
    await asyncio.sleep(0.5)
    await nats_server.start()
    async with nats_server.admin() as admin:
        jetstream = admin.jetstream()
        await jetstream.delete_stream("CREAVIO_CHAT")

        async def back() -> None:
            try:
                await jetstream.stream_info("CREAVIO_CHAT")
            except NotFoundError as error:
                raise AssertionError from error

        await eventually(back)


async def test_a_durable_that_was_set_back_is_taken_by_the_next_start(
    nats_server: ScratchNats,
) -> None:
    await say(nats_server, "1", "2", "3")
    assert len(await take(nats_server, 9)) == 3
    await say(nats_server, "4", epoch=1, start=2)
    await look_after(nats_server)
    await nats_server.stop()
    await nats_server.start()
    assert await take(nats_server, 9) == ["2", "3", "4"]


async def test_a_server_that_takes_no_events_any_more_is_started_anew_once_there_is_room(
    nats_server: ScratchNats,
) -> None:
    """NATS refuses a stream for good whose file could not be written once."""
    await say(nats_server, "kept")
    # Its files may not grow any more, which is to NATS as if the disk were full.
    _, most = resource.prlimit(nats_server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(nats_server.pid, resource.RLIMIT_FSIZE, (1024, most))
    with pytest.raises((APIError, NatsError)):
        await say(nats_server, *["." * 1024] * 20)
    resource.prlimit(nats_server.pid, resource.RLIMIT_FSIZE, (most, most))
    async with asyncio.timeout(20):
        await nats_server.ended()
    await nats_server.start()
    assert await nats_server.answers()
    await say(nats_server, "it goes on")
