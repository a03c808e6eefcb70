"""Databases out and in, by PostgreSQL's own programs, as streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
import subprocess
import tempfile
from typing import IO, Final

from local.backup.manifest import BackupError
from local.credentials import Credentials
from local.databases import SUPERUSER, database_of
from local.home import Home
from local.postgres_binaries import PostgresBinaries
from local.process import clean_environment

_CHUNK: Final = 256 * 1024
_LEVEL: Final = "gzip:4"


def dump(
    home: Home,
    binaries: PostgresBinaries,
    service: str,
    snapshot: str,
    write: Callable[[bytes], None],
) -> None:
    """Write a service's database as it is in a snapshot. Raises `BackupError`."""
    argv = [
        str(binaries.folder / "pg_dump"),
        "--format=custom",
        f"--compress={_LEVEL}",
        f"--snapshot={snapshot}",
        "--no-owner",
        "--no-privileges",
        f"--dbname={database_of(service)}",
    ]
    with _program(home, argv, f"{service} cannot be read") as process:
        assert process.stdout is not None
        while piece := process.stdout.read(_CHUNK):
            write(piece)


def restore(home: Home, binaries: PostgresBinaries, service: str, pieces: Iterable[bytes]) -> None:
    """Fill a service's empty database, whole or not at all. Raises `BackupError`."""
    name = database_of(service)
    argv = [
        str(binaries.folder / "pg_restore"),
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        f"--role={name}",
        f"--dbname={name}",
    ]
    with _program(home, argv, f"{service} cannot be restored") as process:
        assert process.stdin is not None
        try:
            for piece in pieces:
                process.stdin.write(piece)
            process.stdin.close()
        except BrokenPipeError:
            pass  # It ended, and says why itself.


@contextmanager
def _program(home: Home, argv: list[str], trouble: str) -> Iterator[subprocess.Popen[bytes]]:
    """One of PostgreSQL's programs, talking to the home's server until the block ends."""
    environment = clean_environment() | {
        "PGHOST": str(home.postgres),
        "PGPORT": "5432",
        "PGUSER": SUPERUSER,
        "PGPASSWORD": Credentials(home.secrets).password(SUPERUSER),
        "LC_ALL": "C.UTF-8",
    }
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603  # PostgreSQL's own programs
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, env=environment
        )
        try:
            yield process
        except BaseException:
            process.kill()
            raise
        finally:
            _close(process)
        if process.returncode != 0:
            raise BackupError(f"{trouble}: {_last_line(said) or f'{Path(argv[0]).name} failed'}")


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            try:
                pipe.close()
            except BrokenPipeError:
                continue
    process.wait()


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    lines = [line for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line]
    return (errors or lines or [""])[0]
