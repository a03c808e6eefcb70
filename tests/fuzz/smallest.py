"""The smallest corpus that reaches as far: of inputs, those that reach what no shorter one does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
import sys
from types import FrameType
from typing import Any, TypeAlias

from tests.fuzz.targets import TARGETS, Check

Step: TypeAlias = tuple[str, int, int]
"""From one line of a file to another."""
Reach: TypeAlias = set[tuple[Step, int]]
"""Steps, each with how often it was taken: once, twice or thrice, more often."""


def smallest(name: str, inputs: Iterable[bytes]) -> list[bytes]:
    """Of inputs that break no promise of a target, those that are worth keeping."""
    target = TARGETS[name]
    check = target.load(name)
    files = {
        str(module.__file__)
        for name, module in [*sys.modules.items()]
        if any(name == looked or name.startswith(f"{looked}.") for looked in target.looked_at)
        and getattr(module, "__file__", None)
    }
    reached: Reach = set()
    kept = []
    for each in sorted({*inputs}, key=lambda data: (len(data), data)):
        further = _reach(check, each, files) - reached
        if further:
            reached |= further
            kept.append(each)
    return kept


def _reach(check: Check, data: bytes, files: set[str]) -> Reach:
    """Every step that is taken in some files while an input is checked."""
    steps: Counter[Step] = Counter()

    def enter(frame: FrameType, _: str, __: Any) -> Any:
        file = frame.f_code.co_filename
        if file not in files:
            return None
        before = 0

        def step(here: FrameType, event: str, _: Any) -> Any:
            nonlocal before
            if event == "line":
                steps[file, before, here.f_lineno] += 1
                before = here.f_lineno
            return step

        return step

    traced = sys.gettrace()
    sys.settrace(enter)
    try:
        check(data)
    finally:
        sys.settrace(traced)
    return {(step, min(times.bit_length(), 3)) for step, times in steps.items()}
