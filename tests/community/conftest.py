"""A world for the tests of communities."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from chassis.bus import Bus
from chassis.clients import Clients
from chassis.contract import Contract
from chassis.database import Database
from chassis.outbox import Outbox
from chassis.telemetry import Telemetry
from chassis.testing import scratch_config, standing_in
from creavio.rbac.v1.membership_service_pb2_grpc import (
    add_MembershipServiceServicer_to_server,
)
from services.community.engine import Memberships
from tests.community.world import Rbac, World


@pytest.fixture
async def world(
    contract: Contract, scratch: Callable[[str], AbstractAsyncContextManager[Database]]
) -> AsyncIterator[World]:
    part = Rbac()
    config = scratch_config("community")
    telemetry = Telemetry(config)
    async with (
        scratch("community") as database,
        standing_in(contract, (add_MembershipServiceServicer_to_server, part)) as address,
    ):
        Outbox("community", contract, database, Bus(config, telemetry), telemetry)
        clients = Clients("community", address, contract)
        yield World(Memberships(database, clients), part, database)
        await clients.close()
