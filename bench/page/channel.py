"""A channel with a long past, and one in which much is said, as they are drawn."""

from __future__ import annotations

import time

from bench import people
from bench.measure import Result
from bench.page.screen import Screen, row
from bench.page.talk import talking
from tests.live import Live, Person

_WHEEL = 700
_STEPS_BETWEEN_LOOKS = 15
_ROOMS_SECONDS = 2.0
_HOUR = 3_600


def past(screen: Screen, place: people.Place, messages: int) -> Result:
    """Scroll from the latest message to the first: how smooth it is, and whether it jumps."""
    opened = screen.room(place.community, place.channels[0])
    before, page = screen.memory(), screen.page
    page.get_by_role("log").hover()
    jumps = [0.0]
    with screen.watched() as drawn:
        began = time.perf_counter()
        while not page.get_by_role("log").get_by_text("This is where").count():
            for _ in range(_STEPS_BETWEEN_LOOKS):
                page.mouse.wheel(0, -_WHEEL)
                page.wait_for_timeout(16)
            jumps.append(_moved_by_itself(screen))
            if time.perf_counter() - began > 600:
                raise RuntimeError("the beginning was not reached")
        took = time.perf_counter() - began
    after = screen.memory()
    return row(
        "a long channel",
        f"{messages:,} messages, from the last to the first",
        first_message_s=opened,
        scrolled_s=took,
        **drawn,
        jump_worst_px=max(jumps),
        heap_before_mib=before["heap_mib"],
        heap_after_mib=after["heap_mib"],
        nodes_after=after["nodes"],
    )


def live_events(
    live: Live, screen: Screen, place: people.Place, members: list[Person], seconds: float
) -> Result:
    """Look at a channel in which fifty things are said a second."""
    screen.room(place.community, place.channels[1])
    screen.ask("note()")
    with talking(live, place.channels[1], members, 50) as sent:
        time.sleep(1)
        with screen.watched() as drawn:
            time.sleep(seconds)
    time.sleep(1)
    shown = {name: at / 1000 for name, at in screen.ask("shown").items()}
    delays = sorted(shown[name] - at for name, at in sent.items() if name in shown)
    unseen = len(sent) - len(delays)
    return row(
        "live messages",
        f"{len(sent) / (seconds + 1):.0f} a second for {seconds:.0f} s",
        **drawn,
        shown_p50_ms=delays[len(delays) // 2] * 1000,
        shown_p99_ms=delays[int(0.99 * len(delays))] * 1000,
        unseen=float(unseen),
    )


def an_hour(
    live: Live, screen: Screen, place: people.Place, members: list[Person], seconds: float
) -> Result:
    """As many messages as come in an hour of one a second, and a room after the other."""
    screen.room(place.community, place.channels[1])
    before, page, turns = screen.memory(), screen.page, 0
    names = [f"channel {number}" for number in range(1, len(place.channels))]
    sidebar = page.get_by_role("navigation", name="Channels of Bench")
    with talking(live, place.channels[2], members, _HOUR / seconds) as sent:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            name = names[turns % len(names)]
            sidebar.get_by_role("button", name=name).first.click()
            page.get_by_role("heading", name=name, exact=True).wait_for()
            turns += 1
            time.sleep(_ROOMS_SECONDS)
    sidebar.get_by_role("button", name=names[0]).first.click()
    page.get_by_role("heading", name=names[0], exact=True).wait_for()
    time.sleep(1)
    after = screen.memory()
    return row(
        "an hour of use",
        f"{len(sent):,} messages, {turns} rooms, in {seconds:.0f} s",
        heap_before_mib=before["heap_mib"],
        heap_after_mib=after["heap_mib"],
        nodes_before=before["nodes"],
        nodes_after=after["nodes"],
    )


def reconnect(live: Live, screen: Screen, place: people.Place, teller: Person) -> Result:
    """Kill the gateway: how long until what was said meanwhile is there to be read."""
    screen.room(place.community, place.channels[3])
    screen.ask("note()")
    teller.send(place.channels[3], "n-900000 before")
    _until_shown(screen, "n-900000")
    killed = time.time()
    live.kill("gateway")
    said = time.time()
    teller.send(place.channels[3], "n-900001 while it was away")
    _until_shown(screen, "n-900001")
    shown = screen.ask("shown")["n-900001"] / 1000
    return row("the gateway is killed", "one message", said_s=said - killed, shown_s=shown - killed)


def _until_shown(screen: Screen, name: str) -> None:
    screen.page.get_by_role("log").get_by_text(name).first.wait_for()


def _moved_by_itself(screen: Screen) -> float:
    """Pixels by which what is read moves while nobody moves it, and more of the past arrives."""
    at = screen.ask("anchor()")
    while True:  # until the wheel has come to rest
        screen.page.wait_for_timeout(80)
        now = screen.ask("anchor()")
        if now is None or (at is not None and now["id"] == at["id"] and now["top"] == at["top"]):
            break
        at = now
    screen.page.wait_for_timeout(400)
    top = None if at is None else screen.ask("top(given)", at["id"])
    return 0.0 if at is None or top is None else abs(top - at["top"])
