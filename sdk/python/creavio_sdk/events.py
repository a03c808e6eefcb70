"""Following what happens, through restarts and bad networks."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast

from creavio_sdk.contracts.creavio.gateway.v1 import (
    Event,
    GatewayServiceStub,
    Refetch,
    SubscribeRequest,
    SubscribeResponse,
)
from creavio_sdk.errors import CallError, Invalid, NotSignedIn, RateLimited, Unavailable
from creavio_sdk.retrying import Retries

SILENCE = 45.0
"""Seconds without a word, of which one comes every 15, after which a stream is dead."""
PATIENCE = 300.0
"""Seconds after which a stream is tried again however long the platform asked to wait."""
_REMEMBERED = 4096
_ENDS = {
    "RATE_LIMITED": RateLimited,
    "UNAVAILABLE": Unavailable,
    "SESSION_REVOKED": NotSignedIn,
    "UNAUTHENTICATED": NotSignedIn,
}
_TOKEN_REFUSED = "INVALID_RESUME_TOKEN"  # noqa: S105 - a reason


class EventStream:
    """Everything the caller may see, as it happens; `async for event in client.events()`.

    An event with an `id` is told once. A stream that breaks is resumed where it was. An
    event `refetch` says that something was missed that cannot be told: fetch what you
    show. Keep `resume_token`, and another process goes on from there; it may be told
    the last few events again. Ends with `CallError` when the session does.
    """

    def __init__(
        self,
        gateway: GatewayServiceStub,
        resume_token: str = "",
        *,
        silence: float = SILENCE,
        retries: Retries | None = None,
    ) -> None:
        self._gateway = gateway
        self._silence = silence
        self._retries = retries or Retries(longest=15.0)
        self._seen: OrderedDict[str, None] = OrderedDict()
        self.resume_token = resume_token
        """Resumes behind the event told last, or a few before it: keep it once that is done."""

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Every event, until the session ends or nobody asks for the next."""
        failures = 0
        while True:
            try:
                async with aclosing(self._batches()) as batches:
                    async for batch in batches:
                        failures = 0
                        left = len(batch.events)
                        for event in batch.events:
                            if event.ended is not None:
                                raise _ended(event)
                            left -= 1
                            if not left:
                                self._advance(batch)
                            if self._is_new(event):
                                yield event
                        self._advance(batch)
            except Invalid as error:
                if error.reason != _TOKEN_REFUSED or not self.resume_token:
                    raise
                # Too old, or of a log that is no more.
                self.resume_token = ""
                yield Event(refetch=Refetch(detail=error.message))
            except (RateLimited, Unavailable) as error:
                failures += 1
                await asyncio.sleep(self._pause(failures, error))

    def _advance(self, batch: SubscribeResponse) -> None:
        self.resume_token = batch.resume_token or self.resume_token

    def _pause(self, failures: int, error: CallError) -> float:
        pause = self._retries.random() * self._retries.ceiling(failures)
        # Whoever says so may say it wrongly: neither at once for ever, nor never.
        return max(pause, min(error.retry_after or 0.0, PATIENCE))

    async def _batches(self) -> AsyncGenerator[SubscribeResponse, None]:
        opened = self._gateway.subscribe(SubscribeRequest(resume_token=self.resume_token))
        # What is generated is a generator, and says less of itself.
        stream = cast(AsyncGenerator[SubscribeResponse, None], opened)
        async with aclosing(stream) as replies:
            while True:
                try:
                    yield await asyncio.wait_for(anext(replies), self._silence)
                except StopAsyncIteration:
                    raise Unavailable("the stream ended", reason="UNAVAILABLE") from None
                except TimeoutError:
                    raise Unavailable("the stream is silent", reason="UNAVAILABLE") from None

    def _is_new(self, event: Event) -> bool:
        if not event.id:
            return True
        if event.id in self._seen:
            return False
        self._seen[event.id] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True


def _ended(event: Event) -> CallError:
    """Why a stream ended: some of it is over, the rest is for coming back."""
    assert event.ended is not None
    kind = _ENDS.get(event.ended.reason, CallError)
    return kind(event.ended.detail, reason=event.ended.reason)
