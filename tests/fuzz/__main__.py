"""`python -m tests.fuzz`: looks for bytes that break a promise, target by target.

Each target runs in a process of its own, from its corpus on. What breaks a promise is kept
in a folder that is named at the end; `python -m tests.fuzz.guided TARGET FILE` tries it again.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from hashlib import sha256
import importlib.util
from pathlib import Path
import re
import shutil
import subprocess
import sys
import tempfile
from typing import Final

from rich.console import Console

from tests.fuzz.smallest import smallest
from tests.fuzz.targets import TARGETS

CORPUS: Final = Path(__file__).parent / "corpus"
"""A folder for each target."""
ROOT: Final = Path(__file__).parents[2]
_LARGEST: Final = 2_048
"""Bytes of an input: what costs more than its length costs too much with these already."""
_PATIENCE: Final = 10
"""Seconds that one input may take."""
_MEMORY: Final = 2_048
_OURS: Final = re.compile("[0-9a-f]{16}")
"""The name of an input that was found, and was not put there by hand."""
_OVER: Final = 60
"""Seconds beyond its time after which a target is given up: it started, and had its last input."""


def main() -> int:
    """0 when every promise was kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--target", action="append", choices=list(TARGETS), help="only this one")
    parser.add_argument("--seconds", type=int, default=10, help="for each target (10)")
    parser.add_argument("--found", type=Path, help="where to keep what breaks a promise")
    parser.add_argument(
        "--keep", action="store_true", help="add what reached further to the corpus"
    )
    options = parser.parse_args()
    out = Console(highlight=False)
    if importlib.util.find_spec("atheris") is None:
        out.print("Atheris is not there: `make fuzz` installs it, where this Python has it")
        return 2
    found = options.found or Path(tempfile.mkdtemp(prefix="creavio-fuzz-"))
    found.mkdir(parents=True, exist_ok=True)
    broken = []
    for name in options.target or TARGETS:
        kept, said = _fuzzed(name, options.seconds, found, keep=options.keep)
        out.print(f"{name:18} {'ok' if kept else 'BROKEN'}  {said}", markup=False)
        if not kept:
            broken.append(name)
    if broken:
        out.print(f"{len(broken)} broken: inputs and logs are in {found}", markup=False)
    elif options.found is None:
        shutil.rmtree(found)
    return 1 if broken else 0


def _fuzzed(name: str, seconds: int, found: Path, *, keep: bool) -> tuple[bool, str]:
    """Whether a target kept its promise for so long, and how far it was tried."""
    with tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp") as folder:
        reached, log = Path(folder), found / f"{name}.log"
        flags = (
            f"-max_total_time={seconds}",
            f"-max_len={_LARGEST}",
            f"-timeout={_PATIENCE}",
            f"-rss_limit_mb={_MEMORY}",
            f"-artifact_prefix={found}/{name}-",
            "-print_final_stats=1",
        )
        done = _guided(name, flags, (reached, CORPUS / name), log, seconds + _OVER)
        if done == 0 and keep:
            _keep(name, reached)
    return done == 0, _told(log)


def _guided(
    name: str, flags: Sequence[str], folders: Sequence[Path], log: Path, seconds: float
) -> int:
    """Run a target by itself; its return code, other than 0 when it does not end."""
    argv = [sys.executable, "-m", "tests.fuzz.guided", name, *flags, *map(str, folders)]
    with log.open("ab") as output:
        try:
            done = subprocess.run(
                argv, cwd=ROOT, stdout=output, stderr=output, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired:
            output.write(b"it does not end\n")
            return 1
    return done.returncode


def _keep(name: str, reached: Path) -> None:
    """Make of a corpus and what was reached the smallest that reaches as far.

    What somebody gave a name stays. libFuzzer's own way starts its program anew, which it
    cannot where that is a module of Python's.
    """
    corpus = CORPUS / name
    corpus.mkdir(parents=True, exist_ok=True)
    ours = [each for each in corpus.iterdir() if _OURS.fullmatch(each.name)]
    kept = smallest(name, [each.read_bytes() for each in (*ours, *reached.iterdir())])
    for each in ours:
        each.unlink()
    for content in kept:
        (corpus / sha256(content).hexdigest()[:16]).write_bytes(content)


_COVERED: Final = re.compile(r"cov: (\d+)")
_TRIED: Final = re.compile(r"number_of_executed_units: (\d+)")


def _told(log: Path) -> str:
    """The inputs that were tried, and the places in the code that they reached."""
    text = log.read_text(errors="replace")
    return ", ".join(_said(text))


def _said(text: str) -> Iterator[str]:
    for pattern, what in ((_TRIED, "inputs"), (_COVERED, "places")):
        numbers = pattern.findall(text)
        if numbers:
            yield f"{int(numbers[-1]):,} {what}"


if __name__ == "__main__":
    sys.exit(main())
