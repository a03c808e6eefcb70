"""What ends is started again, and nothing outlives the supervisor."""

from __future__ import annotations

import os
import signal
import socket

import psutil
import pytest

from local.home import Home, Instance
from tests.local.running import Running, running, until

SERVICES = ("auth", "chat", "community", "gateway", "rbac", "user")


def _kill(platform: Running, name: str) -> int:
    """kill -9 of a part; the pid it had."""
    pid: int = platform.part(name)["pid"]
    os.kill(pid, signal.SIGKILL)
    return pid


def _back(platform: Running, name: str, than: int) -> bool:
    part = platform.part(name)
    return part["pid"] not in (None, than) and part["uptime"] is not None


@pytest.mark.parametrize("name", ["chat", "postgres", "nats", "envoy"])
def test_a_killed_part_is_back_within_three_seconds(platform: Running, name: str) -> None:
    pid = _kill(platform, name)
    until(lambda: _back(platform, name, pid), 3, f"{name} back")
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
        return "RuntimeError: told to fail" in platform.healthz()[1]["auth"]

    until(said, 3, "the reason")
    status, parts = platform.healthz()
    assert status == 503
    assert parts["chat"] != parts["auth"]
    (platform.home.run / "auth" / "mended").touch()
    until(lambda: _back(platform, "auth", pid), 12, "auth back")


def test_kill_9_of_the_supervisor_ends_every_process_and_the_next_start_works(home: Home) -> None:
    with running(home) as platform:
        owned = platform.remember()
        assert len(owned) >= 4 + len(SERVICES)
        platform.stop(signal.SIGKILL)
        until(lambda: not platform.left(), 3, "every process ended")
    with running(home) as again:
        again.stop()


def test_a_server_that_a_killed_supervisor_left_stopping_is_waited_for(home: Home) -> None:
    with running(home) as platform:
        platform.stop(signal.SIGKILL)
    with running(home) as again:
        until(lambda: again.part("postgres")["health"] == "ok", 5, "postgres")
        again.stop()
