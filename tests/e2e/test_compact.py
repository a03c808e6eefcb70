"""All services in one process: people meet there as anywhere, and nothing is lost with it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import json
import signal
import subprocess
import sys
import time

import psutil
import pytest
import sqlalchemy as sa

from chassis import catalog as catalogs
from tests.checking.checker import checking
from tests.live import Live, running

SERVICES = set(catalogs.load().services)


@pytest.fixture(scope="module")
def one() -> Iterator[Live]:
    """A compact platform; who harms it waits until it is well again."""
    with running(CREAVIO_COMPACT="1") as platform:
        yield platform


def creavio(live: Live, *arguments: str) -> str:
    """What a command says on the platform's home."""
    return subprocess.run(
        [sys.executable, "-m", "local.cli", *arguments],
        env=live.environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_people_sign_up_found_invite_and_talk_live(one: Live) -> None:
    parts = {part["name"]: part for part in one.status()["parts"]}
    assert {parts[name]["pid"] for name in SERVICES} == {parts["services"]["pid"]}
    ada, bob = one.sign_up("ada"), one.sign_up("bob")
    community = ada.found()["id"]
    channel = ada.open_channel(community)["id"]
    assert bob.ask("GET", f"/v1/channels/{channel}/messages").status_code == 404
    bob.accept(ada.invite(community))
    with bob.listening() as heard:
        sent = ada.send(channel, "is anybody there?")
        assert heard.until("message_created")["message"] == sent
    ada.do("DELETE", f"/v1/communities/{community}/members/{bob.id}")
    assert bob.ask("GET", f"/v1/channels/{channel}/messages").status_code == 404


def test_kill_9_of_the_one_process_loses_nothing_that_was_acknowledged(one: Live) -> None:
    with checking(one) as checker:
        time.sleep(0.7)
        gone = one.kill("services")
        one.await_recovery()
        verdict = checker.finish()
    assert one.pid("chat") == one.pid("auth") != gone
    assert verdict.good, verdict


def test_each_service_logs_for_itself(one: Live) -> None:
    for name in SERVICES:
        lines = [json.loads(line) for line in creavio(one, "logs", name, "-n", "500").splitlines()]
        assert {line["service.name"] for line in lines} == {name}
        assert "ready" in {line["message"] for line in lines}


def test_a_service_that_cannot_go_on_is_named_in_its_log_and_in_that_of_the_process(
    one: Live,
) -> None:
    with unmigratable(one, "user"):
        one.kill("services")
        deadline = time.monotonic() + 30
        while "user: the database could not be migrated" not in (health := health_of(one)):
            assert time.monotonic() < deadline, health
            time.sleep(0.1)
    one.await_health(60)


@contextmanager
def unmigratable(live: Live, service: str) -> Iterator[None]:
    """A database that is not what its service takes it for, until the block ends."""
    engine = sa.create_engine(live.database_url(f"creavio_{service}"), poolclass=sa.NullPool)

    def rename(before: str, after: str) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text(f"ALTER TABLE {before} RENAME TO {after}"))

    rename("alembic_version", "mislaid")
    try:
        yield
    finally:
        rename("mislaid", "alembic_version")


def health_of(live: Live) -> str:
    """What the status says of the process."""
    return str(next(p["health"] for p in live.status()["parts"] if p["name"] == "services"))


def test_down_leaves_no_process_and_no_socket() -> None:
    with running(CREAVIO_COMPACT="1") as live:
        below = psutil.Process(live.process.pid).children(recursive=True)
        assert len(below) > 5
        creavio(live, "down")
        assert live.process.wait(5) == 0
        left = [p for p in below if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
        assert left == []
        assert [p for p in live.home.root.rglob("*") if p.is_socket()] == []


def test_a_signal_lets_what_is_under_way_finish(one: Live) -> None:
    with checking(one) as checker:
        time.sleep(0.7)
        psutil.Process(one.pid("services")).send_signal(signal.SIGTERM)
        one.await_recovery()
        verdict = checker.finish()
    assert verdict.good, verdict
