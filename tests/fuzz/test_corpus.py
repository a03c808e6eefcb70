"""What was once found by fuzzing is tried again, each time: no promise is broken by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"


@pytest.mark.parametrize("name", TARGETS)
def test_what_fuzzing_found_breaks_no_promise(name: str) -> None:
    check = TARGETS[name].load(name)
    inputs = sorted((CORPUS / name).iterdir())
    assert inputs, "a target without a corpus is not tried"
    for each in inputs:
        try:
            check(each.read_bytes())
        except Exception as error:
            raise AssertionError(f"{name} breaks its promise by {each}") from error


def test_nothing_is_kept_of_targets_that_are_gone() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)
