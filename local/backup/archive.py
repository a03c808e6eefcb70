"""The file: a tar whose members are written as they come.

A tar says the size of a member before its content. The place for that is left
empty and filled in afterwards, so that nothing is held in memory or on disk twice.
`tar tf` shows what is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
import hashlib
import os
from pathlib import Path
import tarfile
import time
from typing import IO, Final

from local.backup.manifest import BackupError, Member

_CHUNK: Final = 256 * 1024
_BLOCK: Final = 512


class Writer:
    """Writes members one after another."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, name: str, content: bytes) -> Member:
        """Write a member that is in memory."""
        with self.member(name) as write:
            write(content)
        return self.last

    @contextmanager
    def member(self, name: str) -> Iterator[Callable[[bytes], None]]:
        """Write a member piece by piece; `last` describes it afterwards."""
        begin = self._file.tell()
        self._file.write(bytes(_BLOCK))
        digest, size = hashlib.sha256(), 0

        def write(piece: bytes) -> None:
            nonlocal size
            self._file.write(piece)
            digest.update(piece)
            size += len(piece)

        yield write
        self._file.write(bytes(-size % _BLOCK))
        end = self._file.tell()
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, int(time.time())
        self._file.seek(begin)
        self._file.write(info.tobuf(tarfile.GNU_FORMAT))
        self._file.seek(end)
        self.last = Member(size=size, sha256=digest.hexdigest())

    def finish(self) -> None:
        """Write the end."""
        self._file.write(bytes(2 * _BLOCK))


@contextmanager
def created(path: Path) -> Iterator[Writer]:
    """A new file for its owner alone; there when the block ends well, else not at all.

    Raises `BackupError` when it cannot be written or is there already.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        if path.exists():
            raise BackupError(f"{path} is there already: choose another name")
        draft.unlink(missing_ok=True)
        fd = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}") from error
    try:
        with os.fdopen(fd, "wb") as file:
            writer = Writer(file)
            yield writer
            writer.finish()
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename it replaces nothing that came to be meanwhile.
        os.link(draft, path)
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            draft.unlink()


class Reader:
    """Reads members by name."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive

    def content(self, name: str, expected: Member | None = None) -> bytes:
        """A member that fits into memory. Raises `BackupError`."""
        return b"".join(self.pieces(name, expected))

    def pieces(self, name: str, expected: Member | None = None) -> Iterator[bytes]:
        """A member, piece by piece; compared with what is expected at the end.

        Raises `BackupError` when it is missing, cut off, or another.
        """
        try:
            file = self._archive.extractfile(name)
        except (KeyError, tarfile.TarError, OSError):
            file = None
        if file is None:
            raise BackupError(f"it lacks {name}: the file is cut off, or no backup of Creavio")
        digest, size = hashlib.sha256(), 0
        with file:
            try:
                while piece := file.read(_CHUNK):
                    digest.update(piece)
                    size += len(piece)
                    yield piece
            except (tarfile.TarError, OSError) as error:
                raise BackupError(f"{name} in it cannot be read: {error}") from error
        if expected is not None and (size, digest.hexdigest()) != (expected.size, expected.sha256):
            raise BackupError(f"{name} in it is damaged: take another copy of the file")


@contextmanager
def opened(path: Path) -> Iterator[Reader]:
    """A backup, for reading. Raises `BackupError` when it is none."""
    try:
        archive = tarfile.open(path, "r:")  # noqa: SIM115  # closed below
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror or error}") from error
    except tarfile.TarError:
        raise BackupError(f"{path} is no backup of Creavio") from None
    with archive:
        try:
            yield Reader(archive)
        except BackupError as error:
            raise BackupError(f"{path}: {error}") from error
