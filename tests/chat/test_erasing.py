"""What is deleted is unreadable at once, and erased soon, a bounded part at a time."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import NotFound
from chassis.testing import eventually, plan_of
from creavio.community.v1 import community_events_pb2
from services.chat.engine import places as known_places
from services.chat.store import erasing, places
from tests.chat.making import COMMUNITY, draft, new_channel, send
from tests.chat.world import OWNER, World, running_world
from tests.scratch_nats import ScratchNats

WITHIN = 20.0


async def test_a_deleted_channel_is_unreadable_at_once_at_every_replica(
    postgres: str, nats_server: ScratchNats, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What was kept of it would be believed for an hour, were nothing heard of it.
    monkeypatch.setattr(known_places, "_KEPT_SECONDS", 3_600.0)
    async with running_world(postgres, nats_server, contract, replicas=2) as world:
        community = world.found()
        channel = world.open_channel(community)
        ada = world.person(community, OWNER)
        everywhere = [world.at(replica, ada.id) for replica in (0, 1)]
        await ada.send(channel, "text")
        thread = (await ada.begin(channel)).id
        for person in everywhere:
            await person.listed(channel)
            await person.listed(thread)
        event = community_events_pb2.ChannelDeleted(channel_id=channel, community_id=community)
        await world.happens(event, community, channel)

        async def unreadable() -> None:
            for person in everywhere:
                for place in (channel, thread):
                    try:
                        await person.listed(place)
                    except NotFound:
                        continue
                    raise AssertionError

        await eventually(unreadable, WITHIN)


async def test_nothing_is_left_of_what_stood_there(world: World) -> None:
    community = world.found()
    channel, other = world.open_channel(community), world.open_channel(community)
    ada, bob = world.person(community, OWNER), world.person(community)
    stays = await ada.send(other, "stays")
    about = await ada.send(channel, f"<@{bob.id}>")
    await bob.react(about, "a")
    await ada.edit(about, f"<@{bob.id}>!")
    await bob.bookmark(about)
    await bob.save(channel, "text")
    thread = await bob.begin(channel, about)
    await bob.send(thread.id, "aside")
    group = (await ada.converse(bob, group=True)).id
    await ada.send(group, "between us")
    for person in (bob, ada):
        await person.take_out(group, person)
    event = community_events_pb2.ChannelDeleted(channel_id=channel, community_id=community)
    await world.happens(event, community, channel)

    async def erased() -> None:
        async with world.database.reading() as tx:
            for table, rows in (
                ("message", 1),
                ("message_version", 0),
                ("reaction", 0),
                ("mention", 0),
                ("bookmark", 0),
                ("draft", 0),
                ("thread", 0),
                ("thread_follower", 0),
                ("conversation", 0),
                ("conversation_member", 0),
            ):
                count = await tx.execute(sa.select(sa.func.count()).select_from(sa.table(table)))
                assert (table, count.scalar_one()) == (table, rows)

    await eventually(erased, 40.0)
    assert await ada.listed(other) == [stays]
    # The name stays: nothing begins under it again.
    with pytest.raises(NotFound):
        await ada.send(channel, "text")


async def test_a_part_is_bounded_and_two_take_different_places(database: Database) -> None:
    channels = [await new_channel(database) for _ in range(2)]
    for channel in channels:
        await send(database, *(draft(channel) for _ in range(5)))
        async with database.transaction() as tx:
            await places.remove_channel(tx, channel.id, COMMUNITY)

    async def left() -> list[int]:
        query = sa.text("SELECT count(*) FROM message GROUP BY channel_id ORDER BY 1")
        async with database.reading() as tx:
            return list((await tx.execute(query)).scalars())

    async def part() -> bool:
        async with database.transaction() as tx:
            more = await erasing.erase(tx, 2)
            await asyncio.sleep(0.1)
            return more

    await asyncio.gather(part(), part())
    assert await left() == [3, 3]
    while await part():
        pass
    assert await left() == []


async def test_what_is_to_be_erased_is_found_by_an_index(database: Database) -> None:
    async with database.transaction() as tx:
        for statement in (
            "INSERT INTO channel (id, community_id, last_sequence, delete_time, erase_time)"
            " SELECT gen_random_uuid(), gen_random_uuid(), 0, now(), now()"
            " FROM generate_series(1, 50000)",
            "INSERT INTO channel (id, community_id, last_sequence)"
            " SELECT gen_random_uuid(), gen_random_uuid(), 0 FROM generate_series(1, 50000)",
            "ANALYZE",
        ):
            await tx.execute(sa.text(statement))
        gone = ids.new()
        await places.remove_channel(tx, gone, COMMUNITY)
    plan = await plan_of(database, lambda tx: erasing.erase(tx, 10))
    assert " channel_erasing" in plan, plan
    assert "Seq Scan on channel" not in plan, plan
