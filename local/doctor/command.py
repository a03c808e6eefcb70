"""The command, and how its report looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
import json
from typing import Annotated

from rich.console import Console
from rich.table import Table
from rich.text import Text
import typer

from local.console import console
from local.doctor.finding import Finding, Verdict
from local.home import Home, running_pid

_COLORS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}


def doctor(
    port: Annotated[
        int, typer.Option(envvar="CREAVIO_PORT", min=1, max=65535, help="Where it would open.")
    ] = 8080,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say what is wrong, and what to do; 0 when nothing fails, 1 when something does."""
    findings = list(examine(Home.from_environment(), port))
    failed = any(finding.verdict is Verdict.FAIL for finding in findings)
    if as_json:
        told = {"ok": not failed, "findings": [asdict(finding) for finding in findings]}
        console().print_json(json.dumps(told))
    else:
        _print(findings)
    raise typer.Exit(1 if failed else 0)


def examine(home: Home, port: int) -> Iterator[Finding]:
    """Look at the machine, the home, and at what runs, if it does. Changes nothing."""
    from chassis import catalog as catalogs
    from local.doctor import data, machine, parts
    from local.doctor import home as homes

    lock_file = catalogs.CATALOG_FILE.parent / "requirements.lock"
    pid = _running(home)
    if pid is None:
        yield from machine.look(home, lock_file, None)
        yield from homes.look(home, port, running=False)
        text = "nothing runs: neither parts nor data were looked at"
        yield Finding("parts", "supervisor", Verdict.WARN, text, "creavio up")
        return
    try:
        state = parts.state(home)
    except parts.SilentError as error:
        yield from machine.look(home, lock_file, None)
        yield from homes.look(home, port, running=True)
        text = f"process {pid} holds the home and does not answer: {error}"
        yield Finding("parts", "supervisor", Verdict.FAIL, text, "creavio down, then creavio up")
        return
    yield from machine.look(home, lock_file, parts.pid_of(state, "envoy"))
    yield from homes.look(home, port, running=True)
    yield from parts.look(state)
    yield from data.look(home)


def _running(home: Home) -> int | None:
    try:
        return running_pid(home)
    except OSError:
        return None  # The home cannot be entered, which is reported as such.


def _print(findings: list[Finding]) -> None:
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    area = ""
    for finding in findings:
        if finding.area != area:
            if area:
                table.add_row()
            area = finding.area
            table.add_row(Text(area, style="bold"))
        mend = Text(f"\n→ {finding.mend}", style="cyan") if finding.mend else Text()
        table.add_row(
            f"  {finding.name}",
            Text(finding.verdict, style=_COLORS[finding.verdict]),
            Text.assemble(finding.text, mend),
        )
    # Not console(): its lines are as long as they need to be, a table's are the screen's.
    out = Console(highlight=False)
    out.print(table)
    out.print(_summary(findings))


def _summary(findings: list[Finding]) -> Text:
    counts = {verdict: sum(f.verdict is verdict for f in findings) for verdict in Verdict}
    text = Text("\n")
    for verdict, count in counts.items():
        if count:
            text.append(f"{count} {verdict}   ", style=_COLORS[verdict])
    return text
