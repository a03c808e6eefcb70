"""`python -m bench.page [--quick] [--traces FOLDER]`: measures the web app in a browser, prints
a table, keeps `bench/results/page.json`, and traces for the developer tools where asked to."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
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
    parser.add_argument("--traces", type=Path, help="a folder to keep the browser's traces in")
    parser.add_argument("--hour", action="store_true", help="an hour's use takes an hour")
    asked = parser.parse_args()
    quick = asked.quick
    if asked.traces is not None:
        asked.traces.mkdir(parents=True, exist_ok=True)
    web.build(Path(__file__).parents[2])
    messages, seconds, hour = (1_000, 5.0, 7.2) if quick else (10_000, 30.0, 72.0)
    with running(CREAVIO_REQUESTS_PER_SECOND=people.RATE) as live:
        place = people.found(live)
        members = people.members(live, place, 25)
        for channel_id in place.channels[1:]:
            place.owner.send(channel_id, "Hello.")
        asyncio.run(talk.fill(live, place, members, messages))
        with opened(live) as screen:
            length = 3600.0 if asked.hour else hour
            sight = Sight(live, screen, place, members, asked.traces)
            report.keep("page", _measured(sight, messages, seconds, length))


@dataclass(frozen=True)
class Sight:
    """What is looked at, and where traces of it are kept."""

    live: Live
    screen: Screen
    place: people.Place
    members: list[Person]
    traces: Path | None

    def traced(self, name: str) -> AbstractContextManager[None]:
        """Keep a trace of what happens in the block, if they are wanted."""
        return self.screen.traced(self.traces and self.traces / f"{name}.json.gz")


def _measured(sight: Sight, messages: int, seconds: float, hour: float) -> Iterator[Result]:
    live, screen, place = sight.live, sight.screen, sight.place
    yield from lighthouse.judged(screen, {"the door": lighthouse.DOOR})
    screen.sign_in(place.owner)
    room = f"/c/{place.community}/{place.channels[0]}"
    yield from lighthouse.judged(screen, {"a room": room})
    with sight.traced("past"):
        yield channel.past(screen, place, messages)
    with sight.traced("live"):
        yield channel.live_events(live, screen, place, sight.members, seconds)
    with sight.traced("reconnect"):
        yield channel.reconnect(live, screen, place, sight.members[0])
    # A trace of an hour is larger than what the developer tools open.
    yield channel.an_hour(live, screen, place, sight.members, hour)


if __name__ == "__main__":
    main()
