"""A server with the real chain of interceptors around RPCs of the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
import tempfile
import time

import grpc
from joserfc import jwt
from joserfc.jwk import ECKey, KeySetSerialization

from chassis import interceptors
from chassis.auth import Verifier
from chassis.authz import Authorizer
from chassis.clients import Clients
from chassis.contract import Contract
from chassis.server import Chain, new_server
from chassis.telemetry import Telemetry
from chassis.testing import Register, scratch_config

PERSON = "usr_01h455vb4pex5vsknk084sn02q"


@dataclass(slots=True)
class Keys:
    """The key auth would sign with, and who fetched its public half how often."""

    private: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    fetched: int = 0

    @property
    def public(self) -> dict[str, str]:
        """The public half, as a JSON Web Key."""
        key = self.private.as_dict(private=False)
        return {
            **{name: str(key[name]) for name in ("kty", "crv", "x", "y")},
            "kid": self.private.thumbprint(),
        }

    async def fetch(self) -> KeySetSerialization:
        """What auth answers."""
        self.fetched += 1
        return {"keys": [dict(self.public)]}

    def token(self, *, header: dict[str, object] | None = None, **claims: object) -> str:
        """An access token; a claim of None is left out."""
        everything: dict[str, object] = {
            "iss": "creavio",
            "aud": "creavio",
            "sub": PERSON,
            "sid": "ses_01h455vb4pex5vsknk084sn02q",
            "iat": int(time.time()),
            "exp": int(time.time()) + 600,
            **claims,
        }
        return jwt.encode(
            {"alg": "ES256", "kid": self.private.thumbprint(), **(header or {})},
            {name: value for name, value in everything.items() if value is not None},
            self.private,
        )


@asynccontextmanager
async def serving(
    contract: Contract,
    keys: Keys,
    *parts: tuple[Register, object],
    rbac: str = "unix:/tmp/nobody.sock",  # nobody listens there
    callers: frozenset[str] = frozenset(),
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server as every service runs one; `rbac` is where it asks."""
    telemetry = Telemetry(scratch_config("user"))
    clients = Clients("user", rbac, contract)
    verifier = Verifier("creavio", "creavio", keys.fetch)
    chain = interceptors.chain(telemetry, verifier, Authorizer(clients, {}), callers)
    with tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp") as folder:
        address = f"unix:{Path(folder) / 'in.sock'}"
        server = new_server(Chain(contract, chain), address)
        for register, servicer in parts:
            register(servicer, server)
        await server.start()
        try:
            async with grpc.aio.insecure_channel(address) as channel:
                yield channel
        finally:
            await server.stop(None)
            await clients.close()
