"""The programs that are measured beside the platform: found, or brought here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
import shutil
import subprocess
import sys
import time
from typing import Final

from tests.debian import install
from tools.commands import run

_ROOT: Final = Path(__file__).parents[2]
_FOLDER: Final = _ROOT / ".cache/peers"
_LOCK: Final = Path(__file__).with_name("requirements.lock")
_PATIENCE: Final = 60.0


def python() -> str:
    """The interpreter of an environment that holds what is locked, made where it is not.

    It is another than the platform's: what is in it is run, and never imported here.
    """
    environment = _FOLDER / "venv"
    interpreter = environment / "bin/python"
    stamp, locked = environment / "requirements.lock", _LOCK.read_bytes()
    if not (stamp.is_file() and stamp.read_bytes() == locked):
        _FOLDER.mkdir(parents=True, exist_ok=True)
        run("uv", "venv", "--clear", "--python", sys.executable, str(environment), cwd=_ROOT)
        run(
            *("uv", "pip", "sync", "--require-hashes", "--python", str(interpreter), str(_LOCK)),
            cwd=_ROOT,
        )
        # Written last: an install that was cut off is done again.
        stamp.write_bytes(locked)
    return str(interpreter)


def debian(program: str, *packages: str) -> str | None:
    """Where a program of Debian's packages is, installed where that can be done; None where
    it cannot."""
    if not _installed(packages):
        install(*packages)
    return shutil.which(program) if _installed(packages) else None


def _installed(packages: Iterable[str]) -> bool:
    if (query := shutil.which("dpkg-query")) is None:
        return False
    return all(
        subprocess.run(  # noqa: S603  # the packages that a caller names
            [query, "-W", "-f", "${db:Status-Abbrev}", package],
            capture_output=True,
            check=False,
        ).stdout.startswith(b"ii")
        for package in packages
    )


@contextmanager
def server(
    command: list[str], folder: Path, ready: Callable[[], bool]
) -> Iterator[subprocess.Popen[bytes]]:
    """A server in a folder, from when it is ready until the block ends."""
    log = folder / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # a program that is measured
            command, cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + _PATIENCE
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
