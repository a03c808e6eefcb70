"""One running platform per module, with fake services; tests that end it start their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.home import Home
from tests.local.running import Running, running, temporary_home


@pytest.fixture
def home() -> Iterator[Home]:
    """A home nobody used yet."""
    with temporary_home() as made:
        yield made


@pytest.fixture(scope="module")
def platform() -> Iterator[Running]:
    """A platform that runs; a test leaves it as well as it found it."""
    with temporary_home() as made, running(made) as started:
        yield started
