"""`python -m bench [--quick]`: measures, prints a table, keeps `bench/results/latest.json`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable

from bench import delivery, people, permissions, references, report, send
from bench.measure import Result
from tests.live import Live, Person, running


def main() -> None:
    """Measure everything, or the shorter half of it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs, fewer loads")
    quick = parser.parse_args().quick
    seconds = 2.0 if quick else 6.0
    with running(CREAVIO_REQUESTS_PER_SECOND=people.RATE) as live:
        report.keep("latest", _measured(live, seconds, quick=quick))


def _measured(live: Live, seconds: float, *, quick: bool) -> Iterable[Result]:
    yield from permissions.checks(5)
    if not quick:
        yield from permissions.checks(50)
    place = people.found(live)
    senders = _members(live, place, 64)
    loads = (1, 64) if quick else (1, 8, 64)
    for number in loads:
        yield asyncio.run(references.echo("bidi", number, seconds))
        yield asyncio.run(send.sends(live, place, senders[:number], seconds, bidi=True))
    yield asyncio.run(references.echo("unary", 64, seconds))
    yield asyncio.run(send.sends(live, place, senders, seconds, bidi=False))
    yield asyncio.run(references.raw_nats(64, seconds))
    yield send.plain(live, 16, int(seconds))
    yield from asyncio.run(delivery.delivery(live, place, senders[:1], 1, 10))
    streams = 200 if quick else 1_000
    yield from asyncio.run(delivery.delivery(live, place, senders, streams, 2))
    yield asyncio.run(delivery.fan_out(live, place, senders, 200, seconds))


def _members(live: Live, place: people.Place, number: int) -> list[Person]:
    members = []
    for index in range(number):
        person = live.sign_up(f"member-{index}")
        place.join(person)
        members.append(person)
    return members


if __name__ == "__main__":
    main()
