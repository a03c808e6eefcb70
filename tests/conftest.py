"""What every test can ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager

import pytest

from chassis.database import Database
from chassis.testing import scratch_database
from tests.live import Live, running


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    """The real platform, shared by the tests of one worker: leave it running."""
    with running() as platform:
        yield platform


@pytest.fixture
def scratch(live: Live) -> Callable[[str], AbstractAsyncContextManager[Database]]:
    """Makes a database with a service's schema, for one test."""
    return lambda service: scratch_database(live.database_url(), service)
