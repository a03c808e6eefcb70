"""Whoever was erased after a backup does not come back with it."""

from __future__ import annotations

from pathlib import Path
import shutil

import pytest

from tests.e2e.readers import eventually
from tests.live import PASSWORD, refusal, running
from tests.local.commands import creavio, started
from tests.local.running import temporary_home


@pytest.mark.timeout(240)
def test_who_was_erased_after_the_backup_does_not_come_back(tmp_path: Path) -> None:
    file, listed = tmp_path / "instance.backup", tmp_path / "erased"
    with running() as live:
        bob, ada, eve = (live.sign_up(name) for name in ("bob", "ada", "eve"))
        community = bob.found()["id"]
        channel = bob.open_channel(community)["id"]
        for person in (ada, eve):
            person.accept(bob.invite(community))
            person.send(channel, f"words of {person.handle}")
        made = creavio(live.home, "backup", str(file))
        assert made.returncode == 0, made.stderr
        assert ada.ask("POST", "/v1/account:delete", json={"password": PASSWORD}).is_success
        stuck = creavio(live.home, "admin", "erasures")
        assert stuck.returncode == 0, stuck.stderr
        assert ada.id in stuck.stdout
        shutil.copy(live.home.erased, listed)
    with temporary_home() as home:
        done = creavio(home, "restore", str(file), "--erased", str(listed))
        assert done.returncode == 0, done.stderr
        assert "is back" not in done.stdout
        with started(home) as again:
            bob = again.sign_in(bob.handle)

            def gone() -> bool:
                people = {"user_ids": [ada.id, eve.id]}
                there = bob.do("GET", "/v1/users:batchGet", params=people)["users"]
                said = [message["author_id"] for message in bob.messages(channel)]
                shown = creavio(home, "admin", "erasures").stdout
                return (
                    [one["id"] for one in there] == [eve.id]
                    and said == [eve.id]
                    and "nobody: it is done" in shown
                )

            eventually(gone, 40, "she is still there")
            login = {"login": ada.handle, "password": PASSWORD}
            with again.client() as client:
                refused = client.post("/v1/sessions", json=login)
            assert refusal(refused) == (401, "WRONG_CREDENTIALS")
            assert eve.handle in again.sign_in(eve.handle).do("GET", "/v1/users/me")["handle"]


@pytest.mark.timeout(240)
def test_a_restore_without_the_list_says_what_that_means(tmp_path: Path) -> None:
    with running() as live:
        live.sign_up("ada")
        assert creavio(live.home, "backup", str(tmp_path / "one")).returncode == 0
    with temporary_home() as home:
        missing = creavio(home, "restore", str(tmp_path / "one"), "--erased", "/nowhere")
        assert missing.returncode == 1
        assert "cannot be taken over" in missing.stderr
        assert not home.root.exists()
        done = creavio(home, "restore", str(tmp_path / "one"))
        assert done.returncode == 0
        assert "is back" in done.stdout
