"""What is counted of servers that are measured beside the platform."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bench.measure import Result, Usage
from bench.peers.load import OWN, Contender, Load, beside, compared, loads, measured

SENT = 16
TWO = Load(8, everybody=True)


class Crowd:
    """A server that keeps and tells so much of what was sent to it."""

    def __init__(self, kept: Callable[[int], int], told: Callable[[int], int]) -> None:
        self.usage = Usage({})
        self._kept, self._told = kept, told
        self._sent = 0

    async def send(self, seconds: float) -> list[float]:
        self._sent += SENT
        return [0.001] * SENT

    def kept(self) -> int:
        return 1_000 + self._kept(self._sent)

    def told(self) -> int:
        return 500 + self._told(self._sent)


def test_a_reader_a_room_is_told_or_everybody_in_it() -> None:
    assert [(load.senders, load.listeners) for load in loads((8, 64))] == [
        *((8, 1), (8, 2)),
        *((64, 1), (64, 9)),
    ]


@pytest.mark.parametrize(
    ("kept", "told", "figures"),
    [
        pytest.param(lambda n: n, lambda n: 2 * n, (0, 0), id="all of it"),
        pytest.param(lambda n: max(0, n - 3), lambda n: 2 * n, (3, 0), id="lost by storage"),
        pytest.param(lambda n: n, lambda n: max(0, 2 * n - 5), (0, 5), id="not told"),
    ],
)
async def test_a_row_says_what_of_the_acknowledged_was_lost(
    kept: Callable[[int], int], told: Callable[[int], int], figures: tuple[int, int]
) -> None:
    row = await measured("a server", TWO, Crowd(kept, told), 1.0, patience=0.05)

    assert row.operations == SENT
    assert row.extra == {
        "acknowledged": 2 * SENT,
        "not_kept": figures[0],
        "not_told": figures[1],
    }


def test_all_take_turns_at_a_load_they_can_take() -> None:
    turns = list[str]()

    def contender(name: str, *, everybody_reads: bool = False) -> Contender:
        @asynccontextmanager
        async def crowd(_: Load) -> AsyncIterator[Crowd]:
            turns.append(name)
            yield Crowd(lambda n: max(0, n - 1), lambda n: n)

        return Contender(name, crowd, everybody_reads)

    all_of_them = [contender("one"), contender("rooms", everybody_reads=True), contender("two")]
    rows = list(compared(all_of_them, Load(8, everybody=False), 1.0, rounds=3))

    assert turns == ["one", "two"] * 3
    assert [row.name for row in rows] == ["one", "two"]
    for row in rows:
        assert (row.operations, len(row.latencies)) == (3 * SENT, 3 * SENT)
        assert row.extra == {"acknowledged": 6 * SENT, "not_kept": 3, "not_told": 0}


def test_a_message_costs_so_many_times_what_it_costs_the_platform() -> None:
    rows = [
        Result(OWN, "a load", 10, 1.0, {"chat": 0.01}),
        Result("other", "a load", 5, 1.0, {"server": 0.10, "database": 0.05}),
        Result("other", "a load of its own", 5, 1.0, {"server": 0.1}),
        Result("missing", "a load", 0, 1.0),
    ]

    assert [row.extra.get("times_creavio") for row in beside(rows)] == [
        pytest.approx(1),
        pytest.approx(30),
        None,
        None,
    ]
