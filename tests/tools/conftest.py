"""Copies of the project that tests may spoil."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
import shutil
import subprocess

import pytest

from tools import packages, proto, reader
from tools.model import Model

# The project file says how generated Python is formatted.
COPIED = (
    *("proto", "tools", "gen", "releases", ".third_party", ".cache/protos"),
    *("buf.yaml", "buf.gen.yaml", "buf.gen.clients.yaml", "pyproject.toml"),
    packages.LOCK,
)


@pytest.fixture(scope="session")
def model() -> Model:
    return reader.load((proto.ROOT / proto.DESCRIPTORS).read_bytes())


@pytest.fixture
def project(tmp_path: Path, fetched: None) -> Path:
    """What generation works on, outside any repository."""
    root = tmp_path / "project"
    root.mkdir()
    ignored = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        source = proto.ROOT / name
        if source.is_dir():
            shutil.copytree(source, root / name, ignore=ignored)
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, root / name)
    (root / packages.INSTALLED).symlink_to(proto.ROOT / packages.INSTALLED)
    return root


@pytest.fixture
def git(project: Path) -> Callable[..., None]:
    """Runs git in the project, a fresh repository whose branch is main."""

    def run(*arguments: str) -> None:
        who = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
        subprocess.run(("git", *who, *arguments), cwd=project, check=True, capture_output=True)

    ignored = ("/.third_party/", "/.cache/", "__pycache__/", packages.INSTALLED)
    (project / ".gitignore").write_text("\n".join((*ignored, "")))
    run("init", "--initial-branch=main")
    return run


@pytest.fixture
def committed(project: Path, git: Callable[..., None]) -> Path:
    """The project with everything committed on main."""
    git("add", ".")
    git("commit", "--message", "Everything")
    return project
