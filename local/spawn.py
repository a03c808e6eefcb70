"""Runs one service in a fresh process: `python -m local.spawn SERVE ENV_FILE`.

For systems where a fork of a warm parent is not safe.
"""

from __future__ import annotations

from pathlib import Path
import sys

from local.warm import run_services

if __name__ == "__main__":
    run_services(sys.argv[1], Path(sys.argv[2]))
