"""One platform for the tests that leave it as they found it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mesh.topology import Budget, Limit, Limits
from tests.edge.platform import Platform, running

GENEROUS = Budget(source=Limit(1_000_000), person=Limit(1_000_000))
UNLIMITED = Limits(read=GENEROUS, write=GENEROUS, sensitive=GENEROUS, stream=GENEROUS)


@pytest.fixture(scope="session")
def shared_platform() -> Iterator[Platform]:
    with running(limits=UNLIMITED) as platform:
        yield platform


@pytest.fixture
def platform(shared_platform: Platform) -> Iterator[Platform]:
    shared_platform.reset()
    yield shared_platform
    shared_platform.reset()
