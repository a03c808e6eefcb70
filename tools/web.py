"""Builds the web app: `web/out` is what the edge serves.

python -m tools.web

Does nothing when it was built from what is there. Packages come as `package-lock.json`
names them, byte by byte, and nothing of theirs runs while they are installed.
"""

from __future__ import annotations

from collections.abc import Iterator
import fcntl
import hashlib
from pathlib import Path
import shutil
import sys
import time
from typing import Final

from tools import packages
from tools.commands import CommandError, run
from tools.third_party import ResolveError

ROOT: Final = Path(__file__).parents[1]
WEB: Final = "web"
OUT: Final = "web/out"
STAMP: Final = "web/out/.built"
_CLIENT: Final = "web/.client"
_SOURCES: Final = ("web/src", "sdk/typescript/src", "gen/ts")
_FILES: Final = (
    "tools/pack.mjs",
    "sdk/typescript/tsconfig.json",
    "web/next.config.ts",
    "web/package.json",
    "web/package-lock.json",
    "web/postcss.config.mjs",
    "web/tsconfig.client.json",
    "web/tsconfig.json",
)


def build(root: Path) -> bool:
    """Leave the app in `web/out`; False when it was there already.

    Several may ask at once, one builds. Raises `CommandError` or `ResolveError`.
    """
    (root / WEB / ".lock").touch()
    with (root / WEB / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = fingerprint(root)
        stamp = root / STAMP
        if stamp.is_file() and stamp.read_text() == wanted:
            return False
        packages.install(root, WEB)
        client(root)
        run("npx", "--no-install", "next", "build", cwd=root / WEB, NEXT_TELEMETRY_DISABLED="1")
        run("node", str(Path(__file__).with_name("pack.mjs")), cwd=root / OUT)
        # Written last: a build that was cut off is done again.
        stamp.write_text(wanted)
        return True


def client(root: Path) -> None:
    """Compile the TypeScript client to where the app finds it."""
    shutil.rmtree(root / _CLIENT, ignore_errors=True)
    shutil.copytree(root / "sdk/typescript/src", root / _CLIENT / "src")
    run("npx", "--no-install", "tsc", "--project", "tsconfig.client.json", cwd=root / WEB)


def fingerprint(root: Path) -> str:
    """Of all that the build depends on: equal means equal files."""
    digest = hashlib.sha256()
    for file in _files(root):
        digest.update(f"{file.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    yield from (root / name for name in _FILES)
    for folder in _SOURCES:
        yield from sorted(file for file in (root / folder).rglob("*") if file.is_file())


def main() -> int:
    """Run the command line."""
    stamp = ROOT / STAMP
    if not (stamp.is_file() and stamp.read_text() == fingerprint(ROOT)):
        sys.stdout.write("Building the web app\n")
        sys.stdout.flush()
    began = time.monotonic()
    try:
        if build(ROOT):
            sys.stdout.write(f"The web app is built ({time.monotonic() - began:.0f} s)\n")
    except (CommandError, ResolveError) as error:
        sys.stderr.write(f"The web app could not be built:\n{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
