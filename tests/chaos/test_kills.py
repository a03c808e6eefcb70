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


@pytest.mark.timeout(1200)
def test_one_after_the_other(frail: Live, chaos: Chaos, ordeals: Ordeals) -> None:
    order = list(PARTS) * (3 if chaos.long else 1)
    chaos.random("order").shuffle(order)
    with ordeals.of(frail, "kill -9, one after the other") as ordeal:
        for part in order:
            ordeal.kill(part)
            time.sleep(3.0 if chaos.long else 0.7)


@pytest.mark.timeout(1200)
def test_two_at_once(frail: Live, chaos: Chaos, ordeals: Ordeals) -> None:
    pairs = chaos.random("pairs").sample(PAIRS, 24 if chaos.long else 4)
    with ordeals.of(frail, "kill -9, two at once") as ordeal:
        for pair in pairs:
            ordeal.kill(*pair)
            time.sleep(1.0)
            frail.await_health(60)


@pytest.mark.timeout(600)
def test_each_service_is_reloaded(frail: Live, chaos: Chaos, ordeals: Ordeals) -> None:
    with ordeals.of(frail, "rolling restart") as ordeal:
        for service in ("auth", "user", "rbac", "community", "chat", "gateway"):
            said = frail.creavio("reload", service)
            assert said.returncode == 0, said.stderr
            ordeal.did(f"creavio reload {service}")
            time.sleep(2.0 if chaos.long else 0.2)
