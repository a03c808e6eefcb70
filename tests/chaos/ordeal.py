"""A disaster under load: what was done, what became of it, and a page that says so."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import os
import re
import signal
import time
from typing import Final

from tests.checking import options
from tests.checking.checker import USUAL, Checker, Load, checking
from tests.checking.options import Chaos
from tests.checking.record import Verdict
from tests.live import Live

WELL_WITHIN: Final = 90.0
"""Seconds after the last harm until everything is well: a part may be paused for 10 s
between two starts and take 30 s to answer, 60 for PostgreSQL, and the machine is busy."""


class Ordeal:
    """One disaster, while it goes on."""

    def __init__(self, live: Live, checker: Checker) -> None:
        self.live = live
        self.checker = checker
        self.deeds: list[tuple[float, str]] = []
        self._began = self._harmed = time.monotonic()
        self._killed: dict[str, int] = {}

    def did(self, what: str) -> None:
        """Note what was done just now."""
        self._harmed = time.monotonic()
        self.deeds.append((self._harmed - self._began, what))

    def kill(self, *parts: str) -> None:
        """kill -9 parts at once, as soon as all of them run."""
        pids = self.live.pids(*parts)
        for part in parts:
            os.kill(pids[part], signal.SIGKILL)
            self._killed[part] = pids[part]
        self.did(f"kill -9 {' and '.join(parts)}")

    def await_health(self) -> None:
        """Return once what was killed runs again and every part says that it is well."""
        ends = self._harmed + WELL_WITHIN
        while self._killed:
            still = self._killed.items() & self.live.pids(*self._killed).items()
            assert time.monotonic() < ends, f"not noticed: {still}"
            self._killed = dict(still)
        self.live.await_health(ends - time.monotonic())

    def await_service(self) -> float:
        """Return once everybody is served and told; the seconds since the last harm."""
        self.await_health()
        ends = self._harmed + max(WELL_WITHIN, self.checker.patience)
        sent = self.checker.sent_from_now(ends - time.monotonic())
        self.checker.await_told(sent, ends - time.monotonic())
        return time.monotonic() - self._harmed


@dataclass(frozen=True)
class Page:
    """What is left to read of a disaster."""

    name: str
    seed: int
    deeds: list[tuple[float, str]]
    verdict: Verdict
    well_after: float | None
    """Seconds from the last harm until everybody was served; None when that did not come."""
    trouble: str = ""
    """Why it did not."""
    but: Collection[str] = ()

    @property
    def good(self) -> bool:
        """Whether every promise was tried, and kept, that this harm leaves standing."""
        faults = {name for name, number in self.verdict.faults.items() if number}
        tried = self.well_after is not None and not self.verdict.untried
        return tried and not faults.difference(self.but)

    @property
    def _recovery(self) -> str:
        return "never" if self.well_after is None else f"{self.well_after:.1f} s"

    def row(self) -> str:
        """Its row under `options.HEAD`."""
        v = self.verdict
        counts = (v.acknowledged, v.seen, *v.faults.values())
        seconds = (f"{v.longest_wait:.1f} s", self._recovery)
        return f"| {' | '.join((self.name, *(f'{n:,}' for n in counts), *seconds))} |"

    def text(self) -> str:
        """The page, as Markdown."""
        v = self.verdict
        lines = [f"# {self.name}", "", f"Seed {self.seed}. {'Good.' if self.good else 'BAD.'}", ""]
        lines += [f"- {at:.1f} s: {what}" for at, what in self.deeds]
        lines += [f"- allowed here: {name}" for name in self.but]
        lines += [f"- not tried: {what}" for what in v.untried]
        lines += [f"- not well again: {self.trouble}"] if self.trouble else []
        lines += ["", "| what | how many |", "| --- | --- |"]
        rows: dict[str, object] = {
            "acknowledged": v.acknowledged,
            "seen by every reader": v.seen,
            **v.faults,
            "events told again under their id": v.repeated,
            "streams opened": v.connections,
            "lists compared": v.listed,
            "longest wait for an acknowledgement": f"{v.longest_wait:.1f} s",
            "everything well again after": self._recovery,
        }
        lines += [f"| {name} | {value} |" for name, value in rows.items()]
        if v.refused:
            lines += ["", "Not acknowledged at once, and sent again:", ""]
            lines += [f"- {count} times {said}" for said, count in v.refused]
        for title, found in (
            ("Lost", v.lost),
            ("Never told", v.never_told),
            ("Missing from a list", v.unlisted),
            ("Doubled", v.doubled),
            ("Out of order", v.out_of_order),
            ("Refused without a reason", v.unexpected),
        ):
            if found:
                lines += ["", f"{title}:", "", *(f"- {each}" for each in found[:20])]
        return "\n".join([*lines, ""])


class Ordeals:
    """Makes disasters, and writes a page about each."""

    def __init__(self, chaos: Chaos, tell: Callable[[str, str], None]) -> None:
        self._chaos = chaos
        self._tell = tell

    @contextmanager
    def of(
        self, live: Live, name: str, load: Load = USUAL, *, but: Collection[str] = ()
    ) -> Iterator[Ordeal]:
        """Load, while the block does its harm; then everything has to be well.

        Fails the test when a promise was broken, `but` for kinds of faults that this harm
        entitles the platform to; the page says which.
        """
        with checking(live, load, self._chaos.seed) as checker:
            ordeal = Ordeal(live, checker)
            well_after, trouble = None, ""
            try:
                yield ordeal
                well_after = ordeal.await_service()
            except AssertionError as error:
                trouble = str(error)  # There is something to tell of it all the same.
            verdict = checker.finish()
        page = Page(name, self._chaos.seed, ordeal.deeds, verdict, well_after, trouble, but)
        self._chaos.results.mkdir(parents=True, exist_ok=True)
        path = self._chaos.results / f"{'-'.join(re.findall('[A-Za-z0-9]+', name))}.md"
        path.write_text(page.text(), encoding="utf-8")
        self._tell(options.PAGE, str(path))
        self._tell(options.ROW, page.row())
        assert page.good, f"{path}\n{page.text()}"
