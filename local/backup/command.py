"""The commands."""

from __future__ import annotations

from pathlib import Path
import time
from typing import Annotated

import typer

from local.backup.manifest import BackupError
from local.console import console, fail
from local.doctor.finding import megabytes
from local.home import Home


def backup(
    file: Annotated[Path, typer.Argument(help="The file to make.", show_default=False)],
) -> None:
    """Write the whole instance into one file, while it runs."""
    from local.backup.make import make

    home, out, began = Home.from_environment(), console(), time.monotonic()
    try:
        with out.status("backing up") as shown:
            made = make(home, file.expanduser(), lambda name: shown.update(f"backing up {name}"))
    except BackupError as error:
        fail(str(error))
    size = megabytes(file.expanduser().stat().st_size)
    out.print(
        f"{file}: {len(made.manifest.databases)} databases as of {made.manifest.made:%H:%M:%S} "
        f"UTC, {size}, in {time.monotonic() - began:.1f} s "
        f"(writers waited {made.held_seconds * 1000:.0f} ms)",
        markup=False,
    )
    out.print("It holds every secret of the instance: whoever has it has the instance.")


def restore(
    file: Annotated[Path, typer.Argument(help="What `creavio backup` made.", show_default=False)],
    erased: Annotated[
        Path | None,
        typer.Option(
            help="The list of who was erased, when it is not beside the home.", show_default=False
        ),
    ] = None,
) -> None:
    """Make an empty home the instance a backup holds; creavio up starts it.

    Whoever was erased after the backup is erased again then.
    """
    from local.backup.erased import take_over
    from local.backup.restore import restore as restore_into

    home, out, began = Home.from_environment(), console(), time.monotonic()
    try:
        listed = take_over(home, None if erased is None else erased.expanduser())
        with out.status("restoring") as shown:
            found = restore_into(
                home, file.expanduser(), lambda name: shown.update(f"restoring {name}")
            )
    except BackupError as error:
        fail(str(error))
    out.print(
        f"{home.root} is the instance of {found.made:%Y-%m-%d %H:%M:%S} UTC "
        f"({time.monotonic() - began:.1f} s): creavio up",
        markup=False,
    )
    if not listed:
        out.print(
            f"There is no {home.erased}: who was erased since the backup is back. If the "
            "instance has such a list elsewhere, put it there before the start."
        )
