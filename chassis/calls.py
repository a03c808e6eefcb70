"""The call in progress: what is known of it, and who makes it.

The server sets it before the first interceptor; handlers and clients read it.
It lives in a context variable, so every task sees its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
import time

from google.protobuf.message import Message
import grpc

from chassis.contract import Rpc
from chassis.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in person, proven by an access token."""

    user_id: str
    """`usr_…`."""
    session_id: str
    """`ses_…`."""
    token: str
    """The token itself, to travel with calls made for this person."""
    expires_at: float
    """Unix time at which the token ends."""


@dataclass(slots=True)
class Call:
    """One RPC being served."""

    rpc: Rpc
    request: Message
    context: grpc.aio.ServicerContext[Message, Message]
    metadata: Mapping[str, str]
    ends_at: float | None = None
    """When the answer is due (`time.monotonic`); None for a live stream."""
    principal: Principal | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    """What interceptors want traced of it."""

    @property
    def caller(self) -> str:
        """The service it came through, as the mesh vouches: `edge` for people."""
        return self.metadata.get("x-creavio-caller", "")

    def remaining(self) -> float | None:
        """Seconds until the answer is due, never negative; None without a deadline."""
        return None if self.ends_at is None else max(0.0, self.ends_at - time.monotonic())


CURRENT: ContextVar[Call | None] = ContextVar("creavio_call", default=None)


def principal() -> Principal:
    """The person the call in progress is made by.

    Raises `Unauthenticated` where there is none: in an RPC that anybody or a
    service may call.
    """
    call = CURRENT.get()
    if call is None or call.principal is None:
        raise Unauthenticated("sign in first")
    return call.principal
