"""The gRPC server: one chain of interceptors, in a named order, around every RPC.

Interceptors own what every RPC needs (tracing, logging, errors, deadlines,
authentication, validation, authorization), so that a handler holds none of it.
Each is told of an RPC once, when it is first called, and wraps what serves it:
what the contract does not ask for costs nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias

from google.protobuf.message import Message
import grpc
from grpc.aio import ServicerContext

from chassis.calls import CURRENT, POLICY_REVISION, Call
from chassis.contract import Contract, Rpc

Handler: TypeAlias = Callable[[Call], Awaitable[None]]
"""Serves a call: answers it, or raises."""
Interceptor: TypeAlias = Callable[[Rpc, Handler], Handler]

# Reflection and health speak of no resource; they carry no rule and pass as they are.
_OURS = "/creavio."

_OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.max_receive_message_length", 4 * 1024 * 1024),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
    ("grpc.so_reuseport", 0),
    # A reconnecting crowd waits its turn instead of being refused.
    ("grpc.server.max_pending_requests", 8_000),
    ("grpc.server.max_pending_requests_hard_limit", 12_000),
)


class Chain(grpc.aio.ServerInterceptor):
    """Runs the interceptors around each RPC of the contract, first one outermost."""

    def __init__(self, contract: Contract, interceptors: Sequence[Interceptor]) -> None:
        self._contract = contract
        self._interceptors = tuple(interceptors)
        self._wrapped: dict[str, grpc.RpcMethodHandler[Message, Message]] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        """Return the handler of the RPC with the interceptors around it."""
        path = handler_call_details.method
        wrapped = self._wrapped.get(path)
        if wrapped is not None:
            return wrapped
        handler = await continuation(handler_call_details)
        rpc = self._contract.rpcs.get(path)
        if handler is None or rpc is None:
            if handler is not None and path.startswith(_OURS):
                raise RuntimeError(f"{path} is served but is not in the contract")
            return handler
        wrapped = self._wrapped[path] = self._wrap(rpc, handler)
        return wrapped

    def _wrap(
        self, rpc: Rpc, handler: grpc.RpcMethodHandler[Message, Message]
    ) -> grpc.RpcMethodHandler[Message, Message]:
        codec: dict[str, Any] = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": _serialized,
        }
        if handler.unary_unary is not None:
            return grpc.unary_unary_rpc_method_handler(
                self._unary(rpc, handler.unary_unary), **codec
            )
        if handler.unary_stream is not None:
            return grpc.unary_stream_rpc_method_handler(
                self._stream(rpc, handler.unary_stream), **codec
            )
        if handler.stream_stream is not None:
            return grpc.stream_stream_rpc_method_handler(
                self._bidi(rpc, handler.stream_stream), **codec
            )
        raise RuntimeError(f"{rpc.path}: one-sided client streams are not served")

    def _around(self, rpc: Rpc, handler: Handler) -> Handler:
        for interceptor in reversed(self._interceptors):
            handler = interceptor(rpc, handler)
        return handler

    def _unary(self, rpc: Rpc, method: Any) -> Any:
        async def answer(call: Call) -> None:
            call.reply = await method(call.request, call.context)

        handler = self._around(rpc, answer)

        async def serve(request: Message, context: ServicerContext[Message, Message]) -> Message:
            call = _call(rpc, request, context)
            await handler(call)
            assert call.reply is not None
            if call.revision:
                call.headers.append((POLICY_REVISION, str(call.revision)))
            if call.headers:
                await context.send_initial_metadata(tuple(call.headers))
            return call.reply

        return serve

    def _stream(self, rpc: Rpc, method: Any) -> Any:
        handler = self._around(
            rpc, lambda call: _write_all(call, method(call.request, call.context))
        )

        async def serve(request: Message, context: ServicerContext[Message, Message]) -> None:
            await handler(_call(rpc, request, context))

        return serve

    def _bidi(self, rpc: Rpc, method: Any) -> Any:
        handler = self._around(
            rpc, lambda call: _write_all(call, method(call.requests, call.context))
        )

        async def serve(
            requests: AsyncIterator[Message], context: ServicerContext[Message, Message]
        ) -> None:
            call = _call(rpc, None, context)
            call.requests = requests
            await handler(call)

        return serve


async def _write_all(call: Call, replies: Any) -> None:
    # The headers go out with the first reply, which a stream gives at once: sent any
    # sooner, a refusal would come as HTTP 200.
    async with aclosing(replies):
        async for reply in replies:
            await call.context.write(reply)


def _serialized(reply: Message | bytes) -> bytes:
    """A reply as it is sent; what a handler encoded already is sent as it is."""
    return reply if isinstance(reply, bytes) else reply.SerializeToString()


def _call(rpc: Rpc, request: Message | None, context: ServicerContext[Message, Message]) -> Call:
    metadata: Mapping[str, str] = {
        key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)
    }
    call = Call(rpc=rpc, request=request, context=context, metadata=metadata)
    # The task serves this call and no other: there is nothing to reset to.
    CURRENT.set(call)
    return call


def new_server(chain: Chain, listen: str) -> grpc.aio.Server:
    """A server that listens on one address and runs the chain."""
    server = grpc.aio.server(interceptors=(chain,), options=_OPTIONS)
    if server.add_insecure_port(listen) == 0:
        raise OSError(f"cannot listen on {listen}")
    return server
