"""Runs the programs the tools are made of."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys


class CommandError(Exception):
    """A program refused its work; the message is what it said."""


def run(*command: str, cwd: Path, **environment: str) -> bytes:
    """What `command` prints. Programs of this Python's environment come first.

    Raises `CommandError` when it is missing or ends with another status than 0.
    """
    # The environment's own folder: resolving the link to the interpreter would leave it.
    programs = str(Path(sys.executable).parent)
    path = os.pathsep.join((programs, os.environ.get("PATH", os.defpath)))
    try:
        done = subprocess.run(  # noqa: S603 - commands are written in tools/
            command,
            cwd=cwd,
            env={**os.environ, "PATH": path, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise CommandError(f"{command[0]} is not installed") from error
    if done.returncode:
        said = (done.stdout + done.stderr).decode(errors="replace").strip()
        raise CommandError(said or f"{command[0]} ended with status {done.returncode}")
    return done.stdout
