"""The call in progress: what is known of it, and who makes it.

The server sets it before the first interceptor; handlers and clients read it.
It lives in a context variable, so every task sees its own.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
import time
from typing import Final, TypeAlias

from google.protobuf.message import Message
import grpc

from chassis.contract import Rpc
from chassis.errors import Unauthenticated

POLICY_REVISION: Final = "creavio-policy-revision"
"""Metadata: in a reply, rbac's revision that holds the change; in a request, the least
revision to decide at. Whoever sends back what they were told is never answered by
permissions older than their own change."""
_DIGITS: Final = 19


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
    scopes: frozenset[str] | None = None
    """What a program's token may do; None in a session that a person signed in to."""
    unverified: bool = False
    """Whether the instance waits for them to verify their e-mail address."""


@dataclass(slots=True)
class Call:
    """One RPC being served."""

    rpc: Rpc
    request: Message | None
    """None on a stream that both sides speak on."""
    context: grpc.aio.ServicerContext[Message, Message]
    metadata: Mapping[str, str]
    ends_at: float | None = None
    """When the answer is due (`time.monotonic`); None for a live stream."""
    principal: Principal | None = None
    requests: AsyncIterator[Message] | None = None
    """What comes in on a stream that both sides speak on."""
    reply: Message | None = None
    """The answer, once there is one; None on a stream."""
    revision: int = 0
    """rbac's revision that holds what this call changed; told in the reply."""
    headers: list[tuple[str, str]] = field(default_factory=list)
    """What else stands in the reply's headers."""
    admissions: list[Admission] = field(default_factory=list)
    """What each request of a stream that both sides speak on has to pass."""
    attributes: dict[str, str] = field(default_factory=dict)
    """What interceptors want traced of it."""

    @property
    def caller(self) -> str:
        """The service it came through, as the mesh vouches: `edge` for people."""
        return self.metadata.get("x-creavio-caller", "")

    @property
    def revision_demanded(self) -> int:
        """The least revision of rbac the caller wants to be decided at; 0 for any."""
        demanded = self.metadata.get(POLICY_REVISION, "")
        return int(demanded) if demanded.isdecimal() and len(demanded) < _DIGITS else 0

    def remaining(self) -> float | None:
        """Seconds until the answer is due, never negative; None without a deadline."""
        return None if self.ends_at is None else max(0.0, self.ends_at - time.monotonic())


Admission: TypeAlias = Callable[[Call, Message], Awaitable[None]]
"""Returns when a request of a call may be served, and raises why not."""

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


def changed_at(revision: int) -> None:
    """Say in the reply which revision of rbac holds what the call in progress changed."""
    call = CURRENT.get()
    if call is not None:
        call.revision = max(call.revision, revision)


def answer_with(name: str, value: str) -> None:
    """Add a header to the reply of the call in progress, one that is not a stream."""
    call = CURRENT.get()
    if call is not None:
        call.headers.append((name, value))


async def admit(request: Message) -> None:
    """Return when a request of the stream in progress may be served.

    A stream that both sides speak on is only authenticated when it opens; what
    surrounds every other call surrounds each of its requests. Raises what such a
    call would fail with.
    """
    call = CURRENT.get()
    assert call is not None, "outside a call"
    for admission in call.admissions:
        await admission(call, request)
