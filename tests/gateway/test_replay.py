"""Who comes back with a token is told what they missed: all of it, once, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chassis.contract import Contract
from chassis.errors import Unavailable
from chassis.positions import START, Position
from services.gateway.domain import Positions
from services.gateway.engine import Stream
from tests.gateway.world import (
    Stage,
    joined,
    message,
    nothing,
    opened,
    payloads,
    removed,
    renamed,
    staged,
    texts,
)
from tests.scratch_nats import ScratchNats

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def stage(nats_server: ScratchNats, contract: Contract) -> AsyncIterator[Stage]:
    """Ada and Bob sit at a table with a channel, and something happened before."""
    async with staged(nats_server, contract) as stage:
        stage.world.members["table"] = {"ada", "bob"}
        stage.world.channels["general"] = "table"
        await stage.open("nobody")  # by then the feeds follow
        await stage.happen(message("general", "long ago"), opened("table", "general"))
        yield stage


async def come_back(stage: Stage, since: Positions, user: str = "ada") -> tuple[Stream, list[str]]:
    """A resumed stream, and what it was told first."""
    stream = await stage.hub.open(user, since)
    return stream, payloads(await stream.next(0))


async def test_exactly_what_was_missed_is_told(stage: Stage) -> None:
    since = stage.hub.positions
    await stage.happen(message("general", "missed"), renamed("ada"), renamed("bob"))
    ada = await stage.hub.open("ada", since)
    events = await ada.next(0)
    assert payloads(events) == ["ready", "message_created", "user_updated"]
    assert events[0].ready.resumed
    assert texts(events) == ["missed"]
    await stage.happen(message("general", "live"))
    assert texts(await ada.next(0)) == ["live"]


async def test_nothing_is_told_when_nothing_was_missed(stage: Stage) -> None:
    stream = await stage.hub.open("ada", stage.hub.positions)
    (ready,) = await stream.next(0)
    assert ready.ready.resumed
    fresh = await stage.hub.open("ada", None)
    (ready,) = await fresh.next(0)
    assert not ready.ready.resumed


async def test_what_is_said_while_coming_back_is_told_once(stage: Stage) -> None:
    since = stage.hub.positions
    said = [f"{number}" for number in range(100)]

    async def talk() -> None:
        for content in said:
            await stage.happen(message("general", content))

    talking = asyncio.create_task(talk())
    heard: list[list[str]] = []
    while not talking.done():
        stream = await stage.hub.open("ada", since)
        await asyncio.sleep(0.02)
        heard.append(texts(await stream.next(0)))
    await talking
    stream = await stage.hub.open("ada", since)
    heard.append(texts(await stream.next(0)))
    assert len(heard) > 2
    for texts_heard in heard:
        assert texts_heard == said[: len(texts_heard)]
    assert heard[-1] == said


async def test_a_replay_keeps_the_order_in_which_changes_took_effect(stage: Stage) -> None:
    """Two who change a channel at once: who began first is not always first."""
    since = stage.hub.positions
    moments = {"first": 2, "second": 1, "third": 3, "fourth": 0}
    for content, moment in moments.items():
        await stage.happen(message("general", content), at=NOW + timedelta(seconds=moment))
    stream = await stage.hub.open("ada", since)
    assert texts(await stream.next(0)) == list(moments)


async def test_a_replay_over_several_services_goes_by_time(stage: Stage) -> None:
    since = stage.hub.positions
    await stage.happen(message("general", "third"), at=NOW + timedelta(seconds=3))
    await stage.happen(renamed("ada"), at=NOW + timedelta(seconds=2))
    await stage.happen(opened("table", "new"), at=NOW + timedelta(seconds=1))
    _, told = await come_back(stage, since)
    assert told == ["ready", "channel_created", "user_updated", "message_created"]


async def test_nothing_of_a_place_one_left_is_replayed(stage: Stage) -> None:
    since = stage.hub.positions
    await stage.happen(message("general", "while a member"))
    stage.world.members["table"].discard("ada")
    stage.world.lagging.add(("ada", "table"))
    await stage.happen(removed("table", "ada"), message("general", "after"))
    _, told = await come_back(stage, since)
    assert told == ["ready", "member_removed"]


async def test_a_place_joined_meanwhile_is_replayed(stage: Stage) -> None:
    since = stage.hub.positions
    stage.world.members["table"].add("eve")
    await stage.happen(joined("table", "eve"), message("general", "welcome"))
    _, told = await come_back(stage, since, "eve")
    assert told == ["ready", "member_joined", "message_created"]


async def test_a_replay_needs_the_permission_of_now(stage: Stage) -> None:
    since = stage.hub.positions
    await stage.happen(message("general", "missed"))
    stage.world.allowed["ada", "table"] = set()
    _, told = await come_back(stage, since)
    assert told == ["ready"]


@pytest.mark.parametrize("back", [0, 1, -1], ids=["here", "before", "ahead"])
async def test_a_place_in_another_log_means_fetching_anew(stage: Stage, back: int) -> None:
    await stage.happen(message("general", "second"))
    chat = stage.hub.positions["chat"]
    elsewhere = Position(chat.number - back, "evt_of_another_log")
    stream = await stage.hub.open("ada", {**stage.hub.positions, "chat": elsewhere})
    ready, refetch = await stream.next(0)
    assert not ready.ready.resumed
    assert refetch.refetch.detail
    # From here on everything is told, and the next token is one of this log.
    await stage.happen(message("general", "third"))
    assert texts(await stream.next(0)) == ["third"]
    _, told = await come_back(stage, stage.hub.positions)
    assert told == ["ready"]


async def test_too_much_to_look_through_means_fetching_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.MAX_REPLAYED", 3)
    since = stage.hub.positions
    for number in range(3):
        await stage.happen(message("general", f"{number}"))
    assert (await come_back(stage, since))[1] == ["ready", *["message_created"] * 3]
    await stage.happen(message("general", "one too many"))
    assert (await come_back(stage, since))[1] == ["ready", "refetch"]


async def test_too_much_to_tell_means_fetching_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.MAX_QUEUED", 4)
    since = stage.hub.positions
    for number in range(3):
        await stage.happen(message("general", f"{number}"))
    assert (await come_back(stage, since))[1] == ["ready", *["message_created"] * 3]
    await stage.happen(message("general", "one too many"))
    stream, told = await come_back(stage, since)
    assert told == ["ready", "refetch"]
    assert not stream.ended


async def test_what_is_kept_no_more_means_fetching_anew(
    stage: Stage, nats_server: ScratchNats
) -> None:
    since = stage.hub.positions
    await stage.happen(message("general", "purged"), message("general", "kept"))
    async with nats_server.admin() as admin:
        await admin.jetstream().purge_stream("CREAVIO_CHAT", seq=3)
    assert (await come_back(stage, since))[1] == ["ready", "refetch"]


async def test_a_service_the_token_knows_nothing_of_is_told_from_its_start(stage: Stage) -> None:
    since = {s: at for s, at in stage.hub.positions.items() if s != "user"}
    await stage.happen(renamed("ada"))
    assert stage.hub.positions["user"] == replace(stage.hub.positions["user"], number=1) != START
    assert (await come_back(stage, since))[1] == ["ready", "user_updated"]


async def test_a_stream_that_cannot_be_resumed_for_now_is_refused(stage: Stage) -> None:
    since = stage.hub.positions
    await stage.happen(message("general", "missed"))

    async def rbac_goes() -> None:
        stage.world.unknown.add("ada")

    stage.world.meanwhile = rbac_goes
    with pytest.raises(Unavailable):
        await stage.hub.open("ada", since)
    # Told when it is back, and the others at once.
    assert (await come_back(stage, since, "bob"))[1] == ["ready", "message_created"]
    stage.world.unknown.clear()
    stage.world.meanwhile = nothing
    assert (await come_back(stage, since))[1] == ["ready", "message_created"]
