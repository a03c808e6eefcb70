"""What every test can ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
import fcntl

import pytest

from chassis import catalog as catalogs
from chassis import contract as contracts
from chassis.contract import Contract
from chassis.database import Database
from chassis.testing import scratch_database
from tests.checking import options
from tests.live import Live, running
from tests.scratch_nats import ScratchNats, running_nats
from tests.scratch_postgres import running_postgres
from tools import packages, proto, third_party

_LONGEST_FIRST = ("web", "e2e", "chaos", "local", "fuzz", "tools")
"""Folders whose files take minutes: begun last, one of them would keep one core waiting."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest; each worker is given a file at a time."""
    ranks = {name: rank for rank, name in enumerate(_LONGEST_FIRST)}

    def rank(item: pytest.Item) -> int:
        return ranks.get(item.path.relative_to(item.config.rootpath).parts[1], len(ranks))

    items.sort(key=rank)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Only here are options known whatever is run."""
    options.add(parser)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests left to read."""
    options.tell(terminalreporter)


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    """The real platform, shared by the tests of one worker: leave it running."""
    with running() as platform:
        yield platform


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A PostgreSQL server, shared by the tests of one worker: its superuser's URL."""
    with running_postgres() as url:
        yield url


@pytest.fixture
def scratch(postgres: str) -> Callable[[str], AbstractAsyncContextManager[Database]]:
    """Makes a database with a service's schema, for one test."""
    return lambda service: scratch_database(postgres, service)


@pytest.fixture
async def nats_server() -> AsyncIterator[ScratchNats]:
    """A NATS server of the test's own: it may stop it, and lose what it holds."""
    async with running_nats() as server:
        yield server


@pytest.fixture(scope="session")
def contract() -> Contract:
    """The contracts of all services."""
    return contracts.load(catalogs.load())


@pytest.fixture(scope="session")
def fetched() -> None:
    """What is generated with and not committed is there; one worker fetches it for all."""
    cache = proto.ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    with (cache / "fetching").open("w") as one_at_a_time:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        third_party.resolve(proto.ROOT)
        packages.install(proto.ROOT)
