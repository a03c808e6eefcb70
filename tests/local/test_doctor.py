"""The doctor finds what is wrong, says the mend, and harms nothing."""

from __future__ import annotations

from contextlib import closing
import json
import os
from pathlib import Path
import resource
import socket
import time
from typing import Any

import pytest

from local.databases import connected, database_of
from local.doctor import home as homes
from local.doctor import machine
from local.doctor.finding import Finding, Verdict, megabytes, worst
from local.home import Home
from tests.live import Live
from tests.local.commands import creavio
from tests.local.running import free_port, until

LETTER = """
INSERT INTO dead_letter (event_id, type, subject, body, error) VALUES ('evt_doc', 'x', 'x', '', '')
"""
WAITING = """
INSERT INTO outbox (id, type, subject, body, headers, create_time)
VALUES (gen_random_uuid(), 'x', 'creavio.nobody.x', '', '{}', now() - interval '1 hour')
"""


def told(home: Home, **environment: str) -> dict[str, dict[str, Any]]:
    """What the doctor found, by name; it says so by its exit status, too."""
    port = environment.pop("port", str(free_port()))
    done = creavio(home, "doctor", "--json", CREAVIO_PORT=port, **environment)
    report = json.loads(done.stdout)
    failed = any(finding["verdict"] == "fail" for finding in report["findings"])
    assert (report["ok"], done.returncode) == (not failed, int(failed)), done.stderr
    return {finding["name"]: finding for finding in report["findings"]}


def test_where_nothing_runs_it_looks_at_what_there_is_and_makes_nothing(home: Home) -> None:
    found = told(home)
    assert found["supervisor"]["verdict"] == "warn"
    assert found["supervisor"]["mend"] == "creavio up"
    for name in ("python", "packages", "programs", "folder", "disk", "inodes", "port"):
        assert found[name]["verdict"] in ("ok", "warn"), found[name]
    assert not home.root.exists()


def test_a_busy_port_is_said_with_its_mend(home: Home) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as busy:
        found = told(home, port=str(busy.getsockname()[1]))
    assert found["port"]["verdict"] == "fail"
    assert "CREAVIO_PORT=" in found["port"]["text"]


def test_open_permissions_are_said_with_their_mend(home: Home) -> None:
    home.root.mkdir(mode=0o700)
    home.secrets.mkdir(mode=0o700)
    secret = home.secrets / "chat.key"
    secret.write_text("x")
    secret.chmod(0o644)
    found = told(home)["secrets"]
    assert found["verdict"] == "fail"
    assert "chat.key" in found["text"]
    assert found["mend"].startswith("chmod 600")
    secret.chmod(0o600)
    assert told(home)["secrets"]["verdict"] == "ok"
    home.root.chmod(0o755)
    assert told(home)["permissions"]["mend"] == f"chmod 700 {home.root}"


def test_a_home_too_deep_for_sockets_is_said(home: Home) -> None:
    found = told(Home(home.root / ("d" * 90)))
    assert "too long for the sockets" in found["folder"]["text"]


def test_a_report_fits_into_eighty_columns(home: Home) -> None:
    shown = creavio(home, "doctor", COLUMNS="80", CREAVIO_PORT=str(free_port())).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "supervisor  warn  nothing runs" in shown


def by_name(lock: Path) -> dict[str, Finding]:
    return {f.name: f for f in machine.look(Home(lock.parent), lock, None)}


def test_packages_that_are_not_as_locked_are_named(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        "rich==0.0.1 \\\n    --hash=sha256:00\n"
        "no-such-package==1.0\n"
        "not-for-us==1.0 ; sys_platform == 'win32'\n"
    )
    found = by_name(lock)["packages"]
    assert found.verdict is Verdict.FAIL
    assert "no-such-package is missing" in found.text
    assert "rich is " in found.text
    assert "not-for-us" not in found.text


def test_few_open_files_and_a_wrong_clock_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit, verdict in ((256, "fail"), (4096, "warn"), (65536, "ok")):
        monkeypatch.setattr(resource, "getrlimit", lambda _, n=limit: (n, n))
        assert by_name(tmp_path / "none")["open files"].verdict == verdict
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000.0)
    assert "long ago" in by_name(tmp_path / "none")["clock"].text


