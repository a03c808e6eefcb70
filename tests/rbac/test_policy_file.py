"""`creavio policy test`: what it finds, and how it says what is wrong with a file."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from local.policy import app
from local.policy_file import PolicyFileError, failures, load
from services.rbac.domain.permissions import Permission

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "policy.yaml"
HEAD = """
roles:
  - name: member
    allow: [VIEW_COMMUNITY, VIEW_CHANNEL, SEND_MESSAGES]
  - name: muted
    deny: [SEND_MESSAGES]
channels:
  hall: {}
  stage:
    member: {deny: [SEND_MESSAGES]}
    muted: {allow: [SEND_MESSAGES]}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text)
    return path


def test_the_example_holds_and_uses_everything() -> None:
    file = load(EXAMPLE)
    assert failures(file) == []
    assert any(role.deny for role in file.roles)
    assert any(override.allow for here in file.channels.values() for override in here.values())
    assert any(not here for here in file.channels.values())
    assert any("owner" in case.roles for case in file.cases)


def test_what_does_not_hold_is_told_with_the_rule_that_decided(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        HEAD
        + """
cases:
  - roles: [muted]
    may: [SEND_MESSAGES]
  - {channel: stage, roles: [muted], may_not: [SEND_MESSAGES]}
  - {channel: stage, may: [SEND_MESSAGES, PIN_MESSAGES], may_not: [VIEW_CHANNEL]}
  - {channel: hall, may: [SEND_MESSAGES]}
""",
    )
    found = [(f.case, f.permission, f.allowed, f.because) for f in failures(load(path))]
    assert found == [
        (0, Permission.SEND_MESSAGES, False, "muted denies SEND_MESSAGES"),
        (1, Permission.SEND_MESSAGES, True, "muted allows SEND_MESSAGES in stage"),
        (2, Permission.SEND_MESSAGES, False, "member denies SEND_MESSAGES in stage"),
        (2, Permission.PIN_MESSAGES, False, "no role speaks of PIN_MESSAGES"),
        (2, Permission.VIEW_CHANNEL, True, "member allows VIEW_CHANNEL"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Input should be a valid dictionary"),
        ("roles: [", "expected the node content"),
        ("roles: []\ncases: []", "roles: List should have at least 1 item"),
        (
            "roles: [{name: a, allow: [VIEW_COMUNITY]}]\ncases: [{may: [VIEW_CHANNEL]}]",
            "roles[0].allow[0]: there is no permission VIEW_COMUNITY; did you mean VIEW_COMMUNITY?",
        ),
        (
            "roles: [{name: a, deny: [3]}]\ncases: [{may: [VIEW_CHANNEL]}]",
            "roles[0].deny[0]: there is no permission 3; there are VIEW_COMMUNITY, ",
        ),
        (
            "roles: [{name: a, allow: [ADMINISTRATE]}]\ncases: [{may: [VIEW_CHANNEL]}]",
            "roles[0].allow[0]: ADMINISTRATE is not decided in a community",
        ),
        (
            "roles: [{name: a, alow: []}]\ncases: [{may: [VIEW_CHANNEL]}]",
            "roles[0].alow: Extra inputs",
        ),
        (
            "roles: [{name: a}, {name: a}]\ncases: [{may: [VIEW_CHANNEL]}]",
            "roles[1].name: there are two roles called a",
        ),
        (
            "roles: [{name: owner}]\ncases: [{may: [VIEW_CHANNEL]}]",
            "roles[0].name: owner is there already",
        ),
        ("roles: [{name: a, name: b}]", "name is said twice"),
        ('"a\\nb": 1', "'a\\nb': Extra inputs"),
        ("? [a]\n: b", "a list or a mapping is no name"),
        ("roles: [{name: 2026-13-45}]", "month must be in 1..12"),
        ("roles: [{name: !!int ''}]", "it is not what its tag says (tag:yaml.org,2002:int)"),
        ("roles: [{name: !!bool perhaps}]", "it is not what its tag says"),
        ("roles: [{name: !!timestamp soon}]", "it is not what its tag says"),
        ("[" * 3000, "nested too deeply"),
        (
            HEAD + "  yard: {member: {deny: [MANAGE_ROLES]}}\ncases: [{may: [VIEW_CHANNEL]}]",
            "channels.yard.member.deny[0]: MANAGE_ROLES is not decided in a channel",
        ),
        (
            HEAD + "  yard: {nobody: {}, owner: {}}\ncases: [{may: [VIEW_CHANNEL]}]",
            "channels.yard.nobody: there is no role called nobody",
        ),
        (
            HEAD + "cases: [{roles: [nobody], may: [VIEW_CHANNEL]}]",
            "cases[0].roles[0]: there is no role called nobody",
        ),
        (
            HEAD + "cases: [{channel: yard, may: [VIEW_CHANNEL]}]",
            "cases[0].channel: there is no channel yard",
        ),
        (HEAD + "cases: [{roles: [muted]}]", "cases[0]: expects nothing"),
        (
            HEAD + "cases: [{may: [VIEW_CHANNEL], may_not: [VIEW_CHANNEL]}]",
            "cases[0]: expects VIEW_CHANNEL to be allowed and denied",
        ),
    ],
)
def test_a_wrong_file_says_what_is_wrong_and_where(tmp_path: Path, text: str, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PolicyFileError) as refused:
        load(path)
    lines = str(refused.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    assert any(said in line for line in lines), lines


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match=r"gone\.yaml"):
        load(tmp_path / "gone.yaml")


def test_the_command_ends_with_1_when_anything_does_not_hold(tmp_path: Path) -> None:
    bad = written(tmp_path, HEAD + "cases: [{name: 'a [b] case', may: [PIN_MESSAGES]}]")
    result = CliRunner().invoke(app, ["test", str(EXAMPLE), str(bad), str(tmp_path / "gone")])
    assert result.exit_code == 1
    assert f"{EXAMPLE}: 26 of 26 expectations hold" in result.output
    assert f"{bad}: cases[0] (a [b] case): may not PIN_MESSAGES: no role" in result.output
    assert f"{bad}: 0 of 1 expectations hold" in result.output
    assert "gone: [Errno 2]" in result.output
    assert CliRunner().invoke(app, ["test", str(EXAMPLE)]).exit_code == 0


def test_it_runs_with_no_platform_running(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local.cli", "policy", "test", str(EXAMPLE)],
        env={"CREAVIO_HOME": str(tmp_path / "none"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "26 of 26" in done.stdout
    assert not (tmp_path / "none").exists()
