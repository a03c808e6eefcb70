"""`python -m tools.proto` and its `--check`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import subprocess
import sys

import pytest

from tools import breaking, proto, third_party
from tools.breaking import BreakingError
from tools.commands import CommandError
from tools.proto import StaleError

MESSAGE = "proto/creavio/chat/v1/message.proto"
STUB = "gen/python/creavio/chat/v1/message_pb2.py"


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def stamps(root: Path) -> dict[Path, int]:
    """When each file was last written, but for what Python leaves behind."""
    return {
        path: path.stat().st_mtime_ns
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_what_is_committed_is_what_the_contracts_say(project: Path) -> None:
    assert not proto.update(project)


def test_files_edited_stray_and_missing_are_noticed_and_put_right(project: Path) -> None:
    stray = "gen/python/creavio/draft/v1/draft_pb2.py"
    missing = (proto.DESCRIPTORS, proto.OPENAPI, f"{STUB}i", proto.REFERENCE)
    (project / STUB).write_text("# edited\n")
    (project / stray).parent.mkdir(parents=True)
    (project / stray).write_text("")
    for name in missing:
        (project / name).unlink()
    before = stamps(project)
    with pytest.raises(StaleError) as raised:
        proto.check(project)
    said = str(raised.value)
    assert f"changes {STUB}" in said
    assert f"removes {stray}" in said
    assert all(f"adds    {name}" in said for name in missing)
    assert stamps(project) == before, "a check writes nothing"
    difference = proto.update(project)
    assert difference.changed == (STUB,)
    assert difference.removed == (stray,)
    assert sorted(difference.added) == sorted(missing)
    assert not (project / "gen/python/creavio/draft").exists()
    proto.check(project)


def test_a_changed_comment_reaches_all_that_is_published(project: Path) -> None:
    edit(project / MESSAGE, "// The text, as written.", "// What was said, letter by letter.")
    proto.update(project)
    for name in (proto.OPENAPI, proto.REFERENCE):
        assert "What was said, letter by letter." in (project / name).read_text(encoding="utf-8")
    assert b"What was said, letter by letter." in (project / proto.DESCRIPTORS).read_bytes()


def test_a_contract_that_is_not_formatted_is_refused(project: Path) -> None:
    edit(project / MESSAGE, "string id = 1;", "string   id = 1;")
    with pytest.raises(CommandError, match="string   id"):
        proto.check(project)
    proto.update(project)
    assert "string id = 1;" in (project / MESSAGE).read_text(encoding="utf-8")


def test_a_contract_against_the_rules_is_refused_before_anything_is_written(project: Path) -> None:
    edit(project / MESSAGE, "string content = 4;", "string Content = 4;")
    with pytest.raises(CommandError, match="lower_snake_case"):
        proto.update(project)
    assert "Content" not in (project / STUB.replace(".py", ".pyi")).read_text(encoding="utf-8")


def test_a_generated_file_that_git_does_not_know_is_noticed(
    committed: Path, git: Callable[..., None]
) -> None:
    assert breaking.untracked(committed, (STUB,)) == ()
    git("rm", "--cached", "--quiet", STUB)
    with pytest.raises(StaleError, match=f"does not know; add them:\n  {STUB}"):
        proto.check(committed)


def test_a_generated_file_that_git_ignores_is_noticed(
    committed: Path, git: Callable[..., None]
) -> None:
    git("rm", "--cached", "--quiet", STUB)
    with (committed / ".gitignore").open("a") as ignored:
        ignored.write("message_pb2.py\n")
    assert breaking.untracked(committed, (STUB,)) == (STUB,)


def test_a_breaking_change_is_refused(committed: Path, git: Callable[..., None]) -> None:
    assert breaking.check(committed) == "main"
    git("switch", "--create", "work")
    edit(committed / MESSAGE, "string content = 4;", "int64 content = 4;")
    proto.update(committed)
    with pytest.raises(BreakingError, match=r"that main published:\n.*content"):
        proto.check(committed)


def test_a_contract_may_grow(committed: Path) -> None:
    edit(committed / MESSAGE, "string content = 4;", "string content = 4;\n  string mood = 19;")
    assert breaking.check(committed) == "main"


def test_main_of_another_clone_counts_too(committed: Path, git: Callable[..., None]) -> None:
    git("update-ref", "refs/remotes/origin/main", "main")
    git("branch", "--move", "main", "work")
    assert breaking.check(committed) == "origin/main"


def test_nothing_is_published_yet_outside_a_repository(project: Path) -> None:
    assert breaking.check(project) is None
    assert breaking.untracked(project, (STUB,)) == ()


def test_nothing_is_published_yet_without_a_commit_or_a_main(
    project: Path, git: Callable[..., None]
) -> None:
    assert breaking.check(project) is None
    assert breaking.untracked(project, (STUB,)) == ()
    git("checkout", "-b", "work")
    git("add", ".")
    git("commit", "--message", "Elsewhere")
    assert breaking.check(project) is None


def test_the_command_says_what_is_wrong_and_fails(project: Path) -> None:
    (project / STUB).unlink()
    command = (sys.executable, "-m", "tools.proto")
    checked = subprocess.run((*command, "--check"), cwd=project, capture_output=True, text=True)
    assert checked.returncode == 1
    assert f"adds    {STUB}" in checked.stderr
    assert "Traceback" not in checked.stderr


def test_nothing_of_others_is_published(project: Path) -> None:
    """Their protos are code we use; their prose is theirs."""
    sentences = {
        line.strip().removeprefix("//").strip()
        for path in (project / third_party.FOLDER).rglob("*.proto")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith("//")
    }
    long = [sentence.encode() for sentence in sentences if len(sentence) > 45]
    assert len(long) > 500
    for path in (project / "gen").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert [sentence for sentence in long if sentence in content] == [], path
    assert not list((project / "gen").rglob("*.proto"))
    assert not (project / "gen/python/google").exists()


def test_the_protos_of_others_stay_out_of_git() -> None:
    ignored = (proto.ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert "/.third_party/" in ignored
    assert "/.cache/" in ignored


def test_only_services_have_grpc_modules(project: Path) -> None:
    modules = {path.name for path in (project / "gen/python").rglob("*_pb2_grpc.*")}
    assert {"message_service_pb2_grpc.py", "message_service_pb2_grpc.pyi"} <= modules
    assert all("_service_pb2_grpc" in name for name in modules)
