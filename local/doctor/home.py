"""The home: whose it is, who can enter it, its disk, the logs, the port."""

from __future__ import annotations

from collections.abc import Iterator
import os
from pathlib import Path
import stat

from chassis.catalog import CatalogError
from local import preflight
from local.doctor.finding import Finding, Verdict, megabytes
from local.home import Home
from local.parts import Options

_AREA = "home"
_TOO_LITTLE = 512 * 1024**2
_LITTLE = 2 * 1024**3
_TOO_FEW_INODES = 10_000
_FEW_INODES = 100_000
_MUCH_LOG = 1024**3
_OTHERS = 0o077


def look(home: Home, port: int, *, running: bool) -> Iterator[Finding]:
    """Look at the home, and at the port it would open at unless it runs."""
    yield _folder(home, port)
    yield from _disk(home.root)
    if home.root.is_dir():
        yield _permissions(home)
    if home.secrets.is_dir():
        yield _secrets(home)
    if home.logs.is_dir():
        yield _logs(home)
    if not running:
        yield _port(port)


def _folder(home: Home, port: int) -> Finding:
    try:
        preflight.check_home(home)
        preflight.check_paths(Options(home, port))
    except (preflight.ObstacleError, CatalogError) as error:
        return Finding(_AREA, "folder", Verdict.FAIL, str(error))
    text = str(home.root) if home.root.exists() else f"{home.root}, not made yet"
    return Finding(_AREA, "folder", Verdict.OK, text)


def _disk(folder: Path) -> Iterator[Finding]:
    while not folder.exists():
        folder = folder.parent
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    text = f"{megabytes(free)} free"
    verdict = Verdict.FAIL if free < _TOO_LITTLE else Verdict.WARN if free < _LITTLE else Verdict.OK
    mend = "make room, or move CREAVIO_HOME" if verdict is not Verdict.OK else ""
    yield Finding(_AREA, "disk", verdict, text, mend)
    if disk.f_files == 0:  # Some file systems have no fixed number of them.
        yield Finding(_AREA, "inodes", Verdict.OK, "not limited here")
        return
    left = disk.f_favail
    verdict = (
        Verdict.FAIL
        if left < _TOO_FEW_INODES
        else Verdict.WARN
        if left < _FEW_INODES
        else Verdict.OK
    )
    mend = "remove small files on this disk" if verdict is not Verdict.OK else ""
    yield Finding(_AREA, "inodes", verdict, f"{left:,} free", mend)


def _permissions(home: Home) -> Finding:
    mode = stat.S_IMODE(home.root.stat().st_mode)
    if mode & _OTHERS:
        text = f"{mode:04o}: others can look into it"
        return Finding(_AREA, "permissions", Verdict.FAIL, text, f"chmod 700 {home.root}")
    return Finding(_AREA, "permissions", Verdict.OK, f"{mode:04o}: only its owner can enter")


def _secrets(home: Home) -> Finding:
    folder = home.secrets
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
        if mode & _OTHERS:
            text = f"{folder.name}/ is {mode:04o}: others can look into it"
            return Finding(_AREA, "secrets", Verdict.FAIL, text, f"chmod 700 {folder}")
        files = [path for path in folder.iterdir() if not path.name.startswith(".")]
        open_ones = [p.name for p in files if stat.S_IMODE(p.stat().st_mode) & _OTHERS]
        strange = [p.name for p in files if p.stat().st_uid != os.geteuid()]
    except OSError as error:
        return Finding(_AREA, "secrets", Verdict.FAIL, f"{folder}: {error.strerror}")
    if open_ones:
        text = f"others can read {open_ones[0]}" + _and_more(open_ones)
        return Finding(_AREA, "secrets", Verdict.FAIL, text, f"chmod 600 {folder}/*")
    if strange:
        text = f"{strange[0]}{_and_more(strange)} belongs to another user"
        return Finding(_AREA, "secrets", Verdict.FAIL, text, f"chown them to uid {os.geteuid()}")
    return Finding(_AREA, "secrets", Verdict.OK, f"{len(files)}, each for its owner alone")


def _and_more(names: list[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""


def _logs(home: Home) -> Finding:
    used = 0
    for path in home.logs.iterdir():
        try:
            used += path.stat().st_size
        except FileNotFoundError:
            continue  # It was rotated away.
    if used > _MUCH_LOG:
        mend = f"look which grows so: ls -lS {home.logs}"
        return Finding(_AREA, "logs", Verdict.WARN, f"{megabytes(used)}", mend)
    return Finding(_AREA, "logs", Verdict.OK, megabytes(used))


def _port(port: int) -> Finding:
    try:
        preflight.check_port(port)
    except preflight.ObstacleError as error:
        return Finding(_AREA, "port", Verdict.FAIL, str(error))
    return Finding(_AREA, "port", Verdict.OK, f"{port} is free")
