"""A private channel is there for its few from its first moment, or for nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from chassis import ids
from chassis.calls import CURRENT, Call, Principal
from chassis.contract import Contract
from chassis.errors import FailedPrecondition, NotFound
from chassis.testing import scratch_config
from chassis.tokens import Tokens
from creavio.community.v1 import channel_service_pb2
from services.community import domain, store
from services.community.domain import (
    ChannelNotFound,
    Community,
)
from services.community.handler.channels import ChannelHandler
from tests.community.world import ADA, EVE, LOST, NOW, World, fail


async def intend_opening(world: World, community: Community) -> domain.Channel:
    channel = domain.new_channel(community.id, "back room", ADA, datetime.now(UTC), private=True)
    async with world.database.transaction() as tx:
        await store.add_channel(tx, channel)
    return channel


async def listed(world: World, community: Community) -> list[UUID]:
    async with world.database.reading() as tx:
        return [c.id for c in await store.channels_of(tx, community.id, None, 10)]


@LOST
async def test_a_private_channel_is_there_for_nobody_before_its_few_are_let_in(
    world: World, lost: str
) -> None:
    community = await world.found()
    channel = await intend_opening(world, community)
    await fail(world, lost, lambda: world.memberships.finish_opening(channel))
    assert await listed(world, community) == []
    async with world.database.reading() as tx:
        with pytest.raises(ChannelNotFound):
            await store.channel(tx, channel.id)
    assert "ChannelCreated" not in await world.told()
    await world.memberships.resume()
    assert ids.text(ids.Kind.CHANNEL, channel.id) in world.rbac.private
    assert await listed(world, community) == [channel.id]
    await world.memberships.finish_opening(channel)
    assert (await world.told()).count("ChannelCreated") == 1


async def test_a_channel_that_cannot_be_private_is_given_up(world: World) -> None:
    full, other = await world.found(), await world.found()
    refused = await intend_opening(world, full)
    world.rbac.full.add(ids.text(ids.Kind.COMMUNITY, full.id))
    with pytest.raises(FailedPrecondition) as raised:
        await world.memberships.finish_opening(refused)
    assert raised.value.reason == "LIMIT_REACHED"
    for _ in range(3):
        await intend_opening(world, full)
    await world.pass_time()
    left = await intend_opening(world, other)
    await world.pass_time()
    await world.memberships.resume()
    assert await listed(world, other) == [left.id]
    asked = world.rbac.asked
    await world.memberships.resume()
    assert world.rbac.asked == asked, "nobody asks for ever"


async def test_a_channel_given_up_meanwhile_is_not_said_to_be_there(world: World) -> None:
    community = await world.found()
    channel = domain.new_channel(community.id, "gone", ADA, NOW, private=True)
    with pytest.raises(ChannelNotFound):
        await world.memberships.finish_opening(channel)


async def test_a_membership_that_cannot_be_finished_stops_no_channel(world: World) -> None:
    lost, good = await world.found(), await world.found()
    await world.intend_joining(lost, EVE)
    channel = await intend_opening(world, good)
    await world.pass_time()
    world.rbac.owners.pop(ids.text(ids.Kind.COMMUNITY, lost.id))
    with pytest.raises(NotFound):
        await world.memberships.resume()
    assert await listed(world, good) == [channel.id]


async def test_a_request_for_a_channel_that_was_given_up_tries_again(
    world: World, contract: Contract
) -> None:
    community = await world.found()
    config = scratch_config("community")
    nothing: Any = None
    handler = ChannelHandler(world.database, world.memberships, nothing, Tokens(config))
    request = channel_service_pb2.CreateChannelRequest(
        community_id=ids.text(ids.Kind.COMMUNITY, community.id),
        name="back room",
        private=True,
        request_id="once",
    )
    rpc = contract.rpcs["/creavio.community.v1.ChannelService/CreateChannel"]
    who = Principal(ids.text(ids.Kind.USER, ADA), "ses", "token", 0.0)
    CURRENT.set(Call(rpc, request, nothing, {}, principal=who))
    world.rbac.full.add(request.community_id)
    for _ in range(2):
        with pytest.raises(FailedPrecondition):
            await handler.CreateChannel(request, None)
        assert await listed(world, community) == []
    world.rbac.full.clear()
    made = await handler.CreateChannel(request, None)
    assert await handler.CreateChannel(request, None) == made
    assert [ids.text(ids.Kind.CHANNEL, each) for each in await listed(world, community)] == [
        made.id
    ]
    assert (await world.told()).count("ChannelCreated") == 1
