"""`python -m bench.peers [--quick]`: measures the platform, Synapse and Prosody in turns,
prints a table, keeps `bench/results/peers.json`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import ExitStack

from bench import report
from bench.measure import Result
from bench.peers import creavio, prosody, synapse
from bench.peers.load import beside, compared, loads


def main() -> None:
    """Measure all of them, or for a shorter time with the most senders only."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs, fewer loads")
    report.keep("peers", beside(_measured(quick=parser.parse_args().quick)))


def _measured(*, quick: bool) -> Iterator[Result]:
    asked, seconds, rounds = (loads((64,)), 2.0, 1) if quick else (loads((8, 64)), 5.0, 2)
    most = max(load.senders for load in asked)
    with ExitStack() as running:
        contenders = [
            *running.enter_context(creavio.contenders(most)),
            *running.enter_context(synapse.contenders(most)),
        ]
        if program := prosody.find():
            contenders += running.enter_context(prosody.contenders(program, most))
        else:
            yield Result("prosody", f"left out: apt install {' '.join(prosody.PACKAGES)}", 0, 1.0)
        for load in asked:
            yield from compared(contenders, load, seconds, rounds)


if __name__ == "__main__":
    main()
