"""Who is there is told whatever comes late, and what was told is never forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import pytest

from chassis.contract import Contract
from chassis.errors import Unavailable
from chassis.testing import eventually
from tests.gateway.seen import IDLE, OFFLINE, ONLINE, listed, seeing
from tests.gateway.table import BARRED, GUEST, MEMBER, VIEW_COMMUNITY
from tests.gateway.world import QUIET, Stage, staged
from tests.scratch_nats import ScratchNats

ENGINE = "services.gateway.engine.attendance"


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits as in life, but shorter."""
    monkeypatch.setattr(f"{ENGINE}.GRACE_SECONDS", 0.5)
    monkeypatch.setattr(f"{ENGINE}._WORD_SECONDS", 0.4)
    monkeypatch.setattr(f"{ENGINE}._LEARN_SECONDS", 1.0)


@pytest.fixture
async def stage(nats_server: ScratchNats, contract: Contract) -> AsyncIterator[Stage]:
    """Two replicas. Ada, Bob, Cleo and Dan sit at a table, Eve at another."""
    async with staged(nats_server, contract, replicas=2) as stage:
        for name in ("ada", "bob", "cleo", "dan"):
            stage.world.seat("table", name)
        stage.world.seat("elsewhere", "eve")
        yield stage


Say = Callable[[str, bytes], Awaitable[None]]


