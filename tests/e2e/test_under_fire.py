"""Parts are killed under load; an outsider compares what was acknowledged with what is there."""

from __future__ import annotations

from pathlib import Path
import time

import pytest

from tests.e2e.checker import Checker, Verdict
from tests.e2e.readers import eventually
from tests.live import running

TWO = "chat=2,gateway=2"


def tried(**environment: str) -> Verdict:
    """What is found of a platform whose parts are killed one after the other under load."""
    with running(CREAVIO_REPLICAS=TWO, **environment) as live:
        checker = Checker(live)
        checker.begin()
        for part in ("chat", "gateway", "nats", "postgres", "chat-2", "nats", "gateway-2"):
            time.sleep(1.0)
            live.kill(part)
        time.sleep(2.0)
        eventually(live.healthy, 30, "the platform did not come back")
        return checker.finish()


@pytest.mark.timeout(240)
def test_nothing_acknowledged_is_lost_whatever_is_killed() -> None:
    verdict = tried()
    assert verdict.acknowledged > 100
    assert verdict.good, verdict


@pytest.mark.timeout(240)
def test_the_checker_notices_when_the_outbox_is_off() -> None:
    verdict = tried(PYTHONPATH=str(Path(__file__).parent / "without_outbox"))
    assert verdict.acknowledged > 100
    assert not verdict.lost, "what is acknowledged is kept all the same"
    assert verdict.never_told
