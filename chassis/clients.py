"""Calls to other services, through the mesh.

One channel leads to the mesh's egress; the mesh knows where a service is, who
may call it and when to try again. A call carries the deadline that is left, the
trace, and the token of the person it is made for.
"""

from __future__ import annotations

import asyncio
from typing import Final, TypeVar

from google.protobuf.message import Message
import grpc

from chassis import status
from chassis.calls import CURRENT, POLICY_REVISION
from chassis.contract import Contract, Rpc
from chassis.errors import DeadlineExceeded, Unavailable
from chassis.telemetry import trace_headers

Q = TypeVar("Q", bound=Message)
R = TypeVar("R", bound=Message)

_PATIENCE: Final = 2.0
"""Seconds a call waits for the mesh: longer than a killed proxy takes to be back."""
_OPTIONS: Final = (
    # The mesh is on this machine: to look for it often costs nothing.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 250),
    # How long one attempt may take, whatever its name says: a busy proxy answers late.
    ("grpc.min_reconnect_backoff_ms", 2_000),
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
        await self._connected(rpc)
        seconds, call = _seconds_left(rpc), CURRENT.get()
        if seconds <= 0:
            raise DeadlineExceeded(f"no time was left to ask {rpc.service}")
        metadata = grpc.aio.Metadata(("x-creavio-caller", self._service))
        if call is not None:
            demanded = max(call.revision_demanded, call.revision)
            if demanded:
                metadata.add(POLICY_REVISION, str(demanded))
            if call.principal is not None:
                metadata.add("authorization", f"Bearer {call.principal.token}")
        for key, value in trace_headers().items():
            metadata.add(key, value)
        try:
            return await method(request, timeout=seconds, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            failure = status.from_call(error)
            if failure.reason == "CALLER_NOT_ALLOWED":
                # Ours to mend, in the catalog: no business of whoever called us.
                raise RuntimeError(f"{self._service} calls {rpc.path}: {failure}") from error
            raise failure from error

    async def _connected(self, rpc: Rpc) -> None:
        """Return when the mesh answers: what was not sent yet can wait for it.

        Raises `Unavailable` when it does not come back in time.
        """
        if self.channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.READY:
            return
        try:
            async with asyncio.timeout(min(_PATIENCE, _seconds_left(rpc))):
                await self.channel.channel_ready()
        except TimeoutError:
            raise Unavailable(f"{rpc.service} cannot be reached; try again") from None

    async def close(self) -> None:
        """Give the channel up."""
        await self.channel.close()


def _seconds_left(rpc: Rpc) -> float:
    """How long a call to an RPC may take: its deadline, or what is left of the caller's."""
    call = CURRENT.get()
    remaining = None if call is None else call.remaining()
    return rpc.deadline if remaining is None else min(rpc.deadline, remaining)
