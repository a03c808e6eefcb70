"""Who comes back with a token is told what they missed: all of it, once, in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chassis.contract import Contract
from chassis.errors import Unavailable
from chassis.feed import Feed
from chassis.positions import START, Position
from services.gateway.domain import Positions
from services.gateway.engine.stream import Stream
from tests.gateway.happenings import begun, joined, message, opened, removed, renamed, whisper
from tests.gateway.table import GUEST, MEMBER, VIEW_CHANNEL, Says
from tests.gateway.world import Stage, nothing, payloads, read, staged, texts, told
from tests.scratch_nats import ScratchNats

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def stage(nats_server: ScratchNats, contract: Contract) -> AsyncIterator[Stage]:
    """Ada and Bob sit at a table with a channel, and something happened before."""
    async with staged(nats_server, contract) as stage:
        stage.world.seat("table", "ada")
        stage.world.seat("table", "bob")
        await stage.open("nobody")  # by then the feeds follow
        await stage.happen(message("general", "long ago"), opened("table", "general"))
        yield stage


async def come_back(stage: Stage, since: Positions, user: str = "ada") -> tuple[Stream, list[str]]:
    """A resumed stream, and what it was told first."""
    stream = await stage.resume(user, since)
    return stream, payloads(await told(stream))


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The logs that were read back, one entry each time."""
    found: list[str] = []
    since = Feed.since

    async def noting(self: Feed, *about: Position | int) -> object:
        found.append(self._service)
        return await since(self, *about)  # type: ignore[arg-type]

    monkeypatch.setattr(Feed, "since", noting)
    return found


async def test_exactly_what_was_missed_is_told(stage: Stage) -> None:
    since = stage.hub.positions
    await stage.happen(message("general", "missed"), renamed("ada"), renamed("bob"))
    ada = await stage.resume("ada", since)
    events = await told(ada)
    assert payloads(events) == ["ready", "message_created", "user_updated"]
    assert events[0].ready.resumed
    assert texts(events) == ["missed"]
    await stage.happen(message("general", "live"))
    assert texts(await told(ada)) == ["live"]


async def test_nothing_is_told_when_nothing_was_missed(stage: Stage) -> None:
    stream = await stage.resume("ada", stage.hub.positions)
    (ready,) = await told(stream)
    assert ready.ready.resumed
    fresh = await stage.hub.open("ada", None)
    (ready,) = await told(fresh)
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
        stream = await stage.resume("ada", since)
        await asyncio.sleep(0.02)
        heard.append(texts(await told(stream)))
        stream.close()
    await talking
    stream = await stage.resume("ada", since)
    heard.append(texts(await told(stream)))
    assert len(heard) > 2
    for texts_heard in heard:
        assert texts_heard == said[: len(texts_heard)]
    assert heard[-1] == said


