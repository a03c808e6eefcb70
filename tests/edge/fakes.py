"""Stand-ins for the services: real gRPC servers that speak the real contracts.

They answer what a test tells them to, remember what reached them, and can be
killed and brought back on the same socket.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import message_factory
from google.protobuf.message import Message
import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from chassis.contract import Rpc

Unary = Callable[[Message, grpc.ServicerContext], Message]
Streaming = Callable[[Message, grpc.ServicerContext], Iterator[Message]]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that reached a fake."""

    path: str
    request: Message
    metadata: dict[str, str | bytes]
    time_remaining: float | None


@dataclass(slots=True)
class FakeService:
    """One service of the catalog on its socket."""

    name: str
    socket: Path
    rpcs: dict[str, Rpc]
    answers: dict[str, Unary | Streaming] = field(default_factory=dict)
    """By the RPC's path; an RPC without an answer returns an empty message."""
    calls: list[Call] = field(default_factory=list)
    _server: grpc.Server | None = None
    _health: health.HealthServicer = field(default_factory=health.HealthServicer)

    def start(self) -> None:
        """Serve; what was there before is replaced."""
        self.socket.unlink(missing_ok=True)
        server = grpc.server(ThreadPoolExecutor(32))
        self._health = health.HealthServicer()
        self.say(serving=True)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        server.add_generic_rpc_handlers((_Handlers(self),))
        server.add_insecure_port(f"unix:{self.socket}")
        server.start()
        self._server = server

    def say(self, *, serving: bool) -> None:
        """Answer health checks so from now on."""
        states = health_pb2.HealthCheckResponse
        self._health.set("", states.SERVING if serving else states.NOT_SERVING)

    def stop(self) -> None:
        """Die at once, with every connection."""
        if self._server is not None:
            self._server.stop(None).wait()
            self._server = None
        self.socket.unlink(missing_ok=True)

    def reset(self) -> None:
        """Forget answers and calls."""
        self.answers.clear()
        self.calls.clear()
        self.say(serving=True)
        if self._server is None:
            self.start()

    def answer(self, context: grpc.ServicerContext, rpc: Rpc, request: Message) -> object:
        """What the RPC returns: a message, or an iterator of them."""
        self.calls.append(
            Call(
                rpc.path,
                request,
                dict(context.invocation_metadata()),
                context.time_remaining(),
            )
        )
        programmed = self.answers.get(rpc.path)
        if programmed is not None:
            return programmed(request, context)
        empty = message_factory.GetMessageClass(rpc.descriptor.output_type)()
        return iter((empty,)) if rpc.descriptor.server_streaming else empty


class _Handlers(grpc.GenericRpcHandler):
    def __init__(self, service: FakeService) -> None:
        self._service = service

    def service(
        self, details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[Message, Message] | None:
        rpc = self._service.rpcs.get(details.method)
        if rpc is None:
            return None
        received = message_factory.GetMessageClass(rpc.descriptor.input_type)

        def handle(request: Message, context: grpc.ServicerContext) -> object:
            return self._service.answer(context, rpc, request)

        make = (
            grpc.unary_stream_rpc_method_handler
            if rpc.descriptor.server_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        return make(
            handle,
            request_deserializer=received.FromString,
            response_serializer=lambda message: message.SerializeToString(),
        )