class Held:
    """What a replica publishes, kept back until it is let go."""

    def __init__(self, stage: Stage, replica: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self._bus = stage.gateway_buses[replica]
        self._kept: list[tuple[str, bytes]] = []
        self._say: Say = self._bus.publish
        self._patch = monkeypatch
        monkeypatch.setattr(self._bus, "publish", self._keep)

    async def _keep(self, subject: str, body: bytes) -> None:
        self._kept.append((subject, body))

    @property
    def said(self) -> int:
        """How many words are kept back."""
        return len(self._kept)

    async def go(self) -> None:
        """Say it now, and all that follows at once."""
        self._patch.setattr(self._bus, "publish", self._say)
        for subject, body in self._kept:
            await self._say(subject, body)

    def lose(self) -> None:
        """It is never said; what follows is."""
        self._patch.setattr(self._bus, "publish", self._say)


async def test_who_joins_while_the_policy_is_not_known_is_told_once_it_is(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, eve = await seeing(stage, "ada"), await seeing(stage, "eve")
    await eve.sees(eve=ONLINE)
    crowd = stage.hubs[0].crowd
    with monkeypatch.context() as unsure:
        unsure.setattr(crowd, "sure", lambda community: community != "table")
        await stage.bind("table", "eve", MEMBER)
        await stage.heard()
        await asyncio.sleep(2 * QUIET)
        assert "eve" not in await ada.now()
    await ada.sees(eve=ONLINE)


async def test_who_joined_and_left_while_the_policy_was_not_known_is_not_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, eve = await seeing(stage, "ada"), await seeing(stage, "eve")
    await eve.sees(eve=ONLINE)
    with monkeypatch.context() as unsure:
        unsure.setattr(stage.hubs[0].crowd, "sure", lambda community: community != "table")
        await stage.bind("table", "eve", MEMBER)
        await stage.bind("table", "eve")
        await stage.heard()
    await asyncio.sleep(2 * QUIET)
    assert "eve" not in await ada.now()
    assert not stage.presences[0]._welcome


async def test_roles_that_change_while_the_word_is_on_its_way_are_told_after_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await seeing(stage, "ada")
    held = Held(stage, 1, monkeypatch)
    await stage.open("eve", stage.hubs[1])
    await stage.open("bob", stage.hubs[1])
    presence = stage.presences[1]

    async def said() -> None:
        there = presence._roster.get("eve")
        assert there is not None
        assert there.told == ONLINE  # That is after the word.

    await eventually(said)
    await stage.bind("table", "eve", MEMBER)
    await stage.bind("table", "bob")
    await stage.heard()
    await held.go()
    await ada.sees(eve=ONLINE)

    async def known() -> None:
        assert await listed(stage, "ada", "table") == {"ada": ONLINE, "eve": ONLINE}

    await eventually(known)


@pytest.mark.parametrize("how", ["roles", "policy", "policy, unheard"])
async def test_who_was_not_to_be_seen_is_told_when_they_are(stage: Stage, how: str) -> None:
    stage.world.seat("table", "bob", MEMBER, BARRED)
    ada, bob = await seeing(stage, "ada"), await seeing(stage, "bob", 1)
    await bob.sees(bob=ONLINE)
    await asyncio.sleep(2 * QUIET)
    assert "bob" not in await ada.now()
    if how == "roles":
        await stage.bind("table", "bob", MEMBER)
    else:
        stage.world.table("table").role(BARRED).says.deny.discard(VIEW_COMMUNITY)
        await (stage.change("table") if how == "policy" else set_back(stage))
    await ada.sees(bob=ONLINE)


async def test_other_roles_that_show_nobody_new_are_told_nobody(stage: Stage) -> None:
    ada = await seeing(stage, "ada")
    await stage.open("bob", stage.hubs[1])
    await ada.sees(bob=ONLINE)
    await stage.bind("table", "bob", MEMBER, GUEST)
    await stage.bind("table", "ada", MEMBER, GUEST)
    await stage.heard()
    await asyncio.sleep(2 * QUIET)
    await ada.now()
    assert ada.times == {"ada": 1, "bob": 1}


async def test_a_replica_that_begins_lists_and_tells_those_who_were_there_before(
    nats_server: ScratchNats, contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{ENGINE}._ANSWER_SECONDS", 2.0)
    async with staged(nats_server, contract) as first:
        first.world.seat("table", "ada")
        first.world.seat("table", "bob")
        await first.open("bob")
        held = Held(first, 0, monkeypatch)
        async with staged(nats_server, contract) as second:
            second.world.tables = first.world.tables
            ada = await seeing(second, "ada")
            found = asyncio.ensure_future(listed(second, "ada", "table"))
            await ada.sees(ada=ONLINE)
            assert await ada.now() == {"ada": ONLINE}
            await held.go()
            assert await found == {"ada": ONLINE, "bob": ONLINE}
            # Who asked another, before this one knew, has to hear of him from it.
            await ada.sees(bob=ONLINE)


async def set_back(stage: Stage) -> None:
    """rbac was restored: all is asked for anew."""
    stage.world.revision = 0
    await stage.heard()


async def test_after_all_was_asked_anew_the_differences_are_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await seeing(stage, "ada")
    streams = {name: await stage.open(name, stage.hubs[1]) for name in ("bob", "cleo", "dan")}
    await ada.sees(bob=ONLINE, cleo=ONLINE, dan=ONLINE)
    held = Held(stage, 1, monkeypatch)
    before = ada.said
    streams["cleo"].close()
    await set_back(stage)

    async def alone() -> None:
        try:
            assert await listed(stage, "ada", "table") == {"ada": ONLINE}
        except Unavailable as error:
            raise AssertionError from error

    await eventually(alone)
    await stage.presences[0].choose("bob", IDLE)
    await asyncio.sleep(1 + QUIET)
    await ada.now()
    assert ada.said == before, "told of whom it is not known where they belong"
    held.lose()
    await ada.sees(bob=IDLE, cleo=OFFLINE)
    assert ada.times["dan"] == 1, "what was told before is told again"
    assert await listed(stage, "ada", "table") == {"ada": ONLINE, "bob": IDLE, "dan": ONLINE}


async def test_who_is_not_learned_of_again_is_told_to_be_gone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{ENGINE}.EXPIRE_SECONDS", 2.5)
    ada, here = await seeing(stage, "ada"), await stage.open("cleo")
    await stage.open("bob", stage.hubs[1])
    await ada.sees(bob=ONLINE, cleo=ONLINE)
    await stage.cut[1]()
    stage.authorizers.pop()
    here.close()
    await set_back(stage)
    await ada.sees(bob=OFFLINE, cleo=OFFLINE)
    roster = stage.presences[0]._roster
    await eventually(partial(gone, roster))


async def gone(roster: object) -> None:
    """Nothing is kept but of Ada."""
    assert [*roster._people] == ["ada"]  # type: ignore[attr-defined]


async def test_who_hides_stays_hidden_when_all_is_asked_anew(stage: Stage) -> None:
    ada, bob = await seeing(stage, "ada"), await seeing(stage, "bob")
    await ada.sees(bob=ONLINE)
    await stage.presences[0].choose("bob", OFFLINE)
    await ada.sees(bob=OFFLINE)
    await set_back(stage)
    await bob.now()
    before = ada.times["bob"]

    async def known() -> None:
        for replica in range(2):
            assert not stage.presences[replica]._void

    await eventually(known)
    await asyncio.sleep(1 + QUIET)
    await ada.now()
    assert ada.times["bob"] == before
    for replica in range(2):
        assert await listed(stage, "ada", "table", replica) == {"ada": ONLINE}
