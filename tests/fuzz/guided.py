"""One target under Atheris: `python -m tests.fuzz.guided TARGET [FLAG…] FOLDER…`.

Flags and folders are libFuzzer's (https://llvm.org/docs/LibFuzzer.html). What the target
tries is imported with its coverage looked at, so nothing of the project may be imported
before.
"""

from __future__ import annotations

import sys

import atheris

from tests.fuzz.targets import TARGETS


def main(name: str, *flags: str) -> None:
    """Try inputs until libFuzzer has enough, or one breaks a promise."""
    target = TARGETS[name]
    with atheris.instrument_imports(include=list(target.looked_at), enable_loader_override=False):
        check = target.load(name)
    atheris.Setup([name, *flags], check, enable_python_coverage=True)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
