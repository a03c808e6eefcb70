"""`python -m bench.soak [--minutes N]`: mixed load for a while; whether anything grows.

A platform of its own is filled with messages, then used by a fixed number of people who do
everything there is to do: first in a hurry, until every connection has seen every statement
and every cache is full, then steadily. Every few seconds memory, descriptors, threads,
asyncio's tasks, events that wait, and disk are sampled. A line is fitted through each series:
it is flat, or grows by more than is allowed. What counts begins once memory stood still for
some minutes by the same measure, or did not in a quarter of an hour. What is kept for good
(messages, events for a week) grows on disk by design, and is judged by how much a change takes.
Writes `bench/results/soak.json`; exits with 1 when something grows.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
import json
import socket
import sys
import time
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench import people
from bench.bustle import Bustle
from bench.measure import machine
from bench.report import RESULTS
from bench.samples import Sampler
from bench.trend import Trend, fit
from tests.live import running

SAMPLE_SECONDS: Final = 5.0
FILL_SECONDS: Final = 15.0
"""Of as many messages as go, so that what is asked for is among many."""
HURRY_SECONDS: Final = 300.0
"""How long nobody pauses before it counts: a connection of PostgreSQL's keeps a plan once it
was asked ten times, a service asks its connections in turn, and the gateway keeps the last
5,000 events of each service."""
STILL_SECONDS: Final = 180.0
"""For how long nothing's memory must have grown before it counts: PostgreSQL analyses once a
minute what changed, and its connections plan anew what they had planned."""
PATIENCE_SECONDS: Final = 900.0
"""Of waiting for that; what grows then is judged for it."""
SETTLE: Final = 0.2
"""Of the run: what the hurry needed is given back."""
ALLOWED: Final[Mapping[str, float]] = {
    "memory": 18.0,
    "descriptors": 30.0,
    "threads": 12.0,
    "tasks": 60.0,
    "outbox": 120.0,
}
"""Units an hour, by kind of series: what ten minutes tell from noise, three MiB or five
descriptors. At forty calls a second, a KiB that stays of each call is 140 MiB an hour."""
DISK_KIB_A_CHANGE: Final = 24.0
"""What a change may take on disk, in all databases, NATS and logs: rows with their indexes
and what vacuum has not got to yet, the event in the outbox and in the stream."""
_CHANGES: Final = (
    "send",
    "edit",
    "delete",
    "react",
    "unreact",
    "join and leave",
    "sign in",
    "look in",
)


@dataclass(frozen=True)
class Series:
    """What was sampled under one name, once it had settled."""

    name: str
    trend: Trend

    @property
    def kind(self) -> str:
        """What is counted: `memory`, `disk`."""
        return self.name.partition(" ")[0]

    @property
    def allowed(self) -> float | None:
        """Units an hour; None for what is not judged: what is kept for good, and PSS."""
        return ALLOWED.get(self.kind)

    @property
    def grows(self) -> bool:
        """Whether it grows by more than is allowed."""
        return self.allowed is not None and self.trend.grows(self.allowed)


@dataclass(frozen=True)
class Outcome:
    """What is to be said of a run."""

    series: Sequence[Series]
    times: Sequence[float]
    memory: Mapping[str, Sequence[float]]
    """What each part had of its own at these times, in MiB, for the figure."""
    kib_a_change: float
    done: Mapping[str, int]
    failed: Mapping[str, int]
    warm_up: float
    """Seconds of the steady pace before it counted."""

    @property
    def trouble(self) -> list[str]:
        """What grows without bound, or did not work."""
        found = [f"{each.name} grows" for each in self.series if each.grows]
        if self.kib_a_change > DISK_KIB_A_CHANGE:
            found.append(f"a change takes {self.kib_a_change:.1f} KiB on disk")
        return [*found, *(f"{number} times {what}" for what, number in self.failed.items())]


def judge(
    times: Sequence[float],
    samples: Sequence[Mapping[str, float]],
    changes: int,
    done: Mapping[str, int],
    failed: Mapping[str, int],
    warm_up: float = 0.0,
) -> Outcome:
    """Fit a line through what every sample has, and say what grows."""
    begin = next(n for n, t in enumerate(times) if t >= times[0] + SETTLE * (times[-1] - times[0]))
    names = sorted(set.intersection(*(set(sample) for sample in samples)))
    series = [
        Series(name, fit(times[begin:], [sample[name] for sample in samples[begin:]]))
        for name in names
    ]
    disk = [name for name in names if name.startswith("disk ")]
    grown = sum(samples[-1][name] - samples[0][name] for name in disk) * 1024
    memory = {
        name.removeprefix("memory "): [sample[name] for sample in samples]
        for name in names
        if name.startswith("memory ")
    }
    return Outcome(series, times, memory, grown / max(1, changes), done, failed, warm_up)


def still(times: Sequence[float], samples: Sequence[Mapping[str, float]]) -> bool:
    """Whether no part's memory grew by more than is allowed in the last `STILL_SECONDS`."""
    if times[-1] - times[0] < STILL_SECONDS:
        return False
    begin = next(n for n, t in enumerate(times) if t > times[-1] - STILL_SECONDS)
    names = [name for name in samples[-1] if name.startswith("memory ")]
    lines = [fit(times[begin:], [each[name] for each in samples[begin:]]) for name in names]
    return not any(line.grows(ALLOWED["memory"]) for line in lines)


