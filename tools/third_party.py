"""Brings the protos of others to where buf finds them: `.third_party/`.

None is committed. They come out of the packages that ship them: google.api and
google.rpc from googleapis-common-protos, which is installed, and buf.validate
from a source distribution that is downloaded once and kept in `.cache/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path
import re
import sys
import tarfile

from tools.commands import CommandError, run
from tools.tree import write_if_changed

FOLDER = ".third_party"
LOCK = "tools/protos.lock"
_GOOGLE = (
    "google/api/annotations.proto",
    "google/api/http.proto",
    # Not imported by any contract: the edge and integrators read errors with them.
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
)
_VALIDATE = "buf/validate/validate.proto"


class ResolveError(Exception):
    """The protos of others cannot be had; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class SourceDistribution:
    """One line of the lock file: exactly these bytes."""

    name: str
    version: str
    digest: str

    @property
    def folder(self) -> str:
        """The folder its archive unpacks into."""
        return f"{self.name}-{self.version}"


def resolve(root: Path) -> None:
    """Make `.third_party/` hold exactly the protos the contracts build on.

    Needs the network only when `.cache/` does not hold the locked distribution.
    Raises `ResolveError`.
    """
    google = distribution("googleapis-common-protos")
    wanted = {name: Path(str(google.locate_file(name))).read_bytes() for name in _GOOGLE}
    locked = read_lock(root / LOCK)
    wanted[_VALIDATE] = _member(_fetch(locked, root), f"{locked.folder}/upstream/proto/{_VALIDATE}")
    folder = root / FOLDER
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    for name, content in wanted.items():
        write_if_changed(folder / name, content)


def read_lock(path: Path) -> SourceDistribution:
    """The one distribution a lock file names. Raises `ResolveError`."""
    found = re.findall(
        r"^([\w-]+)==([\w.]+) --hash=sha256:([0-9a-f]{64})$", path.read_text("utf-8"), re.MULTILINE
    )
    if len(found) != 1:
        raise ResolveError(f"{path.name} does not pin exactly one distribution with its hash")
    return SourceDistribution(*found[0])


def _fetch(locked: SourceDistribution, root: Path) -> Path:
    cache = root / ".cache" / "protos"
    archive = cache / f"{locked.folder}.tar.gz"
    if archive.is_file() and sha256(archive.read_bytes()).hexdigest() == locked.digest:
        return archive
    archive.unlink(missing_ok=True)
    cache.mkdir(parents=True, exist_ok=True)
    try:
        # pip asks the distribution's build backend for its metadata even if it
        # only downloads. The backend is the locked one that is installed: with
        # build isolation pip would fetch another, unpinned, on every machine.
        run(
            *_pip(),
            *("download", "--quiet", "--disable-pip-version-check", "--no-input"),
            *("--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes"),
            *("--dest", str(cache), "--requirement", str(root / LOCK)),
            cwd=root,
        )
    except CommandError as error:
        raise ResolveError(f"{locked.folder} cannot be fetched:\n{error}") from error
    if not archive.is_file():
        raise ResolveError(f"pip did not leave {archive.name}")
    return archive


def _pip() -> tuple[str, ...]:
    """The pip that installed this environment, working on it."""
    if find_spec("pip") is not None:
        return (sys.executable, "-m", "pip")
    # local/bootstrap.sh leaves pip out where another Python's does, and notes whose.
    note = Path(sys.prefix, "pip-python")
    if not note.is_file():
        raise ResolveError("fetching the protos of others needs pip, which is not here")
    return (note.read_text(encoding="utf-8").strip(), "-m", "pip", "--python", sys.executable)


def _member(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as tar:
        try:
            file = tar.extractfile(name)
        except KeyError:
            file = None
        if file is None:
            raise ResolveError(f"{archive.name} holds no {name}")
        return file.read()
