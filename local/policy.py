"""`creavio policy`: hold policies against expectations, with no platform running."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from rich.console import Console
from rich.markup import escape
import typer

from local.console import console

if TYPE_CHECKING:
    from local.policy_file import PolicyFile

app: Final = typer.Typer(no_args_is_help=True, help="Hold policies against expectations.")


@app.callback()
def policy() -> None:
    """Policies of communities."""


@app.command()
def test(
    files: Annotated[list[Path], typer.Argument(help="Policy files.", show_default=False)],
) -> None:
    """Hold policies against what is expected of them; 0 when all of it holds, 1 when not."""
    from local.policy_file import PolicyFileError, load  # Casbin takes its time.

    passed, out = True, console()
    for path in files:
        try:
            file = load(path)
        except PolicyFileError as error:
            out.print(str(error), style="red", markup=False)
            passed = False
            continue
        passed &= _report(out, path, file)
    raise typer.Exit(0 if passed else 1)


def _report(out: Console, path: Path, file: PolicyFile) -> bool:
    from local.policy_file import failures

    failed = failures(file)
    for failure in failed:
        case = file.cases[failure.case]
        name = case.name or ", ".join(case.roles) or file.roles[0].name
        verb = "may" if failure.allowed else "may not"
        out.print(
            f"[red]{escape(str(path))}: cases\\[{failure.case}] ({escape(name)}): "
            f"{verb} [bold]{failure.permission.name}[/bold]: {escape(failure.because)}[/red]"
        )
    expected = sum(len(case.may) + len(case.may_not) for case in file.cases)
    verdict = f"{expected - len(failed)} of {expected} expectations hold"
    color = "red" if failed else "green"
    out.print(f"{escape(str(path))}: [{color}]{verdict}[/{color}]")
    return not failed
