"""`python -m bench.page [--quick]`: measures the web app in a browser, prints a table, keeps
`bench/results/page.json`."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from pathlib import Path

from bench import people, report
from bench.measure import Result
from bench.page import channel, lighthouse, talk
from bench.page.screen import Screen, opened
from tests.live import Live, Person, running
from tools import web


def main() -> None:
    """Measure, with a short past and short times if asked to."""
    parser = argparse.ArgumentParser(prog="python -m bench.page", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a shorter past, shorter times")
    quick = parser.parse_args().quick
    web.build(Path(__file__).parents[2])
    messages, seconds, hour = (1_000, 5.0, 7.2) if quick else (10_000, 30.0, 72.0)
    with running(CREAVIO_REQUESTS_PER_SECOND=people.RATE) as live:
        place = people.found(live)
        members = [live.sign_up(f"member-{index}") for index in range(25)]
        for member in members:
            place.join(member)
        for channel_id in place.channels[1:]:
            place.owner.send(channel_id, "Hello.")
        asyncio.run(talk.fill(live, place, members, messages))
        with opened(live) as screen:
            report.keep("page", _measured(live, screen, place, members, messages, seconds, hour))


def _measured(
    live: Live,
    screen: Screen,
    place: people.Place,
    members: list[Person],
    messages: int,
    seconds: float,
    hour: float,
) -> Iterator[Result]:
    yield from lighthouse.judged(screen, {"the door": "/sign-in"})
    screen.sign_in(place.owner)
    room = f"/c/{place.community}/{place.channels[0]}"
    yield from lighthouse.judged(screen, {"a room": room})
    yield channel.past(screen, place, messages)
    yield channel.live_events(live, screen, place, members, seconds)
    yield channel.an_hour(live, screen, place, members, hour)
    yield channel.reconnect(live, screen, place, members[0])


if __name__ == "__main__":
    main()