def test_a_clock_that_was_set_back_is_said(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.logs.mkdir(parents=True)
    home.log("chat").write_text("later")
    written = home.log("chat").stat().st_mtime
    monkeypatch.setattr(time, "time", lambda: written - 60)
    found = {f.name: f for f in machine.look(home, home.root / "none", None)}["clock"]
    assert found.verdict is Verdict.FAIL
    assert "60 s" in found.text


@pytest.mark.parametrize(
    ("free", "inodes", "disk", "left"),
    [(10, 10, "fail", "fail"), (2**20, 50_000, "warn", "warn"), (2**24, 10**6, "ok", "ok")],
)
def test_a_full_disk_is_said(
    home: Home, monkeypatch: pytest.MonkeyPatch, free: int, inodes: int, disk: str, left: str
) -> None:
    class Disk:
        f_bavail, f_frsize, f_favail, f_files = free, 1024, inodes, 10**7
        f_blocks = f_bfree = 2**30

    monkeypatch.setattr(os, "statvfs", lambda _: Disk)
    found = {f.name: f for f in homes.look(home, free_port(), running=False)}
    assert (found["disk"].verdict, found["inodes"].verdict) == (disk, left)


def test_sizes_and_verdicts() -> None:
    assert [megabytes(n) for n in (2048, 3 * 1024**2, 1.5 * 1024**3)] == ["2 KB", "3 MB", "1.5 GB"]
    assert worst() is Verdict.OK
    assert worst(Verdict.WARN, Verdict.OK, Verdict.FAIL) is Verdict.FAIL


def test_where_all_is_well_it_says_so_part_by_part(live: Live) -> None:
    live.await_health()
    found = told(live.home)
    assert {f["verdict"] for n, f in found.items() if n not in ("clock", "open files")} == {"ok"}
    assert "nothing waits, nothing failed" in found["chat"]["text"]
    assert found["address"]["text"].endswith(str(live.port))
    for name in ("postgres", "nats", "envoy", "auth", "gateway", "streams", "durables", "logs"):
        assert name in found


def test_what_is_wrong_in_a_database_is_said(live: Live) -> None:
    live.await_health()
    with connected(live.home, database_of("chat")) as chat:
        chat.execute(LETTER)
    with connected(live.home, database_of("user")) as user:
        user.execute("UPDATE alembic_version SET version_num = '9999'")
    try:
        report = creavio(live.home, "doctor", "--json")
        data = {f["name"]: f for f in json.loads(report.stdout)["findings"] if f["area"] == "data"}
    finally:
        with connected(live.home, database_of("chat")) as chat:
            chat.execute("DELETE FROM dead_letter")
        with connected(live.home, database_of("user")) as user:
            from chassis.migrate import migrations_of, newest

            head = newest(migrations_of("user"))
            user.execute("UPDATE alembic_version SET version_num = %s", (head,))
    assert report.returncode == 1
    assert data["chat"]["verdict"] == "warn"
    assert data["chat"]["mend"] == "creavio events dead"
    assert data["user"]["verdict"] == "fail"
    assert "newer Creavio" in data["user"]["text"]


def test_events_that_do_not_go_out_and_a_silent_log_are_said(live: Live) -> None:
    live.await_health()
    with live.stopped("nats"):
        with connected(live.home, database_of("auth")) as auth:
            auth.execute(WAITING)
        try:
            # How parts are is believed for half a second.
            until(lambda: not live.healthy(), 10, "the silence is noticed")
            report = creavio(live.home, "doctor", "--json")
        finally:
            with connected(live.home, database_of("auth")) as auth:
                auth.execute("DELETE FROM outbox WHERE type = 'x'")
    findings = json.loads(report.stdout)["findings"]
    data = {f["name"]: f for f in findings if f["area"] == "data"}
    parts = {f["name"]: f for f in findings if f["area"] == "parts"}
    assert report.returncode == 1
    assert "events wait to go out, the oldest 36" in data["auth"]["text"]
    assert "NATS does not answer" in data["streams"]["text"]
    assert parts["nats"]["verdict"] == "fail"
    until(live.healthy, 30, "well again")
