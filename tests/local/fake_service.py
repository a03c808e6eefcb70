"""Services as small as they can be, for tests of what runs services.

Each answers gRPC health checks, says that it answers, then does what a datagram on
`<ready>.do` says: `exit N` ends the process, `fail` makes it and its successors fail,
until a file `mended` stands beside its sockets, `deaf` has it answer no more.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
import select
import signal
import socket
import sys

import grpc
from grpc_health.v1.health import HealthServicer
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

from chassis.config import Config, load


def serve(*env_files: Path) -> None:
    """Serve, all in this process, until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        fakes = {fake.orders: fake for fake in (_Fake(file, stack) for file in env_files)}
        while True:
            heard, _, _ = select.select(list(fakes), [], [])
            fakes[heard[0]].obey(heard[0].recv(64).decode())


class _Fake:
    """One service that answers, and where it takes orders."""

    def __init__(self, env_file: Path, stack: ExitStack) -> None:
        config = load(env_file)
        self._broken, mended = env_file.with_name("broken"), env_file.with_name("mended")
        if self._broken.exists() and not mended.exists():
            raise RuntimeError("told to fail")
        self._server = grpc.server(ThreadPoolExecutor(2))
        stack.callback(lambda: self._server.stop(None).wait())
        add_HealthServicer_to_server(HealthServicer(), self._server)
        self._server.add_insecure_port(config.listen)
        self._server.start()
        self.orders = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.orders.bind(_free(config))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
            teller.sendto(b"READY=1", str(config.ready_socket))

    def obey(self, order: str) -> None:
        """Do what a datagram said."""
        if order == "deaf":
            self._server.stop(None).wait()
            return
        if order == "fail":
            self._broken.touch()
            raise RuntimeError("told to fail")
        sys.exit(int(order.removeprefix("exit ")))


def _free(config: Config) -> str:
    path = Path(f"{config.ready_socket}.do")
    path.unlink(missing_ok=True)
    return str(path)
