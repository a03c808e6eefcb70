"""How a run is told: row by row while it goes on, as a table, and as a file that stays."""

from __future__ import annotations

from collections.abc import Iterable
import json
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from bench.measure import Result, machine

RESULTS: Final = Path(__file__).parent / "results"


def keep(name: str, measured: Iterable[Result]) -> list[Result]:
    """Print rows as they come, a table of those that are of many operations, and write
    `bench/results/<name>.json`."""
    console, rows, where = Console(soft_wrap=True), list[Result](), machine()
    try:
        for row in measured:
            console.print(f"{row.name}, {row.load}: {_figures(row)}", highlight=False)
            rows.append(row)
    finally:  # What was measured is kept, whatever comes after it.
        if (table := _table(rows)).row_count:
            console.print(table)
        RESULTS.mkdir(exist_ok=True)
        kept = {"machine": where, "rows": [row.as_json() for row in rows]}
        (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=2) + "\n")
    return rows


def _figures(row: Result) -> str:
    figures = [] if row.operations == 1 else [f"{row.rate:,.0f}/s", f"{row.micros:,.0f} µs CPU"]
    if row.latencies:
        figures.append(f"p50 {row.percentile(0.5):.1f} ms, p99 {row.percentile(0.99):.1f} ms")
    figures += [f"{name} {value:,.2f}" for name, value in row.extra.items()]
    return "; ".join(figures)


def _table(rows: Iterable[Result]) -> Table:
    table = Table("path", "load", "per second", "CPU µs each", "p50 ms", "p99 ms")
    for row in rows:
        if row.operations == 1:
            continue  # What it has to say was said in its line.
        table.add_row(
            row.name,
            row.load,
            f"{row.rate:,.0f}",
            f"{row.micros:,.0f}",
            f"{row.percentile(0.5):.1f}" if row.latencies else "",
            f"{row.percentile(0.99):.1f}" if row.latencies else "",
        )
    return table
