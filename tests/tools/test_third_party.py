"""Protos of others come once, verified, and stay."""

from __future__ import annotations

from pathlib import Path
import shutil

import pytest

from tools import third_party
from tools.commands import CommandError
from tools.third_party import ResolveError


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*command: str, cwd: Path) -> bytes:
        raise CommandError(f"no network for {' '.join(command)} in {cwd.name}")

    monkeypatch.setattr(third_party, "run", refuse)


def archive_of(project: Path) -> Path:
    (archive,) = (project / ".cache/protos").iterdir()
    return archive


def test_what_is_cached_is_enough(project: Path) -> None:
    shutil.rmtree(project / third_party.FOLDER)
    third_party.resolve(project)
    found = {
        path.relative_to(project / third_party.FOLDER).as_posix()
        for path in (project / third_party.FOLDER).rglob("*.proto")
    }
    assert found == {
        "buf/validate/validate.proto",
        "google/api/annotations.proto",
        "google/api/http.proto",
        "google/rpc/error_details.proto",
        "google/rpc/status.proto",
    }


def test_an_edited_proto_of_others_is_restored(project: Path) -> None:
    path = project / third_party.FOLDER / "buf/validate/validate.proto"
    original = path.read_bytes()
    path.write_bytes(original + b"// mine\n")
    third_party.resolve(project)
    assert path.read_bytes() == original


def test_what_no_package_ships_is_removed(project: Path) -> None:
    stray = project / third_party.FOLDER / "google/api/stray.proto"
    stray.write_text('syntax = "proto3";\n')
    third_party.resolve(project)
    assert not stray.exists()


def test_a_damaged_archive_is_never_used(project: Path) -> None:
    archive = archive_of(project)
    archive.write_bytes(archive.read_bytes() + b"x")
    with pytest.raises(ResolveError, match=r"cannot be fetched:\nno network for .* download"):
        third_party.resolve(project)
    assert not archive.exists()


def test_an_archive_the_lock_does_not_name_is_never_used(project: Path) -> None:
    lock = project / third_party.LOCK
    locked = third_party.read_lock(lock)
    lock.write_text(lock.read_text().replace(locked.digest, "0" * 64))
    with pytest.raises(ResolveError, match="cannot be fetched"):
        third_party.resolve(project)


@pytest.mark.parametrize("text", ["", "protovalidate==1.2.0\n", "protovalidate>=1\n"])
def test_a_lock_without_a_hash_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "protos.lock").write_text(text)
    with pytest.raises(ResolveError, match="does not pin"):
        third_party.read_lock(tmp_path / "protos.lock")


def test_an_environment_without_pip_uses_the_one_it_was_made_with(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(name: str) -> None:
        del name

    monkeypatch.setattr(third_party, "find_spec", nowhere)
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    archive_of(project).unlink()
    with pytest.raises(ResolveError, match="needs pip"):
        third_party.resolve(project)
    (tmp_path / "pip-python").write_text("/elsewhere/python3\n")
    with pytest.raises(ResolveError, match="no network for /elsewhere/python3 -m pip --python"):
        third_party.resolve(project)
