"""A home made by the release before opens, with everything in it."""

from __future__ import annotations

from pathlib import Path
import shutil
import subprocess

import pytest

from chassis.migrate import migrations_of, newest
from local.databases import connected, database_of, kept_services
from local.home import Home
from tests.local.commands import started
from tests.local.running import PROJECT, temporary_home


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(PROJECT), *arguments], capture_output=True, check=False)


def release_before() -> str:
    """The last commit that is not the code as it is now; skips where there is none."""
    if shutil.which("git") is None or git("rev-parse", "--git-dir").returncode != 0:
        pytest.skip("no repository here to take an older release from")
    changed = git("status", "--porcelain", "--untracked-files=no").stdout.strip()
    revision = git("rev-parse", "--verify", "--quiet", "HEAD" if changed else "HEAD~1")
    if revision.returncode != 0:
        pytest.skip("the repository is too shallow to hold an older release")
    return revision.stdout.decode().strip()


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """The code of the release before."""
    revision = release_before()
    packed = tmp_path / "release.tar"
    archived = git("archive", "--output", str(packed), revision)
    assert archived.returncode == 0, archived.stderr
    folder = tmp_path / "release"
    folder.mkdir()
    subprocess.run(["tar", "-xf", str(packed), "-C", str(folder)], check=True)
    return folder


def revisions(home: Home) -> dict[str, str]:
    """The last migration in each service's database."""
    found = {}
    for service in kept_services():
        with connected(home, database_of(service)) as connection:
            ((revision,),) = connection.execute("SELECT version_num FROM alembic_version")
        found[service] = str(revision)
    return found


@pytest.mark.timeout(300)
def test_a_home_of_the_release_before_opens(older: Path) -> None:
    with temporary_home() as home:
        with started(home, older) as live:
            for service, revision in revisions(home).items():
                assert revision == newest(older / "services" / service / "migrations")
            owner, member = live.sign_up("owner"), live.sign_up("member")
            community = owner.found()["id"]
            channel = owner.open_channel(community)["id"]
            member.accept(owner.invite(community))
            said = [owner.send(channel, f"before {number}")["id"] for number in range(3)]
            with member.listening() as stream:
                said.append(owner.send(channel, "heard before")["id"])
                stream.until("message_created")
                token = stream.resume_token
            said.append(owner.send(channel, "missed meanwhile")["id"])
        with started(home) as live:
            for service, revision in revisions(home).items():
                assert revision == newest(migrations_of(service))
            owner, member = live.sign_in(owner.handle), live.sign_in(member.handle)
            assert [message["id"] for message in owner.messages(channel)] == said
            with member.listening(token) as stream:
                assert stream.until("message_created")["message"]["id"] == said[-1]
                sent = owner.send(channel, "after")
                assert stream.until("message_created")["message"]["id"] == sent["id"]
