"""How every call is made: signed, with a key, and sent again where that is harmless."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
import copy
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
import uuid

from betterproto2 import Message
from betterproto2.grpclib import ServiceStub

from creavio_sdk.contracts.policies import POLICIES, Policy
from creavio_sdk.errors import CallError, NotSignedIn, translated
from creavio_sdk.retrying import Retries

if TYPE_CHECKING:
    from betterproto2.grpclib.grpclib_client import MessageSource, MetadataLike
    from grpclib.metadata import Deadline

SECONDS = 15.0
"""How long one attempt may take when the caller does not say."""
_NOTHING_SAID = Policy(repeatable=False, key="", anonymous=False)
T = TypeVar("T", bound=Message)


class Tokens(Protocol):
    """Where calls get their tokens."""

    async def token(self, refused: str = "") -> str:
        """The token to call with; another one than was refused, where there is one."""


class Calls(ServiceStub):
    """A stub's way to the platform. Mixed into the generated stubs."""

    tokens: Tokens
    retries: Retries

    async def _unary_unary(
        self,
        route: str,
        request: Any,
        response_type: type[T],
        *,
        timeout: float | None = None,
        deadline: Deadline | None = None,
        metadata: MetadataLike | None = None,
    ) -> T:
        policy = POLICIES.get(route, _NOTHING_SAID)
        sent = keyed(request, policy.key)

        async def once(signed: MetadataLike) -> T:
            return await super(Calls, self)._unary_unary(
                route,
                sent,
                response_type,
                timeout=SECONDS if timeout is None else timeout,
                deadline=deadline,
                metadata=signed,
            )

        attempt = 0
        while True:
            attempt += 1
            try:
                reply = await self._signed(policy, metadata, once)
            except CallError as error:
                pause = self.retries.pause(attempt, error) if policy.repeatable else None
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            else:
                self.retries.succeeded()
                return reply

    async def _signed(
        self,
        policy: Policy,
        metadata: MetadataLike | None,
        once: Callable[[MetadataLike], Awaitable[T]],
    ) -> T:
        """One attempt, and one more with another token when the first was refused."""
        token = "" if policy.anonymous else await self.tokens.token()
        try:
            return await translating(once(signed(metadata, token)))
        except NotSignedIn:
            other = await self.tokens.token(refused=token) if token else ""
            if other in {"", token}:
                raise
            return await translating(once(signed(metadata, other)))

    async def _unary_stream(
        self,
        route: str,
        request: Any,
        response_type: type[T],
        *,
        timeout: float | None = None,
        deadline: Deadline | None = None,
        metadata: MetadataLike | None = None,
    ) -> AsyncIterator[T]:
        with_token = signed(metadata, await self.tokens.token())
        replies = super()._unary_stream(
            route, request, response_type, timeout=timeout, deadline=deadline, metadata=with_token
        )
        async for reply in translating_all(replies):
            yield reply

    async def _stream_stream(
        self,
        route: str,
        request_iterator: MessageSource,
        request_type: type[Any],
        response_type: type[T],
        *,
        timeout: float | None = None,
        deadline: Deadline | None = None,
        metadata: MetadataLike | None = None,
    ) -> AsyncIterator[T]:
        with_token = signed(metadata, await self.tokens.token())
        replies = super()._stream_stream(
            route,
            request_iterator,
            request_type,
            response_type,
            timeout=timeout,
            deadline=deadline,
            metadata=with_token,
        )
        async for reply in translating_all(replies):
            yield reply


def keyed(request: Message, key: str) -> Message:
    """The request, with an idempotency key where it may have one and has none."""
    if not key or getattr(request, key):
        return request
    named = copy.copy(request)
    setattr(named, key, uuid.uuid4().hex)
    return named


def signed(metadata: MetadataLike | None, token: str) -> MetadataLike:
    """What a call says besides its request."""
    said = dict(metadata or {})
    if token:
        said.setdefault("authorization", f"Bearer {token}")
    return said


async def translating(call: Awaitable[T]) -> T:
    """What the call answers; its errors are `CallError`."""
    try:
        return await call
    except Exception as error:
        found = translated(error)
        if found is error:
            raise
        raise found from error


async def translating_all(replies: AsyncIterator[T]) -> AsyncIterator[T]:
    """What a stream answers; its errors are `CallError`."""
    try:
        async for reply in replies:
            yield reply
    except Exception as error:
        found = translated(error)
        if found is error:
            raise
        raise found from error
