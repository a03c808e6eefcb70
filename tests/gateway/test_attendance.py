"""What replicas know of each other's people comes to be the same, whatever is lost or late."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from nats.aio.msg import Msg
import pytest

from chassis.errors import Unavailable
from chassis.masks import Roles
from chassis.telemetry import Telemetry
from chassis.testing import scratch_config
from creavio.gateway.v1 import presence_pb2 as g
from creavio.gateway.v1 import replica_pb2
from services.gateway.engine.attendance import _ASKED, _CHANGED, _CHOSEN, Attendance
from services.gateway.engine.community import Person
from services.gateway.engine.roster import Roster

ENGINE = "services.gateway.engine.attendance"
ONLINE, OFFLINE = g.PRESENCE_STATUS_ONLINE, g.PRESENCE_STATUS_OFFLINE
IDLE = g.PRESENCE_STATUS_IDLE
Lost = Callable[[str, bytes], bool]


class Wire:
    """NATS in memory: carries at once, to everybody, what is not `lost`."""

    def __init__(self) -> None:
        self.following: list[tuple[Line, str, Callable[[Msg], Awaitable[None]]]] = []
        self.lost: Lost = lambda subject, body: False
        self.bodies: list[bytes] = []


class Line:
    """One replica's connection; it is a bus and its client at once."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.client = self
        self.is_connected = True

    async def follow(self, subject: str, handle: Callable[[Msg], Awaitable[None]]) -> None:
        """As `Bus.follow`."""
        self._wire.following.append((self, subject, handle))

    async def publish(self, subject: str, body: bytes) -> None:
        """As `Bus.publish`."""
        if not self.is_connected or self._wire.lost(subject, body):
            return
        self._wire.bodies.append(body)
        for line, followed, handle in list(self._wire.following):
            if followed == subject and line.is_connected:
                await handle(Msg(_client=self, subject=subject, data=body))  # type: ignore[arg-type]


class Replica:
    """What one replica knows of who is there."""

    def __init__(self, wire: Wire) -> None:
        self.line = Line(wire)
        self.moved: list[tuple[str, str, int]] = []
        self.roster = Roster(lambda _: None, lambda *how: self.moved.append(how))
        bus: Any = self.line
        self.attendance = Attendance(bus, self.roster, Telemetry(scratch_config("gateway")))

    def come(self, user_id: str, **numbers: int) -> None:
        """Somebody comes here, with these roles."""
        person = Person(user_id)
        person.roles = {community: Roles(1, held, {}) for community, held in numbers.items()}
        self.attendance.came(person)

    def seem(self) -> dict[str, int]:
        """How everybody seems."""
        return {there.user_id: there.seems for there in self.roster._people.values()}


async def replicas(number: int = 2) -> tuple[Wire, list[Replica]]:
    """Some that know each other."""
    wire = Wire()
    found = [Replica(wire) for _ in range(number)]
    for replica in found:
        await replica.attendance.follow()
    await tick(*found)
    return wire, found


async def tick(*all_: Replica, times: int = 2) -> None:
    """Have each say what it has to say, and answer."""
    for _ in range(times):
        for replica in all_:
            await replica.attendance.tick(settled=True)


