"""A gateway as its service runs it: the real chain of interceptors around its RPCs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
import tempfile

from google.protobuf.message import Message
import grpc

from chassis import interceptors
from chassis.auth import Verifier
from chassis.contract import Contract
from chassis.server import Chain, new_server
from chassis.sessions import Sessions
from chassis.status import from_call
from chassis.subjects import LIVE, subject_for
from chassis.telemetry import Telemetry
from chassis.testing import Caller, scratch_config
from chassis.usage import Usage
from creavio.auth.v1 import auth_events_pb2
from creavio.gateway.v1 import gateway_service_pb2
from creavio.gateway.v1.gateway_service_pb2_grpc import (
    GatewayServiceStub,
    add_GatewayServiceServicer_to_server,
)
from services.gateway.engine.tokens import ResumeTokens
from services.gateway.handler import GatewayHandler
from tests.chassis.serving import PERSON, Keys, Revocations
from tests.gateway.world import Stage, staged
from tests.scratch_nats import ScratchNats

Batch = gateway_service_pb2.SubscribeResponse


@dataclass
class Gateway:
    """Servers of the RPCs, and people who call them."""

    stage: Stage
    server: ScratchNats
    keys: Keys = field(default_factory=Keys)
    revocations: Revocations = field(default_factory=Revocations)
    channels: list[grpc.aio.Channel] = field(default_factory=list)
    sessions: list[Sessions] = field(default_factory=list)

    @asynccontextmanager
    async def listening(
        self, resume: str = "", person: str = PERSON, replica: int = 0
    ) -> AsyncIterator[AsyncIterator[Batch]]:
        """An open stream's batches."""
        call = self.subscribe(resume, person, replica)
        try:
            yield told(call)
        finally:
            call.cancel()

    def subscribe(
        self, resume: str = "", person: str = PERSON, replica: int = 0
    ) -> grpc.aio.UnaryStreamCall[gateway_service_pb2.SubscribeRequest, Batch]:
        """A stream that nobody reads yet."""
        return GatewayServiceStub(self.channels[replica]).Subscribe(
            gateway_service_pb2.SubscribeRequest(resume_token=resume),
            metadata=grpc.aio.Metadata(("authorization", f"Bearer {self.keys.token(sub=person)}")),
            timeout=60,
        )

    def caller(self, person: str = PERSON, replica: int = 0) -> Caller:
        """A person."""
        return Caller(self.channels[replica], self.keys.token(sub=person))

    async def revoke(self, session_id: str, user_id: str) -> None:
        """End a session, as auth announces it."""
        self.revocations.over.append(session_id)
        event = auth_events_pb2.SessionRevoked(
            session_id=session_id, user_id=user_id, revision=len(self.revocations.over)
        )
        known = self.stage.contract.events[event.DESCRIPTOR.full_name]
        async with self.server.bus("auth") as bus:
            await bus.publish(LIVE + subject_for(known, event), event.SerializeToString())
            await bus.flush()


async def told(
    call: grpc.aio.UnaryStreamCall[gateway_service_pb2.SubscribeRequest, Batch],
) -> AsyncIterator[Batch]:
    """The batches of a call. Raises the error that ends it."""
    try:
        async for batch in call:
            yield batch
    except grpc.aio.AioRpcError as error:
        raise from_call(error) from error


@asynccontextmanager
async def gateways(
    server: ScratchNats, contract: Contract, replicas: int = 1
) -> AsyncIterator[Gateway]:
    """Some gateways side by side, in an empty world."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(staged(server, contract, replicas))
        gateway = Gateway(stage, server)
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cv-", dir="/tmp"))
        for replica in range(replicas):
            address = f"unix:{Path(folder) / f'{replica}.sock'}"
            server_here = await _serve(gateway, replica, address)
            stack.push_async_callback(server_here.stop, None)
            channel = grpc.aio.insecure_channel(address)
            gateway.channels.append(await stack.enter_async_context(channel))
        yield gateway


async def _serve(gateway: Gateway, replica: int, address: str) -> grpc.aio.Server:
    stage, config = gateway.stage, scratch_config("gateway")
    telemetry = Telemetry(config)
    sessions = Sessions(gateway.revocations, telemetry)
    await sessions.follow(stage.gateway_buses[replica])
    gateway.sessions.append(sessions)
    verifier = Verifier("creavio", "creavio", gateway.keys.fetch)
    chain = interceptors.chain(
        telemetry,
        verifier,
        sessions,
        Usage(stage.gateway_buses[replica]),
        stage.authorizers[replica],
        frozenset(),
        1_000.0,
    )
    grpc_server = new_server(Chain(stage.contract, chain), address)
    handler = GatewayHandler(
        stage.hubs[replica],
        stage.presences[replica],
        stage.typists[replica],
        ResumeTokens(config),
        sessions,
    )
    add_GatewayServiceServicer_to_server(handler, grpc_server)
    await grpc_server.start()
    return grpc_server


def kinds(batch: Batch) -> list[str]:
    """What kinds of things a batch tells, but who is there."""
    found = [str(event.WhichOneof("payload")) for event in batch.events]
    return [kind for kind in found if kind != "presence"]


async def until(batches: AsyncIterator[Batch], kind: str) -> tuple[Message, list[str]]:
    """The payload of the next event of a kind, and the kinds up to it."""
    seen: list[str] = []
    async for batch in batches:
        seen += kinds(batch)
        for event in batch.events:
            if event.HasField(kind):  # type: ignore[arg-type]  # named by the test
                payload: Message = getattr(event, kind)
                return payload, seen
    raise AssertionError(f"no {kind}")
