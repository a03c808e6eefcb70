"""How commands speak: what they say, and how they fail."""

from __future__ import annotations

from typing import NoReturn

from rich.console import Console
import typer

from local.home import Home

NOT_RUNNING = 3
"""The exit status of a command that needs the platform to run."""


def console() -> Console:
    """Where a command says what it has to say."""
    return Console(highlight=False, soft_wrap=True)


def fail(message: str) -> NoReturn:
    """Say what is wrong, and exit."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(message, style="red", markup=False)
    raise typer.Exit(1)


def not_running(home: Home) -> NoReturn:
    """Say that nothing runs, and exit."""
    Console(stderr=True).print(f"nothing runs on {home.root}: creavio up", style="red")
    raise typer.Exit(NOT_RUNNING)
