"""Compact: all services are one process, which is kept running like any other part."""

from __future__ import annotations

from collections.abc import Iterator
import json
import os
import signal
import socket

import pytest

from local.home import Home, Instance
from tests.local.commands import complaint, creavio
from tests.local.conftest import Place
from tests.local.running import Running, free_port, until

SERVICES = ("auth", "chat", "community", "gateway", "rbac", "user")


@pytest.fixture(scope="module")
def compact(place: Place) -> Iterator[Running]:
    """A platform that runs; a test leaves it as well as it found it."""
    with place.start(compact=True) as started:
        yield started


def pids(platform: Running) -> dict[str, int | None]:
    return {part["name"]: part["pid"] for part in platform.status()["parts"]}


def order(platform: Running, service: str, what: bytes) -> None:
    path = f"{platform.home.ready(Instance(service))}.do"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as orders:
        orders.sendto(what, path)


def anew(platform: Running, than: int) -> bool:
    """Whether every service is well in another process."""
    parts = [platform.part(name) for name in ("services", *SERVICES)]
    return all(part["health"] == "ok" and part["pid"] not in (None, than) for part in parts)


def test_each_service_is_shown_in_the_one_process_and_its_memory_once(compact: Running) -> None:
    parts = {part["name"]: part for part in compact.status()["parts"]}
    assert parts.keys() == {"postgres", "nats", "envoy", "services", *SERVICES}
    assert {parts[name]["pid"] for name in SERVICES} == {parts["services"]["pid"]}
    assert {parts[name]["within"] for name in SERVICES} == {"services"}
    assert {parts[name]["memory"] for name in SERVICES} == {0}
    assert parts["services"]["memory"] > 10 * 1024**2
    code, healthz = compact.healthz()
    assert (code, set(healthz)) == (200, {"postgres", "nats", "envoy", *SERVICES})
    table = creavio(compact.home, "status").stdout
    assert all(f"  {name} " in table for name in SERVICES)
    named = creavio(compact.home, "status", "chat")
    assert named.returncode == 0
    assert str(parts["services"]["pid"]) in named.stdout


def test_killed_it_is_back_with_all_services_and_nothing_else_was_started_anew(
    compact: Running,
) -> None:
    before = pids(compact)
    assert before["services"] is not None
    os.kill(before["services"], signal.SIGKILL)
    until(lambda: anew(compact, before["services"] or 0), 30, "services back")
    after = pids(compact)
    assert [after[n] for n in ("postgres", "nats", "envoy")] == [
        before[n] for n in ("postgres", "nats", "envoy")
    ]
    assert compact.part("chat")["restarts"] >= 1
    compact.remember()


def test_one_that_fails_is_shown_with_the_last_words_and_the_process_is_started_again(
    compact: Running,
) -> None:
    before = pids(compact)["services"] or 0
    order(compact, "auth", b"fail")
    until(lambda: "RuntimeError: told to fail" in compact.part("auth")["health"], 30, "the reason")
    assert "RuntimeError: told to fail" in compact.part("services")["health"]
    status, parts = compact.healthz()
    assert status == 503
    assert parts["auth"].split(":")[0] in ("down", "starting")
    # Anybody may ask for health: what a log says is not for them.
    assert "RuntimeError" not in json.dumps(parts)
    (compact.home.run / "auth" / "mended").touch()
    until(lambda: anew(compact, before), 40, "services back")
    compact.remember()


def test_one_that_does_not_answer_is_named_while_the_others_are_well(compact: Running) -> None:
    order(compact, "user", b"deaf")
    until(lambda: "does not answer" in compact.part("user")["health"], 40, "user is missed")
    assert compact.part("chat")["health"] == "ok"
    assert "does not answer" in compact.healthz()[1]["user"]
    assert creavio(compact.home, "reload", "user").returncode == 0
    until(lambda: compact.part("user")["health"] == "ok", 30, "user is back")
    compact.remember()


def test_reload_starts_the_process_anew_and_returns_when_it_answers(compact: Running) -> None:
    before = pids(compact)["services"] or 0
    assert creavio(compact.home, "reload", "chat").returncode == 0
    assert anew(compact, before)
    assert "services reloaded in" in compact.output
    assert "no service nobody" in complaint(creavio(compact.home, "reload", "nobody"))
    compact.remember()


def test_a_signal_ends_everything_and_leaves_no_process_and_no_socket(home: Home) -> None:
    place = Place(home, str(free_port()))
    with place.start(compact=True) as platform:
        assert platform.sockets()
        assert platform.stop(signal.SIGTERM) == 0
        assert platform.left() == []
        assert platform.sockets() == []
        assert not home.run.exists()
    with place.start(compact=True, wait=False) as platform:
        until(home.control.exists, 20, "control socket")
        platform.remember()
        assert platform.stop() == 0
        assert platform.left() == []
        assert platform.sockets() == []


def test_kill_9_of_the_supervisor_ends_the_process_and_a_home_goes_back_and_forth(
    home: Home,
) -> None:
    place = Place(home, str(free_port()))
    with place.start(compact=True) as platform:
        platform.stop(signal.SIGKILL)
        until(lambda: not platform.left(), 5, "every process ended")
    with place.start() as usual:
        own = pids(usual)
        assert "services" not in own
        assert len({own[name] for name in SERVICES}) == len(SERVICES)
        assert usual.stop() == 0
    with place.start(compact=True) as again:
        assert len({pids(again)[name] for name in SERVICES}) == 1
        assert again.stop() == 0


@pytest.mark.parametrize(
    ("option", "reason"),
    [(("--reload",), "restarts services one by one"), (("--replicas", "chat=2"), "more processes")],
)
def test_what_does_not_go_together_with_it_is_refused_in_one_line(
    home: Home, option: tuple[str, ...], reason: str
) -> None:
    said = complaint(creavio(home, "up", "--compact", *option, CREAVIO_PORT=str(free_port())))
    assert reason in said
    assert said.count("--compact") == 1
    assert "leave one of the two out" in said
    assert not home.root.exists()


def test_the_option_is_found_where_one_looks(home: Home) -> None:
    assert "--compact" in creavio(home, "up", "--help").stdout
    by_name = creavio(home, "up", "--reload", CREAVIO_COMPACT="1", CREAVIO_PORT=str(free_port()))
    assert "--compact" in complaint(by_name)
