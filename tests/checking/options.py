"""How tests of disasters are asked for: how long, with what luck, and where to tell of them.

--chaos short|long     a few of each disaster, or all of them (also CHAOS=long)
--chaos-seed NUMBER    repeat a run's choices; chosen by chance otherwise (0 with CI=true),
                       and told
--chaos-results DIR    where each writes its page; a temporary folder otherwise
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
import os
from pathlib import Path
import random
from typing import Final

import pytest

PAGE: Final = "chaos page"
"""Under this name a test's report says where its page is."""
ROW: Final = "chaos row"
"""Under this name it has its row of the run's verdict."""
HEAD: Final = (
    "| disaster | acknowledged | seen by all | lost | never told | not listed | doubled"
    " | out of order | refetch | no reason | longest wait | well again after |"
)
SUMMARY: Final = "summary.md"


@dataclass(frozen=True)
class Chaos:
    """What was asked for."""

    long: bool
    seed: int
    results: Path

    def random(self, name: str) -> random.Random:
        """Chance for one disaster: the same for the same seed, whatever else runs."""
        return random.Random(f"{self.seed} {name}")  # noqa: S311  # nothing secret


def add(parser: pytest.Parser) -> None:
    """Make the options known."""
    group = parser.getgroup("chaos")
    kind = os.environ.get("CHAOS", "short")
    group.addoption("--chaos", choices=("short", "long"), default=kind, help="How many disasters.")
    group.addoption("--chaos-seed", type=int, default=None, help="Repeat a run's choices.")
    group.addoption("--chaos-results", type=Path, default=None, help="Where the pages go.")


def read(config: pytest.Config, scratch: Path) -> Chaos:
    """What was asked for."""
    seed = config.getoption("--chaos-seed")
    if seed is None and os.environ.get("CI"):
        seed = 0
    results = config.getoption("--chaos-results")
    return Chaos(
        long=config.getoption("--chaos") == "long",
        seed=random.SystemRandom().randrange(10**6) if seed is None else seed,
        results=scratch if results is None else results,
    )


def _unfinished(reports: Iterable[pytest.TestReport]) -> Iterator[str]:
    """The disasters that failed before there was anything to judge."""
    for report in reports:
        where, _, test = report.nodeid.partition("::")
        told = {name for name, _ in report.user_properties}
        if report.failed and where.startswith("tests/chaos/") and ROW not in told:
            yield test


def tell(terminal: pytest.TerminalReporter) -> None:
    """Sum up what became of a run, also beside its pages if those are to stay."""
    reports = [report for kind in ("passed", "failed") for report in terminal.getreports(kind)]
    told = [each for report in reports for each in report.user_properties]
    pages = [str(value) for name, value in told if name == PAGE]
    if not pages:
        return
    rows = [str(value) for name, value in told if name == ROW]
    rows += [f"| {each} | **not carried out** |" for each in _unfinished(reports)]
    table = [HEAD, "| --- " * (HEAD.count("|") - 1) + "|", *rows]
    terminal.write_sep("-", "what disasters left")
    for line in (*pages, "", *table):
        terminal.write_line(line)
    folder: Path | None = terminal.config.getoption("--chaos-results")
    if folder is not None:
        kind = terminal.config.getoption("--chaos")
        text = "\n".join((f"# Disasters under load, {kind} form", "", *table, ""))
        (folder / SUMMARY).write_text(text, encoding="utf-8")
