"""Compares a freshly generated tree with the one that stands, and swaps it in."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import shutil


@dataclass(frozen=True, slots=True)
class Difference:
    """What it takes to make one tree like another: paths below both, sorted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def __str__(self) -> str:
        return "\n".join(
            f"  {verb} {path}"
            for verb, paths in (
                ("adds   ", self.added),
                ("changes", self.changed),
                ("removes", self.removed),
            )
            for path in paths
        )


def files(root: Path, folders: tuple[str, ...]) -> dict[str, Path]:
    """Every file in these folders of `root`, by its path below `root`.

    What Python leaves behind when it imports is not among them.
    """
    return {
        path.relative_to(root).as_posix(): path
        for folder in folders
        for path in sorted((root / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def compare(standing: Path, fresh: Path, folders: tuple[str, ...]) -> Difference:
    """What putting `fresh` in the place of `standing` would do in these folders."""
    old, new = files(standing, folders), files(fresh, folders)
    return Difference(
        added=tuple(name for name in new if name not in old),
        changed=tuple(
            name for name in new if name in old and new[name].read_bytes() != old[name].read_bytes()
        ),
        removed=tuple(name for name in old if name not in new),
    )


def publish(difference: Difference, standing: Path, fresh: Path) -> None:
    """Carry `difference` out on `standing`.

    File by file, each in one step, and untouched where nothing changed: whoever
    imports from the tree or watches it meanwhile sees whole files only.
    """
    for name in (*difference.added, *difference.changed):
        write_if_changed(standing / name, (fresh / name).read_bytes())
    for name in difference.removed:
        path = standing / name
        path.unlink()
        while (path := path.parent) != standing:
            if any(entry.name != "__pycache__" for entry in path.iterdir()):
                break
            shutil.rmtree(path)


def write_if_changed(path: Path, content: bytes) -> bool:
    """Put `content` at `path` in one step; whether there was something to do.

    Readers see the old file or the new one, never half of it.
    """
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(content)
    fresh.replace(path)
    return True
