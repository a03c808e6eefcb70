"""The connection to NATS.

It reconnects for as long as the service lives; what was not published meanwhile
waits in the outbox, and what was not received comes again from the stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
import re
from typing import TYPE_CHECKING, Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import BadSubjectError, MaxPayloadError
from nats.errors import Error as NatsError
from nats.js import JetStreamContext

from chassis.config import Config

if TYPE_CHECKING:
    from chassis.telemetry import Telemetry

_SPACE: Final = re.compile(r"\s")


class Bus:
    """One connection: publishing, following live subjects, JetStream."""

    def __init__(self, config: Config, telemetry: Telemetry) -> None:
        self._config = config
        self._log = telemetry.log
        self._client = Client()
        self._disconnected: list[Callable[[], None]] = []
        self._reconnected: list[Callable[[], None]] = []
        self.connections = 0
        """How many connections there were; another number, another connection."""

    async def connect(self) -> None:
        """Connect, however long it takes; called once, before anything else."""
        inbox = f"_INBOX_{self._config.service}"
        while not self._client.is_connected:
            try:
                await self._client.connect(
                    self._config.nats_url,
                    user=self._config.nats_user,
                    password=self._config.nats_password.get_secret_value(),
                    name=self._config.service,
                    inbox_prefix=inbox.encode(),
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=0.2,  # type: ignore[arg-type]  # seconds, slept as given
                    connect_timeout=2,
                    ping_interval=5,
                    max_outstanding_pings=2,
                    error_cb=self._failed,
                    disconnected_cb=self._gone,
                    reconnected_cb=self._back,
                )
            except (NatsError, OSError, TimeoutError) as error:
                self._log.warning("NATS cannot be reached", error=str(error))
                await asyncio.sleep(0.2)

    @property
    def jetstream(self) -> JetStreamContext:
        """JetStream over this connection."""
        return self._client.jetstream(timeout=5)

    @property
    def client(self) -> Client:
        """The connection itself."""
        return self._client

    @property
    def server(self) -> str:
        """The server it is connected to; another one each time NATS is started."""
        # The client has no other word for it; `connect` has read it.
        return str(self._client._server_info["server_id"])

    def on_disconnect(self, action: Callable[[], None]) -> None:
        """Have something done each time the connection is lost, before it is back."""
        self._disconnected.append(action)

    def on_reconnect(self, action: Callable[[], None]) -> None:
        """Have something done each time the connection is back."""
        self._reconnected.append(action)

    async def follow(self, subject: str, handle: Callable[[Msg], Awaitable[None]]) -> None:
        """Hand every message on a live subject to `handle`, in order, from now on.

        Nothing is kept: what is published while NATS is away is not seen.
        """
        await self._client.subscribe(subject, cb=handle)

    async def publish(self, subject: str, body: bytes) -> None:
        """Say something that nobody needs to keep; while NATS is away, it is not said."""
        if self._client.is_connected:
            await self._client.publish(subject, body)

    async def send(self, subject: str, reply: str, head: bytes, body: bytes) -> None:
        """Publish, with the headers as one block (`NATS/1.0`, a line each, an empty line).

        The client's own way checks and encodes each header of each message anew,
        which is half of what publishing an event costs. Raises nats' errors for a
        subject or a size that the server would end the connection for.
        """
        client = self._client
        if not subject or _SPACE.search(subject):
            raise BadSubjectError
        if len(head) + len(body) > client.max_payload:
            raise MaxPayloadError
        lengths = f"{len(head)} {len(head) + len(body)}"
        await client._send_command(
            b"HPUB %b\r\n%b%b\r\n" % (f"{subject} {reply} {lengths}".encode(), head, body)
        )
        if client._flush_queue is not None and client._flush_queue.empty():
            await client._flush_pending()

    async def flush(self) -> None:
        """Return once NATS has what was published; while it is away, at once."""
        if self._client.is_connected:
            with suppress(NatsError, TimeoutError):
                await self._client.flush(timeout=1)

    async def close(self) -> None:
        """Leave; what was published is sent first.

        Raises `OSError` when it could not be.
        """
        try:
            if self._client.is_connected:
                await self._client.flush(timeout=2)
            await self._client.close()
        finally:
            abandon(self._client)

    async def _failed(self, error: Exception) -> None:
        self._log.warning("NATS", error=str(error) or type(error).__name__)
        if not self._client.is_connected:
            # The client tries again with another socket, and does not close this one.
            abandon(self._client)

    async def _gone(self) -> None:
        self.connections += 1
        for action in self._disconnected:
            action()

    async def _back(self) -> None:
        for action in self._reconnected:
            action()


def abandon(client: Client) -> None:
    """Close a client's socket, which it forgets where its server went away."""
    if client._transport:
        client._transport.close()  # type: ignore[no-untyped-call]  # nats-py says no types there
