"""`creavio events` shows what could not be handled, and has it handled again."""

from __future__ import annotations

from collections.abc import Iterator
import json
import os
import subprocess
import sys

import psycopg
import pytest

from chassis.migrate import migrate
from local.home import Home
from tests.local.running import Running
from tests.local.test_isolation import config_of, conninfo

ERROR = "ValueError: no such thing as [a] channel"
INSERT = """
INSERT INTO dead_letter (event_id, type, subject, body, error, tries)
VALUES (%s, 'creavio.community.v1.ChannelCreated', 'creavio.community.v1.channel_created.a.b',
        '', %s, 5)
"""


def creavio(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local.cli", "events", *arguments],
        env=os.environ | {"CREAVIO_HOME": str(home.root), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def letters(platform: Running) -> Iterator[str]:
    """chat could not handle two events; how its database is reached."""
    migrate(config_of(platform, "chat"))
    reached = conninfo(platform, "chat")
    with psycopg.connect(reached) as connection:
        connection.execute(INSERT, ("evt_one", ERROR))
        connection.execute(INSERT, ("evt_two", ERROR))
    yield reached
    with psycopg.connect(reached) as connection:
        connection.execute("DELETE FROM dead_letter")


def marked(letters: str) -> list[str]:
    with psycopg.connect(letters) as connection:
        rows = connection.execute("SELECT event_id FROM dead_letter WHERE replay ORDER BY 1")
        return [str(row[0]) for row in rows]


def test_dead_events_are_shown(platform: Running, letters: str) -> None:
    shown = creavio(platform.home, "dead", "--service", "chat")
    assert shown.returncode == 0, shown.stderr
    for text in ("chat", "evt_one", "evt_two", "ChannelCreated", "5", ERROR):
        assert text in shown.stdout
    found = json.loads(creavio(platform.home, "dead", "-s", "chat", "--json").stdout)
    assert [letter["event_id"] for letter in found] == ["evt_one", "evt_two"]
    assert found[0] | {"time": ""} == {
        "service": "chat",
        "event_id": "evt_one",
        "type": "creavio.community.v1.ChannelCreated",
        "time": "",
        "tries": 5,
        "error": ERROR,
        "replay": False,
    }


def test_one_is_marked_or_all(platform: Running, letters: str) -> None:
    assert creavio(platform.home, "replay", "evt_two", "-s", "chat").returncode == 0
    assert marked(letters) == ["evt_two"]
    assert "tried again soon" in creavio(platform.home, "dead", "-s", "chat").stdout
    said = creavio(platform.home, "replay", "--all", "--service", "chat")
    assert said.stdout.startswith("2 to be handled again")
    assert marked(letters) == ["evt_one", "evt_two"]


def test_what_is_asked_wrongly_is_answered_in_a_line(platform: Running, letters: str) -> None:
    for arguments, answer in (
        (("replay",), "say which event, or --all"),
        (("replay", "evt_one", "--all"), "say which event, or --all"),
        (("replay", "evt_unknown", "-s", "chat"), "no event evt_unknown"),
        (("dead", "--service", "gateway"), "gateway handles no events"),
    ):
        said = creavio(platform.home, *arguments)
        assert said.returncode == 1
        assert said.stderr.startswith(answer)
        assert len(said.stderr.splitlines()) == 1
    assert marked(letters) == []


def test_without_events_it_says_so(platform: Running) -> None:
    migrate(config_of(platform, "chat"))
    assert creavio(platform.home, "dead", "-s", "chat").stdout == "every event was handled\n"
    assert creavio(platform.home, "dead", "-s", "chat", "--json").stdout.strip() == "[]"


def test_when_nothing_runs_it_says_so(home: Home) -> None:
    for arguments in (("dead",), ("replay", "--all")):
        said = creavio(home, *arguments)
        assert said.returncode == 3
        assert "nothing runs on" in said.stderr
