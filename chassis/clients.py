"""Calls to other services, through the mesh.

One channel leads to the mesh's egress; the mesh knows where a service is, who
may call it and when to try again. A call carries the deadline that is left, the
trace, and the token of the person it is made for.
"""

from __future__ import annotations

from typing import Final, TypeVar

from google.protobuf.message import Message
import grpc

from chassis import status
from chassis.calls import CURRENT
from chassis.contract import Contract, Rpc
from chassis.errors import DeadlineExceeded
from chassis.telemetry import trace_headers

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)

_OPTIONS: Final = (
    # A service that restarts is back in well under a second: do not wait longer.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.use_local_subchannel_pool", 1),
)


class Clients:
    """The way to the other services.

    >>> users = UserServiceStub(clients.channel)
    >>> user = await clients.call(users.GetUser, GetUserRequest(user_id=user_id))
    """

    def __init__(self, service: str, egress: str, contract: Contract) -> None:
        self.channel = grpc.aio.insecure_channel(egress, options=_OPTIONS)
        self._service = service
        # A request message belongs to one RPC: buf's standard names see to it.
        self._rpcs: dict[str, Rpc] = {
            rpc.descriptor.input_type.full_name: rpc for rpc in contract.rpcs.values()
        }

    async def call(self, method: grpc.aio.UnaryUnaryMultiCallable[Q, R], request: Q) -> R:
        """Call a service and return its answer.

        Raises the error the service raised, and `DeadlineExceeded` or
        `Unavailable` when there was none to be had.
        """
        rpc = self._rpcs[request.DESCRIPTOR.full_name]
        metadata = grpc.aio.Metadata(("x-creavio-caller", self._service))
        seconds = rpc.deadline
        call = CURRENT.get()
        if call is not None:
            remaining = call.remaining()
            seconds = seconds if remaining is None else min(seconds, remaining)
            if call.principal is not None:
                metadata.add("authorization", f"Bearer {call.principal.token}")
        for key, value in trace_headers().items():
            metadata.add(key, value)
        if seconds <= 0:
            raise DeadlineExceeded(f"no time was left to ask {rpc.service}")
        try:
            return await method(request, timeout=seconds, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            failure = status.from_call(error)
            if failure.reason == "CALLER_NOT_ALLOWED":
                # Ours to mend, in the catalog: no business of whoever called us.
                raise RuntimeError(f"{self._service} calls {rpc.path}: {failure}") from error
            raise failure from error

    async def close(self) -> None:
        """Give the channel up."""
        await self.channel.close()
