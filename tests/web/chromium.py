"""The browser that the web app is looked at in."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Final

QUIET: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""With which it asks nobody for anything."""
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")


def find() -> str | None:
    """Where a Chromium is, installed where that can be done; None where it cannot."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (("update",), ("install", "-y", "chromium")):
            subprocess.run(["apt-get", "-q", *command], env=environment, capture_output=True)
        found = shutil.which("chromium")
    return found
