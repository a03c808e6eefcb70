"""`creavio`: start, stop and look at the platform on this machine.

`CREAVIO_HOME` (default `~/.creavio`) says where its data lives, `CREAVIO_PORT`
(default 8080) where it opens.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
import signal
import time
from typing import Annotated, Any

from rich.console import Console
from rich.live import Live
import typer

from local import admin, events, policy
from local.backup.command import backup, restore
from local.console import console, fail, not_running
from local.doctor.command import doctor
from local.home import AlreadyRunningError, Home, running_pid
from local.http_socket import ask
from local.logs import follow, tail
from local.seed.command import seed
from local.table import status_table

_STOP_SECONDS = 60

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(admin.app, name="admin")
app.add_typer(events.app, name="events")
app.add_typer(policy.app, name="policy")
app.command()(doctor)
app.command()(backup)
app.command()(restore)
app.command()(seed)


@app.callback()
def creavio() -> None:
    """The Creavio platform on one machine."""


@app.command()
def up(
    port: Annotated[
        int, typer.Option(envvar="CREAVIO_PORT", min=1, max=65535, help="Where to open.")
    ] = 8080,
    reload: Annotated[bool, typer.Option(help="Run saved files at once.")] = False,
    limits: Annotated[
        Path | None,
        typer.Option(envvar="CREAVIO_LIMITS", help="A JSON file with other rate limits."),
    ] = None,
    replicas: Annotated[
        str,
        typer.Option(
            envvar="CREAVIO_REPLICAS", help="Processes of a service, such as chat=2,gateway=2."
        ),
    ] = "",
    metrics_port: Annotated[
        int | None,
        typer.Option(
            envvar="CREAVIO_METRICS_PORT",
            min=1,
            max=65535,
            help="Metrics for Prometheus: on loopback from this port on, one a process.",
        ),
    ] = None,
    compact: Annotated[
        bool,
        typer.Option(
            "--compact",
            envvar="CREAVIO_COMPACT",
            help="All services in one process: for a machine with 1 GB.",
        ),
    ] = False,
) -> None:
    """Start everything, and keep it running until ctrl-C."""
    from chassis.catalog import CatalogError
    from local.bus import PlanError
    from local.keeper import StartError
    from local.parts import Options, read_replicas
    from local.preflight import ObstacleError, check
    from local.profile import COMPACT, USUAL
    from local.supervisor import Supervisor
    from mesh.topology import TopologyError, load_limits

    home = Home.from_environment()
    if pid := running_pid(home):
        fail(f"Creavio already runs on {home.root} (pid {pid}): creavio status, or creavio down")
    out = console()
    try:
        options = Options(
            home,
            port,
            reload,
            limits=load_limits(limits),
            replicas=read_replicas(replicas),
            metrics_port=metrics_port,
            profile=COMPACT if compact else USUAL,
        )
        check(options)
        asyncio.run(Supervisor(options, lambda text: out.print(text, markup=False)).run())
    except (
        ObstacleError,
        AlreadyRunningError,
        CatalogError,
        PlanError,
        StartError,
        TopologyError,
    ) as error:
        fail(str(error))


@app.command()
def down() -> None:
    """Stop everything that runs on this home, and wait until it has."""
    home = Home.from_environment()
    pid = running_pid(home)
    if pid is None:
        console().print(f"nothing runs on {home.root}")
        return
    try:
        os.kill(pid, signal.SIGTERM)
    except PermissionError:
        fail(f"process {pid} belongs to another user")
    except ProcessLookupError:
        pass
    deadline = time.monotonic() + _STOP_SECONDS
    while running_pid(home) == pid:
        if time.monotonic() > deadline:
            fail(f"process {pid} does not end; its logs are in {home.logs}")
        time.sleep(0.05)
    console().print("stopped")


@app.command()
def status(
    name: Annotated[str | None, typer.Argument(help="A service, or another part.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep it on the screen.")] = False,
) -> None:
    """Show how every part is; 0 when all are well, 1 when not, 3 when nothing runs."""
    home = Home.from_environment()
    out = console()
    if watch:
        _watch(home, out)
        return
    state = _ask_status(home)
    if name is not None:
        state["parts"] = [part for part in state["parts"] if part["name"] == name]
        if not state["parts"]:
            fail(f"there is no part called {name}")
    if as_json:
        out.print_json(json.dumps(state))
    else:
        out.print(status_table(state))
    raise typer.Exit(0 if all(part["health"] == "ok" for part in state["parts"]) else 1)


@app.command()
def logs(
    name: Annotated[str | None, typer.Argument(help="A service, or another part.")] = None,
    following: Annotated[bool, typer.Option("--follow", "-f", help="Go on as it grows.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0)] = 20,
) -> None:
    """Show the last lines of a log, or of every one."""
    home = Home.from_environment()
    known = {path.stem: path for path in sorted(home.logs.glob("*.log"))}
    if name is not None and name not in known:
        fail(f"there is no log of {name}; there are: {', '.join(known) or 'none yet'}")
    chosen = {name: known[name]} if name else known
    width = max((len(label) for label in chosen), default=0)
    prefix = {label: "" if name else f"{label:<{width}} | " for label in chosen}
    try:
        if following:
            for label, line in follow(chosen, lines):
                typer.echo(prefix[label] + line)
        for label, path in chosen.items():
            for line in tail(path, lines)[0]:
                typer.echo(prefix[label] + line)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@app.command()
def reload(service: Annotated[str, typer.Argument(help="A service, or all.")]) -> None:
    """Run a service's code as it is now; return when it answers."""
    home = Home.from_environment()
    try:
        code, body = ask(home.control, "POST", f"/reload/{service}", timeout=90)
    except OSError:
        not_running(home)
    if code != 200:
        fail(json.loads(body)["error"])


def _ask_status(home: Home) -> dict[str, Any]:
    try:
        _, body = ask(home.control, "GET", "/status", timeout=15)
    except OSError:
        not_running(home)
    state: dict[str, Any] = json.loads(body)
    return state


def _watch(home: Home, out: Console) -> None:
    try:
        with Live(status_table(_ask_status(home)), console=out, auto_refresh=False) as live:
            while True:
                time.sleep(1)
                live.update(status_table(_ask_status(home)), refresh=True)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def main() -> None:
    """Run the command line."""
    app(prog_name="creavio")


if __name__ == "__main__":
    main()
