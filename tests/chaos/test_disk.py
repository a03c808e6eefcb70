"""The disk is full: writes are refused, nothing is lost, and all is well once there is room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import os
from pathlib import Path
import shutil
import subprocess
import sys
import time
from typing import Final

import pytest

from local.home import Home
from tests.chaos.ordeal import Ordeals
from tests.checking.checker import Checker, Load
from tests.checking.options import Chaos
from tests.live import Live, running

UNSHARE: Final = ("unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",)))
REFUSED_WITHIN: Final = 60.0
"""Seconds until what room is left is used, at the load of these tests."""


def started(home: Home) -> Sequence[str]:
    """Starts a platform on a disk of its own."""
    home.root.mkdir()
    who = (str(os.geteuid()), str(os.getegid()))
    return [*UNSHARE, sys.executable, "-m", "tests.chaos.small_disk", str(home.root), *who]


class Disk:
    """The disk that a platform has for itself."""

    def __init__(self, live: Live) -> None:
        self._process = live.process
        # Nobody but the kernel's view of the process leads to it.
        self._root = Path(f"/proc/{live.process.pid}/root{live.home.root}")

    def _free(self) -> int:
        disk = os.statvfs(self._root)
        return disk.f_bavail * disk.f_frsize

    def fill(self) -> None:
        """Leave next to no room."""
        self._ask("full")
        self._until(lambda free: free < 2**20)

    def make_room(self) -> None:
        """Leave as much as it wants."""
        self._ask("free")
        self._until(lambda free: free > 2**28)

    def _ask(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n".encode())
        self._process.stdin.flush()

    def _until(self, holds: object) -> None:
        assert callable(holds)
        ends = time.monotonic() + 10
        while not holds(self._free()):
            assert time.monotonic() < ends, "the disk is as it was"
            time.sleep(0.02)


def await_refusals(checker: Checker) -> None:
    """Return once people try, and nothing was acknowledged for over a second."""
    ends = time.monotonic() + REFUSED_WITHIN
    while True:
        acknowledged, refused = checker.acknowledged, checker.record.refused.total()
        time.sleep(1.5)
        if checker.acknowledged == acknowledged and checker.record.refused.total() > refused:
            return
        assert time.monotonic() < ends, "it is full, and messages are acknowledged"


@pytest.fixture
def cramped() -> Iterator[Live]:
    """A platform with a disk of its own."""
    tried = (*UNSHARE, "mount", "-t", "tmpfs", "tmpfs", "/mnt")
    if shutil.which("unshare") is None or subprocess.run(tried, capture_output=True).returncode:
        pytest.skip("a disk to fill takes a mount namespace, which this kernel or sandbox denies")
    with running(started) as platform:
        yield platform


@pytest.mark.timeout(600)
def test_a_full_disk_loses_nothing(cramped: Live, chaos: Chaos, ordeals: Ordeals) -> None:
    disk = Disk(cramped)
    load = Load(unary=8, bidi=4, padding=3_000)
    with ordeals.of(cramped, "disk full", load) as ordeal:
        for _ in range(3 if chaos.long else 1):
            disk.fill()
            ordeal.did("the disk is full")
            await_refusals(ordeal.checker)
            ordeal.did("nothing is acknowledged any more, everything refused")
            time.sleep(15.0 if chaos.long else 2.0)
            disk.make_room()
            ordeal.did("there is room again")
            ordeal.await_service()