async def test_others_are_told_while_somebody_comes_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens meanwhile waits for the one who comes back, and for nobody else."""
    bob = await stage.open("bob")
    await stage.happen(renamed("bob"))
    since = stage.hub.positions
    await stage.happen(message("general", "missed"), renamed("ada"))
    stage.hub._replay.broke("chat")
    going_on = asyncio.Event()
    history = Feed.since

    async def slowly(self: Feed, *about: Position | int) -> object:
        await going_on.wait()
        return await history(self, *about)  # type: ignore[arg-type]

    monkeypatch.setattr(Feed, "since", slowly)
    coming = asyncio.create_task(stage.resume("ada", since))
    await asyncio.sleep(0.05)
    await stage.happen(message("general", "meanwhile"), renamed("ada"))
    assert texts(await told(bob)) == ["missed", "meanwhile"]
    assert not coming.done()
    going_on.set()
    events = await told(await coming)
    assert texts(events) == ["missed", "meanwhile"]
    assert payloads(events).count("user_updated") == 2


async def test_a_replay_keeps_the_order_in_which_changes_took_effect(stage: Stage) -> None:
    """Two who change a channel at once: who began first is not always first."""
    since = stage.hub.positions
    moments = {"first": 2, "second": 1, "third": 3, "fourth": 0}
    for content, moment in moments.items():
        await stage.happen(message("general", content), at=NOW + timedelta(seconds=moment))
    assert texts(await told(await stage.resume("ada", since))) == list(moments)


async def test_a_replay_over_several_services_goes_by_time(stage: Stage) -> None:
    since = stage.hub.positions
    await stage.happen(message("general", "third"), at=NOW + timedelta(seconds=3))
    await stage.happen(renamed("ada"), at=NOW + timedelta(seconds=2))
    await stage.happen(opened("table", "new"), at=NOW + timedelta(seconds=1))
    _, kinds = await come_back(stage, since)
    assert kinds == ["ready", "channel_created", "user_updated", "message_created"]


async def test_nothing_of_a_place_one_left_is_replayed(stage: Stage) -> None:
    since = stage.hub.positions
    await stage.happen(message("general", "while a member"))
    await stage.bind("table", "ada")
    await stage.happen(removed("table", "ada"), message("general", "after"))
    assert (await come_back(stage, since))[1] == ["ready", "member_removed"]


async def test_a_place_joined_meanwhile_is_replayed(stage: Stage) -> None:
    since = stage.hub.positions
    await stage.bind("table", "eve", MEMBER)
    await stage.happen(joined("table", "eve"), message("general", "welcome"))
    assert (await come_back(stage, since, "eve"))[1] == [
        "ready",
        "member_joined",
        "message_created",
    ]


async def test_what_is_visible_now_decides(stage: Stage) -> None:
    since = stage.hub.positions
    await stage.happen(message("general", "hidden since"), message("staff", "shown since"))
    await stage.happen(message("lobby", "as ever"))
    await stage.bind("table", "ada", MEMBER, GUEST)
    here = stage.world.table("table").members["ada"]
    for channel in ("staff", "lobby"):
        here.channels[channel] = Says(allow={VIEW_CHANNEL})
    await stage.rebound("table", "ada")
    await stage.heard()
    ada, bob = await stage.resume("ada", since), await stage.resume("bob", since)
    assert texts(await told(ada)) == ["shown since", "as ever"]
    assert texts(await told(bob)) == ["hidden since", "shown since", "as ever"]


async def test_a_change_of_access_meanwhile_is_said(stage: Stage) -> None:
    stage.world.seat("elsewhere", "bob")
    since = stage.hub.positions
    await stage.happen(message("general", "missed"))
    for community, user in (("table", "ada"), ("elsewhere", "bob")):
        await stage.change(community)
        await stage.rebound(community, user)
    await stage.logged()
    stream = await stage.resume("ada", since)
    events = await told(stream)
    assert payloads(events) == ["ready", "message_created", "access_changed"]
    assert events[-1].access_changed.community_id == "table"


async def test_a_missed_conversation_is_told_to_its_members_alone(stage: Stage) -> None:
    since = stage.hub.positions
    stage.world.conversations["cnv_1"] = ["ada", "bob"]
    await stage.happen(whisper("cnv_1", "between us"), begun("cnv_2", "ada", "eve"))
    stage.hub._replay.broke("chat")
    stage.hub._places._conversations.clear()
    stage.world.conversations["cnv_2"] = ["ada", "eve"]
    kinds = ["ready", "message_created", "conversation_created"]
    assert (await come_back(stage, since))[1] == kinds
    assert (await come_back(stage, since, "bob"))[1] == kinds[:2]
    assert (await come_back(stage, since, "eve"))[1] == ["ready", "conversation_created"]


async def test_a_crowd_that_comes_back_reads_the_log_once(stage: Stage, looked: list[str]) -> None:
    for number in range(100):
        stage.world.seat("table", f"user{number}")
    since = stage.hub.positions
    for number in range(20):
        await stage.log(message("general", f"{number}"))
    await stage.happen(message("general", "last"))
    stage.hub._replay.broke("chat")
    await stage.happen(message("general", "kept from here on"))
    streams = await asyncio.gather(*(stage.resume(f"user{n}", since) for n in range(100)))
    for stream in streams:
        assert len(texts(await told(stream))) == 22
    assert looked == ["chat"]


async def test_what_happened_lately_is_told_without_reading_the_log(
    stage: Stage, looked: list[str]
) -> None:
    await stage.happen(message("general", "before"))
    since = stage.hub.positions
    await stage.happen(message("general", "missed"))
    assert (await come_back(stage, since))[1] == ["ready", "message_created"]
    assert looked == []


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("back", [0, 1, -1], ids=["here", "before", "ahead"])
async def test_a_place_in_another_log_means_fetching_anew(
    stage: Stage, back: int, remembered: bool
) -> None:
    await stage.happen(message("general", "second"), message("general", "and third"))
    if not remembered:
        stage.hub._replay.broke("chat")
    chat = stage.hub.positions["chat"]
    elsewhere = Position(chat.epoch, chat.number - back, "evt_of_another_log")
    stream = await stage.resume("ada", {**stage.hub.positions, "chat": elsewhere})
    ready, refetch = await told(stream)
    assert not ready.ready.resumed
    assert refetch.refetch.detail
    # From here on everything is told, and the next token is one of this log.
    await stage.happen(message("general", "later"))
    assert texts(await told(stream)) == ["later"]
    assert (await come_back(stage, stage.hub.positions))[1] == ["ready"]


async def test_an_epoch_that_another_gateway_knew_of_first_is_waited_for(stage: Stage) -> None:
    at = stage.hub.positions
    newer = replace(at["chat"], epoch=at["chat"].epoch + 1)
    coming = asyncio.create_task(come_back(stage, {**at, "chat": newer}))
    await asyncio.sleep(0.1)
    assert not coming.done()
    stage.hub._feeds["chat"].position = newer
    assert (await coming)[1] == ["ready"]


async def test_another_epoch_that_is_not_known_means_fetching_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.hub.AHEAD_SECONDS", 0.1)
    at = stage.hub.positions
    newer = {**at, "chat": replace(at["chat"], epoch=7)}
    await stage.happen(message("general", "missed"))
    assert (await come_back(stage, newer))[1] == ["ready", "refetch"]


@pytest.mark.parametrize("remembered", [True, False])
async def test_too_much_to_look_through_means_fetching_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, remembered: bool
) -> None:
    monkeypatch.setattr("services.gateway.engine.replay.MAX_REPLAYED", 3)
    since = stage.hub.positions
    for number in range(3):
        await stage.happen(message("general", f"{number}"))
    assert (await come_back(stage, since))[1] == ["ready", *["message_created"] * 3]
    await stage.happen(message("lobby", "one too many, and nobody's", "elsewhere"))
    if not remembered:
        stage.hub._replay.broke("chat")
    assert (await come_back(stage, since))[1] == ["ready", "refetch"]


async def test_too_much_to_tell_means_fetching_anew(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.engine.replay.MAX_QUEUED_BYTES", 1_000)
    since = stage.hub.positions
    await stage.happen(message("general", "short"))
    assert (await come_back(stage, since))[1] == ["ready", "message_created"]
    await stage.happen(message("general", "long" * 250))
    stream, kinds = await come_back(stage, since)
    assert kinds == ["ready", "refetch"]
    assert not stream.over


async def test_a_long_absence_is_written_in_pieces_and_its_token_comes_last(stage: Stage) -> None:
    """Who is cut off in the middle comes back with the token from before all of it."""
    since = stage.hub.positions
    for number in range(300):
        await stage.log(message("general", f"{number} " + "x" * 2_000))
    await stage.happen(message("general", "last"))
    stream = await stage.resume("ada", since)
    written = [read(await stream.next())]
    while stream.queued:
        written.append(read(await stream.next()))
    assert len(written) > 2
    assert all(one.ByteSize() < 300_000 for one in written)
    assert [bool(one.resume_token) for one in written] == [False] * (len(written) - 1) + [True]
    events = [event for one in written for event in one.events]
    assert [text.split()[0] for text in texts(events)] == [*map(str, range(300)), "last"]


async def test_what_is_kept_no_more_means_fetching_anew(
    stage: Stage, nats_server: ScratchNats
) -> None:
    since = stage.hub.positions
    await stage.happen(message("general", "purged"), message("general", "kept"))
    async with nats_server.admin() as admin:
        await admin.jetstream().purge_stream("CREAVIO_CHAT", seq=3)
    stage.hub._replay.broke("chat")
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
        stage.world.away |= {"GetAccess"}

    stage.world.meanwhile = rbac_goes
    with pytest.raises(Unavailable):
        await stage.resume("ada", since)
    # Told when it is back.
    stage.world.meanwhile = nothing
    stage.world.away.clear()
    assert (await come_back(stage, since))[1] == ["ready", "message_created"]
