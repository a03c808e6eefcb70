"""A supervisor in a process of its own, as the tests see it: from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
import json
import os
from pathlib import Path
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any

import psutil

from local.home import Home
from local.http_socket import ask

FAKE = (sys.executable, "-m", "tests.local.run_fake")
PROJECT = Path(__file__).parents[2]


class Running:
    """One supervisor and what it runs."""

    def __init__(self, home: Home, process: subprocess.Popen[bytes], output: Path) -> None:
        self.home = home
        self.process = process
        self._output = output
        self.seen: set[psutil.Process] = set()
        """Every process it ever had, to look for what is left."""

    @property
    def output(self) -> str:
        """What it said so far."""
        return self._output.read_text()

    def status(self) -> dict[str, Any]:
        """`GET /status`."""
        _, body = ask(self.home.control, "GET", "/status", timeout=10)
        status: dict[str, Any] = json.loads(body)
        return status

    def part(self, name: str) -> dict[str, Any]:
        """One part of the status."""
        part: dict[str, Any] = next(p for p in self.status()["parts"] if p["name"] == name)
        return part

    def healthz(self) -> tuple[int, dict[str, str]]:
        """The supervisor's health: status and parts."""
        status, body = ask(self.home.health, "GET", "/healthz")
        parts: dict[str, str] = json.loads(body)["parts"]
        return status, parts

    def up(self) -> bool:
        """Whether it says that everything was started."""
        assert self.process.poll() is None, self.output
        return "Creavio is open" in self.output

    def remember(self) -> set[psutil.Process]:
        """Note every process that belongs to it now."""
        now = set(psutil.Process(self.process.pid).children(recursive=True))
        self.seen |= now
        return now

    def left(self) -> list[str]:
        """The processes it ever had that are still there."""
        alive = (p for p in self.seen if p.is_running())
        return [f"{p.pid} {p.status()}" for p in alive if p.status() != psutil.STATUS_ZOMBIE]

    def sockets(self) -> list[Path]:
        """The sockets below its home."""
        return [p for p in self.home.root.rglob("*") if p.is_socket()]

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and wait for the end; the exit status."""
        self.process.send_signal(number)
        return self.process.wait(40)


def until(condition: Callable[[], object], seconds: float, what: str = "") -> float:
    """Wait for a condition; how long it took. Fails after `seconds`."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"not within {seconds} s: {what or condition}")
        time.sleep(0.02)
    return time.monotonic() - began


def free_port() -> int:
    """A port nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def temporary_home() -> Iterator[Home]:
    """A home with a short path; gone afterwards."""
    folder = tempfile.mkdtemp(dir="/tmp", prefix="cv")
    try:
        yield Home(Path(folder) / "h")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running(
    home: Home,
    *arguments: str,
    command: tuple[str, ...] = FAKE,
    wait: bool = True,
    cwd: Path = PROJECT,
) -> Iterator[Running]:
    """A supervisor on a home; ended afterwards, whatever happened."""
    output = home.root.parent / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(  # the platform itself
            [*command, *arguments] if arguments else [*command, str(free_port())],
            stdout=file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"CREAVIO_HOME": str(home.root)},
            cwd=cwd,
            start_new_session=True,
        )
    platform = Running(home, process, output)
    try:
        if wait:
            until(platform.up, 60, "up")
            platform.remember()
        yield platform
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
