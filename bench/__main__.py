"""`python -m bench [--quick]`: measures, prints tables, keeps `bench/results/latest.json`.

The two profiles are compared at the end, when it is not to be quick, and kept in
`bench/results/profiles.json`; by themselves with `--profiles`.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterable

from bench import (
    cold,
    crowd,
    delivery,
    edge,
    history,
    people,
    permissions,
    profiles,
    references,
    report,
    send,
    storm,
)
from bench.measure import Result
from tests.live import Live, running


def main() -> None:
    """Measure everything, or the shorter half of it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter runs, fewer loads")
    parser.add_argument("--profiles", action="store_true", help="the two profiles, nothing else")
    asked = parser.parse_args()
    quick = asked.quick
    seconds = 2.0 if quick else 6.0
    if asked.profiles:
        report.keep("profiles", profiles.profiles(seconds, (1, 64), people.RATE))
        return
    with running(CREAVIO_REQUESTS_PER_SECOND=people.RATE) as live:
        report.keep("latest", _measured(live, seconds, quick=quick))
    if not quick:
        report.keep("profiles", profiles.profiles(seconds, (1, 64), people.RATE))


def _measured(live: Live, seconds: float, *, quick: bool) -> Iterable[Result]:
    yield from permissions.checks(5)
    if not quick:
        yield from permissions.checks(50)
    loads = (1, 64) if quick else (1, 8, 64, 256)
    place = people.found(live)
    members = people.members(live, place, max(loads))
    for number in loads:
        for kind in ("bidi", "unary"):
            yield asyncio.run(references.echo(kind, number, seconds))
            yield asyncio.run(
                send.sends(live, place, members[:number], seconds, bidi=kind == "bidi")
            )
    yield asyncio.run(references.raw_nats(64, seconds))
    yield send.plain(live, 16, int(seconds))
    yield from asyncio.run(delivery.delivery(live, place, members[:1], 1, 10))
    streams = 200 if quick else 1_000
    yield from asyncio.run(delivery.delivery(live, place, members[:64], streams, 2))
    yield asyncio.run(delivery.fan_out(live, place, members[:64], 200, seconds))
    yield from asyncio.run(_all(edge.calls(live, place.owner, seconds)))
    yield from asyncio.run(_all(storm.crowds(live, members, quick=quick)))
    yield from asyncio.run(_all(cold.checks(live, place, quick=quick)))
    yield from crowd.crowd(live, members, quick=quick)
    messages = 20_000 if quick else 1_000_000
    yield from asyncio.run(_all(history.reading(live, members[0], messages)))


async def _all(measured: AsyncIterator[Result]) -> list[Result]:
    return [one async for one in measured]


if __name__ == "__main__":
    main()
