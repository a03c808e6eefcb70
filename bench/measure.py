"""What a measurement is made of: CPU per process, latencies, and the machine it ran on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
import os
import platform
import statistics
import time
from typing import Any

import psutil

from local import memory
from tests.live import Live


@dataclass
class Result:
    """One row: a path under one load, and what it took."""

    name: str
    load: str
    operations: int
    seconds: float
    cpu: dict[str, float] = field(default_factory=dict)
    """CPU seconds by process, load generators apart."""
    latencies: Sequence[float] = ()
    """Seconds, one an operation."""
    extra: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Operations a second."""
        return self.operations / self.seconds

    @property
    def micros(self) -> float:
        """CPU of all processes, in microseconds an operation."""
        return sum(self.cpu.values()) / self.operations * 1e6 if self.operations else 0.0

    def percentile(self, share: float) -> float:
        """A latency that `share` of the operations kept below, in milliseconds."""
        if not self.latencies:
            return 0.0
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3

    def as_json(self) -> dict[str, Any]:
        """The row as it is kept."""
        row: dict[str, Any] = {
            "name": self.name,
            "load": self.load,
            "operations": self.operations,
            "seconds": round(self.seconds, 3),
            "rate_per_second": round(self.rate, 1),
            "cpu_us_per_operation": round(self.micros, 1),
            "cpu_us_by_process": {
                name: round(seconds / self.operations * 1e6, 1)
                for name, seconds in sorted(self.cpu.items())
                if self.operations
            },
            **{name: round(value, 3) for name, value in self.extra.items()},
        }
        if self.latencies:
            for label, share in (("p50", 0.5), ("p99", 0.99), ("p99_9", 0.999)):
                row[f"{label}_ms"] = round(self.percentile(share), 2)
        return row


class Usage:
    """The CPU that some processes and everything below them used, by name.

    What is below one and has a name of its own is counted there alone.
    """

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = dict(pids)
        self._named = frozenset(pids.values())

    def now(self) -> dict[str, float]:
        """CPU seconds so far."""
        return {name: _cpu(pid, self._named) for name, pid in self._pids.items()}

    @contextmanager
    def spent(self) -> Iterator[dict[str, float]]:
        """What is used while the block runs; filled when it ends."""
        spent: dict[str, float] = {}
        before = self.now()
        yield spent
        after = self.now()
        spent |= {name: max(0.0, after[name] - before[name]) for name in after}

    def memory(self) -> dict[str, float]:
        """PSS in MiB."""
        return {name: memory.tree(pid) / 2**20 for name, pid in self._pids.items()}


def usage(live: Live) -> Usage:
    """The CPU of every part of a platform that has a process of its own."""
    parts = [part for part in live.status()["parts"] if part["pid"] and not part["within"]]
    return Usage({part["name"]: int(part["pid"]) for part in parts})


def _cpu(pid: int, named: frozenset[int]) -> float:
    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        # Of children that ended too: PostgreSQL's server has a process a connection.
        total = times.user + times.system + times.children_user + times.children_system
        below = [child.pid for child in process.children() if child.pid not in named]
    except psutil.NoSuchProcess:
        return 0.0
    return total + sum(_cpu(child, named) for child in below)


@contextmanager
def timed() -> Iterator[list[float]]:
    """How long the block takes, in seconds, filled when it ends."""
    took: list[float] = []
    started = time.perf_counter()
    yield took
    took.append(time.perf_counter() - started)


def per_call(work: Any, *, seconds: float = 0.5, rounds: int = 5) -> float:
    """Microseconds a call of `work()` takes: the median of some rounds."""
    calls = 1
    while True:
        with timed() as took:
            for _ in range(calls):
                work()
        if took[0] > seconds / rounds:
            break
        calls = calls * 4
    samples = []
    for _ in range(rounds):
        with timed() as took:
            for _ in range(calls):
                work()
        samples.append(took[0] / calls * 1e6)
    return statistics.median(samples)


def machine() -> dict[str, Any]:
    """What it ran on."""
    one, five, _ = os.getloadavg()
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_before": [round(one, 2), round(five, 2)],
    }
