"""A server with the real chain of interceptors around RPCs of the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
import tempfile
import time

from google.protobuf.timestamp_pb2 import Timestamp
import grpc
from joserfc import jwt
from joserfc.jwk import ECKey, KeySetSerialization

from chassis import interceptors
from chassis.auth import Verifier
from chassis.authz import Authorizer, RemoteAccess
from chassis.bus import Bus
from chassis.clients import Clients
from chassis.contract import Contract
from chassis.errors import Unavailable
from chassis.server import Chain, new_server
from chassis.sessions import Sessions
from chassis.telemetry import Telemetry
from chassis.testing import Register, scratch_config
from chassis.usage import Usage
from creavio.auth.v1 import revocation_service_pb2

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


@dataclass(slots=True)
class Revocations:
    """auth, as it knows which sessions are over."""

    over: list[str] = field(default_factory=list)
    away: bool = False
    asked: list[int] = field(default_factory=list)

    async def list_revocations(
        self, request: revocation_service_pb2.ListRevocationsRequest
    ) -> revocation_service_pb2.ListRevocationsResponse:
        """What auth answers, two at a time."""
        self.asked.append(request.after_revision)
        if self.away:
            raise Unavailable("away")
        rest = self.over[request.after_revision :]
        listed = [
            revocation_service_pb2.Revocation(
                session_id=session, expire_time=Timestamp(seconds=int(time.time()) + 900)
            )
            for session in rest[:2]
        ]
        return revocation_service_pb2.ListRevocationsResponse(
            revocations=listed,
            revision=min(len(self.over), request.after_revision + len(listed))
            if request.after_revision <= len(self.over)
            else len(self.over),
            more=len(rest) > 2,
        )


@asynccontextmanager
async def serving(
    contract: Contract,
    keys: Keys,
    *parts: tuple[Register, object],
    rbac: str = "unix:/tmp/nobody.sock",  # nobody listens there
    callers: frozenset[str] = frozenset(),
    revocations: Revocations | None = None,
    watch: list[Sessions] | None = None,
    usage: Usage | None = None,
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a server as every service runs one; `rbac` is where it asks."""
    telemetry = Telemetry(scratch_config("user"))
    clients = Clients("user", rbac, contract)
    verifier = Verifier("creavio", "creavio", keys.fetch)
    authorizer = Authorizer(RemoteAccess(clients), None, telemetry)
    sessions = Sessions(revocations or Revocations(), telemetry)
    await sessions.load()
    if watch is not None:
        watch.append(sessions)
    usage = usage or Usage(Bus(scratch_config("user"), telemetry))
    chain = interceptors.chain(telemetry, verifier, sessions, usage, authorizer, callers, 5.0)
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
