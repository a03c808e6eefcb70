"""`python -m bench.peers [--quick]`: measures the platform, Synapse and Prosody one after another,
prints a table, keeps `bench/results/peers.json`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from bench import report
from bench.measure import Result
from bench.peers import creavio, prosody, synapse
from bench.peers.load import beside, loads


def main() -> None:
    """Measure all of them, or for a shorter time with the most senders only."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs, fewer loads")
    report.keep("peers", beside(_measured(quick=parser.parse_args().quick)))


def _measured(*, quick: bool) -> Iterator[Result]:
    asked, seconds = (loads((64,)), 2.0) if quick else (loads((8, 64)), 10.0)
    for peer in (creavio, synapse, prosody):
        yield from peer.rows(asked, seconds)


if __name__ == "__main__":
    main()
