"""A saved file runs; one that does not compile changes nothing."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
import time

import pytest

from local.keeper import Keeper
from local.process import Process
from local.reload import Change, Files, broken_file, change_of, restart, saved_since
from tests.local.test_keeper import FakePart, FakeProcess


def test_a_saved_file_of_a_service_touches_that_service_alone() -> None:
    change = change_of(["services/chat/store.py", "services/chat/migrations/versions/0001_a.py"])
    assert change == Change(services={"chat"})


@pytest.mark.parametrize("file", ["chassis/server.py", "services/__init__.py"])
def test_what_every_service_stands_on_touches_them_all(file: str) -> None:
    assert change_of([file]).every_service


@pytest.mark.parametrize("file", ["gen/python/creavio/chat/v1/message_pb2.py", "catalog.yaml"])
def test_contracts_and_catalog_renew_everything(file: str) -> None:
    assert change_of([file]).contracts


def test_a_saved_contract_is_generated_first() -> None:
    assert change_of(["proto/creavio/chat/v1/message.proto"]).generate


def test_a_file_that_does_not_compile_is_named_with_its_line(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("x = 1\n")
    bad.write_text("x = 1\nif x\n")
    assert broken_file([good]) is None
    assert broken_file([good, tmp_path / "deleted.py"]) is None
    assert broken_file([good, bad]) == f"{tmp_path.name}/bad.py:2: expected ':'"


def test_only_content_counts_as_a_change(tmp_path: Path) -> None:
    service = tmp_path / "services" / "chat"
    service.mkdir(parents=True)
    file = service / "store.py"
    file.write_text("x = 1\n")
    files = Files(tmp_path)
    file.touch()
    (service / "__pycache__").mkdir()
    (service / "__pycache__" / "store.py").write_text("")
    assert files.changed() == []
    file.write_text("x = 2\n")
    assert files.changed() == ["services/chat/store.py"]
    assert files.changed() == []
    file.unlink()
    assert files.changed() == ["services/chat/store.py"]


def test_code_that_was_copied_here_counts_as_saved_however_old_it_says_it_is(
    tmp_path: Path,
) -> None:
    service = tmp_path / "services" / "chat"
    service.mkdir(parents=True)
    file = service / "store.py"
    file.write_text("x = 1\n")
    saved = file.stat().st_ctime
    (service / "notes.txt").write_text("no code\n")
    assert not saved_since(tmp_path, saved)
    time.sleep(0.05)  # The kernel's clock for files has ticks of some milliseconds.
    os.utime(file, (0, 0))
    file.replace(service / "old.py")
    assert saved_since(tmp_path, saved)


class Replica(FakePart):
    """One of some processes, which notes how many are away while it is."""

    def __init__(self, log: Path, away: set[Replica], told: list[int]) -> None:
        super().__init__(log)
        self._away = away
        self._told = told

    async def stop(self, process: Process) -> None:
        self._away.add(self)
        self._told.append(len(self._away))
        await super().stop(process)

    async def spawn(self) -> FakeProcess:
        await asyncio.sleep(0.01)
        process = await super().spawn()
        self._away.discard(self)
        return process


async def test_one_process_of_a_service_is_away_at_a_time_while_it_is_reloaded(
    tmp_path: Path,
) -> None:
    told: list[int] = []
    away: set[Replica] = set()
    keepers = [Keeper(Replica(tmp_path / "log", away, told)) for _ in range(3)]
    for keeper in keepers:
        keeper.start()
        assert await keeper.settled()
    await restart(keepers)
    assert told == [1, 1, 1]
    for keeper in keepers:
        await keeper.stop()
