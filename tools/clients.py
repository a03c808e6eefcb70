"""Builds both clients as they are published: a wheel and an npm package.

python -m tools.clients FOLDER
"""

from __future__ import annotations

from pathlib import Path
import sys

from tools import packages
from tools.commands import CommandError, run
from tools.third_party import ResolveError

ROOT = Path(__file__).parents[1]


def build(root: Path, out: Path) -> None:
    """Leave the wheel and the package in `out`. Raises `CommandError` or `ResolveError`."""
    out.mkdir(parents=True, exist_ok=True)
    wheel(root, out)
    package(root, out)


def wheel(root: Path, out: Path) -> None:
    """Leave the Python SDK's wheel in `out`."""
    run(
        "python", "-m", "hatchling", "build", "-t", "wheel", "-d", str(out), cwd=root / "sdk/python"
    )


def package(root: Path, out: Path) -> None:
    """Compile the TypeScript client and leave its package in `out`."""
    packages.install(root)
    client = root / packages.CLIENT
    run("npm", "run", "--silent", "build", cwd=client)
    run("npm", "pack", "--silent", "--pack-destination", str(out), cwd=client)


def main() -> int:
    """Run the command line."""
    try:
        build(ROOT, Path(sys.argv[1]).absolute())
    except (CommandError, ResolveError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
