"""What a look at something found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How something is."""

    OK = "ok"
    WARN = "warn"
    """It works, and will not for long, or not well."""
    FAIL = "fail"
    """It does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, how it is, and the mend."""

    area: str
    name: str
    verdict: Verdict
    text: str
    mend: str = ""
    """What to do; empty when there is nothing to do."""


def megabytes(count: float) -> str:
    """A size for people."""
    if count >= 1024**3:
        return f"{count / 1024**3:.1f} GB"
    return f"{count / 1024**2:.0f} MB" if count >= 1024**2 else f"{count / 1024:.0f} KB"


def worst(*verdicts: Verdict) -> Verdict:
    """The worst of some; OK when there are none."""
    return max(verdicts, key=list(Verdict).index, default=Verdict.OK)
