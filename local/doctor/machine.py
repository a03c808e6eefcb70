"""The machine: Python, packages, programs, clock, memory, limits."""

from __future__ import annotations

from collections.abc import Iterator
import ctypes
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
import re
import resource
import subprocess
import sys
import time

import psutil

from local import postgres_binaries
from local.doctor.finding import Finding, Verdict, megabytes
from local.home import Home
from local.process import LINUX

_AREA = "machine"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)\s*(;)?", re.MULTILINE)
_OLDEST_PYTHON = (3, 11)
_NAMED = 3
_LITTLE_MEMORY = 512 * 1024**2
_FEWEST_FILES = 1024
_FEW_FILES = 8192
_FILES_OF_A_STREAM = 2
"""An open event stream: one end at the edge, one on the way to the gateway."""
_MUCH_OF_THEM = 0.8
_BEFORE_CREAVIO = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
_AHEAD_SECONDS = 5.0
_TIMEX_BYTES = 256
_TIME_ERROR = 5
"""What adjtimex(2) returns while nobody keeps the clock in step."""


def look(home: Home, lock_file: Path, envoy: int | None) -> Iterator[Finding]:
    """Look at the machine. `envoy` is the pid of the edge, when it runs."""
    yield _python()
    yield _packages(lock_file)
    yield _programs()
    yield _memory()
    yield _files(envoy)
    yield _clock(home)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= _OLDEST_PYTHON:
        return Finding(_AREA, "python", Verdict.OK, version)
    mend = "install Python 3.11 or newer, then make up"
    return Finding(_AREA, "python", Verdict.FAIL, f"{version} is too old", mend)


def _packages(lock_file: Path) -> Finding:
    try:
        pins = _PIN.findall(lock_file.read_text())
    except OSError:
        return Finding(_AREA, "packages", Verdict.WARN, f"{lock_file.name} cannot be read")
    wrong: list[str] = []
    for name, version, marked in pins:
        try:
            there = metadata.version(name)
        except metadata.PackageNotFoundError:
            if not marked:  # What has a marker may be for another system.
                wrong.append(f"{name} is missing")
            continue
        if there != version:
            wrong.append(f"{name} is {there}, not {version}")
    if not wrong:
        return Finding(_AREA, "packages", Verdict.OK, f"{len(pins)}, as locked")
    more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    text = ", ".join(wrong[:_NAMED]) + more
    return Finding(_AREA, "packages", Verdict.FAIL, text, "make up installs what is locked")


def _programs() -> Finding:
    missing = [
        name
        for name in ("nats-server", "envoy")
        if not Path(sys.executable).with_name(name).exists()
    ]
    if missing:
        text = f"{' and '.join(missing)} not in {Path(sys.executable).parent}"
        return Finding(_AREA, "programs", Verdict.FAIL, text, "remove .venv, then make up")
    try:
        binaries = postgres_binaries.find()
        shown = subprocess.run(  # noqa: S603  # the program that will run
            [binaries.postgres, "--version"], capture_output=True, text=True, check=True
        ).stdout
    except postgres_binaries.PostgresUnavailableError as error:
        return Finding(_AREA, "programs", Verdict.FAIL, str(error))
    except (OSError, subprocess.CalledProcessError) as error:
        return Finding(_AREA, "programs", Verdict.FAIL, f"PostgreSQL does not run: {error}")
    version = shown.strip().rpartition(" ")[2]
    return Finding(_AREA, "programs", Verdict.OK, f"PostgreSQL {version}, NATS, Envoy")


def _memory() -> Finding:
    memory = psutil.virtual_memory()
    text = f"{megabytes(memory.available)} of {megabytes(memory.total)} available"
    if memory.available >= _LITTLE_MEMORY:
        return Finding(_AREA, "memory", Verdict.OK, text)
    mend = f"the platform takes {megabytes(_LITTLE_MEMORY)}: end something else"
    return Finding(_AREA, "memory", Verdict.WARN, text, mend)


def _files(envoy: int | None) -> Finding:
    """How many files the edge may have open: each stream of a person takes some."""
    name, mend = "open files", "ulimit -n 65536, then start anew"
    limit, open_now = resource.getrlimit(resource.RLIMIT_NOFILE)[0], 0
    if envoy is not None and LINUX:
        try:
            process = psutil.Process(envoy)
            limit, open_now = process.rlimit(psutil.RLIMIT_NOFILE)[0], process.num_fds()
        except psutil.Error:
            pass  # It ended meanwhile, or is not ours to look at.
    if limit == resource.RLIM_INFINITY:
        return Finding(_AREA, name, Verdict.OK, "as many as wanted")
    text = f"{limit} allowed: about {limit // _FILES_OF_A_STREAM} people at once"
    if open_now > limit * _MUCH_OF_THEM:
        return Finding(_AREA, name, Verdict.FAIL, f"{open_now} of {limit} in use", mend)
    if limit < _FEWEST_FILES:
        return Finding(_AREA, name, Verdict.FAIL, text, mend)
    if limit < _FEW_FILES:
        return Finding(_AREA, name, Verdict.WARN, text, mend)
    return Finding(_AREA, name, Verdict.OK, text)


def _clock(home: Home) -> Finding:
    """Ids and tokens carry the time: a clock that is wrong breaks sign-in and order."""
    now = time.time()
    shown = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d %H:%M:%S} UTC"
    mend = "set it, and have it kept: timedatectl set-ntp true"
    if now < _BEFORE_CREAVIO:
        return Finding(_AREA, "clock", Verdict.FAIL, f"says {shown}, which is long ago", mend)
    ahead = _newest(home) - now
    if ahead > _AHEAD_SECONDS:
        text = f"was set back: a log was written {ahead:.0f} s from now"
        return Finding(_AREA, "clock", Verdict.FAIL, text, mend)
    if not _in_step():
        text = f"{shown}; nobody keeps it in step"
        return Finding(_AREA, "clock", Verdict.WARN, text, "timedatectl set-ntp true")
    return Finding(_AREA, "clock", Verdict.OK, shown)


def _newest(home: Home) -> float:
    try:
        return max((log.stat().st_mtime for log in home.logs.glob("*.log")), default=0.0)
    except OSError:
        return 0.0


def _in_step() -> bool:
    if not LINUX:
        return True
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except AttributeError:
        return True
    # A struct timex of zeros asks, and changes nothing; it is 208 bytes long.
    return int(adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))) != _TIME_ERROR
