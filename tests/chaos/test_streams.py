"""A whole crowd loses its streams at once, and comes back."""

from __future__ import annotations

import time

import pytest

from tests.chaos.ordeal import Ordeals
from tests.checking.checker import Load
from tests.checking.options import Chaos
from tests.live import Live

MANY = 4_000
SOME = 300
ROUNDS = 3
"""How often something is said and told to everybody, before and after."""


@pytest.mark.timeout(900)
def test_everybody_comes_back_at_once(frail: Live, chaos: Chaos, ordeals: Ordeals) -> None:
    # Each message is told as often as there are streams: few are enough.
    load = Load(
        channels=1,
        unary=1,
        bidi=0,
        streams=MANY if chaos.long else SOME,
        pause=3.0 if chaos.long else 0.2,
    )
    with ordeals.of(frail, f"{load.streams} streams at once", load) as ordeal:
        streams = list(ordeal.checker.record.streams.values())
        opened = [stream.opened for stream in streams]
        for _ in range(ROUNDS):
            ordeal.checker.await_told(ordeal.checker.sent_from_now(60), ordeal.checker.patience)
        ordeal.kill("gateway", "gateway-2")
        ends = time.monotonic() + ordeal.checker.patience
        while away := sum(s.opened == n for s, n in zip(streams, opened, strict=True)):
            assert time.monotonic() < ends, f"{away} streams are not back"
            time.sleep(0.1)
        ordeal.did(f"{load.streams} streams are back")
        for _ in range(ROUNDS):
            ordeal.checker.await_told(ordeal.checker.sent_from_now(60), ordeal.checker.patience)
