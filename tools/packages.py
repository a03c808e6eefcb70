"""Brings the packages of the TypeScript client and the web app to where Node finds them.

The generator of the client's messages is one of them. What is installed is what
`package-lock.json` names, byte by byte; nothing of theirs runs while it is installed.
"""

from __future__ import annotations

import os
from pathlib import Path

from tools.commands import CommandError, run
from tools.third_party import ResolveError

CLIENT = "sdk/typescript"
INSTALLED = f"{CLIENT}/node_modules"
LOCK = f"{CLIENT}/package-lock.json"


def install(root: Path, folder: str = CLIENT) -> None:
    """Make a folder's `node_modules` hold what is locked; does nothing when it does.

    Raises `ResolveError`.
    """
    locked = (root / folder / "package-lock.json").read_bytes()
    stamp = root / folder / "node_modules/.creavio-lock"
    if stamp.is_file() and stamp.read_bytes() == locked:
        return
    # A machine may trust more authorities than Node brings along.
    os.environ.setdefault("NODE_OPTIONS", "--use-system-ca")
    try:
        run("npm", "ci", "--ignore-scripts", "--no-fund", "--no-audit", cwd=root / folder)
    except CommandError as error:
        raise ResolveError(f"the packages of {folder} cannot be fetched:\n{error}") from error
    # Written last: an install that was cut off is done again.
    stamp.write_bytes(locked)