async def _soak(bustle: Bustle, sampler: Sampler, seconds: float, console: Console) -> Outcome:
    async with bustle.going_on(hurry=True):
        await asyncio.sleep(HURRY_SECONDS)
    async with bustle.going_on():
        times, samples = list[float](), list[dict[str, float]]()
        async for now, sample in _sampled(bustle, sampler, console):
            times.append(now)
            samples.append(sample)
            if now > PATIENCE_SECONDS or still(times, samples):
                break
        console.print("it counts from here")
        warm, times, samples = times[-1], [], []
        before = _changes(bustle)
        async for now, sample in _sampled(bustle, sampler, console):
            times.append(now)
            samples.append(sample)
            if now > seconds:
                break
        changes = _changes(bustle) - before
    return judge(times, samples, changes, dict(bustle.done), dict(bustle.failed), warm)


async def _sampled(
    bustle: Bustle, sampler: Sampler, console: Console
) -> AsyncIterator[tuple[float, dict[str, float]]]:
    """A sample each few seconds, with when it was taken, from now on; without end."""
    began = time.monotonic()
    while True:
        now = time.monotonic() - began
        sample = await asyncio.to_thread(sampler.sample)
        memory = sum(v for n, v in sample.items() if n.startswith("pss "))
        console.print(f"{now:5.0f} s: {memory:.0f} MiB, {sum(bustle.done.values())} deeds")
        yield now, sample
        await asyncio.sleep(max(0.0, SAMPLE_SECONDS - (time.monotonic() - began - now)))


def _changes(bustle: Bustle) -> int:
    return sum(bustle.done[name] for name in _CHANGES)


def _table(outcome: Outcome) -> Table:
    table = Table("what", "mean", "an hour", "within", "allowed", "verdict")
    for each in outcome.series:
        verdict = "GROWS" if each.grows else "flat" if each.allowed is not None else "not judged"
        table.add_row(
            each.name,
            f"{each.trend.mean:,.1f}",
            f"{each.trend.slope:+,.1f}",
            f"± {each.trend.uncertainty:,.1f}",
            "" if each.allowed is None else f"{each.allowed:,.0f}",
            verdict,
        )
    return table


def _as_json(outcome: Outcome, minutes: float) -> dict[str, Any]:
    return {
        "machine": machine(),
        "minutes": minutes,
        "seconds_until_still": round(outcome.warm_up),
        "done": outcome.done,
        "kib_on_disk_a_change": round(outcome.kib_a_change, 2),
        "trouble": outcome.trouble,
        "series": [
            {"name": s.name, **s.trend.as_json(), "allowed": s.allowed, "grows": s.grows}
            for s in outcome.series
        ],
        "times": [round(one, 1) for one in outcome.times],
        "memory": {
            name: [round(one, 2) for one in values] for name, values in outcome.memory.items()
        },
    }


def _free_row(length: int) -> int:
    """The first of some neighbouring ports that nobody listens on."""
    for first in range(20_000, 30_000, length):
        try:
            for port in range(first, first + length):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return first
    raise RuntimeError("no free ports")


def main() -> None:
    """Soak, print a table, keep what was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    console, first = Console(soft_wrap=True, highlight=False), _free_row(16)
    with running(CREAVIO_METRICS_PORT=str(first), CREAVIO_REQUESTS_PER_SECOND=people.RATE) as live:
        bustle = Bustle(live)
        asyncio.run(bustle.fill(FILL_SECONDS))
        outcome = asyncio.run(_soak(bustle, Sampler(live, first), 60 * minutes, console))
    console.print(_table(outcome))
    console.print(f"{outcome.kib_a_change:.1f} KiB on disk a change; done: {outcome.done}")
    RESULTS.mkdir(exist_ok=True)
    kept = json.dumps(_as_json(outcome, minutes), indent=2, ensure_ascii=False)
    (RESULTS / "soak.json").write_text(kept + "\n", encoding="utf-8")
    for trouble in outcome.trouble:
        console.print(trouble)
    sys.exit(1 if outcome.trouble else 0)


if __name__ == "__main__":
    main()
