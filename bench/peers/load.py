"""What every server is asked to do, and how it is counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
import time
from typing import Final, Protocol

from bench.measure import Result, Usage

ROOMS: Final = 8
OWN: Final = "creavio"
_WARM_SECONDS: Final = 1.0
_PATIENCE: Final = 60.0


@dataclass(frozen=True)
class Load:
    """Senders spread over the rooms, and who else is told what they say."""

    senders: int
    everybody: bool
    """Senders listen too, each to the room they are in; else one reader a room does."""

    @property
    def listeners(self) -> int:
        """How many are told a message: the reader of its room, and whoever sends there."""
        return 1 + (self.senders // ROOMS if self.everybody else 0)

    def __str__(self) -> str:
        return f"{self.senders} senders, each message to {self.listeners}"


def loads(senders: Iterable[int]) -> list[Load]:
    """Each number of senders with a reader a room, and with everybody reading."""
    return [Load(number, everybody) for number in senders for everybody in (False, True)]


class Crowd(Protocol):
    """The people of a load, signed in at one server and listening."""

    usage: Usage

    async def send(self, seconds: float) -> list[float]:
        """Everybody says one message after another: how long each took to be acknowledged."""

    def told(self) -> int:
        """How many messages listeners were told so far, each listener's counted."""

    def kept(self) -> int:
        """How many messages the server's storage holds now."""


@dataclass(frozen=True)
class Contender:
    """A running server, or one way to speak to it."""

    name: str
    crowd: Callable[[Load], AbstractAsyncContextManager[Crowd]]
    everybody_reads: bool = False
    """Whether it can do no other than tell whoever is in a room."""

    def takes(self, load: Load) -> bool:
        """Whether it can be put under a load."""
        return load.everybody or not self.everybody_reads


def compared(
    contenders: Sequence[Contender], load: Load, seconds: float, rounds: int
) -> Iterator[Result]:
    """A row for each that can take a load. They take turns, for so many seconds each round:
    what else the machine does meanwhile falls on all of them."""
    able = [contender for contender in contenders if contender.takes(load)]
    runs = [[asyncio.run(_turn(each, load, seconds)) for each in able] for _ in range(rounds)]
    for turns in zip(*runs, strict=True):
        yield together(turns)


async def _turn(contender: Contender, load: Load, seconds: float) -> Result:
    async with contender.crowd(load) as crowd:
        return await measured(contender.name, load, crowd, seconds)


def together(turns: Sequence[Result]) -> Result:
    """Several measurements of one path under one load, as if it had been one."""
    cpu, extra = Counter[str](), Counter[str]()
    for turn in turns:
        cpu.update(turn.cpu)
        extra.update(turn.extra)
    return Result(
        turns[0].name,
        turns[0].load,
        sum(turn.operations for turn in turns),
        sum(turn.seconds for turn in turns),
        dict(cpu),
        [latency for turn in turns for latency in turn.latencies],
        dict(extra),
    )


async def measured(
    name: str, load: Load, crowd: Crowd, seconds: float, patience: float = _PATIENCE
) -> Result:
    """Have a crowd send, and wait until everybody was told, for so many seconds at most.

    The row says what was acknowledged, the first second's too, and of that what storage does
    not hold and what listeners were not told.
    """
    kept, told = crowd.kept(), crowd.told()
    warm = len(await crowd.send(_WARM_SECONDS))
    await _all_told(crowd, told + warm * load.listeners, patience)
    with crowd.usage.spent() as cpu:
        started = time.perf_counter()
        latencies = await crowd.send(seconds)
        sent = warm + len(latencies)
        await _all_told(crowd, told + sent * load.listeners, patience)
        took = time.perf_counter() - started
    figures = {
        "acknowledged": float(sent),
        "not_kept": float(sent - (crowd.kept() - kept)),
        "not_told": float(sent * load.listeners - (crowd.told() - told)),
    }
    return Result(name, str(load), len(latencies), took, cpu, latencies, figures)


async def _all_told(crowd: Crowd, expected: int, patience: float) -> None:
    deadline = time.perf_counter() + patience
    while crowd.told() < expected:
        if time.perf_counter() > deadline:
            break
        await asyncio.sleep(0.01)


def beside(rows: Iterable[Result]) -> Iterator[Result]:
    """The rows, each with the CPU of its messages in multiples of what the platform took
    over its streams under the same load."""
    own: dict[str, float] = {}
    for row in rows:
        if row.name == OWN:
            own[row.load] = row.micros
        if row.operations and own.get(row.load):
            row.extra["times_creavio"] = row.micros / own[row.load]
        yield row
