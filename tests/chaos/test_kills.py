"""Everything is killed under load, one after the other and two at once."""

from __future__ import annotations

import itertools
import time
from typing import Final

import pytest

from tests.chaos.ordeal import Ordeals
from tests.checking.options import Chaos
from tests.live import Live

PARTS: Final = (
    "auth",
    "user",
    "rbac",
    "community",
    "chat",
    "chat-2",
    "gateway",
    "gateway-2",
    "envoy",
    "nats",
    "postgres",
)
PAIRS: Final = list(itertools.combinations(PARTS, 2))
SERVICES: Final = {
    "auth": {"auth"},
    "user": {"user"},
    "rbac": {"rbac"},
    "community": {"community"},
    "chat": {"chat", "chat-2"},
    "gateway": {"gateway", "gateway-2"},
}
"""Each service, and the names of its processes."""


@pytest.mark.timeout(1200)
def test_one_after_the_other(frail: Live, chaos: Chaos, ordeals: Ordeals) -> None:
    # With the warm parent every service dies.
    order = [*PARTS, "warm"] * (3 if chaos.long else 1)
    chaos.random("order").shuffle(order)
    with ordeals.of(frail, "kill -9, one after the other") as ordeal:
        for part in order:
            ordeal.kill(part)
            time.sleep(3.0 if chaos.long else 0.7)


@pytest.mark.timeout(1200)
def test_two_at_once(frail: Live, chaos: Chaos, ordeals: Ordeals) -> None:
    pairs = chaos.random("pairs").sample(PAIRS, len(PAIRS) if chaos.long else 4)
    with ordeals.of(frail, "kill -9, two at once") as ordeal:
        for pair in pairs:
            ordeal.kill(*pair)
            ordeal.await_health()


@pytest.mark.timeout(600)
def test_each_service_is_reloaded(frail: Live, chaos: Chaos, ordeals: Ordeals) -> None:
    with ordeals.of(frail, "rolling restart") as ordeal:
        for service, processes in SERVICES.items():
            before = frail.pids()
            frail.reload(service)
            ordeal.did(f"creavio reload {service}")
            now = frail.pids()
            assert {name for name in before if now.get(name) != before[name]} == processes
            time.sleep(2.0 if chaos.long else 0.2)
