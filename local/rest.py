"""Calls over REST to the platform that runs on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
import http.client
import json
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from local.home import Home
from local.http_socket import ask

_SECONDS = 30
_LONGEST_WAIT = 90.0
_TRIES = 8


class RestError(Exception):
    """A call was refused, or not answered; the message is one line."""

    def __init__(self, message: str, status: int = 0, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        """The HTTP status; 0 when nobody answered."""
        self.reason = reason
        """The reason of the error, such as HANDLE_TAKEN; empty when it has none."""


def address(home: Home) -> str:
    """Where the platform of a home is open. Raises `OSError` when none runs."""
    _, body = ask(home.control, "GET", "/status", timeout=15)
    return str(json.loads(body)["url"])


class Rest:
    """One caller, signed in or not, on one connection."""

    def __init__(self, url: str, token: str = "") -> None:
        self._port = urlsplit(url).port
        self._url = url
        self._token = token
        self._connection: http.client.HTTPConnection | None = None

    def signed_in(self, token: str) -> Rest:
        """The same, as somebody."""
        return Rest(self._url, token)

    def get(self, path: str, **query: str | int) -> Any:
        """Read. Raises `RestError`, as every call does."""
        return self.call("GET", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, key: str = "") -> Any:
        """Call with a body; `key` makes a repetition harmless where the contract says so."""
        return self.call("POST", path, body or {}, {"idempotency-key": key} if key else {})

    def pages(self, path: str, field: str) -> Iterator[Any]:
        """Everything a list holds, page by page."""
        token = ""
        while True:
            page = self.get(path, page_size=100, **({"page_token": token} if token else {}))
            yield from page.get(field, ())
            token = page.get("next_page_token", "")
            if not token:
                return

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Call, and wait when it was too much; what was answered.

        Sent once more only where nothing was done: the budget was spent, or the
        connection had been closed before.
        """
        sent = {"content-type": "application/json", "accept": "application/json", **(headers or {})}
        if self._token:
            sent["authorization"] = f"Bearer {self._token}"
        content = None if body is None else json.dumps(body)
        for _ in range(_TRIES):
            status, waits, answer = self._exchange(method, path, content, sent)
            if status != http.client.TOO_MANY_REQUESTS:
                break
            time.sleep(min(waits, _LONGEST_WAIT))
        if status >= http.client.BAD_REQUEST:
            raise _refused(method, path, status, answer)
        return json.loads(answer) if answer else {}

    def _exchange(
        self, method: str, path: str, content: str | None, headers: Mapping[str, str]
    ) -> tuple[int, float, bytes]:
        for fresh in (False, True):
            if fresh or self._connection is None:
                self._connection = http.client.HTTPConnection(
                    "127.0.0.1", self._port, timeout=_SECONDS
                )
            try:
                self._connection.request(method, path, content, dict(headers))
                reply = self._connection.getresponse()
                waits = reply.getheader("retry-after", "1")
                return reply.status, float(waits) if waits.isdigit() else 1.0, reply.read()
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
                if fresh:
                    raise RestError(f"{self._url} does not answer: {error}") from error
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                self._connection = None
                raise RestError(f"{self._url} does not answer: {error}") from error
        raise AssertionError


def _refused(method: str, path: str, status: int, answer: bytes) -> RestError:
    message, reason = f"{method} {path.partition('?')[0]} was answered {status}", ""
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        told = json.loads(answer)
        message = str(told["message"])
        reason = next((str(d["reason"]) for d in told.get("details", ()) if "reason" in d), "")
    return RestError(message, status, reason)