async def test_an_answer_whose_beginning_was_not_heard_counts_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else who was told of in the beginning would seem to have left."""
    monkeypatch.setattr(f"{ENGINE}._WORD_BYTES", 1)
    wire, (here, other) = await replicas()
    for name in ("ada", "bob", "cleo"):
        other.come(name, table=1)
    await tick(here, other)
    missed: list[replica_pb2.AttendanceChanged] = []

    def first(subject: str, body: bytes) -> bool:
        word = replica_pb2.AttendanceChanged.FromString(body)
        lost = subject == _CHANGED and word.first
        missed.extend([word] * lost)
        return lost

    wire.lost = first
    left: list[tuple[str, str]] = []
    monkeypatch.setattr(here.roster, "left", lambda *who: left.append(who))
    await other.attendance.begin()
    await tick(other, times=1)
    assert (len(missed), left) == (1, [])
    newcomer = Replica(wire)
    await newcomer.attendance.follow()
    await tick(other, times=1)
    assert newcomer.seem() == {}
    wire.lost = lambda subject, body: False
    await tick(here, other, newcomer, times=3)
    assert newcomer.seem() == here.seem() == dict.fromkeys(("ada", "bob", "cleo"), ONLINE)
    assert left == []


@pytest.mark.parametrize("hidden", [IDLE, OFFLINE])
async def test_a_choice_that_was_not_heard_comes_with_the_next_word(hidden: Any) -> None:
    wire, (here, other) = await replicas()
    here.come("bob", table=1)
    await tick(here, other)
    assert other.seem() == {"bob": ONLINE}
    wire.lost = lambda subject, body: subject == _CHOSEN
    await here.attendance.chose("bob", hidden)
    await tick(here, other)
    assert other.seem() == {"bob": hidden}
    here.line.is_connected = False
    await here.attendance.chose("bob", ONLINE)
    await tick(here, other)
    here.line.is_connected = True
    here.attendance._said_at = float("-inf")
    await tick(here, other, times=3)
    assert other.seem() == {"bob": ONLINE}


async def test_a_choice_nobody_can_be_told_of_is_refused() -> None:
    _, (here, other) = await replicas()
    other.come("bob", table=1)
    await tick(here, other)
    here.line.is_connected = False
    with pytest.raises(Unavailable):
        await here.attendance.chose("bob", IDLE)
    assert here.seem() == {"bob": ONLINE}


async def test_the_later_choice_counts_whatever_clocks_say() -> None:
    _, (here, other) = await replicas()
    here.come("bob", table=1)
    here.roster.chose("bob", IDLE, 2**50)  # by a clock that is far ahead
    await tick(here, other)
    await other.attendance.chose("bob", ONLINE)
    assert here.seem() == other.seem() == {"bob": ONLINE}


def test_what_somebody_chose_ends_with_their_last_stream_even_while_that_is_not_told() -> None:
    roster = Roster(lambda _: None, lambda *_: None)
    roster.came("a", "bob", {}, whole=True)
    roster.chose("bob", IDLE, 1)
    roster.left("a", "bob")
    roster.came("b", "bob", {}, whole=False)
    there = roster.get("bob")
    assert there is not None
    assert there.seems == ONLINE
    # But what was chosen for the streams to come counts for them.
    roster.left("b", "bob")
    roster.chose("bob", IDLE, 2)
    roster.came("b", "bob", {}, whole=False)
    assert there.seems == IDLE


def test_what_was_known_before_a_doubt_is_no_reason_to_mistrust_what_is_said_after() -> None:
    roster = Roster(lambda _: None, lambda *_: None)
    roster.came("a", "bob", {"table": (9, 1), "gone": (1, 1)}, whole=True)
    roster.doubt()
    roster.came("b", "bob", {"table": (1, 3)}, whole=False)
    there = roster.get("bob")
    assert there is not None
    assert (there.stale, there.belongings) == (False, {"table": (1, 3)})


async def test_roles_that_changed_are_said_again() -> None:
    """Also that somebody belongs no longer: a word that was late says they do."""
    _, (here, other) = await replicas()
    other.come("bob", table=1, small=1)
    await tick(here, other)
    for there in filter(None, (replica.roster.get("bob") for replica in (here, other))):
        there.told = ONLINE
    other.roster.moved("bob", "table", 2, 0)
    other.roster.moved("bob", "small", 2, 3)
    other.roster.moved("bob", "new", 1, 1)
    other.attendance.repeat("bob")
    await tick(here, other)
    assert list(here.roster.belonging_to("table")) == []
    assert set(here.moved) == {("bob", "small", 1), ("bob", "new", 0)}


async def test_what_is_told_anew_replaces_what_was_said_before() -> None:
    """After rbac was set back, versions are lower than they were."""
    wire, (here, other) = await replicas()
    other.come("bob", table=1, gone=1)
    other.roster.moved("bob", "table", 9, 7)
    other.attendance.repeat("bob")
    await tick(here, other)
    assert set(here.roster.belonging_to("gone")) == {"bob"}
    wire.lost = lambda subject, body: subject == _ASKED
    other.come("bob", table=1)
    await other.attendance.begin()
    await tick(here, other)
    there = here.roster.get("bob")
    assert there is not None
    assert (there.stale, there.belongings) == (False, {"table": (1, 1)})
    assert list(here.roster.belonging_to("gone")) == []


async def test_who_is_back_at_once_may_belong_elsewhere() -> None:
    _, (here, other) = await replicas()
    other.come("bob", table=1)
    await tick(here, other)
    other.attendance.went(Person("bob"))
    other.come("bob", table=1, new=1)
    await tick(here, other)
    assert set(here.roster.belonging_to("new")) == {"bob"}


async def test_a_question_that_was_not_heard_is_asked_again() -> None:
    wire, (here, other) = await replicas()
    other.come("bob", table=1)
    await tick(here, other)
    wire.lost = lambda subject, body: subject == _ASKED
    here.roster.doubt()
    await here.attendance.begin()
    await tick(here, other)
    there = here.roster.get("bob")
    assert there is not None
    assert there.stale
    wire.lost = lambda subject, body: False
    other.attendance._said_at = float("-inf")
    await tick(other)
    assert not there.stale


async def test_one_that_began_waits_for_the_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{ENGINE}._ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(f"{ENGINE}._LEARN_SECONDS", 3600.0)
    wire, (here, other) = await replicas()
    other.come("bob", table=1)
    await tick(here, other)
    newcomer = Replica(wire)
    await newcomer.attendance.follow()
    waiting = asyncio.ensure_future(newcomer.attendance.learned())
    await asyncio.sleep(0.1)
    assert not waiting.done()
    # It cannot answer yet, but it lives.
    other.attendance._said_at = float("-inf")
    await other.attendance.tick(settled=False)
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await tick(here, other)
    await asyncio.wait_for(waiting, 1.0)
    assert newcomer.seem() == {"bob": ONLINE}


async def test_who_hears_not_even_themselves_takes_nobody_for_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(f"{ENGINE}.EXPIRE_SECONDS", 0.3)
    monkeypatch.setattr(f"{ENGINE}._DEAF_SECONDS", 0.1)
    wire, (here, other) = await replicas()
    other.come("bob", table=1)
    await tick(here, other)
    wire.lost = lambda subject, body: True
    for _ in range(5):
        await asyncio.sleep(0.1)
        await tick(here, times=1)
    assert here.seem() == {"bob": ONLINE}
    wire.lost = lambda subject, body: False
    for _ in range(6):
        await asyncio.sleep(0.08)
        here.attendance._said_at = float("-inf")
        await tick(here, times=1)
    assert here.seem() == {"bob": OFFLINE}


async def test_words_stay_small_however_many_come_and_belong_anywhere() -> None:
    wire, (here, other) = await replicas()
    for number in range(60):
        here.come(f"user{number}", **{f"com_{community:026}": 1 for community in range(600)})
    await tick(here, other)
    assert len(other.seem()) == 60
    await other.attendance.begin()
    await tick(here, other)
    assert 64_000 < max(map(len, wire.bodies)) < 512_000
