"""What the tests of auth share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
import pytest

from chassis.bus import Bus
from chassis.contract import Contract
from chassis.database import Database
from chassis.outbox import Outbox
from chassis.telemetry import Telemetry
from chassis.testing import scratch_config
from chassis.tokens import Tokens
from services.auth.engine.credentials import Issuer, SigningKey
from tests.auth import provider as providers
from tests.auth.mailing import World
from tests.auth.provider import Provider


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    file = tmp_path / "key.pem"
    file.write_bytes(
        ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return SigningKey(file.read_bytes())


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providers.running() as found:
        yield found


@pytest.fixture
def issuer(key: SigningKey) -> Issuer:
    config = scratch_config("auth")
    return Issuer(config, key, Tokens(config))


@pytest.fixture
async def world(
    scratch: Callable[[str], AbstractAsyncContextManager[Database]],
    contract: Contract,
    issuer: Issuer,
) -> AsyncIterator[World]:
    config = scratch_config("auth")
    telemetry = Telemetry(config)
    async with scratch("auth") as database:
        Outbox("auth", contract, database, Bus(config, telemetry), telemetry)
        yield World(database, issuer)
