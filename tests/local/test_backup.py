"""A backup is one moment of the whole instance, and a restore goes on from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
import io
import json
import os
from pathlib import Path
import re
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import time
from typing import Any

import pytest

from chassis import ids
from local.databases import connected, database_of
from local.home import Home
from tests.e2e.readers import eventually
from tests.live import Live, Person, running
from tests.local.commands import complaint, creavio, started
from tests.local.running import temporary_home, until

CHANNELS = 2
SAID = 8
"""What each says, at least, before the backup begins."""


class Talker(threading.Thread):
    """Sends until told to stop, and remembers what was acknowledged when."""

    def __init__(self, person: Person, channel: str) -> None:
        super().__init__(daemon=True)
        self._person = person
        self._channel = channel
        self.acknowledged: list[tuple[float, dict[str, Any]]] = []
        self.enough = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.enough.is_set():
            message = self._person.send(self._channel, f"said {number}")
            self.acknowledged.append((time.monotonic(), message))
            number += 1


@dataclass(frozen=True)
class Story:
    """What happened before the backup, as its people know it."""

    file: Path
    owner: str
    member: str
    community: str
    channel: str
    unheard: str
    """A channel chat had not heard of when the backup was made."""
    role: dict[str, Any]
    before: list[dict[str, Any]]
    """The messages that were acknowledged before the backup began."""
    resume_token: str
    output: str


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """An instance with two people, backed up while they talk; it is gone afterwards."""
    file = tmp_path_factory.mktemp("backup") / "instance.backup"
    with running() as live:
        owner, member = live.sign_up("owner"), live.sign_up("member")
        community = owner.found()["id"]
        channel = owner.open_channel(community)["id"]
        member.accept(owner.invite(community))
        role = owner.do(
            "POST",
            f"/v1/communities/{community}/roles",
            json={"name": "Keeper", "color": 0x3366FF, "allow": ["PERMISSION_PIN_MESSAGES"]},
        )
        owner.do(
            "POST",
            f"/v1/communities/{community}/members/{member.id}/roles",
            json={"role_id": role["id"]},
        )
        first = owner.send(channel, "the first")
        member.do("POST", f"/v1/channels/{channel}/messages/{first['id']}:pin", json={})
        member.do(
            "POST", f"/v1/channels/{channel}/messages/{first['id']}:react", json={"emoji": "🎉"}
        )
        with member.listening() as stream:
            owner.send(channel, "heard")
            stream.until("message_created")
            token = stream.resume_token
        talkers = [Talker(owner, channel), Talker(member, channel)]
        # Compact, chat cannot sleep alone: there it heard of the channel at once.
        with nullcontext() if live.compact else live.stopped("chat"):
            unheard = owner.open_channel(community, "unheard")["id"]
            # Nobody reads what it says here: it only shows that one made it while chat slept.
            asleep = creavio(live.home, "backup", str(file.with_name("asleep.backup")))
            assert asleep.returncode == 0, asleep.stderr
        for talker in talkers:
            talker.start()
        until(lambda: all(len(t.acknowledged) > SAID for t in talkers), 30, "talk")
        began = time.monotonic()
        made = creavio(live.home, "backup", str(file))
        assert made.returncode == 0, made.stderr
        time.sleep(0.5)
        for talker in talkers:
            talker.enough.set()
            talker.join(20)
        told = [entry for talker in talkers for entry in talker.acknowledged]
        yield Story(
            file,
            owner.handle,
            member.handle,
            community,
            channel,
            unheard,
            role,
            [message for when, message in told if when < began],
            token,
            made.stdout,
        )


@pytest.fixture(scope="module")
def restored(story: Story) -> Iterator[Live]:
    """Another home, made of the backup and started."""
    with temporary_home() as home:
        done = creavio(home, "restore", str(story.file))
        assert done.returncode == 0, done.stderr
        with started(home) as live:
            yield live


@pytest.mark.timeout(240)
def test_the_file_is_for_its_owner_alone_and_shows_what_is_in_it(story: Story) -> None:
    assert stat.S_IMODE(story.file.stat().st_mode) == 0o600
    with tarfile.open(story.file) as archive:
        names = archive.getnames()
    assert "databases/chat.dump" in names
    assert "secrets/auth_signing_key.pem" in names
    assert names[-1] == "manifest.json"
    waited = re.search(r"writers waited (\d+) ms", story.output)
    assert waited is not None
    assert int(waited[1]) < 1000


@pytest.mark.timeout(240)
def test_everything_acknowledged_before_is_there_and_numbers_go_on(
    story: Story, restored: Live
) -> None:
    owner, member = restored.sign_in(story.owner), restored.sign_in(story.member)
    messages = owner.messages(story.channel)
    assert len(story.before) > SAID
    there = {message["id"]: message for message in messages}
    for message in story.before:
        assert there[message["id"]]["content"] == message["content"]
    numbers = [int(message["sequence"]) for message in messages]
    assert numbers == sorted(set(numbers))
    given_out = max(int(message["revision"]) for message in messages)
    first = messages[0]
    assert first["content"] == "the first"
    assert first["reactions"]
    roles = owner.do("GET", f"/v1/communities/{story.community}/roles")["roles"]
    assert next(r for r in roles if r["id"] == story.role["id"])["color"] == 0x3366FF
    assert int(member.send(story.channel, "and on")["sequence"]) == given_out + 1
    assert member.do("POST", f"/v1/channels/{story.channel}/messages/{first['id']}:unpin", json={})


@pytest.mark.timeout(240)
def test_streams_tell_what_is_new_and_a_token_of_before_is_refused(
    story: Story, restored: Live
) -> None:
    owner, member = restored.sign_in(story.owner), restored.sign_in(story.member)
    refused = member.ask("GET", "/v1/events", params={"resume_token": story.resume_token})
    assert refused.status_code == 400
    assert "INVALID_RESUME_TOKEN" in refused.text
    with member.listening() as stream:
        sent = owner.send(story.channel, "live again")
        told = stream.until("message_created")
        assert told["message"]["id"] == sent["id"]
        token = stream.resume_token
    missed = owner.send(story.channel, "missed")
    with member.listening(token) as stream:
        assert stream.seen[0]["ready"]["resumed"]
        assert stream.until("message_created")["message"]["id"] == missed["id"]


@pytest.mark.timeout(240)
def test_the_log_is_written_anew_from_the_outboxes(story: Story, restored: Live) -> None:
    def unpublished() -> int:
        waiting = 0
        for service in ("rbac", "user", "community", "auth", "chat"):
            with connected(restored.home, database_of(service)) as connection:
                query = "SELECT count(*) FROM outbox WHERE position IS NULL"
                ((count,),) = connection.execute(query).fetchall()
                waiting += count
        return waiting

    eventually(lambda: unpublished() == 0, 20, "events never went out")
    with connected(restored.home, database_of("chat")) as connection:
        ((epoch, first),) = connection.execute(
            "SELECT number, first FROM epoch ORDER BY number DESC LIMIT 1"
        ).fetchall()
        ((events,),) = connection.execute("SELECT count(*) FROM outbox").fetchall()
    assert epoch >= 1
    assert first == 1
    shown = json.loads(creavio(restored.home, "doctor", "--json").stdout)
    assert shown["ok"], shown
    streams = next(f for f in shown["findings"] if f["name"] == "streams")["text"]
    held = re.search(r"hold ([\d,]+) events", streams)
    assert held is not None
    assert int(held[1].replace(",", "")) >= events


@pytest.mark.timeout(240)
def test_what_a_consumer_had_not_handled_at_the_moment_it_handles_then(story: Story) -> None:
    """chat slept while a channel was opened: only the log written anew can tell it."""
    with temporary_home() as home:
        file = str(story.file.with_name("asleep.backup"))
        done = creavio(home, "restore", file)
        assert done.returncode == 0, done.stderr
        # The platform need not run for it; and what it makes is as good.
        again = str(story.file.with_name("again.backup"))
        done = creavio(home, "backup", again)
        assert done.returncode == 0, done.stderr
        shutil.rmtree(home.root)
        assert creavio(home, "restore", again).returncode == 0
        with started(home) as live:

            def handled() -> bool:
                with connected(live.home, database_of("community")) as connection:
                    rows = connection.execute(
                        "SELECT id FROM outbox WHERE type = 'creavio.community.v1.ChannelCreated'"
                    ).fetchall()
                opened = {ids.text(ids.Kind.EVENT, row[0]) for row in rows}
                with connected(live.home, database_of("chat")) as connection:
                    known = connection.execute("SELECT event_id FROM inbox").fetchall()
                return len(opened) == CHANNELS and opened <= {row[0] for row in known}

            eventually(handled, 20, "the channel was never heard of")
            owner = live.sign_in(story.owner)
            assert owner.send(story.unheard, "heard now")["sequence"] == "1"


@pytest.mark.timeout(240)
def test_a_restore_touches_no_home_that_is_not_empty(story: Story) -> None:
    with temporary_home() as home:
        home.root.mkdir()
        (home.root / "mine").write_text("kept")
        refused = creavio(home, "restore", str(story.file))
        assert "is not empty" in complaint(refused)
        assert [path.name for path in home.root.iterdir()] == ["mine"]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_restore_that_was_cut_off_leaves_no_home_and_can_be_done_again(
    story: Story, number: signal.Signals
) -> None:
    with temporary_home() as home:
        draft = home.root.with_name(f".{home.root.name}.new")
        process = subprocess.Popen(
            [sys.executable, "-m", "local.cli", "restore", str(story.file)],
            env=os.environ | {"CREAVIO_HOME": str(home.root)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Whoever runs the tests in the background may have it ignored.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        until((draft / "postgres" / "postmaster.pid").exists, 30, "PostgreSQL")
        process.send_signal(number)
        assert process.wait(30) != 0
        assert not home.root.exists()
        assert draft.exists() == (number is signal.SIGKILL)
        assert creavio(home, "restore", str(story.file)).returncode == 0
        assert not draft.exists()
        assert (home.secrets / "auth_signing_key.pem").exists()


def altered(file: Path, target: Path, change: str) -> None:
    """A copy of a backup with something else in it."""
    with tarfile.open(file) as old, tarfile.open(target, "w") as new:
        for info in old.getmembers():
            found = old.extractfile(info)
            assert found is not None
            content = found.read()
            if info.name == "manifest.json":
                if change == "cut off":
                    continue
                told = json.loads(content)
                if change == "format":
                    told["format"] = 99
                if change == "newer":
                    told["databases"]["chat"]["revision"] = "9999"
                if change == "unknown":
                    told["databases"]["teleport"] = told["databases"]["chat"]
                if change == "path":
                    told["secrets"]["../../evil"] = told["secrets"]["auth.key"]
                content = json.dumps(told).encode()
            if change == "damaged" and info.name == "databases/chat.dump":
                content = content[:-1] + bytes((content[-1] ^ 1,))
            info.size = len(content)
            new.addfile(info, io.BytesIO(content))


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("cut off", "lacks manifest.json"),
        ("format", "of format 99, and this Creavio reads format 1"),
        ("newer", "chat in it is at migration 9999"),
        ("unknown", "a database of teleport, which this Creavio does not know"),
        ("path", "a secret of a strange name"),
        ("damaged", "databases/chat.dump in it is damaged"),
    ],
)
def test_a_backup_that_cannot_be_restored_is_refused_in_one_line(
    story: Story, tmp_path: Path, change: str, says: str
) -> None:
    altered(story.file, tmp_path / "other.backup", change)
    with temporary_home() as home:
        refused = creavio(home, "restore", str(tmp_path / "other.backup"))
        assert says in complaint(refused)
        assert not home.root.exists()
        assert [path.name for path in home.root.parent.iterdir()] == []


def test_a_file_that_is_there_is_not_overwritten_and_no_file_is_left(
    tmp_path: Path, home: Home
) -> None:
    (tmp_path / "there").write_text("kept")
    assert "nothing to back up" in complaint(creavio(home, "backup", str(tmp_path / "new")))
    assert not (tmp_path / "new").exists()
    assert not home.root.exists()
    assert "no backup of Creavio" in complaint(creavio(home, "restore", str(tmp_path / "there")))
