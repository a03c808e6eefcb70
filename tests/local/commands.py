"""The `creavio` command, as a person runs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import json
import os
from pathlib import Path
import subprocess
import sys

from local.home import Home
from tests.live import COMPACT, LIMITS, Live, profile
from tests.local.running import PROJECT, free_port, until


def creavio(
    home: Home, *arguments: str, answer: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command on a home; `answer` is typed into it."""
    return subprocess.run(
        [sys.executable, "-m", "local.cli", *arguments],
        env=os.environ | {"CREAVIO_HOME": str(home.root), "COLUMNS": "200"} | environment,
        input=answer,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line in which a command said what was wrong."""
    assert done.returncode == 1, done.stdout
    (line,) = done.stderr.strip().splitlines()
    return line


@contextmanager
def started(
    home: Home, code: Path = PROJECT, *, compact: bool | None = None, **environment: str
) -> Iterator[Live]:
    """The real platform on a home there may be already, run from the code of a folder.

    Compact or not, it is on the profile that `CREAVIO_PROFILE` names if it is not said.
    """
    compact = profile() == COMPACT if compact is None else compact
    port = free_port()
    limits, log = home.root.parent / "limits.json", home.root.parent / "up.log"
    limits.write_text(json.dumps(LIMITS))
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "local.cli", "up"],
            env=os.environ
            | {
                "CREAVIO_HOME": str(home.root),
                "CREAVIO_PORT": str(port),
                "CREAVIO_LIMITS": str(limits),
                "CREAVIO_COMPACT": "1" if compact else "0",
                "PYTHONPATH": f"{code}:{code / 'gen' / 'python'}",
            }
            | environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    live = Live(home, port, process, compact=compact)

    def well() -> bool:
        assert process.poll() is None, log.read_text()
        return live.healthy()

    try:
        until(well, 90, "well")
        yield live
    finally:
        process.terminate()
        process.wait(40)
