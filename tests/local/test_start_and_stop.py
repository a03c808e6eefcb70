"""Starting, stopping, and what stands in the way."""

from __future__ import annotations

from contextlib import closing
import json
import os
from pathlib import Path
import signal
import socket
import stat
import subprocess
import sys

import pytest

from local.home import Home
from tests.local.conftest import Place
from tests.local.running import PROJECT, Running, free_port, until

CREAVIO = (sys.executable, "-m", "local.cli")


def creavio(
    home: Home, *arguments: str, port: int | None = None
) -> subprocess.CompletedProcess[str]:
    """The command, as a person runs it."""
    environment = os.environ | {"CREAVIO_HOME": str(home.root)}
    if port:
        environment["CREAVIO_PORT"] = str(port)
    return subprocess.run(  # the command under test
        [*CREAVIO, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        timeout=60,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_and_leaves_no_process_and_no_socket(
    place: Place, number: signal.Signals
) -> None:
    with place.start() as platform:
        assert platform.sockets()
        assert platform.stop(number) == 0
        assert platform.left() == []
        assert platform.sockets() == []
        assert not place.home.run.exists()


def test_a_stop_while_it_starts_leaves_nothing_either(place: Place) -> None:
    with place.start(wait=False) as platform:
        until(place.home.control.exists, 20, "control socket")
        platform.remember()
        assert platform.stop() == 0
        assert platform.left() == []
        assert platform.sockets() == []


def test_the_code_of_the_first_administrator_is_told_by_the_first_start_that_came_through(
    home: Home,
) -> None:
    """A start that was stopped, or failed, had made the secrets and told nobody."""
    place = Place(home, str(free_port()))
    with place.start(wait=False) as platform:
        until(place.home.control.exists, 20, "control socket")
        assert platform.stop() == 0
        assert place.home.secrets.exists()
    told = []
    for _ in range(2):
        with place.start() as platform:
            told.append(platform.output.count("shows the code"))
            code = (place.home.secrets / "claim_code.password").read_text()
            assert (code in platform.output) == bool(told[-1])
    assert told == [1, 0]


def test_a_second_up_says_so_and_touches_nothing(platform: Running) -> None:
    before = {part["name"]: part["pid"] for part in platform.status()["parts"]}
    files = sorted(str(p) for p in platform.home.run.rglob("*"))
    second = creavio(platform.home, "up", port=free_port())
    assert second.returncode == 1
    assert f"already runs on {platform.home.root} (pid {platform.process.pid})" in second.stderr
    assert before == {part["name"]: part["pid"] for part in platform.status()["parts"]}
    assert files == sorted(str(p) for p in platform.home.run.rglob("*"))


def test_down_waits_until_everything_has_ended(place: Place) -> None:
    with place.start() as platform:
        ended = creavio(place.home, "down")
        assert (ended.returncode, ended.stdout) == (0, "stopped\n")
        assert platform.left() == []
        assert platform.process.wait(5) == 0
    assert "nothing runs" in creavio(place.home, "down").stdout


def test_status_names_every_part_and_sums_their_memory(platform: Running) -> None:
    shown = creavio(platform.home, "status", "--json")
    state = json.loads(shown.stdout)
    names = {part["name"] for part in state["parts"]}
    assert names >= {"postgres", "nats", "envoy", "warm", "auth", "chat", "gateway"}
    assert state["memory"] >= sum(part["memory"] for part in state["parts"]) > 50 * 1024**2
    assert all(part["memory"] > 0 for part in state["parts"])
    assert state["started_in"] > 0
    table = creavio(platform.home, "status").stdout
    assert all(name in table for name in names)


def test_status_of_nothing_says_so(home: Home) -> None:
    answer = creavio(home, "status")
    assert answer.returncode == 3
    assert "nothing runs" in answer.stderr
    assert not home.root.exists()


def test_logs_of_an_unknown_part_name_the_known_ones(platform: Running) -> None:
    answer = creavio(platform.home, "logs", "nobody")
    assert answer.returncode == 1
    assert "postgres" in answer.stderr
    assert "ready to accept connections" in creavio(platform.home, "logs", "postgres").stdout


def test_secrets_and_sockets_are_for_their_owner_alone(platform: Running) -> None:
    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    home = platform.home
    assert mode(home.root) == 0o700
    assert {mode(path) for path in home.secrets.iterdir()} == {0o600}
    assert {mode(path) for path in home.run.rglob("*.env")} == {0o600}
    assert mode(home.nats / "nats.conf") == 0o600
    assert mode(home.control) == 0o600
    assert mode(home.run / "chat") == 0o700


def test_secrets_stay_the_same_over_a_restart(place: Place) -> None:
    def secrets() -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in place.home.secrets.iterdir()}

    with place.start():
        first = secrets()
    with place.start():
        assert secrets() == first


def test_a_busy_port_is_named_with_its_mend(home: Home) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as busy:
        port = busy.getsockname()[1]
        answer = creavio(home, "up", port=port)
    assert answer.returncode == 1
    assert f"port {port} is in use" in answer.stderr
    assert "CREAVIO_PORT=" in answer.stderr
    assert len(answer.stderr.strip().splitlines()) == 1
    assert not home.root.exists()


def test_a_home_too_deep_for_sockets_is_named_with_its_mend(home: Home) -> None:
    deep = Home(home.root.parent / ("d" * 90))
    answer = creavio(deep, "up", port=free_port())
    assert answer.returncode == 1
    assert "too long for the sockets" in answer.stderr
    assert not deep.root.exists()
