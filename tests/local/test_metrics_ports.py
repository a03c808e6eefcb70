"""Each process of a service tells its metrics on a port of its own, if they are wanted."""

from __future__ import annotations

from pathlib import Path

from local.home import Home
from local.parts import Options, Parts, instances_of


def ports(home: Home, metrics_port: int | None) -> dict[str, str]:
    """The line about it in what each process is told."""
    home.root.mkdir()
    home.prepare()
    parts = Parts(Options(home, replicas={"chat": 2}, metrics_port=metrics_port))
    told = {}
    for instance in (each for keeper in parts.services for each in instances_of(keeper)):
        lines = instance.write_configuration().read_text().splitlines()
        told[instance.name] = next((x for x in lines if x.startswith("CREAVIO_METRICS_PORT=")), "")
    return told


def test_each_process_has_a_port_from_the_first_on(tmp_path: Path) -> None:
    told = ports(Home(tmp_path / "home"), 9_100)
    assert "chat-2" in told
    numbers = sorted(int(line.partition("=")[2].strip('"')) for line in told.values())
    assert numbers == list(range(9_100, 9_100 + len(told)))


def test_nobody_tells_metrics_unasked(tmp_path: Path) -> None:
    assert set(ports(Home(tmp_path / "home"), None).values()) == {""}
