"""The soak tells what grows from what is flat."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import time
from typing import Any, cast

import pytest

from bench import bustle
from bench.soak import DISK_KIB_A_CHANGE, SAMPLE_SECONDS, STILL_SECONDS, Outcome, judge, still
from bench.trend import fit
from tests.live import Live, Person

TIMES = [number * SAMPLE_SECONDS for number in range(120)]
HOUR = 3600.0


def noise(size: float, alike: float = 0.0) -> list[float]:
    """Samples that stray, each more or less like the one before."""
    chance, found = random.Random(7), [0.0]  # noqa: S311  # nothing secret
    for _ in TIMES[1:]:
        found.append(alike * found[-1] + chance.gauss(0.0, size))
    return found


def judged(memory: list[float], disk: list[float] | None = None, changes: int = 1000) -> Outcome:
    kept = disk or [0.0] * len(TIMES)
    samples = [
        {"memory chat": m, "disk nats": d, "tasks chat": 40.0}
        for m, d in zip(memory, kept, strict=True)
    ]
    return judge(TIMES, samples, changes, {"send": changes}, {})


@pytest.mark.parametrize("alike", [0.0, 0.7])
def test_a_slope_is_found_within_what_it_is_said_to_be_within(alike: float) -> None:
    values = [50 + 30 * t / HOUR + n for t, n in zip(TIMES, noise(0.2, alike), strict=True)]
    trend = fit(TIMES, values)
    assert abs(trend.slope - 30) < trend.uncertainty
    assert trend.grows(allowed=10)
    assert not trend.grows(allowed=40)


def test_samples_that_are_alike_tell_less() -> None:
    assert fit(TIMES, noise(0.2, 0.9)).uncertainty > 2 * fit(TIMES, noise(0.2)).uncertainty


def test_what_never_changes_is_flat() -> None:
    trend = fit(TIMES, [41.0] * len(TIMES))
    assert (trend.slope, trend.uncertainty) == (0.0, 0.0)


def test_a_leak_is_named() -> None:
    leak = [50 + 60 * t / HOUR + n for t, n in zip(TIMES, noise(0.2), strict=True)]
    assert judged(leak).trouble == ["memory chat grows"]


def test_what_fills_up_while_it_warms_and_then_stays_is_flat() -> None:
    filling = [60 - 20 * math.exp(-t / 40) + n for t, n in zip(TIMES, noise(0.2), strict=True)]
    assert judged(filling).trouble == []


def test_a_saw_is_flat_wherever_in_a_tooth_it_is_looked_at() -> None:
    saw = [30 + 15 * ((t + 100) % 250) / 250 + n for t, n in zip(TIMES, noise(0.5), strict=True)]
    assert judged(saw).trouble == []
    climbing = [value + 240 * t / HOUR for t, value in zip(TIMES, saw, strict=True)]
    assert judged(climbing).trouble == ["memory chat grows"]


def test_what_is_kept_may_grow_by_what_a_change_takes() -> None:
    flat = [50.0] * len(TIMES)
    most = 1000 * DISK_KIB_A_CHANGE / 1024
    assert judged(flat, [0.9 * most * t / TIMES[-1] for t in TIMES]).trouble == []
    (trouble,) = judged(flat, [1.1 * most * t / TIMES[-1] for t in TIMES]).trouble
    assert "on disk" in trouble


class Account:
    """A platform with one account, and the sessions it has."""

    def __init__(self) -> None:
        self.sessions: set[int] = set()
        self._numbers = itertools.count()

    def sign_in(self, handle: str) -> Person:
        session = next(self._numbers)
        self.sessions.add(session)
        time.sleep(0.02)  # on its way back
        told = {"access_token": str(session), "user": {"id": "usr"}}
        return SignedIn(cast("Live", self), handle, told)


class SignedIn(Person):
    """Whoever is signed in to it."""

    def do(self, method: str, path: str, **_: Any) -> Any:
        sessions = cast("Account", self.live).sessions
        return {"sessions": [{"id": one, "current": str(one) == self.token} for one in sessions]}

    def ask(self, method: str, path: str, **_: Any) -> Any:
        cast("Account", self.live).sessions.discard(int(path.rpartition("/")[2]))


async def test_who_signs_in_twice_at_once_is_signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bustle, "_UNDER_WAY_SECONDS", 0.0)
    account = Account()
    resident = bustle.Resident(account.sign_in("ada"))
    for _ in range(10):
        await asyncio.gather(*(resident.sign_in() for _ in range(4)))
        assert account.sessions == {int(resident.person.token)}


def test_what_did_not_work_is_told() -> None:
    outcome = judge(TIMES, [{"memory chat": 1.0}] * len(TIMES), 1, {}, {"send: refused": 3})
    assert outcome.trouble == ["3 times send: refused"]


def test_it_counts_once_memory_stands_still() -> None:
    steady = [50 + n for n in noise(0.2)]
    filling = [value + 120 * min(t, 300) / HOUR for t, value in zip(TIMES, steady, strict=True)]
    after = [
        t
        for n, t in enumerate(TIMES, 1)
        if still(TIMES[:n], [{"memory chat": one, "pss chat": 9.0 * one} for one in filling[:n]])
    ]
    assert 300 < after[0] < 300 + STILL_SECONDS
    assert still(TIMES, [{"memory chat": one} for one in steady])
    few = int(STILL_SECONDS / SAMPLE_SECONDS)
    assert not still(TIMES[:few], [{"memory chat": one} for one in steady[:few]])
