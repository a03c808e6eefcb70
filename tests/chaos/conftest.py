"""Platforms that are harmed, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.chaos.ordeal import Ordeals
from tests.checking import options
from tests.checking.options import Chaos
from tests.live import Live, running


@pytest.fixture(scope="session")
def chaos(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Chaos:
    """How long, and with what luck."""
    return options.read(pytestconfig, tmp_path_factory.mktemp("chaos"))


@pytest.fixture(scope="package")
def harmed() -> Iterator[Live]:
    """Two chats and two gateways that tests before may have harmed."""
    with running(CREAVIO_REPLICAS="chat=2,gateway=2") as platform:
        yield platform


@pytest.fixture
def frail(harmed: Live) -> Live:
    """Two chats and two gateways, well, that may be harmed."""
    harmed.await_health(60)
    return harmed


@pytest.fixture
def ordeals(chaos: Chaos, record_property: Callable[[str, object], None]) -> Ordeals:
    """Disasters under load, each with its page."""
    return Ordeals(chaos, record_property)
