"""One running platform per module, with fake services; who ends one starts another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import pytest

from chassis import catalog as catalogs
from local.home import Home
from tests.local.running import Running, free_port, running, temporary_home


@pytest.fixture
def home() -> Iterator[Home]:
    """A home nobody used yet."""
    with temporary_home() as made:
        yield made


@dataclass(frozen=True, slots=True)
class Place:
    """A home and a port that the tests of a module use one after the other.

    Only the first start on it has everything to make.
    """

    home: Home
    port: str

    def start(self, *, wait: bool = True, compact: bool = False) -> AbstractContextManager[Running]:
        """Start a platform here; compact, all its services are one process."""
        mode = (str(catalogs.CATALOG_FILE), "compact") if compact else ()
        return running(self.home, self.port, *mode, wait=wait)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    """Where tests that end a platform start their own."""
    with temporary_home() as made:
        yield Place(made, str(free_port()))


@pytest.fixture(scope="module")
def platform() -> Iterator[Running]:
    """A platform that runs; a test leaves it as well as it found it."""
    with temporary_home() as made, running(made) as started:
        yield started
