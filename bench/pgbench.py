"""The same PostgreSQL, asked by its own benchmark."""

from __future__ import annotations

from pathlib import Path
import re
import subprocess
import tempfile
import time

from bench.measure import Result, usage
from local import postgres_binaries
from local.credentials import Credentials
from tests.live import Live


def run(live: Live, database: str, name: str, script: str, clients: int, seconds: int) -> Result:
    """Have so many clients repeat a script, and see what it takes of the server."""
    with tempfile.NamedTemporaryFile("w", suffix=".sql", dir="/tmp") as file:
        file.write(script)
        file.flush()
        with usage(live).spent() as cpu:
            said = program(
                live,
                "pgbench",
                *("-n", "-M", "prepared", "-c", str(clients), "-j", "1"),
                *("-T", str(seconds), "-f", file.name, database),
            )
            # What a connection's process used is known once the server has noticed its end.
            time.sleep(0.5)
    done = re.search(r"actually processed: (\d+)", said)
    average = re.search(r"latency average = ([\d.]+) ms", said)
    assert done is not None
    assert average is not None
    return Result(
        name,
        f"{clients} clients",
        int(done[1]),
        float(seconds),
        {"postgres": cpu["postgres"]},
        extra={"average_ms": float(average[1])},
    )


def program(live: Live, name: str, *arguments: str) -> str:
    """Run one of PostgreSQL's programs as its superuser: what it said."""
    done = subprocess.run(  # noqa: S603  # our own programs
        [str(Path(postgres_binaries.find().postgres).parent / name), *arguments],
        env={
            "PGPASSWORD": Credentials(live.home.secrets).password("postgres"),
            "PGHOST": str(live.home.postgres),
            "PGUSER": "postgres",
            "PATH": "/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stderr}")
    return done.stdout
