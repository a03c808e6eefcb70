"""What happens in chat reaches NATS as it was stored."""

from __future__ import annotations

import asyncio

from nats.aio.msg import Msg

from chassis.subjects import LIVE
from chassis.testing import eventually
from creavio.chat.v1 import chat_events_pb2
from creavio.community.v1 import channel_pb2, community_events_pb2
from tests.chat.world import World


async def test_what_is_sent_is_told_once_it_is_kept(world: World) -> None:
    community = world.found()
    channel = world.open_channel(community)
    ada, bob = world.person(community), world.person()
    heard: list[Msg] = []

    async def hear(message: Msg) -> None:
        heard.append(message)

    async with world.nats.bus("gateway") as gateway:
        await gateway.follow(f"{LIVE}creavio.chat.>", hear)
        await gateway.flush()
        sent = [await ada.send(channel, f"{number}") for number in range(3)]
        edited = await ada.edit(sent[0], "edited")
        conversation = (await ada.converse(bob)).id
        private = await ada.send(conversation, "between us")

        async def all_heard() -> None:
            assert len(heard) >= 6

        await eventually(all_heard)
        await asyncio.sleep(0.1)
    root = "live.creavio.chat.v1"
    assert sorted(message.subject for message in heard) == sorted(
        [
            *[f"{root}.message_created.{community}.{channel}"] * 3,
            f"{root}.message_updated.{community}.{channel}",
            f"{root}.conversation_created.{conversation}",
            f"{root}.message_created._.{conversation}",
        ]
    )
    created = [
        chat_events_pb2.MessageCreated.FromString(message.data)
        for message in heard
        if "message_created" in message.subject
    ]
    assert sorted((e.message.content, e.community_id) for e in created) == [
        *((f"{number}", community) for number in range(3)),
        ("between us", ""),
    ]
    assert {event.message.id: event.message.revision for event in created} == {
        message.id: message.revision for message in (*sent, private)
    }
    assert edited.revision == 4


async def test_channels_are_learnt_from_community(world: World) -> None:
    """And then nobody has to be asked for them."""
    community = world.found()
    channel = world.open_channel(community)
    event = community_events_pb2.ChannelCreated(
        channel=channel_pb2.Channel(id=channel, community_id=community)
    )
    del world.community.channels[channel]
    async with world.nats.bus("community") as bus:
        await bus.jetstream.publish(
            f"creavio.community.v1.channel_created.{community}",
            event.SerializeToString(),
            headers={
                "ce-id": "evt_1",
                "Nats-Msg-Id": "evt_1",
                "ce-type": event.DESCRIPTOR.full_name,
                "ce-time": "2026-01-01T00:00:00+00:00",
            },
        )
    ada = world.person(community)

    async def known() -> None:
        try:
            sent = await ada.send(channel, "hello", "n")
        except Exception as error:
            raise AssertionError from error
        assert sent.sequence == 1

    await eventually(known)
