"""What changes in rbac reaches open streams before the next event does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
import time

import pytest

from chassis import ids
from chassis.authz import Authorizer
from chassis.contract import Contract
from chassis.errors import Unavailable
from chassis.testing import eventually
from creavio.options.v1 import permission_pb2 as p
from creavio.rbac.v1 import rbac_events_pb2
from services.gateway.engine.stream import Stream
from tests.gateway.happenings import aside, joined, message, opened
from tests.gateway.table import BARRED, GUEST, MEMBER, SEND, VIEW_CHANNEL, Says
from tests.gateway.world import QUIET, Stage, payloads, read, staged, texts, told
from tests.scratch_nats import ScratchNats


@pytest.fixture
async def stage(nats_server: ScratchNats, contract: Contract) -> AsyncIterator[Stage]:
    """Ada and Bob sit at a table; everybody sees its channels."""
    async with staged(nats_server, contract) as stage:
        stage.world.seat("table", "ada")
        stage.world.seat("table", "bob")
        yield stage


async def kinds(stream: Stream) -> list[str]:
    return payloads(await told(stream))


async def hide(stage: Stage, channel: str, *shown_to: int) -> None:
    """Override a channel, so that only some roles see it."""
    table = stage.world.table("table")
    for role in table.roles:
        says = role.channels.setdefault(channel, Says())
        shown = role.number in shown_to
        says.allow, says.deny = ({VIEW_CHANNEL}, set()) if shown else (set(), {VIEW_CHANNEL})
    await stage.change("table")


async def test_who_is_kicked_sees_nothing_more(stage: Stage) -> None:
    ada, bob, phone = [await stage.open(name) for name in ("ada", "bob", "bob")]
    await stage.happen(message("general", "before"))
    await stage.bind("table", "bob")
    await stage.happen(message("general", "after"), joined("table", "cleo"))
    for stream in (bob, phone):
        assert await kinds(stream) == ["message_created", "access_changed"]
    assert texts(await told(ada)) == ["before", "after"]


async def test_a_thread_is_seen_by_who_sees_its_channel(stage: Stage) -> None:
    ada, bob = await stage.open("ada"), await stage.open("bob")
    await stage.bind("table", "ada", MEMBER, 7)
    stage.world.table("table").roles.append(type(stage.world.table("table").role(MEMBER))(7))
    await hide(stage, "staff", 7)
    await stage.happen(aside("staff", "thr_1", "secret"), aside("general", "thr_2", "hello"))
    assert texts(await told(bob)) == ["hello"]
    assert texts(await told(ada)) == ["secret", "hello"]


async def test_who_is_let_in_sees_everything_from_then_on(stage: Stage) -> None:
    eve = await stage.open("eve")
    await stage.happen(message("general", "before"))
    await stage.bind("table", "eve", MEMBER)
    await stage.happen(message("general", "after"))
    assert await kinds(eve) == ["access_changed", "message_created"]


async def test_a_role_that_is_given_or_lost_decides_at_once(stage: Stage) -> None:
    ada, bob = await stage.open("ada"), await stage.open("bob")
    for roles, sees in (((MEMBER, GUEST), False), ((MEMBER,), True), ((MEMBER, BARRED), False)):
        await stage.bind("table", "bob", *roles)
        await stage.happen(message("general", "hello"))
        assert await kinds(bob) == ["access_changed", *["message_created"] * sees], roles
    assert await kinds(ada) == ["message_created"] * 3


async def test_a_channel_is_hidden_and_shown_to_roles(stage: Stage) -> None:
    ada, bob = await stage.open("ada"), await stage.open("bob")
    await stage.bind("table", "ada", MEMBER, 7)
    stage.world.table("table").roles.append(type(stage.world.table("table").role(MEMBER))(7))
    await hide(stage, "staff", 7)
    await stage.happen(message("staff", "secret"), message("general", "hello"))
    assert texts(await told(bob)) == ["hello"]
    assert texts(await told(ada)) == ["secret", "hello"]
    await hide(stage, "staff", MEMBER, 7)
    await stage.happen(message("staff", "no secret"))
    assert await kinds(bob) == ["access_changed", "message_created"]


async def test_an_override_of_a_persons_own_comes_first(stage: Stage) -> None:
    await stage.open("ada")
    ada, bob = await stage.open("ada"), await stage.open("bob")
    await hide(stage, "staff")
    await stage.happen(message("staff", "secret"))
    assert await kinds(bob) == ["access_changed"]
    here = stage.world.table("table").members["bob"]
    here.channels["staff"] = Says(allow={VIEW_CHANNEL})
    here.channels["general"] = Says(deny={VIEW_CHANNEL})
    await stage.rebound("table", "bob")
    await stage.happen(message("staff", "secret"), message("general", "hello"))
    assert texts(await told(bob)) == ["secret"]
    assert texts(await told(ada)) == ["hello"]
    here.channels.clear()
    await stage.rebound("table", "bob")
    await stage.happen(message("staff", "secret"), message("general", "hello"))
    assert texts(await told(bob)) == ["hello"]


async def test_only_who_sees_something_else_is_told_of_a_change(stage: Stage) -> None:
    ada, bob, eve = [await stage.open(name) for name in ("ada", "bob", "eve")]
    await stage.bind("table", "ada", MEMBER, 7)
    stage.world.table("table").roles.append(type(stage.world.table("table").role(MEMBER))(7))
    await hide(stage, "staff", 7)
    await stage.happen(message("general", "by now the policy is known"))
    assert await kinds(ada) == ["message_created"], "she sees what she saw"
    assert await kinds(bob) == ["access_changed", "message_created"]
    assert await kinds(eve) == []


async def test_who_may_do_something_else_is_told_too(stage: Stage) -> None:
    ada, bob = await stage.open("ada"), await stage.open("bob")
    table = stage.world.table("table")
    await stage.bind("table", "ada", MEMBER, 7)
    table.roles.append(type(table.role(MEMBER))(7))
    await stage.change("table")
    await stage.happen(message("general", "by now the policy is known"))
    assert await kinds(ada) == ["message_created"], "a role that says nothing is no news"
    table.role(7).says.allow.add(p.PERMISSION_MANAGE_EVENTS)
    await stage.change("table")
    await stage.happen(message("general", "of the community"))
    table.role(7).channels.setdefault("general", Says()).deny.add(SEND)
    await stage.change("table")
    await stage.happen(message("general", "in a channel"))
    assert await kinds(ada) == ["access_changed", "message_created"] * 2
    assert await kinds(bob) == ["message_created"] * 3


async def test_a_private_channel_in_the_making_is_no_news(stage: Stage) -> None:
    """Its overrides are there before it is: nobody learns of it who is not to see it."""
    ada, bob = await stage.open("ada"), await stage.open("bob")
    await stage.bind("table", "ada", MEMBER, 7)
    stage.world.table("table").roles.append(type(stage.world.table("table").role(MEMBER))(7))
    channel = ids.text(ids.Kind.CHANNEL, ids.new())
    await hide(stage, channel, 7)
    await stage.happen(opened("table", channel), message(channel, "secret"))
    assert await kinds(bob) == []
    assert await kinds(ada) == ["channel_created", "message_created"]
    # Once it is there, who comes to see it or loses the sight of it is told.
    await hide(stage, channel, MEMBER, 7)
    await stage.happen(message(channel, "no secret"))
    assert await kinds(bob) == ["access_changed", "message_created"]
    await hide(stage, channel, 7)
    await stage.happen(message(channel, "secret"))
    assert await kinds(bob) == ["access_changed"]


async def test_nothing_is_told_by_an_old_policy(stage: Stage) -> None:
    """An event waits for the new one, however slow rbac is to tell it."""
    ada, bob = await stage.open("ada"), await stage.open("bob")
    await stage.happen(message("staff", "not hidden yet"))
    stage.world.meanwhile = lambda: asyncio.sleep(QUIET)
    await hide(stage, "staff")
    await stage.happen(message("staff", "secret"))
    for stream in (ada, bob):
        assert texts(await told(stream)) == ["not hidden yet"]


async def test_a_change_while_a_policy_is_asked_for_is_not_lost(stage: Stage) -> None:
    """The answer may be older than the change: it is asked again."""
    ada = await stage.open("ada")
    changed = asyncio.Event()

    async def change_again() -> None:
        if not changed.is_set():
            changed.set()
            await hide(stage, "staff")

    stage.world.meanwhile = change_again
    await stage.change("table")
    await changed.wait()
    await stage.happen(message("staff", "secret"))
    assert texts(await told(ada)) == []


async def test_a_policy_that_cannot_be_known_ends_those_it_is_for(stage: Stage) -> None:
    ada, bob = await stage.open("ada"), await stage.open("bob")
    stage.world.seat("elsewhere", "eve")
    eve = await stage.open("eve")
    await stage.happen(message("general", "hello"), message("lobby", "hi", "elsewhere"))
    before = stage.hub.positions
    stage.world.away.add("GetAccess")
    await stage.change("table")
    began = time.monotonic()
    await stage.happen(message("general", "not known to whom"))
    assert 0.8 < time.monotonic() - began < 3
    for stream in (ada, bob):
        written = read(await stream.next())
        assert payloads(written.events) == ["ended"]
        assert (written.events[0].ended.reason, written.resume_token) == ("UNAVAILABLE", "")
        with pytest.raises(Unavailable):
            await stream.next()
    await stage.happen(message("lobby", "goes on", "elsewhere"))
    assert texts(await told(eve)) == ["hi", "goes on"]
    # Back with the token, told what nobody could be told.
    with pytest.raises(Unavailable):
        await stage.resume("ada", before)
    stage.world.away.clear()
    again = await stage.resume("ada", before)
    assert texts(await told(again)) == ["not known to whom"]


async def test_only_the_first_event_waits_for_what_cannot_be_known(stage: Stage) -> None:
    for number in range(5):
        stage.world.seat(f"table{number}", "ada")
        stage.world.seat(f"table{number}", f"user{number}")
    streams = [await stage.open(f"user{number}") for number in range(5)]
    await stage.happen(*(message("c", "hello", f"table{number}") for number in range(5)))
    stage.world.away.add("GetAccess")
    for number in range(5):
        await stage.change(f"table{number}")
    began = time.monotonic()
    await stage.happen(*(message("c", "lost", f"table{number}") for number in range(5)))
    assert time.monotonic() - began < 3
    assert all(stream.over for stream in streams)


async def unheard(
    authorizer: Authorizer, monkeypatch: pytest.MonkeyPatch, change: Awaitable[None]
) -> None:
    """Have a change not be heard."""
    dropped = asyncio.Event()
    with monkeypatch.context() as patched:
        for name in ("policy_changed", "binding_changed"):
            patched.setattr(authorizer.knowledge, name, lambda _: dropped.set())
        await change
        await asyncio.wait_for(dropped.wait(), 5)


async def test_a_kick_that_was_not_heard_is_noticed_within_a_second(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """rbac says where it stands; what was missed is asked for, here all of it."""
    ada, bob = await stage.open("ada"), await stage.open("bob")
    await stage.happen(message("general", "before"))
    await unheard(stage.authorizers[0], monkeypatch, stage.bind("table", "bob"))
    await asyncio.sleep(0.5)
    await stage.happen(message("general", "after"))
    assert texts(await told(ada)) == ["before", "after"]
    assert await kinds(bob) == ["message_created", "access_changed"]


async def test_everybody_is_asked_for_again_when_all_is_forgotten(stage: Stage) -> None:
    for number in range(100):
        stage.world.seat("table", f"user{number}")
    streams = [await stage.open(f"user{number}") for number in range(100)]
    eve = await stage.open("eve")
    # rbac's database was set back, and is another since.
    table = stage.world.table("table")
    for number in range(50):
        table.members[f"user{number}"].roles = set()
        table.members[f"user{number}"].version = 0
    stage.world.seat("table", "eve")
    stage.world.revision = 0
    await asyncio.sleep(0.2)
    await stage.happen(message("general", "after"))
    for number, stream in enumerate(streams):
        assert texts(await told(stream)) == ["after"] * (number >= 50), number
    assert await kinds(eve) == ["access_changed", "message_created"]


async def test_who_cannot_be_asked_for_again_is_ended(stage: Stage) -> None:
    ada, bob = await stage.open("ada"), await stage.open("bob")
    await stage.happen(message("general", "hello"))
    stage.world.away.add("ListBindings")
    stage.world.revision = 0
    await asyncio.sleep(0.2)
    began = time.monotonic()
    await stage.happen(message("general", "not known to whom"))
    assert time.monotonic() - began < 3
    assert ada.over
    assert bob.over
    stage.world.away.clear()
    again = await stage.open("ada")
    await stage.happen(message("general", "goes on"))
    assert texts(await told(again)) == ["goes on"]


async def test_a_silent_rbac_is_believed_for_half_a_minute(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await stage.open("ada")
    await stage.happen(message("general", "hello"))
    stage.world.silent = True
    await asyncio.sleep(1.2)
    await stage.happen(message("general", "still told"))
    assert texts(await told(ada)) == ["hello", "still told"]
    monkeypatch.setattr("chassis.knowledge.READABLE_SECONDS", 1.0)
    await stage.happen(message("general", "not known to whom"))
    assert ada.over


async def test_what_was_missed_while_rbac_is_away_is_never_guessed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = await stage.open("ada"), await stage.open("bob")
    await stage.happen(message("general", "hello"))
    stage.world.away.add("ListChanges")
    await unheard(stage.authorizers[0], monkeypatch, stage.bind("table", "bob"))
    await asyncio.sleep(0.3)
    await stage.happen(message("general", "not known to whom"))
    assert texts(await told(bob)) == []
    assert ada.over
    assert bob.over


async def test_an_older_word_changes_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each change is announced at once and told again by the log, which may be late."""
    bob = await stage.open("bob")
    words: list[rbac_events_pb2.BindingChanged] = []
    knowledge = stage.authorizers[0].knowledge
    follow = knowledge.binding_changed

    def overhear(word: rbac_events_pb2.BindingChanged) -> None:
        words.append(word)
        follow(word)

    monkeypatch.setattr(knowledge, "binding_changed", overhear)
    await stage.bind("table", "bob", MEMBER, GUEST)
    await stage.bind("table", "bob")

    async def both() -> None:
        assert len(words) == 2

    await eventually(both)
    follow(words[0])
    await stage.happen(message("general", "after"), joined("table", "cleo"))
    assert await kinds(bob) == ["access_changed", "access_changed"]


