"""HTTP/1.1 on a Unix socket, as much of it as health checks and commands need."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
import http.client
import json
from pathlib import Path
import re
import socket
from typing import Any

_HEAD_LIMIT = 16 * 1024
_BODY = re.compile(r"\r\n(transfer-encoding:|content-length: *0*[1-9])")
_STATUS_TEXT = {200: "OK", 400: "Bad Request", 404: "Not Found", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and a JSON object."""

    status: int
    body: Mapping[str, Any]


Handler = Callable[[], Awaitable[Reply]]
Routes = Callable[[str, str], Handler | None]
"""(method, path) → what answers it, or None."""


class HttpSocket:
    """Serves `routes` on a Unix socket that only its owner can open."""

    def __init__(self, path: Path, routes: Routes) -> None:
        self._path = path
        self._routes = routes
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(
            self._converse, str(self._path), limit=_HEAD_LIMIT
        )
        self._path.chmod(0o600)

    async def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._server:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer_one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        method, path, *_ = (*head.split("\r\n", 1)[0].split(" "), "", "")
        if _BODY.search(head):
            # Nothing here takes a body; what follows cannot be told from a request.
            await _write(writer, Reply(400, {"error": "no body is taken"}), keep=False)
            return False
        handler = self._routes(method.upper(), path)
        reply = await handler() if handler else Reply(404, {"error": "unknown path"})
        keep = "connection: close" not in head
        await _write(writer, reply, keep=keep)
        return keep


async def _write(writer: asyncio.StreamWriter, reply: Reply, *, keep: bool) -> None:
    body = json.dumps(reply.body).encode()
    head = (
        f"HTTP/1.1 {reply.status} {_STATUS_TEXT[reply.status]}\r\n"
        "content-type: application/json\r\n"
        "cache-control: no-store\r\n"
        f"content-length: {len(body)}\r\n"
        f"connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(path: Path, method: str, target: str, timeout: float = 5) -> tuple[int, bytes]:
    """Ask an HTTP server behind a Unix socket; its status and the body.

    Raises `OSError` when nobody answers.
    """
    connection = _UnixConnection(path, timeout)
    try:
        connection.request(method, target)
        response = connection.getresponse()
        return response.status, response.read()
    except http.client.HTTPException as error:
        raise OSError(f"{path}: {error!r}") from error
    finally:
        connection.close()
