"""Channels that are no more."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest
import sqlalchemy as sa

from chassis import ids
from chassis.contract import Contract
from chassis.database import Database
from chassis.errors import NotFound
from chassis.testing import eventually
from creavio.community.v1 import channel_pb2, community_events_pb2
from services.chat.domain.place import PlaceNotFound
from services.chat.store import places
from tests.chat.making import COMMUNITY, draft, new_channel, send
from tests.chat.test_access import IN_A_PLACE, call
from tests.chat.world import OWNER, World


async def refuses(attempt: Awaitable[object]) -> None:
    """For `eventually`: there is no such channel."""
    try:
        await attempt
    except NotFound:
        return
    raise AssertionError("the channel is there")


async def test_in_a_deleted_channel_nobody_reads_or_writes(
    world: World, contract: Contract
) -> None:
    community = world.found()
    channel, other = world.open_channel(community), world.open_channel(community)
    owner, ada = world.person(community, OWNER), world.person(community)
    message = await owner.send(channel, "hello")
    await owner.send(other, "hello")
    gone = community_events_pb2.ChannelDeleted(channel_id=channel, community_id=community)
    await world.happens(gone, community, channel)

    await eventually(lambda: refuses(owner.send(channel, "more")))
    # What replicas remember of a channel, they remember for five seconds.
    await eventually(lambda: refuses(owner.listed(channel)), within=10)
    for name, make in IN_A_PLACE.items():
        with pytest.raises(NotFound):
            await call(contract, owner, name, make(channel, message.id))
    assert await ada.news(community) == {other: (1, 0)}
    # Said once more that it begins, it stays what it is.
    begun = community_events_pb2.ChannelCreated(
        channel=channel_pb2.Channel(id=channel, community_id=community)
    )
    await world.happens(begun, community, channel)
    await refuses(owner.send(channel, "more"))


async def test_its_statements_know_it_at_once(database: Database) -> None:
    channel, unheard = await new_channel(database), ids.new()
    async with database.transaction() as tx:
        await places.remove_channel(tx, channel.id, COMMUNITY)
        await places.remove_channel(tx, channel.id, COMMUNITY)
        await places.remove_channel(tx, unheard, COMMUNITY)
        await places.add_channel(tx, unheard, COMMUNITY)
    assert await send(database, draft(channel)) == [None]
    async with database.transaction() as tx:
        with pytest.raises(PlaceNotFound):
            await places.lock(tx, channel)
        for deleted in (channel.id, unheard):
            with pytest.raises(PlaceNotFound):
                await places.home_of(tx, deleted)
        assert (await tx.execute(sa.text("SELECT count(*) FROM message"))).scalar_one() == 0
