"""Events that no service could handle: `creavio events dead`, `creavio events replay`.

They stand in the database of the service that was to handle them. Replaying one
marks it there; the service itself handles it then, within two seconds, and it is
gone when that went well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
import json
from typing import Annotated

from rich.console import Console
from rich.table import Table
from rich.text import Text
import typer

from local.console import console, fail, not_running
from local.databases import connected, database_of
from local.home import Home, running_pid

_LIST = """
SELECT event_id, type, create_time, tries, error, replay FROM dead_letter ORDER BY create_time
"""
_MARK_ONE = "UPDATE dead_letter SET replay = true WHERE event_id = %s"
_MARK_ALL = "UPDATE dead_letter SET replay = true"

app = typer.Typer(no_args_is_help=True, help="Events that no service could handle.")
Service = Annotated[str | None, typer.Option("--service", "-s", help="Of one service alone.")]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that a service could not handle."""

    service: str
    event_id: str
    type: str
    time: datetime
    """When it was last tried."""
    tries: int
    error: str
    replay: bool
    """Whether it is about to be tried again."""


class UnknownServiceError(Exception):
    """No such service handles events."""


def consumers(service: str | None) -> list[str]:
    """The services that handle events of others, or the one.

    Raises `UnknownServiceError`.
    """
    from chassis import catalog as catalogs

    services = catalogs.load().services
    names = [name for name, entry in services.items() if entry.consumes and entry.database]
    if service is None:
        return names
    if service not in names:
        raise UnknownServiceError(f"{service} handles no events; {', '.join(names)} do")
    return [service]


def dead_letters(home: Home, service: str | None = None) -> list[DeadLetter]:
    """Every event set aside, service by service, the oldest first."""
    found: list[DeadLetter] = []
    for name in consumers(service):
        with connected(home, database_of(name)) as connection:
            rows = connection.execute(_LIST).fetchall()
        found += [DeadLetter(name, *row) for row in rows]
    return found


def mark(home: Home, event_id: str | None, service: str | None = None) -> int:
    """Have an event, or every one, handled again; how many were marked."""
    marked = 0
    for name in consumers(service):
        with connected(home, database_of(name)) as connection:
            cursor = (
                connection.execute(_MARK_ALL)
                if event_id is None
                else connection.execute(_MARK_ONE, (event_id,))
            )
            marked += cursor.rowcount
    return marked


@app.command()
def dead(
    service: Service = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show the events that could not be handled."""
    with _asking() as home:
        letters = dead_letters(home, service)
    if as_json:
        told = [asdict(letter) | {"time": letter.time.isoformat()} for letter in letters]
        console().print_json(json.dumps(told))
    elif letters:
        Console(highlight=False).print(_table(letters))
    else:
        console().print("every event was handled")


@app.command()
def replay(
    event_id: Annotated[str | None, typer.Argument(help="As `dead` shows it.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every one.")] = False,
    service: Service = None,
) -> None:
    """Have an event handled again; its service does so within two seconds."""
    if (event_id is None) != everything:
        fail("say which event, or --all")
    with _asking() as home:
        marked = mark(home, event_id, service)
    if event_id is not None and not marked:
        fail(f"no event {event_id} is waiting to be handled: creavio events dead")
    console().print(f"{marked} to be handled again: creavio events dead shows what was not")


@contextmanager
def _asking() -> Iterator[Home]:
    """The home whose databases can be asked; otherwise says why not, and exits."""
    import psycopg

    home = Home.from_environment()
    if running_pid(home) is None:
        not_running(home)
    try:
        yield home
    except (UnknownServiceError, psycopg.Error) as error:
        fail(str(error).strip())


def _table(letters: list[DeadLetter]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("service", "event", "type", "when"):
        table.add_column(column, overflow="fold")
    table.add_column("tries", justify="right")
    table.add_column("error", overflow="fold")
    for letter in letters:
        table.add_row(
            letter.service,
            letter.event_id,
            letter.type,
            letter.time.astimezone().isoformat(" ", "seconds"),
            str(letter.tries),
            Text("tried again soon" if letter.replay else letter.error),
        )
    return table
