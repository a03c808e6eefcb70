"""`python -m bench [--quick]`: measures, prints a table, keeps `bench/results/latest.json`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import delivery, people, permissions, references, send
from bench.measure import Result, machine
from tests.live import Live, Person, running

RESULTS = Path(__file__).parent / "results" / "latest.json"
_RATE = "1000000"
"""More messages a second than one person sends here over one stream."""


def main() -> None:
    """Measure everything, or the shorter half of it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs, fewer loads")
    quick = parser.parse_args().quick
    console, rows, where = Console(soft_wrap=True), list[Result](), machine()
    seconds = 2.0 if quick else 6.0
    with running(CREAVIO_REQUESTS_PER_SECOND=_RATE) as live:
        for row in _measured(live, seconds, quick=quick):
            console.print(f"{row.name}, {row.load}: {_figures(row)}", highlight=False)
            rows.append(row)
    console.print(_table(rows))
    RESULTS.parent.mkdir(exist_ok=True)
    kept = {"machine": where, "rows": [row.as_json() for row in rows]}
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n")


def _measured(live: Live, seconds: float, *, quick: bool) -> Iterable[Result]:
    yield from permissions.checks(5)
    if not quick:
        yield from permissions.checks(50)
    place = people.found(live)
    senders = _members(live, place, 64)
    loads = (1, 64) if quick else (1, 8, 64)
    for number in loads:
        yield asyncio.run(references.echo("bidi", number, seconds))
        yield asyncio.run(send.sends(live, place, senders[:number], seconds, bidi=True))
    yield asyncio.run(references.echo("unary", 64, seconds))
    yield asyncio.run(send.sends(live, place, senders, seconds, bidi=False))
    yield asyncio.run(references.raw_nats(64, seconds))
    yield send.pgbench(live, 16, int(seconds))
    yield from asyncio.run(delivery.delivery(live, place, senders[:1], 1, 10))
    streams = 200 if quick else 1_000
    yield from asyncio.run(delivery.delivery(live, place, senders, streams, 2))
    yield asyncio.run(delivery.fan_out(live, place, senders, 200, seconds))


def _members(live: Live, place: people.Place, number: int) -> list[Person]:
    members = []
    for index in range(number):
        person = live.sign_up(f"member-{index}")
        place.join(person)
        members.append(person)
    return members


def _figures(row: Result) -> str:
    figures = [] if row.operations == 1 else [f"{row.rate:,.0f}/s", f"{row.micros:,.0f} µs CPU"]
    if row.latencies:
        figures.append(f"p50 {row.percentile(0.5):.1f} ms, p99 {row.percentile(0.99):.1f} ms")
    figures += [f"{name} {value:,.2f}" for name, value in row.extra.items()]
    return "; ".join(figures)


def _table(rows: Iterable[Result]) -> Table:
    table = Table("path", "load", "per second", "CPU µs each", "p50 ms", "p99 ms", "besides")
    table.columns[-1].overflow = "fold"
    for row in rows:
        single = row.operations == 1
        table.add_row(
            row.name,
            row.load,
            "" if single else f"{row.rate:,.0f}",
            "" if single else f"{row.micros:,.0f}",
            f"{row.percentile(0.5):.1f}" if row.latencies else "",
            f"{row.percentile(0.99):.1f}" if row.latencies else "",
            ", ".join(f"{name} {value:,.2f}" for name, value in row.extra.items()),
        )
    return table


if __name__ == "__main__":
    main()
