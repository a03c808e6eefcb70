"""Programs of Debian's packages that tests and benchmarks need, brought where that can be done."""

from __future__ import annotations

import os
import shutil
import subprocess


def install(*packages: str) -> None:
    """Install packages where there is an apt-get and it may be used; else nothing happens."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (("update",), ("install", "-y", *packages)):
        subprocess.run(["apt-get", "-q", *command], env=environment, capture_output=True)
