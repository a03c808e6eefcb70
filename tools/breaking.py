"""Compares the contracts with those that main has published."""

from __future__ import annotations

import io
from pathlib import Path
import shutil
import subprocess
from tempfile import TemporaryDirectory
import zipfile

from tools.commands import CommandError, run
from tools.third_party import FOLDER

_MAIN = ("main", "origin/main")


class BreakingError(Exception):
    """A published contract would break; the message says which and where."""


def check(root: Path) -> str | None:
    """Compare with main: what was compared with, None when there is nothing yet.

    There is nothing outside a git repository, before its first commit, without a
    branch main, and while main holds no contracts. Raises `BreakingError`.
    """
    for name in _MAIN:
        archive = _git(root, "archive", "--format=zip", name, "--", "proto", "buf.yaml")
        if archive is not None:
            break
    else:
        return None
    with TemporaryDirectory(prefix="creavio-main-") as folder:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            files.extractall(folder)
        shutil.copytree(root / FOLDER, Path(folder, FOLDER))
        try:
            run("buf", "breaking", "--against", folder, cwd=root)
        except CommandError as error:
            raise BreakingError(
                f"this breaks a contract that {name} published:\n{error}"
            ) from error
    return name


def untracked(root: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """Which of these files a commit would leave out.

    None outside a git repository and before its first commit.
    """
    if _git(root, "rev-parse", "--verify", "HEAD") is None:
        return ()
    listed = _git(root, "ls-files", "-z", "--", "gen")
    tracked = set((listed or b"").decode().split("\0"))
    return tuple(name for name in names if name not in tracked)


def _git(root: Path, *arguments: str) -> bytes | None:
    """What git prints; None when it refuses, or is not there."""
    # A repository above an unpacked copy of the project is not the project's.
    if not (root / ".git").exists():
        return None
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are ours
            ("git", *arguments),  # noqa: S607 - git is where the developer has it
            cwd=root,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None
