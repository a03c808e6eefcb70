"""What ends is started again, and nothing outlives the supervisor."""

from __future__ import annotations

import os
import signal
import socket

import psutil
import pytest

from local.home import Instance
from tests.local.conftest import Place
from tests.local.running import Running, until

SERVICES = ("auth", "chat", "community", "gateway", "rbac", "user")


def _kill(platform: Running, name: str) -> int:
    """kill -9 of a part; the pid it had."""
    pid: int = platform.part(name)["pid"]
    os.kill(pid, signal.SIGKILL)
    return pid


def _back(platform: Running, name: str, than: int) -> bool:
    part = platform.part(name)
    return part["pid"] not in (None, than) and part["uptime"] is not None


@pytest.mark.parametrize(
    ("name", "seconds"),
    # PostgreSQL syncs its files before it recovers, which a busy disk draws out.
    [("chat", 3), ("postgres", 15), ("nats", 3), ("envoy", 5)],
)
def test_a_killed_part_is_back_soon(platform: Running, name: str, seconds: float) -> None:
    pid = _kill(platform, name)
    until(lambda: _back(platform, name, pid), seconds, f"{name} back")
    assert platform.part(name)["restarts"] >= 1
    platform.remember()


def test_a_killed_service_leaves_the_others_alone(platform: Running) -> None:
    others = {name: platform.part(name)["pid"] for name in SERVICES if name != "user"}
    pid = _kill(platform, "user")
    until(lambda: _back(platform, "user", pid), 3, "user back")
    assert others == {name: platform.part(name)["pid"] for name in others}


def test_when_the_warm_parent_is_killed_every_service_ends_and_comes_back(
    platform: Running,
) -> None:
    before = {name: platform.part(name)["pid"] for name in SERVICES}
    postgres = platform.part("postgres")["pid"]
    _kill(platform, "warm")
    until(lambda: not any(psutil.pid_exists(pid) for pid in before.values()), 2, "services ended")
    until(lambda: all(_back(platform, n, pid) for n, pid in before.items()), 15, "services back")
    assert platform.part("postgres")["pid"] == postgres
    platform.remember()


def test_a_service_that_ends_at_once_is_shown_with_its_last_words(platform: Running) -> None:
    path = f"{platform.home.ready(Instance('auth'))}.do"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as orders:
        orders.sendto(b"fail", path)
    pid = platform.part("auth")["pid"]

    def said() -> bool:
        return "RuntimeError: told to fail" in platform.part("auth")["health"]

    until(said, 3, "the reason")
    status, parts = platform.healthz()
    assert status == 503
    assert parts["chat"] == "ok"
    assert parts["auth"].split(":")[0] in ("down", "starting")
    # Anybody may ask for health: what a log says is not for them.
    assert "RuntimeError" not in parts["auth"]
    (platform.home.run / "auth" / "mended").touch()
    until(lambda: _back(platform, "auth", pid), 12, "auth back")


def test_kill_9_of_the_supervisor_ends_every_process(place: Place) -> None:
    with place.start() as platform:
        assert len(platform.remember()) >= 4 + len(SERVICES)
        platform.stop(signal.SIGKILL)
        until(lambda: not platform.left(), 3, "every process ended")


def test_nothing_a_killed_supervisor_left_hinders_the_next_start(place: Place) -> None:
    with place.start() as platform:
        platform.stop(signal.SIGKILL)
    with place.start() as again:
        assert again.part("postgres")["health"] == "ok"
        assert again.stop() == 0
