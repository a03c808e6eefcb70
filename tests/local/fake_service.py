"""A service as small as one can be, for tests of what runs services.

It answers gRPC health checks, says that it answers, then does what a datagram on
`<ready>.do` says: `exit N` ends it, `fail` makes it and its successors fail,
until a file `mended` stands beside its sockets.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import signal
import socket
import sys

import grpc
from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

from chassis.config import Config, load


def serve(env_file: Path) -> None:
    """Serve until SIGTERM."""
    config = load(env_file)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    broken, mended = env_file.with_name("broken"), env_file.with_name("mended")
    if broken.exists() and not mended.exists():
        raise RuntimeError("told to fail")
    server = grpc.server(ThreadPoolExecutor(2))
    add_HealthServicer_to_server(HealthServicer(), server)
    server.add_insecure_port(config.listen)
    server.start()
    try:
        order = _order(config)
    finally:
        server.stop(None).wait()
    if order == "fail":
        broken.touch()
        raise RuntimeError("told to fail")
    sys.exit(int(order.removeprefix("exit ")))


def _order(config: Config) -> str:
    assert config.ready_socket is not None
    path = Path(f"{config.ready_socket}.do")
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as orders:
        orders.bind(str(path))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
            teller.sendto(b"READY=1", config.ready_socket)
        return orders.recv(64).decode()
