"""What runs: each part as the supervisor sees it, and the address everybody uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from local.doctor.finding import Finding, Verdict, megabytes
from local.home import Home
from local.http_socket import ask

_AREA = "parts"
_RESTARTED_OFTEN = 3
_SECONDS = 15


class SilentError(Exception):
    """A supervisor holds the home and does not answer."""


def state(home: Home) -> Mapping[str, Any]:
    """What the supervisor says of everything. Raises `SilentError`."""
    try:
        _, body = ask(home.control, "GET", "/status", timeout=_SECONDS)
        told: Mapping[str, Any] = json.loads(body)
    except (OSError, ValueError) as error:
        raise SilentError(str(error)) from error
    return told


def pid_of(told: Mapping[str, Any], part: str) -> int | None:
    """The process of a part; None when it has none."""
    return next((p["pid"] for p in told["parts"] if p["name"] == part), None)


def look(told: Mapping[str, Any]) -> Iterator[Finding]:
    """Judge what the supervisor said, and whether the edge answers."""
    for part in told["parts"]:
        yield _part(part)
    yield _edge(told["url"])


def _part(part: Mapping[str, Any]) -> Finding:
    name, health, restarts = part["name"], part["health"], part["restarts"]
    log = f"creavio logs {name}"
    if health != "ok":
        return Finding(_AREA, name, Verdict.FAIL, health, log)
    text = f"well, {megabytes(part['memory'])}"
    if restarts >= _RESTARTED_OFTEN:
        text = f"well, and was restarted {restarts} times"
        return Finding(_AREA, name, Verdict.WARN, text, log)
    return Finding(_AREA, name, Verdict.OK, text)


def _edge(url: str) -> Finding:
    address = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=_SECONDS)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        text = f"{url} does not answer: {error}"
        return Finding(_AREA, "address", Verdict.FAIL, text, "creavio logs envoy")
    finally:
        connection.close()
    if status != http.client.OK:
        text = f"{url} says {status}: something it needs is not well"
        return Finding(_AREA, "address", Verdict.FAIL, text, "creavio status")
    return Finding(_AREA, "address", Verdict.OK, url)
