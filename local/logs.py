"""The parts' logs: rotation by size, the last line, following."""

from __future__ import annotations

from collections.abc import Iterator
import json
import os
from pathlib import Path
import shutil
import time

ROTATE_AT = 8 * 1024 * 1024
KEEP = 3
_TAIL = 64 * 1024


def rotate(log: Path, limit: int = ROTATE_AT, keep: int = KEEP) -> bool:
    """Set a log that outgrew `limit` bytes aside as `.1`, keeping `keep` of them.

    The writer holds the file open and goes on in it, so it is copied and then
    cut, not renamed. What is written between the two is lost; that gap is
    microseconds, once every `limit` bytes.
    """
    try:
        if log.stat().st_size < limit:
            return False
    except FileNotFoundError:
        return False
    for number in range(keep, 1, -1):
        older = log.with_name(f"{log.name}.{number - 1}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number}"))
    with log.open("r+b") as source, log.with_name(f"{log.name}.1").open("wb") as target:
        shutil.copyfileobj(source, target, 1024 * 1024)
        source.truncate(0)
    return True


def last_line(log: Path, since: int = 0) -> str:
    """The last thing a log says, of what was written after `since` bytes.

    Of a JSON line its message, of a traceback its error.
    """
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = since if since <= size else 0
            file.seek(max(start, size - _TAIL))
            lines = file.read().decode(errors="replace").split("\n")
    except FileNotFoundError:
        return ""
    for line in reversed(lines):
        if line.strip():
            return _readable(line.strip())
    return ""


def _readable(line: str) -> str:
    if line.startswith("{"):
        try:
            record = json.loads(line)
        except ValueError:
            return line
        for key in ("error.message", "message", "event"):
            if isinstance(record.get(key), str):
                return str(record[key])
    return line


def tail(log: Path, lines: int) -> tuple[list[str], int]:
    """The last lines of a log, and where in the file they end."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - lines * 400))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return [], 0
    return text.splitlines()[-lines:], size


def follow(logs: dict[str, Path], lines: int) -> Iterator[tuple[str, str]]:
    """The last lines of each log, then whatever is added, as (name, line), for ever."""
    positions: dict[str, int] = {}
    for name, log in logs.items():
        last, positions[name] = tail(log, lines)
        for line in last:
            yield name, line
    while True:
        quiet = True
        for name, log in logs.items():
            for line in _added(log, positions, name):
                quiet = False
                yield name, line
        if quiet:
            time.sleep(0.15)


def _added(log: Path, positions: dict[str, int], name: str) -> Iterator[str]:
    try:
        size = log.stat().st_size
    except FileNotFoundError:
        return
    if size < positions[name]:
        positions[name] = 0
    if size == positions[name]:
        return
    with log.open("rb") as file:
        file.seek(positions[name])
        chunk = file.read(size - positions[name])
    whole, _, _ = chunk.rpartition(b"\n")
    if whole:
        positions[name] += len(whole) + 1
        yield from whole.decode(errors="replace").split("\n")
