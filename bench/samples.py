"""What a platform takes, sampled while it runs: by series, such as `memory chat`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final
import urllib.request

from prometheus_client.parser import text_string_to_metric_families
import psutil
import sqlalchemy as sa

from chassis import catalog as catalogs
from tests.live import Live

_MIB: Final = 2**20


class Sampler:
    """Looks at every part of a platform from outside."""

    def __init__(self, live: Live, first_metrics_port: int) -> None:
        services = catalogs.load().services
        self._live = live
        self._ports = {name: first_metrics_port + n for n, name in enumerate(services)}
        self._engines = {
            name: sa.create_engine(live.database_url(f"creavio_{name}"), poolclass=sa.NullPool)
            for name, entry in services.items()
            if entry.database
        }

    def sample(self) -> dict[str, float]:
        """Everything, now. Raises what a part raises that does not answer."""
        return dict([*self._processes(), *self._tasks(), *self._kept()])

    def _processes(self) -> Iterator[tuple[str, float]]:
        """Memory in MiB, open descriptors and threads, of each part and what is below it.

        PSS is what a part takes. What it could leak is the anonymous half of it: pages of
        files are shared with whatever else runs on the machine, and PostgreSQL's buffers,
        whose size is set, count from when they are first touched.
        """
        status = self._live.status()
        yield "pss supervisor", status["supervisor_memory"] / _MIB
        yield "memory supervisor", _own(status["pid"]) / _MIB
        own = {part["pid"] for part in status["parts"]}
        for part in status["parts"]:
            process = psutil.Process(part["pid"])
            members = [process, *(c for c in process.children(True) if c.pid not in own)]
            yield f"pss {part['name']}", part["memory"] / _MIB
            yield f"memory {part['name']}", sum(_own(m.pid) for m in members) / _MIB
            descriptors = threads = 0
            for member in members:
                try:
                    descriptors += member.num_fds()
                    threads += member.num_threads()
                except psutil.NoSuchProcess:
                    continue  # A process of PostgreSQL's that did its work.
            yield f"descriptors {part['name']}", descriptors
            yield f"threads {part['name']}", threads
        supervisor = psutil.Process(status["pid"])
        yield "descriptors supervisor", supervisor.num_fds()
        yield "threads supervisor", supervisor.num_threads()

    def _tasks(self) -> Iterator[tuple[str, float]]:
        for name, port in self._ports.items():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
                text = reply.read().decode()
            for family in text_string_to_metric_families(text):
                if family.name == "asyncio_tasks":
                    yield f"tasks {name}", family.samples[0].value

    def _kept(self) -> Iterator[tuple[str, float]]:
        """Events that wait to be published, and MiB on disk."""
        for name, engine in self._engines.items():
            with engine.connect() as connection:
                waiting, size = connection.execute(
                    sa.text(
                        "SELECT (SELECT count(*) FROM outbox WHERE position IS NULL),"
                        " pg_database_size(current_database())"
                    )
                ).one()
            yield f"outbox {name}", waiting
            yield f"disk database {name}", size / _MIB
        yield "disk nats", _size(self._live.home.nats) / _MIB
        yield "disk logs", _size(self._live.home.logs) / _MIB


def _own(pid: int) -> int:
    """Bytes of anonymous memory, of what is shared with forks a part; 0 when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss_Anon:"))


def _size(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size
        except FileNotFoundError:
            continue  # Replaced meanwhile.
    return total
