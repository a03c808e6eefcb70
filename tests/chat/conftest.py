"""chat alone: its process, its database and its NATS, and everybody else as a stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from chassis.contract import Contract
from chassis.database import Database
from tests.chat.world import World, running_world
from tests.scratch_nats import ScratchNats


@pytest.fixture
async def database(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
) -> AsyncIterator[Database]:
    """chat's database, for one test."""
    async with scratch("chat") as made:
        yield made


@pytest.fixture
async def world(
    postgres: str, nats_server: ScratchNats, contract: Contract
) -> AsyncIterator[World]:
    """chat, served: two communities, and people in and out of them."""
    async with running_world(postgres, nats_server, contract) as made:
        yield made
