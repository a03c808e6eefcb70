"""The status as a table for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

_MEGABYTE = 1024 * 1024


def status_table(state: Mapping[str, Any]) -> RenderableType:
    """What `GET /status` answered, line by line, and the sums below."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("part")
    table.add_column("health", overflow="fold")
    for column in ("pid", "memory", "restarts", "uptime", "p50"):
        table.add_column(column, justify="right")
    for part in state["parts"]:
        well = part["health"] == "ok"
        table.add_row(
            f"  {part['name']}" if part["within"] else part["name"],
            Text(part["health"], style="green" if well else "red"),
            str(part["pid"] or ""),
            _megabytes(part["memory"]),
            str(part["restarts"] or ""),
            _duration(part["uptime"]),
            "" if part["p50_ms"] is None else f"{part['p50_ms']:.1f} ms",
        )
    started = state["started_in"]
    summary = Text.assemble(
        f"\n{state['url']}   {_megabytes(state['memory'])} in all (PSS)   ",
        "starting" if started is None else f"started in {started:.1f} s",
        f"   up {_duration(state['uptime'])}   {state['home']}",
    )
    return Group(table, summary)


def _megabytes(count: int) -> str:
    return f"{count / _MEGABYTE:.0f} MB" if count else ""


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