async def test_who_joins_while_the_stream_opens_misses_nothing(stage: Stage) -> None:
    async def join() -> None:
        stage.world.meanwhile = nothing_more
        await stage.bind("table", "eve", MEMBER)

    async def nothing_more() -> None:
        pass

    stage.world.meanwhile = join
    eve = await stage.hub.open("eve", None)
    await stage.happen(message("general", "hello"))
    assert texts(await told(eve)) == ["hello"]


async def test_who_is_removed_while_the_stream_opens_sees_nothing(stage: Stage) -> None:
    async def remove() -> None:
        stage.world.meanwhile = nothing_more
        await stage.bind("table", "bob")

    async def nothing_more() -> None:
        pass

    stage.world.meanwhile = remove
    bob = await stage.hub.open("bob", None)
    await stage.happen(message("general", "hello"))
    assert texts(await told(bob)) == []


async def test_every_replica_follows(nats_server: ScratchNats, contract: Contract) -> None:
    async with staged(nats_server, contract, replicas=2) as stage:
        stage.world.seat("table", "ada")
        stage.world.seat("table", "bob")
        streams = [await stage.open("bob", hub) for hub in stage.hubs]
        await stage.happen(message("general", "before"))
        await stage.bind("table", "bob")
        await stage.happen(message("general", "after"))
        for stream in streams:
            assert await kinds(stream) == ["message_created", "access_changed"]
