"""The real platform, started for tests in a home of its own, and people who use it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
import json
import os
from pathlib import Path
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any
from urllib.parse import quote
import uuid

import grpc
import httpx

from chassis.testing import Caller
from local.credentials import Credentials
from local.home import Home
from local.http_socket import ask

START_SECONDS = 60
PASSWORD = "correct horse battery"
TRUST = httpx.create_ssl_context()
"""Read once: httpx reads all certificates for each call, which takes longer than the call."""
LIMITS = {
    name: {"source": {"requests": 1_000_000}, "person": {"requests": 1_000_000}}
    for name in ("read", "write", "sensitive", "stream")
}
"""Budgets that no test spends."""


COMPACT = "compact"
"""The profile with all services in one process, as `CREAVIO_PROFILE` names it."""


def profile() -> str:
    """On which profile tests run that want no particular one."""
    return os.environ.get("CREAVIO_PROFILE", "usual")


class Live:
    """A running platform."""

    def __init__(
        self, home: Home, port: int, process: subprocess.Popen[bytes], *, compact: bool = False
    ) -> None:
        self.home = home
        self.port = port
        self.process = process
        self.compact = compact
        """Whether all services live in one process."""

    @property
    def url(self) -> str:
        """Where the edge answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which a command finds it."""
        return _environment(self.home, self.port)

    def status(self) -> dict[str, Any]:
        """What `creavio status` says."""
        _, body = ask(self.home.control, "GET", "/status", timeout=15)
        state: dict[str, Any] = json.loads(body)
        return state

    def reload(self, service: str) -> None:
        """What `creavio reload` does; returns when the service answers."""
        code, body = ask(self.home.control, "POST", f"/reload/{service}", timeout=90)
        assert code == 200, body

    def creavio(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `creavio` on it."""
        return subprocess.run(
            [sys.executable, "-m", "local.cli", *arguments],
            env=self.environment | {"COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )

    def pid(self, part: str) -> int:
        """The process of a part, such as `chat` or `nats`.

        `warm` is the one that all services end with: compact, the one they live in.
        """
        if self.compact and part == "warm":
            part = "services"
        return int(next(p["pid"] for p in self.status()["parts"] if p["name"] == part))

    def kill(self, part: str) -> int:
        """kill -9 a part; returns the pid that is gone."""
        pid = self.pid(part)
        os.kill(pid, signal.SIGKILL)
        return pid

    def pids(self, *parts: str) -> dict[str, int]:
        """The process of every part that has one, once each of `parts` does."""
        ends = time.monotonic() + START_SECONDS
        while True:
            pids = {p["name"]: int(p["pid"]) for p in self.status()["parts"] if p["pid"]}
            if not (missing := set(parts) - pids.keys()):
                return pids
            assert time.monotonic() < ends, f"not started again: {missing}"
            time.sleep(0.02)

    @contextmanager
    def stopped(self, *parts: str) -> Iterator[None]:
        """Parts that are there and answer nothing, until the block ends or kills them."""
        pids = [self.pid(part) for part in parts]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def database_url(self, database: str = "postgres") -> str:
        """SQLAlchemy's URL of a database, for the superuser."""
        password = quote(Credentials(self.home.secrets).password("postgres"), safe="")
        host = quote(str(self.home.postgres), safe="")
        return f"postgresql+psycopg://postgres:{password}@/{database}?host={host}"

    def egress(self, service: str) -> str:
        """The gRPC address through which a service calls the others."""
        return f"unix:{self.home.egress(service)}"

    @asynccontextmanager
    async def as_service(self, service: str) -> AsyncIterator[Caller]:
        """Call as a service does: through its way into the mesh."""
        async with grpc.aio.insecure_channel(self.egress(service)) as channel:
            yield Caller(channel)

    @asynccontextmanager
    async def http(self, token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """Call over REST, signed in or not."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=15, verify=TRUST
        ) as client:
            yield client

    def client(self) -> httpx.Client:
        """Calls over REST as nobody."""
        return httpx.Client(base_url=self.url, timeout=15, verify=TRUST)

    def healthy(self) -> bool:
        """Whether every part says that it is well."""
        try:
            return httpx.get(f"{self.url}/healthz", timeout=5, verify=TRUST).is_success
        except httpx.TransportError:
            return False

    def await_health(self, within: float = 30) -> None:
        """Return once every part says that it is well. Fails the test when it does not."""
        ends = time.monotonic() + within
        while not self.healthy():
            assert time.monotonic() < ends, f"not well within {within} s"
            time.sleep(0.005)

    def await_recovery(self) -> None:
        """Return the moment everything is well again, when something was killed just now."""
        noticed = time.monotonic() + 1
        while self.healthy() and time.monotonic() < noticed:
            time.sleep(0.005)
        self.await_health()

    def sign_in(self, handle: str) -> Person:
        """Another session of somebody who signed up."""
        body = {"login": handle, "password": PASSWORD}
        reply = httpx.post(f"{self.url}/v1/sessions", json=body, timeout=15, verify=TRUST)
        reply.raise_for_status()
        return Person(self, handle, reply.json())

    def sign_up(self, name: str = "somebody", handle: str | None = None) -> Person:
        """Somebody new, signed in."""
        handle = handle or f"{name}-{uuid.uuid4().hex[:12]}"
        body = {
            "handle": handle,
            "email": f"{handle}@example.org",
            "password": PASSWORD,
            "display_name": name.title(),
        }
        reply = httpx.post(f"{self.url}/v1/accounts", json=body, timeout=15, verify=TRUST)
        reply.raise_for_status()
        return Person(self, handle, reply.json())


@dataclass(frozen=True)
class Person:
    """Somebody signed in, who speaks REST."""

    live: Live
    handle: str
    session: dict[str, Any]

    @property
    def id(self) -> str:
        """`usr_…`."""
        return str(self.session["user"]["id"])

    @property
    def token(self) -> str:
        """The access token."""
        return str(self.session["access_token"])

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Call, and return the reply whatever it says."""
        headers = {"authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        url = f"{self.live.url}{path}"
        return httpx.request(method, url, headers=headers, timeout=15, verify=TRUST, **options)

    def do(self, method: str, path: str, **options: Any) -> Any:
        """Call, and return what was answered. Fails the test on an error."""
        reply = self.ask(method, path, **options)
        assert reply.is_success, f"{method} {path}: {reply.status_code} {reply.text}"
        return reply.json()

    def found(self, name: str = "A table") -> Any:
        """Found a community."""
        return self.do("POST", "/v1/communities", json={"name": name})

    def open_channel(self, community: str, name: str = "general") -> Any:
        """Create a channel."""
        return self.do("POST", f"/v1/communities/{community}/channels", json={"name": name})

    def invite(self, community: str) -> str:
        """Make an invite; its code."""
        return str(self.do("POST", f"/v1/communities/{community}/invites", json={})["code"])

    def accept(self, code: str) -> Any:
        """Join by an invite."""
        return self.do("POST", f"/v1/invites/{code}:accept")

    def send(self, channel: str, content: str, nonce: str = "") -> Any:
        """Send a message."""
        body = {"content": content, "nonce": nonce}
        return self.do("POST", f"/v1/channels/{channel}/messages", json=body)

    def messages(self, channel: str) -> list[Any]:
        """Every message of a channel, oldest first."""
        found: list[Any] = []
        token = ""
        while True:
            query = {"page_size": 100, "page_token": token}
            page = self.do("GET", f"/v1/channels/{channel}/messages", params=query)
            found += page["messages"]
            token = page["next_page_token"]
            if not token:
                return found[::-1]

    @contextmanager
    def listening(self, resume_token: str = "", read_timeout: float = 20) -> Iterator[Listener]:
        """The event stream, open: `ready` was told."""
        query = {"resume_token": resume_token} if resume_token else {}
        headers = {"authorization": f"Bearer {self.token}", "accept": "application/x-ndjson"}
        with httpx.stream(
            "GET",
            f"{self.live.url}/v1/events",
            params=query,
            headers=headers,
            timeout=httpx.Timeout(15, read=read_timeout),
            verify=TRUST,
        ) as reply:
            if not reply.is_success:
                reply.read()
            assert reply.is_success, f"{reply.status_code} {reply.text}"
            listener = Listener(reply)
            listener.until("ready")
            yield listener


class Listener:
    """Reads an event stream, event by event."""

    def __init__(self, reply: httpx.Response) -> None:
        self._lines = reply.iter_lines()
        self._waiting: list[dict[str, Any]] = []
        self.resume_token = ""
        self.seen: list[dict[str, Any]] = []

    def next(self) -> dict[str, Any]:
        """The next event. Raises httpx.ReadTimeout when none comes."""
        while not self._waiting:
            line = next(self._lines)
            if line:
                batch = json.loads(line)
                self._waiting = batch["events"]
                self._token = batch["resume_token"]
        event = self._waiting.pop(0)
        if not self._waiting:
            self.resume_token = self._token
        self.seen.append(event)
        return event

    def until(self, kind: str, within: float = 10) -> dict[str, Any]:
        """The next event of a kind: its payload. Fails the test when it does not come."""
        ends = time.monotonic() + within
        while time.monotonic() < ends:
            event = self.next()
            if kind in event:
                payload: dict[str, Any] = event[kind]
                return payload
        raise AssertionError(f"no {kind} within {within} s")


def _up(_: Home) -> Sequence[str]:
    return [sys.executable, "-m", "local.cli", "up"]


@contextmanager
def running(command: Callable[[Home], Sequence[str]] = _up, **environment: str) -> Iterator[Live]:
    """A platform of its own, until the block ends; then nothing of it is left.

    `CREAVIO_REPLICAS="chat=2"` runs two processes of chat. What says nothing of replicas
    or of `CREAVIO_COMPACT` runs on the profile that `CREAVIO_PROFILE` names. `command`
    starts it on a home in another way, and ends it on SIGTERM; its input is kept open.
    """
    compact = profile() == COMPACT and "CREAVIO_REPLICAS" not in environment
    if "CREAVIO_COMPACT" in environment:
        compact = environment["CREAVIO_COMPACT"] == "1"
    folder = Path(tempfile.mkdtemp(prefix="cv-", dir="/tmp"))  # sockets need a short path
    home, port = Home(folder / "home"), _free_port()
    (folder / "limits.json").write_text(json.dumps(LIMITS))
    log = folder / "up.log"
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                command(home),
                env={
                    **_environment(home, port),
                    "CREAVIO_LIMITS": str(folder / "limits.json"),
                    "CREAVIO_COMPACT": "1" if compact else "0",
                    **environment,
                },
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _await_open(process, port, log)
            yield Live(home, port, process, compact=compact)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdin is not None
            process.stdin.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _await_open(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    ends = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < ends:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=2, verify=TRUST).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"the platform did not open:\n{log.read_text()}")


def _environment(home: Home, port: int) -> dict[str, str]:
    return {**os.environ, "CREAVIO_HOME": str(home.root), "CREAVIO_PORT": str(port)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def refusal(reply: httpx.Response) -> tuple[int, str]:
    """The HTTP status of a refusal, and its reason."""
    return reply.status_code, reply.json()["details"][0]["reason"]


def signed_out(person: Person, *paths: str) -> bool:
    """Whether the services behind some paths refuse a session, once they were told that it ended.

    It is said while the session ends and known everywhere within a second, not at once; on a
    machine that is busy with other tests, a second may be long.
    """
    ends = time.monotonic() + 10
    for path in paths or ("/v1/users/me",):
        while (reply := person.ask("GET", path)).is_success and time.monotonic() < ends:
            time.sleep(0.02)
        if reply.is_success or refusal(reply) != (401, "SESSION_REVOKED"):
            return False
    return True
