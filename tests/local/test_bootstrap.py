"""`local/bootstrap.sh` makes an environment that works, once."""

from __future__ import annotations

import os
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

from tests.local.running import PROJECT


class Project:
    """A project with nothing locked, so that making its environment is quick."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "local").mkdir(parents=True)
        (root / "local" / "cli.py").write_text("print('the command runs')\n")
        shutil.copy(PROJECT / "local" / "bootstrap.sh", root / "local")
        self.lock = root / "requirements.lock"
        self.lock.write_text("")
        (root / "requirements-dev.lock").write_text("# more\n")

    def python(self, *refused: str) -> Path:
        """An interpreter that does not know some modules."""
        wrapper = self.root / "python"
        cases = "\n".join(f'case "$*" in *"{name}"*) exit 1;; esac' for name in refused)
        wrapper.write_text(f'#!/bin/sh\n{cases}\nexec "{_base_python()}" "$@"\n')
        wrapper.chmod(0o755)
        return wrapper

    def bootstrap(self, *arguments: str, python: object = "") -> subprocess.CompletedProcess[str]:
        """Run it."""
        return subprocess.run(  # the script under test
            [self.root / "local" / "bootstrap.sh", *arguments],
            env=os.environ | {"PYTHON": str(python or _base_python())},
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            timeout=100,
        )


def _base_python() -> str:
    return f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "a project")


def test_it_makes_an_environment_that_runs_the_command(project: Project) -> None:
    made = project.bootstrap()
    assert made.returncode == 0, made.stderr
    command = project.root / ".venv" / "bin" / "creavio"
    ran = subprocess.run([command], capture_output=True, text=True, check=True)
    assert ran.stdout == "the command runs\n"


def test_it_does_nothing_again_until_the_lock_changes(project: Project) -> None:
    project.bootstrap()
    assert project.bootstrap().stdout == ""
    project.lock.write_text("# changed\n")
    assert "Installing" in project.bootstrap().stdout
    assert project.bootstrap().stdout == ""


def test_what_development_needs_serves_for_running_too(project: Project) -> None:
    assert "requirements-dev.lock" in project.bootstrap("dev").stdout
    assert project.bootstrap().stdout == ""


def test_a_failed_install_is_told_and_tried_again(project: Project) -> None:
    project.lock.write_text("no-such-package @ file:///nowhere/x.whl --hash=sha256:" + "0" * 64)
    failed = project.bootstrap()
    assert failed.returncode == 1
    assert "could not be installed" in failed.stderr
    assert project.bootstrap().returncode == 1
    project.lock.write_text("")
    assert project.bootstrap().returncode == 0


def test_a_folder_that_was_moved_gets_a_new_environment(project: Project) -> None:
    project.bootstrap()
    project.root = project.root.rename(project.root.with_name("moved"))
    assert "Making .venv" in project.bootstrap().stdout
    assert (project.root / ".venv" / "home").read_text().strip() == str(project.root)


def test_pip_is_enough_where_ensurepip_is_missing(project: Project) -> None:
    made = project.bootstrap(python=project.python("ensurepip"))
    assert made.returncode == 0, made.stderr


def test_ensurepip_is_enough_where_pip_is_missing(project: Project) -> None:
    made = project.bootstrap(python=project.python("-m pip"))
    assert made.returncode == 0, made.stderr


def test_without_either_it_says_what_to_install(project: Project) -> None:
    failed = project.bootstrap(python=project.python("ensurepip", "-m pip"))
    assert failed.returncode == 1
    assert "apt install python3-pip" in failed.stderr
    assert not (project.root / ".venv").exists()


def test_an_old_python_is_refused_in_one_line(project: Project) -> None:
    failed = project.bootstrap(python=project.python("version_info"))
    assert failed.returncode == 1
    assert failed.stderr.startswith("Python 3.11 or newer is needed")
