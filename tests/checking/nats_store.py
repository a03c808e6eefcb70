"""The store of a platform's NATS, which can be taken away, and set back to what it was."""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import signal

from tests.live import Live


class NatsStore:
    """What NATS holds, and whether anybody may start it."""

    def __init__(self, live: Live, keep: Path) -> None:
        self._live = live
        self._store = live.home.nats / "jetstream"
        self._kept = keep / "jetstream"

    def remember(self) -> None:
        """Keep what is in it now."""
        with self._live.stopped("nats"):
            shutil.copytree(self._store, self._kept)

    def go_down(self) -> None:
        """Kill NATS; nobody starts it again yet."""
        nats = self._live.pids("nats")["nats"]
        os.kill(self._live.process.pid, signal.SIGSTOP)
        os.kill(nats, signal.SIGKILL)

    def lose_tail(self) -> None:
        """Set it back to what was kept, as when the rest was not synced."""
        shutil.rmtree(self._store)
        shutil.copytree(self._kept, self._store)

    def come_back(self) -> None:
        """Let it be started."""
        os.kill(self._live.process.pid, signal.SIGCONT)
